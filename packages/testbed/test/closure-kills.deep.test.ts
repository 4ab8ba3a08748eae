import { closureSteps } from '@yuanyou/contract';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Journey } from '../src/demo/journey.ts';
import { brokenFor, brokenOverall } from './support/invariants.ts';
import { killsAt } from './support/kills.ts';
import type { Kills, Place } from './support/kills.ts';
import { startService } from './support/service.ts';
import type { Service } from './support/service.ts';
import { inUse } from './support/traveller.ts';

const places: readonly Place[] = (['after', 'before'] as const).flatMap((moment) => closureSteps.toReversed().map((step) => ({ step, moment })));
let service: Service;
let journeys: Journey[];
let kills: Kills;

beforeAll(async () => {
  service = await startService();
  journeys = await inUse(service, places.length);
  kills = killsAt(service, places);
}, 600_000);
afterAll(() => service.stop());

test.each(places.map((place, index) => [`${place.moment} ${place.step}`, index] as const))('kill -9 of the server %s', async (_name, index) => {
  await kills.leaveOver(index, journeys[index]!);
  expect(await brokenFor(service, journeys[index]!)).toEqual([]);
}, 300_000);

test('the books, the log and the jobs are in order when all have left', async () => {
  expect(await brokenOverall(service, journeys)).toEqual([]);
}, 120_000);
