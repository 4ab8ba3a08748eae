import type { ImportFault, ImportReport } from '@yuanyou/contract';
import { CsvError, parse } from 'csv-parse/sync';
import type { Tx } from '../platform/db/index.ts';
import { ServiceError } from '../platform/errors.ts';
import { columns } from './model.ts';
import type { Column, NewProfile } from './model.ts';
import { addSealed, sealAll } from './stock.ts';
import type { StockDeps } from './stock.ts';
import * as store from './store.ts';

const maxRows = 20_000;
const maxFaults = 500;
const lookupSize = 1_000;

interface Row {
  readonly line: number;
  readonly cells: Readonly<Record<string, string>>;
}

interface Read {
  readonly rows: readonly Row[];
  readonly faults: readonly ImportFault[];
}

/** Reads the file: a header of known columns, then rows of as many cells. */
function readFile(csv: string): Read {
  let records: { record: string[]; info: { lines: number } }[];
  try {
    // The typings do not know that `info` wraps each record.
    records = parse(csv, { bom: true, info: true, trim: true, skipEmptyLines: true, maxRecordSize: 4_096, to: maxRows + 2 }) as never;
  } catch (error) {
    const line = error instanceof CsvError && typeof error['lines'] === 'number' ? error['lines'] : 1;
    return { rows: [], faults: [{ line, column: null, fault: 'unreadable' }] };
  }
  const header = (records[0]?.record ?? []).map((name) => name.toLowerCase());
  const faults = headerFaults(header);
  if (faults.length > 0) return { rows: [], faults };
  if (records.length > maxRows + 1) return { rows: [], faults: [{ line: maxRows + 2, column: null, fault: 'too-many-rows' }] };
  const rows = records.slice(1).map(({ record, info }) => ({
    line: info.lines,
    cells: Object.fromEntries(header.map((name, i) => [name, record[i] ?? ''])),
  }));
  return { rows, faults: [] };
}

function headerFaults(header: readonly string[]): ImportFault[] {
  const missing = Object.entries(columns).filter(([name, rule]) => rule.required && !header.includes(name));
  const unknown = header.filter((name, i) => !(name in columns) || header.indexOf(name) !== i);
  return [
    ...missing.map(([column]) => ({ line: 1, column, fault: 'missing-column' as const })),
    ...unknown.map((column) => ({ line: 1, column, fault: 'unknown-column' as const })),
  ];
}

/** What is wrong within the file: cells, and numbers that come twice. */
function faultsWithin(rows: readonly Row[]): ImportFault[] {
  const seen = { iccid: new Set<string>(), imsi: new Set<string>() };
  return rows.flatMap(({ line, cells }) => {
    const faults: ImportFault[] = [];
    for (const [column, rule] of Object.entries(columns)) {
      const fault = rule.fault(cells[column] ?? '');
      if (fault !== undefined) faults.push({ line, column, fault });
    }
    for (const column of ['iccid', 'imsi'] as const) {
      const value = cells[column] ?? '';
      if (seen[column].has(value)) faults.push({ line, column, fault: `repeated-${column}` });
      seen[column].add(value);
    }
    return faults;
  });
}

/** What collides with the stock. */
async function faultsWithStock(deps: StockDeps, rows: readonly Row[]): Promise<ImportFault[]> {
  const faults: ImportFault[] = [];
  for (let from = 0; from < rows.length; from += lookupSize) {
    const part = rows.slice(from, from + lookupSize);
    const taken = await store.takenNumbers(deps.db, part.map((r) => r.cells['iccid'] ?? ''), part.map((r) => r.cells['imsi'] ?? ''));
    const held = { iccid: new Set(taken.map((t) => t.iccid)), imsi: new Set(taken.map((t) => t.imsi)) };
    for (const { line, cells } of part) {
      for (const column of ['iccid', 'imsi'] as const) {
        if (held[column].has(cells[column] ?? '')) faults.push({ line, column, fault: `taken-${column}` });
      }
    }
  }
  return faults;
}

function profileOf({ cells }: Row): NewProfile {
  const cell = (column: Column): string => cells[column] ?? '';
  return {
    iccid: cell('iccid'),
    imsi: cell('imsi'),
    msisdn: cell('msisdn') || null,
    secrets: {
      ki: cell('ki').toLowerCase(), opc: cell('opc').toLowerCase(), pin1: cell('pin1'), puk1: cell('puk1'), adm1: cell('adm1').toLowerCase(),
    },
  };
}

/**
 * Imports a stock file: all of it when nothing is wrong, nothing otherwise; a dry run only reports.
 * @param onImport joins the transaction that imports.
 */
export async function importStock(
  deps: StockDeps, operatorId: string, csv: string, dryRun: boolean, onImport: (tx: Tx, imported: number) => Promise<void>,
): Promise<ImportReport> {
  const { rows, faults: fileFaults } = readFile(csv);
  const faults = [...fileFaults, ...faultsWithin(rows), ...await faultsWithStock(deps, rows)].toSorted((a, b) => a.line - b.line);
  const clean = faults.length === 0;
  const imported = clean && !dryRun ? await add(deps, operatorId, rows.map(profileOf), onImport) : 0;
  return {
    dryRun, rows: rows.length, imported, faults: faults.slice(0, maxFaults), moreFaults: Math.max(0, faults.length - maxFaults),
  };
}

async function add(
  deps: StockDeps, operatorId: string, profiles: readonly NewProfile[], onImport: (tx: Tx, imported: number) => Promise<void>,
): Promise<number> {
  const sealed = await sealAll(deps, profiles);
  return deps.db.transaction(async (tx) => {
    const added = await addSealed(tx, operatorId, sealed, deps.clock.now());
    // Another import brought the same numbers since the check: none of this file comes in.
    if (added !== sealed.length) throw new ServiceError('inventory/taken', { taken: sealed.length - added });
    if (added > 0) await onImport(tx, added);
    return added;
  });
}
