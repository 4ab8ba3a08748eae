import type { CatalogueRow, CatalogueSet } from '@yuanyou/contract';
import type { Reader, Tx } from '../../platform/db/index.ts';
import { newId } from '../../platform/ids.ts';
import { termsOf } from '../words.ts';
import * as store from './store.ts';
import type { Terms } from './store.ts';

export { ensureOperators } from './store.ts';

/** A data set: how its rows are told apart, read and put in the stead of those with the same key. */
interface RowSet<S extends CatalogueSet> {
  readonly keyOf: (row: CatalogueRow<S>) => string;
  readonly put: (tx: Tx, rows: readonly CatalogueRow<S>[], at: Date) => Promise<void>;
}

const batchSize = 2_000;

function placeTerms(rows: readonly Pick<CatalogueRow<'countries'>, 'code' | 'name' | 'also'>[]): Terms[] {
  return rows.map(({ code, name, also }) => ({ key: code, terms: termsOf([...Object.values(name), ...also]) }));
}

/** "Apple iPhone 15 Pro" is found from each of its words on: also as "iphone 15" and "15 pro". */
function deviceTerms({ model, brand, name, also }: CatalogueRow<'devices'>): Terms {
  const words = `${brand} ${name}`.split(' ');
  return { key: model, terms: termsOf([...words.map((_, from) => words.slice(from).join(' ')), ...also]) };
}

const sets: { readonly [S in CatalogueSet]: RowSet<S> } = {
  countries: {
    keyOf: ({ code }) => code,
    put: async (tx, rows) => { await store.putCountries(tx, rows); await store.putPlaceTerms(tx, placeTerms(rows)); },
  },
  regions: {
    keyOf: ({ code }) => code,
    put: async (tx, rows) => { await store.putRegions(tx, rows); await store.putPlaceTerms(tx, placeTerms(rows)); },
  },
  operators: { keyOf: ({ code }) => code, put: store.putOperators },
  networks: { keyOf: ({ plmn }) => plmn, put: store.putNetworks },
  coverage: { keyOf: ({ operator, plmn }) => `${operator} ${plmn}`, put: store.putCoverage },
  plans: {
    keyOf: ({ slug }) => slug,
    put: (tx, rows, at) => store.putPlans(tx, rows.map((row) => ({ ...row, planId: newId(at.getTime()) })), at),
  },
  devices: { keyOf: ({ model }) => model, put: (tx, rows) => store.putDevices(tx, rows, rows.map(deviceTerms)) },
};

/** What tells a row of a data set from the others. */
export function keyOf<S extends CatalogueSet>(set: S, row: CatalogueRow<S>): string {
  return sets[set].keyOf(row);
}

/** Every row of a data set, by its key. */
export async function rowsOf<S extends CatalogueSet>(db: Reader, set: S): Promise<CatalogueRow<S>[]> {
  return (await store.readSet[set](db)).map(({ row }) => row);
}

/** Adds rows, or puts them in the stead of those with the same key. */
export async function putRows<S extends CatalogueSet>(tx: Tx, set: S, rows: readonly CatalogueRow<S>[], at: Date): Promise<void> {
  for (let from = 0; from < rows.length; from += batchSize) await sets[set].put(tx, rows.slice(from, from + batchSize), at);
}
