import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { sql } from '@yuanyou/server/testing';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { Journey } from '../src/demo/journey.ts';
import { readGatewayBooks } from '../src/gateway/index.ts';
import { brokenFor, brokenOverall } from './support/invariants.ts';
import { killsAt } from './support/kills.ts';
import type { Kills, Place } from './support/kills.ts';
import { startService } from './support/service.ts';
import type { Service } from './support/service.ts';
import { inUse, leave } from './support/traveller.ts';

vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });
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

test('the checks see a second refund, a message too many, a receipt twice over, a key that lives on, a step left open', async () => {
  const books = (...path: string[]): string => join(service.cluster.dataFolder, 'testbed', ...path);
  const [refund] = readGatewayBooks(books('gateway')).refunds;
  const owner = await service.db.one<{ accountId: string; executionId: string; caseNumber: string }>(sql`
    select c.account_id as "accountId", c.execution_id as "executionId", c.case_number as "caseNumber"
      from closure.case c join payments.refund r on r.account_id = c.account_id where r.gateway_refund_id = ${refund!.id}`);
  const journey = [undisturbed, ...disturbed].find((one) => one.caseNumber === owner.caseNumber)!;
  appendFileSync(books('gateway', 'gateway-books.jsonl'), `${JSON.stringify({ refund: { ...refund, id: 're_second' } })}\n`);
  appendFileSync(books('inbox', 'inbox.jsonl'), `${JSON.stringify({ to: [journey.traveller.email], messageId: '<stray>', subject: 'We miss you', attachments: [] })}\n`);
  appendFileSync(books('operator', 'operator-register.jsonl'), `${JSON.stringify({ forgotten: { iccid: journey.iccid } })}\n`);
  await service.keysDb.transaction(async (tx) => {
    // The database itself guards tombstones.
    await tx.run(sql`set local session_replication_role = replica`);
    await tx.run(sql`delete from keys.tombstone where subject_id = ${owner.accountId}`);
  });
  await service.db.transaction((tx) => tx.run(sql`update jobs.saga_step set status = 'stuck' where saga_id = ${owner.executionId} and name = 'confirm'`));
  const found = (await brokenFor(service, journey)).map((line) => line.replace(/^\S+ (.*?)(?: of [\w-]+)?: .*$/, '$1'));
  expect(found).toEqual(['steps', 'the gateway’s refunds', 'mail that is not in the register', 'after the confirmation', 'what the operator did', 'keys and tombstones']);
});
