import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { ServiceError } from '../platform/errors.ts';
import { openDesk, type Desk } from './testing/desk.ts';

let desk: Desk;
let accountId: string;
beforeAll(async () => { desk = await openDesk(); });
afterAll(() => desk.close());
beforeEach(() => { accountId = randomUUID(); });

test('a refund is paid once, looked up before every repeat, also when the gateway has forgotten the key', async () => {
  const paymentId = await desk.paid(accountId);
  const refundId = await desk.requested(paymentId, 4650n);
  expect(await desk.cash(accountId)).toBe(350n);
  await desk.fault('lost-answer', 'POST /v1/refunds', { times: 2 });
  await expect(desk.payments.payRefund(refundId)).rejects.toMatchObject({ code: 'payments/gateway-unreachable' });
  await desk.later(25 * 3_600_000);
  expect(await desk.payments.payRefund(refundId)).toBe('succeeded');
  expect(await desk.payments.payRefund(refundId)).toBe('succeeded');
  expect(await desk.refundsOf(refundId)).toMatchObject([{ amountMinor: 4650 }]);
  await desk.ground.jobs.drain();
  expect(desk.events.filter((event) => event === `succeeded ${refundId}`)).toHaveLength(1);
  await desk.booksBalance();
});

test('many workers paying one refund at once pay it once', async () => {
  const refundId = await desk.requested(await desk.paid(accountId), 5000n);
  const outcomes = await Promise.allSettled(Array.from({ length: 6 }, () => desk.payments.payRefund(refundId)));
  expect(outcomes.some((outcome) => outcome.status === 'fulfilled')).toBe(true);
  expect(await desk.payments.payRefund(refundId)).toBe('succeeded');
  expect(await desk.refundsOf(refundId)).toHaveLength(1);
  await desk.booksBalance();
});

test('a plan goes over the newest payments first, and nothing exceeds what was captured, also at the same time', async () => {
  const [old, young] = [await desk.paid(accountId, 3000n), await desk.paid(accountId, 2000n)];
  expect(await desk.payments.refundPlan(desk.ground.db, accountId, 2500n, 'EUR')).toEqual([
    { paymentId: young, amountMinor: 2000n }, { paymentId: old, amountMinor: 500n }]);
  expect(await desk.payments.refundPlan(desk.ground.db, accountId, 9999n, 'EUR')).toEqual([
    { paymentId: young, amountMinor: 2000n }, { paymentId: old, amountMinor: 3000n }]);
  const asked = await Promise.allSettled(Array.from({ length: 5 }, () => desk.requested(old, 1000n)));
  expect(asked.filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
  const codes = asked.flatMap((one) => (one.status === 'rejected' ? [(one.reason as ServiceError).code] : []));
  expect(codes).toEqual(['payments/refund-exceeds', 'payments/refund-exceeds']);
  expect(await desk.payments.refundPlan(desk.ground.db, accountId, 9999n, 'EUR')).toEqual([{ paymentId: young, amountMinor: 2000n }]);
  await desk.booksBalance();
});

test('a request is repeatable, withdrawable until it is sent, and not afterwards', async () => {
  const paymentId = await desk.paid(accountId);
  const refundId = await desk.requested(paymentId, 1000n);
  await desk.ground.db.transaction((tx) => desk.payments.requestRefund(tx, { refundId, paymentId, amountMinor: 1000n }));
  await expect(desk.ground.db.transaction((tx) => desk.payments.requestRefund(tx, { refundId, paymentId, amountMinor: 1001n })))
    .rejects.toMatchObject({ code: 'payments/id-reused' });
  expect(await desk.cash(accountId)).toBe(4000n);
  for (let i = 0; i < 2; i++) await desk.ground.db.transaction((tx) => desk.payments.withdrawRefund(tx, refundId));
  expect(await desk.cash(accountId)).toBe(5000n);
  expect(await desk.payments.payRefund(refundId)).toBe('failed');
  expect(await desk.refundsOf(refundId)).toEqual([]);
  const sent = await desk.requested(paymentId, 1000n);
  await desk.payments.payRefund(sent);
  await expect(desk.ground.db.transaction((tx) => desk.payments.withdrawRefund(tx, sent))).rejects.toMatchObject({ code: 'payments/refund-under-way' });
  await desk.booksBalance();
});

test('a refund that stays pending is settled by the event, or by asking', async () => {
  const paymentId = await desk.paid(accountId, 5000n, '4000000000007726');
  const refundId = await desk.requested(paymentId, 5000n);
  expect(await desk.payments.payRefund(refundId)).toBe('pending');
  expect(await desk.payments.payRefund(refundId)).toBe('pending');
  expect(await desk.payments.holder.closureConcerns(desk.ground.db, accountId)).toContainEqual(expect.objectContaining({ code: 'payments/refund-in-flight' }));
  await desk.gateway.post('/_control/webhooks', { drop: 1 });
  await desk.gateway.post(`/_control/refunds/${(await desk.refundsOf(refundId))[0]!.id}/settle`, { status: 'succeeded' });
  await desk.later(10 * 60_000);
  await desk.payments.reconcile();
  expect((await desk.payments.refund(desk.ground.db, refundId))!.status).toBe('succeeded');
  await desk.booksBalance();
});

test('a refund that comes back from a closed card is owed to the traveller again, and can be asked for anew', async () => {
  const paymentId = await desk.paid(accountId, 5000n, '4000000000005126');
  const refundId = await desk.requested(paymentId, 5000n);
  expect(await desk.payments.payRefund(refundId)).toBe('succeeded');
  expect(await desk.cash(accountId)).toBe(0n);
  const [there] = await desk.refundsOf(refundId);
  await desk.gateway.post(`/_control/refunds/${there!.id}/settle`, { status: 'failed' });
  for (let i = 0; i < 100 && (await desk.payments.refund(desk.ground.db, refundId))!.status !== 'failed'; i++) {
    await desk.ground.jobs.drain();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  expect(await desk.cash(accountId)).toBe(5000n);
  expect(await desk.payments.refundPlan(desk.ground.db, accountId, 5000n, 'EUR')).toEqual([{ paymentId, amountMinor: 5000n }]);
  await desk.ground.jobs.drain();
  expect(desk.events).toContain(`failed ${refundId}`);
  await desk.booksBalance();
});

test('what the gateway refuses for good fails, and the money is on the balance again', async () => {
  const paymentId = await desk.paid(accountId);
  const { intentId } = (await desk.payments.payment(desk.ground.db, paymentId))!;
  await fetch(`${desk.gateway.shown['url']}/v1/refunds`, {
    method: 'POST', body: new URLSearchParams({ payment_intent: intentId! }), headers: { authorization: `Bearer ${desk.gateway.shown['secretKey']}` },
  });
  const refundId = await desk.requested(paymentId, 5000n);
  expect(await desk.payments.payRefund(refundId)).toBe('failed');
  expect((await desk.payments.refund(desk.ground.db, refundId))!.failure).toBe('charge_already_refunded');
  expect(await desk.cash(accountId)).toBe(5000n);
});
