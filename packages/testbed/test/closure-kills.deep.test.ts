import { closureSteps } from '@yuanyou/contract';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Journey } from '../src/demo/journey.ts';
import { brokenFor, brokenOverall } from './support/invariants.ts';
import { startService } from './support/service.ts';
import type { Service } from './support/service.ts';
import { inUse, leave } from './support/traveller.ts';

type Step = (typeof closureSteps)[number];
interface Place { readonly step: Step; readonly moment: 'before' | 'after' }

/** From the last step to the first: the next fault can then be armed at the restart, since the traveller under way has passed it. */
const places: readonly Place[] = (['after', 'before'] as const).flatMap((moment) => closureSteps.toReversed().map((step) => ({ step, moment })));

let service: Service;
let journeys: Journey[];
let armed: Place | undefined;

async function startArmed(place: Place | undefined): Promise<void> {
  await service.server.start(place === undefined ? {} : { YUANYOU_FAULTS: `closure:${place.step}:${place.moment}=sigkill` });
  armed = place;
}

beforeAll(async () => {
  service = await startService();
  journeys = await inUse(service, places.length);
}, 300_000);
afterAll(() => service.stop());

test.each(places.map((place, index) => [`${place.moment} ${place.step}`, index] as const))('kill -9 of the server %s', async (_name, index) => {
  const [place, next, journey] = [places[index]!, places[index + 1], journeys[index]!];
  if (armed !== place) {
    await service.server.stop();
    await startArmed(place);
  }
  const died = service.server.ended();
  const gone = leave(journey);
  expect(await Promise.race([died, gone.then(() => 'left undisturbed')])).toBe(1);
  await startArmed(next?.moment === place.moment ? next : undefined);
  await gone;
  expect(await brokenFor(service, journey)).toEqual([]);
}, 120_000);

test('the books, the log and the jobs are in order when all have left', async () => {
  expect(await brokenOverall(service, journeys)).toEqual([]);
}, 60_000);
