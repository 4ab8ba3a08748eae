import type { CatalogueFault, CatalogueReport, CatalogueRow, CatalogueSet } from '@yuanyou/contract';
import type { Audit } from '../../platform/audit/types.ts';
import type { Clock } from '../../platform/clock/index.ts';
import type { Reader, Transactor } from '../../platform/db/index.ts';
import { columnsOf } from './columns.ts';
import { keyOf, putRows, rowsOf } from './index.ts';
import { faultsBeside, saysTheSame } from './model.ts';
import type { Known } from './model.ts';
import { faultAt, readFile } from './read-file.ts';
import type { FileRow } from './read-file.ts';

const maxFaults = 500;

export interface ImportDeps {
  readonly db: Transactor;
  readonly clock: Clock;
  readonly audit: Audit;
}

/** A file to import, and who brings it. */
export interface ImportFile<S extends CatalogueSet> {
  readonly agentId: string;
  readonly dataset: S;
  readonly format: 'csv' | 'json';
  readonly text: string;
  readonly dryRun: boolean;
}

async function knownIn(db: Reader): Promise<Known> {
  const [countries, regions, operators] = [await rowsOf(db, 'countries'), await rowsOf(db, 'regions'), await rowsOf(db, 'operators')];
  const networks = new Map((await rowsOf(db, 'networks')).map((row) => [row.plmn, row]));
  const coverage = await rowsOf(db, 'coverage');
  return {
    countries: new Set(countries.map(({ code }) => code)), regions: new Set(regions.map(({ code }) => code)), networks,
    operators: new Set(operators.map(({ code }) => code)),
    covered: new Set(coverage.map(({ operator, plmn }) => `${operator} ${networks.get(plmn)?.country ?? ''}`)),
  };
}

/** What a member is called in the file. */
function columnFor(set: CatalogueSet, format: 'csv' | 'json', member: string): string {
  return (format === 'csv' ? columnsOf[set].find(({ path }) => path[0] === member)?.name : undefined) ?? member;
}

function repeatedKeys<S extends CatalogueSet>(set: S, rows: readonly FileRow<S>[]): CatalogueFault[] {
  const seen = new Set<string>();
  return rows.flatMap(({ line, row }) => {
    const key = keyOf(set, row);
    const fault = seen.has(key) ? [faultAt(line, 'repeated-key', null, key)] : [];
    seen.add(key);
    return fault;
  });
}

/** Imports a file of a data set by its rows' keys: all of it when nothing is wrong, nothing otherwise; a dry run only reports. */
export async function importSet<S extends CatalogueSet>(deps: ImportDeps, { agentId, dataset, format, text, dryRun }: ImportFile<S>): Promise<CatalogueReport> {
  const file = readFile(dataset, format, text);
  return deps.db.transaction(async (tx) => {
    const known = await knownIn(tx);
    const beside = file.rows.flatMap(({ line, row }) =>
      faultsBeside(dataset, row, known).map(([member, fault, value]) => faultAt(line, fault, columnFor(dataset, format, member), value)));
    const faults = [...file.faults, ...repeatedKeys(dataset, file.rows), ...beside].toSorted((one, other) => one.line - other.line);
    const { added, changed, unchanged } = against(dataset, file.rows, await rowsOf(tx, dataset));
    if (faults.length === 0 && !dryRun && added.length + changed.length > 0) {
      await putRows(tx, dataset, [...added, ...changed], deps.clock.now());
      await deps.audit.record(tx, {
        actor: { kind: 'agent', id: agentId }, action: 'catalogue.import', subjectKind: 'catalogue', subjectId: dataset,
        details: { added: added.length, changed: changed.length },
      });
    }
    return {
      dryRun, rows: file.rows.length, added: added.length, changed: changed.length, unchanged, faults: faults.slice(0, maxFaults),
      moreFaults: Math.max(0, faults.length - maxFaults),
    };
  });
}

function against<S extends CatalogueSet>(set: S, rows: readonly FileRow<S>[], there: readonly CatalogueRow<S>[]) {
  const before = new Map(there.map((row) => [keyOf(set, row), row]));
  const added: CatalogueRow<S>[] = [];
  const changed: CatalogueRow<S>[] = [];
  for (const { row } of rows) {
    const old = before.get(keyOf(set, row));
    if (old === undefined) added.push(row);
    else if (!saysTheSame(old, row)) changed.push(row);
  }
  return { added, changed, unchanged: rows.length - added.length - changed.length };
}
