import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { allProblems } from '@yuanyou/contract';
import { serveForTest, tableAuthenticator } from '../platform/http/testing.ts';
import { openDesk, type Desk } from './testing/desk.ts';

const accountId = randomUUID();
let desk: Desk;
let served: Awaited<ReturnType<typeof serveForTest>>;

beforeAll(async () => {
  desk = await openDesk();
  served = await serveForTest({
    endpoints: desk.payments.endpoints, db: desk.ground.db, clock: desk.ground.clock, problems: allProblems,
    authenticators: [
      tableAuthenticator('traveller', 'tr_', {
        tr_mei: { kind: 'traveller', accountId, sessionId: randomUUID(), leaving: false },
        tr_other: { kind: 'traveller', accountId: randomUUID(), sessionId: randomUUID(), leaving: false },
      }),
      tableAuthenticator('agent', 'ag_', { ag_finance: { kind: 'agent', agentId: randomUUID(), permissions: new Set(['payments:write']) } }),
    ],
  });
});
afterAll(async () => {
  await served.close();
  await desk.close();
});

async function ask(method: string, path: string, as: string, body?: unknown, key: string = randomUUID()): Promise<{ status: number; body: any }> {
  const answer = await fetch(`${served.url}${path}`, {
    method, headers: { authorization: `Bearer ${as}`, ...(body === undefined ? {} : { 'content-type': 'application/json', 'idempotency-key': key }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: answer.status, body: answer.status === 204 ? null : await answer.json() };
}

test('a traveller tops up over HTTP and sees the payment; nobody else does', async () => {
  const begun = await ask('POST', '/v1/top-ups', 'tr_mei', { amount: { amountMinor: 5000, currency: 'EUR' } });
  expect(begun).toMatchObject({ status: 201, body: { payment: { status: 'awaiting', method: null } } });
  const { id } = begun.body.payment;
  const payment = (await desk.payments.payment(desk.ground.db, id))!;
  await desk.gateway.post(`/pay/${payment.intentId}`, { cardNumber: '5555555555554444' });
  await desk.heard({ payment, clientSecret: null, payUrl: null });
  await desk.ground.jobs.drain();
  expect((await ask('GET', `/v1/payments/${id}`, 'tr_mei')).body).toMatchObject({ status: 'captured', method: { brand: 'mastercard', last4: '4444' } });
  expect(await ask('GET', `/v1/payments/${id}`, 'tr_other')).toMatchObject({ status: 404, body: { code: 'payments/unknown-payment' } });
  expect((await ask('GET', '/v1/payments', 'tr_other')).body.items).toEqual([]);
  await ask('POST', '/v1/top-ups', 'tr_mei', { amount: { amountMinor: 1000, currency: 'EUR' } });
  const first = await ask('GET', '/v1/payments?limit=1', 'tr_mei');
  const second = await ask('GET', `/v1/payments?limit=1&cursor=${first.body.nextCursor}`, 'tr_mei');
  expect(new Set([first.body.items[0].id, second.body.items[0].id]).size).toBe(2);
  expect(second.body.nextCursor).toBeNull();
});

test('the gateway\'s event is checked over the bytes as they came', async () => {
  const answer = await fetch(`${served.url}/v1/webhooks/gateway`, {
    method: 'POST', headers: { 'content-type': 'application/json', 'stripe-signature': 't=1,v1=00' }, body: '{"id":"evt_1"}',
  });
  expect(answer.status).toBe(400);
  expect(await answer.json()).toMatchObject({ code: 'payments/signature' });
  const { signed } = await signedEvent('{ "id": "evt_2",  "object": "event", "type": "customer.created", "data": {"object": {"id": "cus_1"}} }');
  expect(signed).toBe(204);
});

async function signedEvent(body: string): Promise<{ signed: number }> {
  const { createHmac } = await import('node:crypto');
  const seconds = Math.floor(desk.ground.clock.now().getTime() / 1000);
  const signature = createHmac('sha256', 'whsec_test').update(`${seconds}.${body}`).digest('hex');
  const answer = await fetch(`${served.url}/v1/webhooks/gateway`, {
    method: 'POST', headers: { 'content-type': 'application/json', 'stripe-signature': `t=${seconds},v1=${signature}` }, body,
  });
  return { signed: answer.status };
}

test('finance makes vouchers, a traveller redeems one; a repeat answers the same', async () => {
  const made = await ask('POST', '/v1/voucher-batches', 'ag_finance', {
    name: 'Spring', amount: { amountMinor: 500, currency: 'EUR' }, count: 2, validUntil: new Date(desk.ground.clock.now().getTime() + 86_400_000).toISOString(),
  });
  expect(made.status).toBe(201);
  expect(made.body.codes).toHaveLength(2);
  expect((await ask('POST', '/v1/voucher-batches', 'tr_mei', {})).status).toBe(403);
  const key = randomUUID();
  const redeemed = await ask('POST', '/v1/vouchers/redeem', 'tr_mei', { code: made.body.codes[0] }, key);
  expect(redeemed).toEqual({ status: 200, body: { promotionalCredit: { amountMinor: 500, currency: 'EUR' } } });
  expect(await ask('POST', '/v1/vouchers/redeem', 'tr_mei', { code: made.body.codes[0] }, key)).toEqual(redeemed);
  expect(await ask('POST', '/v1/vouchers/redeem', 'tr_other', { code: made.body.codes[0] })).toMatchObject({ status: 409, body: { code: 'payments/voucher-spent' } });
});
