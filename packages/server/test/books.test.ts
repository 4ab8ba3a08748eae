import fc from 'fast-check';
import { afterAll, beforeAll, test } from 'vitest';
import { openHouse, type House } from './support/house.ts';
import { acts, performAll } from './support/sequences.ts';

const seed = Number(process.env['PROPERTY_SEED'] ?? Date.now() % 2_147_483_647);

let house: House;
beforeAll(async () => { house = await openHouse(); });
afterAll(() => house.stop());

test(`the books hold whatever travellers do, and in whatever order (seed ${seed})`, async () => {
  await fc.assert(fc.asyncProperty(acts(9), (sequence) => performAll(house, sequence)), { seed, numRuns: 3, endOnFailure: true });
}, 120_000);
