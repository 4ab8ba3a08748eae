import type { ImportFault, ImportReport } from '@yuanyou/contract';
import type { Tx } from '../platform/db/index.ts';
import { ServiceError } from '../platform/errors.ts';
import type { NewProfile } from './model.ts';
import { profileOf, readStockFile } from './stock-file.ts';
import type { Row } from './stock-file.ts';
import { addSealed, sealAll } from './stock.ts';
import type { StockDeps } from './stock.ts';
import * as store from './store.ts';

const maxFaults = 500;
const lookupSize = 1_000;

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

/**
 * Imports a stock file: all of it when nothing is wrong, nothing otherwise; a dry run only reports.
 * @param onImport joins the transaction that imports.
 */
export async function importStock(
  deps: StockDeps, operatorId: string, csv: string, dryRun: boolean, onImport: (tx: Tx, imported: number) => Promise<void>,
): Promise<ImportReport> {
  const { rows, faults: fileFaults } = readStockFile(csv);
  const faults = [...fileFaults, ...await faultsWithStock(deps, rows)].toSorted((a, b) => a.line - b.line);
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
