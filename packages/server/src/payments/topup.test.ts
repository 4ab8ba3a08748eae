import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { openDesk, type Desk } from './testing/desk.ts';

let desk: Desk;
let accountId: string;
beforeAll(async () => { desk = await openDesk(); });
afterAll(() => desk.close());
beforeEach(() => { accountId = randomUUID(); });

test('a card payment becomes balance, once, however often the gateway tells', async () => {
  const topUp = await desk.begin(accountId);
  expect(topUp).toMatchObject({ payment: { status: 'awaiting', amountMinor: 5000n }, clientSecret: expect.stringContaining('_secret_') });
  expect(topUp.payUrl).toBe(`${desk.gateway.shown['url']}/pay/${topUp.payment.intentId}`);
  await desk.gateway.post('/_control/webhooks', { duplicate: 1 });
  await desk.pay(topUp);
  await desk.heard(topUp);
  await desk.ground.jobs.drain();
  await desk.payments.reconcile();
  await desk.ground.jobs.drain();
  expect(await desk.cash(accountId)).toBe(5000n);
  expect(await desk.payments.payment(desk.ground.db, topUp.payment.paymentId)).toMatchObject({ status: 'captured', cardBrand: 'visa', cardLast4: '4242', capturedMinor: 5000n });
  expect(desk.events.filter((event) => event === `captured ${topUp.payment.paymentId}`)).toHaveLength(1);
  expect(desk.refused).toEqual([]);
  await desk.booksBalance();
});

test('the same request begins one payment, with other values it is refused', async () => {
  const key = randomUUID();
  const [first, second] = [await desk.begin(accountId, 5000n, key), await desk.begin(accountId, 5000n, key)];
  expect(second.payment.paymentId).toBe(first.payment.paymentId);
  expect(second.clientSecret).toBe(first.clientSecret);
  await expect(desk.begin(accountId, 5001n, key)).rejects.toMatchObject({ code: 'payments/id-reused' });
  expect((await desk.books()).intents.filter(({ metadata }) => metadata['payment_id'] === first.payment.paymentId)).toHaveLength(1);
  await expect(desk.payments.startTopUp({ accountId, amountMinor: 1n, currency: 'XTS', idempotencyKey: key })).rejects.toMatchObject({ code: 'payments/currency' });
});

test.each(['lost-answer', 'timeout-after-doing', 'fail'])('a beginning that meets %s is taken up by its repeat', async (kind) => {
  const key = randomUUID();
  // The SDK repeats by itself where a kept connection was closed under it.
  await desk.fault(kind, 'POST /v1/payment_intents', { delayMs: 3000, times: kind === 'lost-answer' ? 2 : 1 });
  await expect(desk.begin(accountId, 5000n, key)).rejects.toMatchObject({ code: 'payments/gateway-unreachable' });
  const topUp = await desk.begin(accountId, 5000n, key);
  expect((await desk.books()).intents.filter(({ metadata }) => metadata['payment_id'] === topUp.payment.paymentId)).toHaveLength(1);
});

test('an event that never came is made up for by asking', async () => {
  const topUp = await desk.begin(accountId);
  await desk.gateway.post('/_control/webhooks', { drop: 1 });
  await desk.pay(topUp);
  expect(await desk.cash(accountId)).toBe(0n);
  await desk.later(10 * 60_000);
  await desk.payments.reconcile();
  expect(await desk.cash(accountId)).toBe(5000n);
});

test('a forged or altered event is refused', async () => {
  const body = Buffer.from('{"id":"evt_1","object":"event","type":"payment_intent.succeeded","data":{"object":{"id":"pi_1"}}}');
  await expect(desk.payments.receiveEvent(body, 't=1,v1=00')).rejects.toMatchObject({ code: 'payments/signature' });
  await expect(desk.payments.receiveEvent(body, '')).rejects.toMatchObject({ code: 'payments/signature' });
});

test('unpaid top-ups are canceled; one paid in the meantime is captured; one at the bank blocks the closure', async () => {
  const [unpaid, inTime, atBank] = [await desk.begin(accountId), await desk.begin(accountId), await desk.begin(accountId)];
  await desk.gateway.post('/_control/webhooks', { drop: 2 });
  await desk.pay(inTime);
  await desk.pay(atBank, undefined, true);
  await desk.later(10 * 60_000);
  expect(await desk.payments.holder.closureConcerns(desk.ground.db, accountId)).toHaveLength(3);
  expect(await desk.payments.cancelOpenTopUps(accountId)).toEqual({ stillOpen: 1 });
  expect((await desk.payments.cancelTopUp(accountId, unpaid.payment.paymentId)).status).toBe('canceled');
  expect(await desk.cash(accountId)).toBe(5000n);
  expect(await desk.payments.holder.closureConcerns(desk.ground.db, accountId)).toContainEqual(
    expect.objectContaining({ code: 'payments/payment-in-flight', severity: 'blocker', owner: 'payment-processor' }));
  await expect(desk.payments.cancelTopUp(randomUUID(), unpaid.payment.paymentId)).rejects.toMatchObject({ code: 'payments/unknown-payment' });
  await desk.gateway.post(`/_control/intents/${atBank.payment.intentId}/settle`, { cardNumber: '4242424242424242' });
  await desk.payments.cancelTopUp(accountId, atBank.payment.paymentId);
  expect(await desk.cash(accountId)).toBe(10_000n);
});

test('the processor is told of a closure, payment by payment', async () => {
  await desk.paid(accountId);
  await desk.paid(accountId);
  expect(await desk.payments.tellProcessor(accountId)).toMatchObject({ recipient: 'Stripe', payments: 2, reference: expect.stringMatching(/^req_/) });
  expect((await desk.books()).intents.filter(({ metadata }) => 'account_closed_at' in metadata).length).toBeGreaterThanOrEqual(2);
});

test('a person takes the payments along; erased, amounts and dates stay and cards go', async () => {
  const paymentId = await desk.paid(accountId);
  await desk.payments.payRefund(await desk.requested(paymentId, 1000n));
  const files = await desk.payments.holder.exportData(desk.ground.db, accountId);
  expect(files.map(({ name, rows }) => [name, rows.length])).toEqual([['payments', 1], ['refunds', 1], ['vouchers', 0]]);
  expect(files[0]!.rows[0]).toMatchObject({ card: 'visa 4242', capturedMinor: 5000, refundedMinor: 1000 });
  expect(await desk.payments.holder.closureConcerns(desk.ground.db, accountId)).toMatchObject([{ code: 'payments/cards-remembered', about: { cards: 'visa 4242' } }]);
  const erase = () => desk.ground.db.transaction((tx) => desk.payments.holder.erase(tx, accountId));
  expect(await erase()).toEqual({ erased: { cards: 1, requestKeys: 1 }, kept: { payments: 1, refunds: 1, vouchers: 0 } });
  expect(await erase()).toEqual({ erased: { cards: 0, requestKeys: 0 }, kept: { payments: 1, refunds: 1, vouchers: 0 } });
  expect(await desk.payments.payment(desk.ground.db, paymentId)).toMatchObject({ cardLast4: null, capturedMinor: 5000n });
});
