import { sql } from '@yuanyou/server/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Fault } from '../src/index.ts';
import type { Journey } from '../src/demo/journey.ts';
import { brokenFor, brokenOverall } from './support/invariants.ts';
import { startService } from './support/service.ts';
import type { Service } from './support/service.ts';
import { cards, inUse, leave } from './support/traveller.ts';

/** What goes wrong at the operator; each concerns one subscriber, so that all leave at once. */
const operatorFaults = (['suspend', 'terminate', 'forget'] as const).flatMap((call) => ([
  { call, kind: 'timeout-after-doing', delayMs: 700 }, { call, kind: 'lost-answer' }, { call, kind: 'fail', status: 500, times: 2 }, { call, kind: 'fail', status: 429 },
  { call, kind: 'answer-twice' },
] as const));

const gatewayFaults: readonly Fault[] = [
  { kind: 'timeout-after-doing', match: 'POST /v1/refunds', delayMs: 700 },
  { kind: 'lost-answer', match: 'POST /v1/refunds' },
  { kind: 'fail', match: 'POST /v1/refunds', status: 500 },
  { kind: 'fail', match: 'POST /v1/refunds', status: 429 },
  { kind: 'answer-twice', match: 'POST /v1/refunds' },
  { kind: 'fail', match: 'GET /v1/refunds', status: 500 },
  { kind: 'lost-answer', match: 'GET /v1/refunds' },
];

let service: Service;
let journeys: Journey[] = [];
let turn = 0;

beforeAll(async () => {
  service = await startService();
  journeys = await inUse(service, operatorFaults.length + 2 * gatewayFaults.length + 4);
}, 400_000);
afterAll(() => service.stop());

function next(count: number): Journey[] {
  turn += count;
  return journeys.slice(turn - count, turn);
}

test('the operator fails, falls silent after doing, or answers twice: each call is done once', async () => {
  const leaving = next(operatorFaults.length);
  for (const [index, { call, ...fault }] of operatorFaults.entries()) {
    service.cluster.simulators.operator.faults.add({ ...fault, match: `POST /subscribers/${leaving[index]!.iccid}/${call}` });
  }
  await Promise.all(leaving.map((journey) => leave(journey)));
  for (const journey of leaving) expect(await brokenFor(service, journey)).toEqual([]);
}, 300_000);

test.each(gatewayFaults.map((fault) => [`${fault.kind} ${fault.status ?? ''}`.trim(), fault.match, fault] as const))('the gateway: %s at %s', async (_kind, _match, fault) => {
  const leaving = next(2);
  service.cluster.simulators.gateway.faults.add({ ...fault, times: 2 });
  await Promise.all(leaving.map((journey) => leave(journey)));
  service.cluster.simulators.gateway.faults.clear();
  for (const journey of leaving) expect(await brokenFor(service, journey)).toEqual([]);
}, 300_000);

test('the gateway fails to hear that an account is closed until the third time', async () => {
  const [journey] = next(1) as [Journey];
  const { intentId } = await service.db.one<{ intentId: string }>(sql`select intent_id as "intentId" from payments.payment where account_id = ${journey.accountId!}`);
  service.cluster.simulators.gateway.faults.add({ kind: 'fail', match: `POST /v1/payment_intents/${intentId}`, times: 2 });
  await leave(journey);
  expect(await brokenFor(service, journey)).toEqual([]);
}, 120_000);

test.each(['refuse', 'lost-answer', 'delay'] as const)('the mail server: every message meets %s', async (kind) => {
  const [journey] = next(1) as [Journey];
  // Receipt, export and confirmation, and each once more where it is repeated.
  service.cluster.simulators.inbox.fault({ kind, times: kind === 'lost-answer' ? 1 : 4, delayMs: 500 });
  await leave(journey);
  expect(await brokenFor(service, journey)).toEqual([]);
}, 300_000);

test('refunds that the bank works on, with webhooks lost, doubled and in time', async () => {
  const leaving = await inUse(service, 3, journeys.length + 1, cards.refundPending);
  journeys = [...journeys, ...leaving];
  const { webhookFaults } = service.cluster.simulators.gateway;
  webhookFaults.duplicate = 3;
  webhookFaults.drop = 2;
  await Promise.all(leaving.map((journey) => leave(journey)));
  for (const journey of leaving) expect(await brokenFor(service, journey)).toEqual([]);
}, 300_000);

test('the books, the log and the jobs are in order when all have left', async () => {
  expect(await brokenOverall(service, journeys)).toEqual([]);
}, 120_000);
