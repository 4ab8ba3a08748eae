import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Journey } from '../src/demo/journey.ts';
import { brokenFor, brokenOverall } from './support/invariants.ts';
import { seeded } from './support/random.ts';
import { startService } from './support/service.ts';
import type { Service } from './support/service.ts';
import { applyToLeave, followToEnd, inUse } from './support/traveller.ts';

const seeds = [11, 23, 37, 53] as const;
const together = 3;
let service: Service;
let journeys: Journey[];

beforeAll(async () => {
  service = await startService();
  journeys = await inUse(service, seeds.length * together);
}, 300_000);
afterAll(() => service.stop());

test.each(seeds.map((seed, index) => [seed, index] as const))('kill -9 and SIGTERM at random times while three leave (seed %i)', async (seed, index) => {
  const random = seeded(seed);
  const leaving = journeys.slice(index * together, (index + 1) * together);
  const gone = Promise.all(leaving.map(async (journey) => {
    await applyToLeave(journey);
    await followToEnd(journey, 180_000);
  }));
  // Awaited below; what fails before then must not end the run.
  gone.catch(() => undefined);
  const kills = 3 + Math.floor(random() * 4);
  for (let kill = 0; kill < kills; kill++) {
    await sleep(20 + random() * 1200);
    // One in four is asked to stop, and does, with closures under way.
    if (random() < 0.25) expect(await service.server.stop()).toBe(0);
    else await service.server.kill();
    await service.server.start();
  }
  await gone;
  for (const journey of leaving) expect(await brokenFor(service, journey)).toEqual([]);
}, 300_000);

test('the books, the log and the jobs are in order when all have left', async () => {
  expect(await brokenOverall(service, journeys)).toEqual([]);
}, 120_000);
