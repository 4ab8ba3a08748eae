import { closureSteps } from '@yuanyou/contract';
import { sql } from '@yuanyou/server/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Journey } from '../src/demo/journey.ts';
import { brokenFor, brokenOverall } from './support/invariants.ts';
import { startService } from './support/service.ts';
import type { Service } from './support/service.ts';
import { inUse, leave } from './support/traveller.ts';

const together = 4;

/**
 * Every step fails as often as there are travellers, who all leave at once: `before`, it has done nothing; `after`, it has done its work
 * and must do it again without doing it twice.
 */
describe.each(['before', 'after'] as const)('every step throws %s its work', (moment) => {
  let service: Service;
  let journeys: Journey[];

  beforeAll(async () => {
    const faults = closureSteps.map((step) => `closure:${step}:${moment}=throw*${together}`).join(',');
    service = await startService({ env: { YUANYOU_FAULTS: faults } });
    journeys = await inUse(service, together);
    await Promise.all(journeys.map((journey) => leave(journey)));
  });
  afterAll(() => service.stop());

  test.each(closureSteps)('%s failed as often as ordered and was run again', async (step) => {
    const { attempts, failed } = await service.db.one<{ attempts: bigint; failed: bigint }>(sql`
      select sum(s.attempts) as attempts, count(*) filter (where s.status <> 'done') as failed
        from jobs.saga g join jobs.saga_step s on s.saga_id = g.id where g.kind = 'closure' and s.name = ${step}`);
    expect(Number(attempts)).toBeGreaterThanOrEqual(2 * together);
    expect(Number(failed)).toBe(0);
  });

  test('nothing was lost and nothing done twice', async () => {
    for (const journey of journeys) expect(await brokenFor(service, journey)).toEqual([]);
    expect(await brokenOverall(service, journeys)).toEqual([]);
  });
});
