import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { brokenFor, brokenOverall } from './support/invariants.ts';
import { startService } from './support/service.ts';
import type { Service } from './support/service.ts';
import { applyToLeave, followToEnd, inUse, leave } from './support/traveller.ts';
import type { Journey } from '../src/demo/journey.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 90_000 });
const places = ['settle', 'erase', 'certify'] as const;
let service: Service;
let undisturbed: Journey;
let disturbed: Journey[];

beforeAll(async () => {
  service = await startService();
  [undisturbed, ...disturbed] = await inUse(service, 1 + places.length) as [Journey, ...Journey[]];
});
afterAll(() => service.stop());

test('a closure leaves one refund, one certificate, one confirmation, and nothing of the traveller', async () => {
  await leave(undisturbed);
  expect(await brokenFor(service, undisturbed)).toEqual([]);
});

test.each(places.map((step, index) => [step, index] as const))('kill -9 right after %s loses nothing and does nothing twice', async (step, index) => {
  await service.server.stop();
  await service.server.start({ YUANYOU_FAULTS: `closure:${step}:after=sigkill` });
  const died = service.server.ended();
  const journey = disturbed[index]!;
  const gone = applyToLeave(journey).then(() => followToEnd(journey));
  expect(await died).toBe(1);
  await service.server.start();
  await gone;
  expect(await brokenFor(service, journey)).toEqual([]);
});

test('the books, the log and the jobs are in order when all have left', async () => {
  expect(await brokenOverall(service, [undisturbed, ...disturbed])).toEqual([]);
});
