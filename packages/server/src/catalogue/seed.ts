import { createHash } from 'node:crypto';
import type { CatalogueRow, CatalogueSet } from '@yuanyou/contract';
import type { Tx } from '../platform/db/index.ts';
import { demoDevices } from './demo/devices.ts';
import { demoPlans } from './demo/offers.ts';
import { demoCountries, demoCoverage, demoNetworks, demoOperators, demoRegionRows } from './demo/places.ts';
import { ensureOperators, keyOf, putRows, rowsOf } from './sets/index.ts';
import * as store from './store.ts';

const what = 'demo';

/** Rows that nothing in the data set shares a key with: what people changed stays. */
async function addMissing<S extends CatalogueSet>(tx: Tx, set: S, rows: readonly CatalogueRow<S>[], at: Date): Promise<number> {
  const there = new Set((await rowsOf(tx, set)).map((row) => keyOf(set, row)));
  const missing = rows.filter((row) => !there.has(keyOf(set, row)));
  if (missing.length > 0) await putRows(tx, set, missing, at);
  return missing.length;
}

/**
 * Adds what is missing of the demo catalogue; answers how many plans were new.
 * @param operatorIds the partners of the demo operators, by code; plans of others are left out.
 */
export async function seedDemo(tx: Tx, operatorIds: ReadonlyMap<string, string>, at: Date): Promise<number> {
  const plans = demoPlans().filter(({ operator }) => operatorIds.has(operator));
  const coverage = demoCoverage().filter(({ operator }) => operatorIds.has(operator));
  const places = { countries: demoCountries(), regions: demoRegionRows(), networks: demoNetworks(), devices: demoDevices() };
  const digest = createHash('sha256').update(JSON.stringify([places, plans, coverage, [...operatorIds]])).digest('hex');
  if (await store.seeded(tx, what) === digest) return 0;
  await addMissing(tx, 'countries', places.countries, at);
  await addMissing(tx, 'regions', places.regions, at);
  await addMissing(tx, 'networks', places.networks, at);
  await ensureOperators(tx, demoOperators().flatMap((row) => {
    const operatorId = operatorIds.get(row.code);
    return operatorId === undefined ? [] : [{ ...row, operatorId }];
  }));
  await addMissing(tx, 'coverage', coverage, at);
  const added = await addMissing(tx, 'plans', plans, at);
  await addMissing(tx, 'devices', places.devices, at);
  await store.noteSeeding(tx, what, digest, at);
  return added;
}
