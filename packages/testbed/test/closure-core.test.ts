import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { Journey } from '../src/demo/journey.ts';
import { brokenFor, brokenOverall } from './support/invariants.ts';
import { killsAt } from './support/kills.ts';
import type { Kills, Place } from './support/kills.ts';
import { startService } from './support/service.ts';
import type { Service } from './support/service.ts';
import { inUse, leave } from './support/traveller.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });
const places: readonly Place[] = [{ step: 'certify', moment: 'after' }, { step: 'erase', moment: 'after' }, { step: 'settle', moment: 'after' }];
let service: Service;
let undisturbed: Journey;
let disturbed: Journey[];
let kills: Kills;

beforeAll(async () => {
  service = await startService();
  [undisturbed, ...disturbed] = await inUse(service, 1 + places.length) as [Journey, ...Journey[]];
  kills = killsAt(service, places);
});
afterAll(() => service.stop());

test('a closure leaves one refund, one certificate, one confirmation, and nothing of the traveller', async () => {
  await leave(undisturbed);
  expect(await brokenFor(service, undisturbed)).toEqual([]);
});

test.each(places.map(({ step }, index) => [step, index] as const))('kill -9 right after %s loses nothing and does nothing twice', async (_step, index) => {
  await kills.leaveOver(index, disturbed[index]!);
  expect(await brokenFor(service, disturbed[index]!)).toEqual([]);
});

test('the books, the log and the jobs are in order when all have left', async () => {
  expect(await brokenOverall(service, [undisturbed, ...disturbed])).toEqual([]);
});
