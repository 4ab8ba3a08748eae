import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from '@yuanyou/server/testing';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { Journey } from '../src/demo/journey.ts';
import { brokenFor, brokenOverall } from './support/invariants.ts';
import { startService } from './support/service.ts';
import type { Service } from './support/service.ts';
import { applyToLeave, followToEnd, inUse, leave } from './support/traveller.ts';

vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });
let service: Service;
let journeys: Journey[];

// Both start at once on an empty database: they migrate, make keys and seed side by side.
beforeAll(async () => { service = await startService({ processes: 2 }); });
afterAll(() => service.stop());

test('travellers buy, download and use over both processes, request by request', async () => {
  journeys = await inUse(service, 4);
  const { enabled } = await service.db.one<{ enabled: bigint }>(sql`select count(*) as enabled from lines.line where delivery = 'enabled'`);
  expect(Number(enabled)).toBe(journeys.length);
  const stock = await service.db.all<{ profiles: bigint; demo: boolean }>(sql`
    select count(*) as profiles, o.code = 'sakura-demo' as demo from inventory.profile p join partners.operator o on o.id = p.operator_id group by o.code`);
  expect(stock.filter(({ demo }) => demo).map(({ profiles }) => Number(profiles))).toEqual([200]);
});

test('two leave at once', async () => {
  const leaving = journeys.slice(0, 2);
  await Promise.all(leaving.map((journey) => leave(journey)));
  for (const journey of leaving) expect(await brokenFor(service, journey)).toEqual([]);
});

test('two leave while one process is killed; the other goes on at once, and the killed one comes back', async () => {
  const leaving = journeys.slice(2);
  await Promise.all(leaving.map((journey) => applyToLeave(journey)));
  const gone = Promise.all(leaving.map((journey) => followToEnd(journey)));
  gone.catch(() => undefined);
  await sleep(150);
  await service.cluster.members[1]!.kill();
  await gone;
  await service.cluster.members[1]!.start();
  for (const journey of leaving) expect(await brokenFor(service, journey)).toEqual([]);
  expect(await brokenOverall(service, journeys)).toEqual([]);
});
