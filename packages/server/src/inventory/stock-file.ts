import type { ImportFault } from '@yuanyou/contract';
import { CsvError, parse } from 'csv-parse/sync';
import { columns } from './model.ts';
import type { Column, NewProfile } from './model.ts';

const maxRows = 20_000;

/** A row of a stock file; its line counts from 1 and includes the header. */
export interface Row {
  readonly line: number;
  readonly cells: Readonly<Record<string, string>>;
}

/** What a stock file says, and what is wrong with it by itself. */
export interface StockFile {
  readonly rows: readonly Row[];
  readonly faults: readonly ImportFault[];
}

/** Reads a header of known columns, then rows of as many cells. */
function readRows(csv: string): StockFile {
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
  const unknown = header.filter((name, i) => !Object.hasOwn(columns, name) || header.indexOf(name) !== i);
  return [
    ...missing.map(([column]) => ({ line: 1, column, fault: 'missing-column' as const })),
    ...unknown.map((column) => ({ line: 1, column, fault: 'unknown-column' as const })),
  ];
}

/** What is wrong with the cells, and numbers that come twice. */
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

/** Reads a stock file and lists what is wrong with it by itself. */
export function readStockFile(csv: string): StockFile {
  const { rows, faults } = readRows(csv);
  return { rows, faults: [...faults, ...faultsWithin(rows)] };
}

/** The profile that a row without faults describes. */
export function profileOf({ cells }: Row): NewProfile {
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
