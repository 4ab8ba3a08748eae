import { randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { layFoundation, type Foundation } from '../../test/foundation.ts';
import { startSimulator, type Simulator } from '../../test/simulators.ts';
import { cashAccount, createLedger, promoAccount, type Ledger } from '../ledger/index.ts';
import { sql } from '../platform/db/index.ts';
import { ServiceError } from '../platform/errors.ts';
import { createPayments, paymentCaptured, refundSettled, stripeGateway, type Payments, type StartedTopUp } from './index.ts';

interface Books {
  intents: { id: string; status: string; metadata: Record<string, string> }[];
  charges: { intentId: string; amountMinor: number }[];
  refunds: { id: string; amountMinor: number; status: string; metadata: Record<string, string> }[];
}

let ground: Foundation;
let gateway: Simulator;
let merchant: Server;
let ledger: Ledger;
let payments: Payments;
let events: string[];
let refused: unknown[];
let accountId: string;

beforeAll(async () => {
  ground = await layFoundation();
  merchant = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part)).on('end', () => {
      payments.receiveEvent(Buffer.concat(parts), String(request.headers['stripe-signature'])).then(
        () => response.writeHead(204).end(), (error: unknown) => { refused.push(error); response.writeHead(400).end(); });
    });
  });
  await new Promise<void>((resolve) => merchant.listen(0, '127.0.0.1', resolve));
  gateway = await startSimulator('gateway', {
    webhookUrl: `http://127.0.0.1:${(merchant.address() as AddressInfo).port}/`, webhookSecret: 'whsec_test', asyncRefundMs: null,
  });
  ledger = createLedger({ clock: ground.clock });
  await ground.db.transaction((tx) => ledger.openHouse(tx, 'EUR'));
  events = [];
  refused = [];
  payments = createPayments({
    db: ground.db, clock: ground.clock, ledger, outbox: ground.jobs.outbox, schedule: ground.jobs.schedule, dataKeys: ground.keys.dataKeys,
    blindIndex: ground.keys.blindIndex, attempts: ground.attempts, audit: ground.audit, log: ground.log, currencies: ['EUR'],
    payPageUrl: `${gateway.shown['url']}/pay`,
    gateway: stripeGateway({ secretKey: gateway.shown['secretKey']!, webhookSecret: 'whsec_test', url: gateway.shown['url']!, timeoutMs: 500 }),
  });
  ground.jobs.outbox.subscribe(paymentCaptured, 'test.captured', async ({ body }) => { events.push(`captured ${body.paymentId}`); });
  ground.jobs.outbox.subscribe(refundSettled, 'test.refunds', async ({ body }) => { events.push(`${body.outcome} ${body.refundId}`); });
});
afterAll(async () => {
  await gateway.stop();
  merchant.closeAllConnections();
  merchant.close();
  await ground.stop();
});
beforeEach(() => { accountId = randomUUID(); });

const begin = (amountMinor = 5000n, idempotencyKey = randomUUID()): Promise<StartedTopUp> =>
  payments.startTopUp({ accountId, amountMinor, currency: 'EUR', idempotencyKey });
const pay = (topUp: StartedTopUp, cardNumber = '4242424242424242', hold = false) =>
  gateway.post(`/pay/${topUp.payment.intentId}`, { cardNumber, hold });
const cash = () => ledger.balance(ground.db, cashAccount(accountId, 'EUR'));
const fault = (kind: string, match: string, more: object = {}) => gateway.post('/_control/faults', { kind, match, ...more });
const books = () => gateway.get<Books>('/_control/books');
/** Both clocks: a signature that looks old is refused. */
async function later(ms: number): Promise<void> {
  await gateway.post('/_control/clock', { advanceMs: ms });
  ground.clock.advance(ms);
}
const heard = async (topUp: StartedTopUp, type: string): Promise<void> => {
  for (let i = 0; i < 200; i++) {
    const row = await ground.db.one<{ n: bigint }>(sql`
      select count(*) as n from jobs.delivery where key = ${topUp.payment.intentId!} and event = 'payments.gateway-told' and status <> 'done'`);
    if (row.n > 0n) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`nothing heard of ${type}`);
};

async function paid(amountMinor = 5000n, cardNumber?: string): Promise<string> {
  const topUp = await begin(amountMinor);
  await pay(topUp, cardNumber);
  await heard(topUp, 'payment_intent.succeeded');
  await ground.jobs.drain();
  expect((await payments.payment(ground.db, topUp.payment.paymentId))!.status).toBe('captured');
  // Lists go by time, and this clock stands still.
  await later(1000);
  return topUp.payment.paymentId;
}

async function requested(paymentId: string, amountMinor: bigint): Promise<string> {
  const refundId = randomUUID();
  await ground.db.transaction((tx) => payments.requestRefund(tx, { refundId, paymentId, amountMinor }));
  return refundId;
}
const refundsOf = async (refundId: string) => (await books()).refunds.filter(({ metadata }) => metadata['refund_id'] === refundId);
const booksBalance = async () => expect((await ledger.checkBooks(ground.db)).ok).toBe(true);

test('a card payment becomes balance, once, however often the gateway tells', async () => {
  const topUp = await begin();
  expect(topUp).toMatchObject({ payment: { status: 'awaiting', amountMinor: 5000n }, clientSecret: expect.stringContaining('_secret_') });
  expect(topUp.payUrl).toBe(`${gateway.shown['url']}/pay/${topUp.payment.intentId}`);
  await gateway.post('/_control/webhooks', { duplicate: 1 });
  await pay(topUp);
  await heard(topUp, 'payment_intent.succeeded');
  await ground.jobs.drain();
  await payments.reconcile();
  await ground.jobs.drain();
  expect(await cash()).toBe(5000n);
  expect(await payments.payment(ground.db, topUp.payment.paymentId)).toMatchObject({ status: 'captured', cardBrand: 'visa', cardLast4: '4242', capturedMinor: 5000n });
  expect(events.filter((event) => event === `captured ${topUp.payment.paymentId}`)).toHaveLength(1);
  expect(refused).toEqual([]);
  await booksBalance();
});

test('the same request begins one payment, with other values it is refused', async () => {
  const key = randomUUID();
  const [first, second] = [await begin(5000n, key), await begin(5000n, key)];
  expect(second.payment.paymentId).toBe(first.payment.paymentId);
  expect(second.clientSecret).toBe(first.clientSecret);
  await expect(begin(5001n, key)).rejects.toMatchObject({ code: 'payments/id-reused' });
  expect((await books()).intents.filter(({ metadata }) => metadata['payment_id'] === first.payment.paymentId)).toHaveLength(1);
  await expect(payments.startTopUp({ accountId, amountMinor: 1n, currency: 'XTS', idempotencyKey: key })).rejects.toMatchObject({ code: 'payments/currency' });
});

test.each(['lost-answer', 'timeout-after-doing', 'fail'])('a beginning that meets %s is taken up by its repeat', async (kind) => {
  const key = randomUUID();
  // The SDK repeats by itself where a kept connection was closed under it.
  await fault(kind, 'POST /v1/payment_intents', { delayMs: 3000, times: kind === 'lost-answer' ? 2 : 1 });
  await expect(begin(5000n, key)).rejects.toMatchObject({ code: 'payments/gateway-unreachable' });
  const topUp = await begin(5000n, key);
  expect((await books()).intents.filter(({ metadata }) => metadata['payment_id'] === topUp.payment.paymentId)).toHaveLength(1);
});

test('an event that never came is made up for by asking', async () => {
  const topUp = await begin();
  await gateway.post('/_control/webhooks', { drop: 1 });
  await pay(topUp);
  expect(await cash()).toBe(0n);
  await later(10 * 60_000);
  await payments.reconcile();
  expect(await cash()).toBe(5000n);
});

test('a forged or altered event is refused', async () => {
  const body = Buffer.from('{"id":"evt_1","object":"event","type":"payment_intent.succeeded","data":{"object":{"id":"pi_1"}}}');
  await expect(payments.receiveEvent(body, 't=1,v1=00')).rejects.toMatchObject({ code: 'payments/signature' });
  await expect(payments.receiveEvent(body, '')).rejects.toMatchObject({ code: 'payments/signature' });
});

test('a refund is paid once, looked up before every repeat, also when the gateway has forgotten the key', async () => {
  const paymentId = await paid();
  const refundId = await requested(paymentId, 4650n);
  expect(await cash()).toBe(350n);
  await fault('lost-answer', 'POST /v1/refunds', { times: 2 });
  await expect(payments.payRefund(refundId)).rejects.toMatchObject({ code: 'payments/gateway-unreachable' });
  await later(25 * 3_600_000);
  expect(await payments.payRefund(refundId)).toBe('succeeded');
  expect(await payments.payRefund(refundId)).toBe('succeeded');
  expect(await refundsOf(refundId)).toMatchObject([{ amountMinor: 4650 }]);
  await ground.jobs.drain();
  expect(events.filter((event) => event === `succeeded ${refundId}`)).toHaveLength(1);
  await booksBalance();
});

test('many workers paying one refund at once pay it once', async () => {
  const refundId = await requested(await paid(), 5000n);
  const outcomes = await Promise.allSettled(Array.from({ length: 6 }, () => payments.payRefund(refundId)));
  expect(outcomes.some((outcome) => outcome.status === 'fulfilled')).toBe(true);
  expect(await payments.payRefund(refundId)).toBe('succeeded');
  expect(await refundsOf(refundId)).toHaveLength(1);
  await booksBalance();
});

test('a plan goes over the newest payments first, and nothing exceeds what was captured, also at the same time', async () => {
  const [old, young] = [await paid(3000n), await paid(2000n)];
  expect(await payments.refundPlan(ground.db, accountId, 2500n, 'EUR')).toEqual([
    { paymentId: young, amountMinor: 2000n }, { paymentId: old, amountMinor: 500n }]);
  expect(await payments.refundPlan(ground.db, accountId, 9999n, 'EUR')).toEqual([
    { paymentId: young, amountMinor: 2000n }, { paymentId: old, amountMinor: 3000n }]);
  const asked = await Promise.allSettled(Array.from({ length: 5 }, () => requested(old, 1000n)));
  expect(asked.filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
  const codes = asked.flatMap((one) => (one.status === 'rejected' ? [(one.reason as ServiceError).code] : []));
  expect(codes).toEqual(['payments/refund-exceeds', 'payments/refund-exceeds']);
  expect(await payments.refundPlan(ground.db, accountId, 9999n, 'EUR')).toEqual([{ paymentId: young, amountMinor: 2000n }]);
  await booksBalance();
});

test('a request is repeatable, withdrawable until it is sent, and not afterwards', async () => {
  const paymentId = await paid();
  const refundId = await requested(paymentId, 1000n);
  await ground.db.transaction((tx) => payments.requestRefund(tx, { refundId, paymentId, amountMinor: 1000n }));
  await expect(ground.db.transaction((tx) => payments.requestRefund(tx, { refundId, paymentId, amountMinor: 1001n })))
    .rejects.toMatchObject({ code: 'payments/id-reused' });
  expect(await cash()).toBe(4000n);
  for (let i = 0; i < 2; i++) await ground.db.transaction((tx) => payments.withdrawRefund(tx, refundId));
  expect(await cash()).toBe(5000n);
  expect(await payments.payRefund(refundId)).toBe('failed');
  expect(await refundsOf(refundId)).toEqual([]);
  const sent = await requested(paymentId, 1000n);
  await payments.payRefund(sent);
  await expect(ground.db.transaction((tx) => payments.withdrawRefund(tx, sent))).rejects.toMatchObject({ code: 'payments/refund-under-way' });
  await booksBalance();
});

test('a refund that stays pending is settled by the event, or by asking', async () => {
  const paymentId = await paid(5000n, '4000000000007726');
  const refundId = await requested(paymentId, 5000n);
  expect(await payments.payRefund(refundId)).toBe('pending');
  expect(await payments.payRefund(refundId)).toBe('pending');
  expect(await payments.holder.closureConcerns(ground.db, accountId)).toContainEqual(expect.objectContaining({ code: 'payments/refund-in-flight' }));
  await gateway.post('/_control/webhooks', { drop: 1 });
  await gateway.post(`/_control/refunds/${(await refundsOf(refundId))[0]!.id}/settle`, { status: 'succeeded' });
  await later(10 * 60_000);
  await payments.reconcile();
  expect((await payments.refund(ground.db, refundId))!.status).toBe('succeeded');
  await booksBalance();
});

test('a refund that comes back from a closed card is owed to the traveller again, and can be asked for anew', async () => {
  const paymentId = await paid(5000n, '4000000000005126');
  const refundId = await requested(paymentId, 5000n);
  expect(await payments.payRefund(refundId)).toBe('succeeded');
  expect(await cash()).toBe(0n);
  const [there] = await refundsOf(refundId);
  await gateway.post(`/_control/refunds/${there!.id}/settle`, { status: 'failed' });
  for (let i = 0; i < 100 && (await payments.refund(ground.db, refundId))!.status !== 'failed'; i++) {
    await ground.jobs.drain();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  expect(await cash()).toBe(5000n);
  expect(await payments.refundPlan(ground.db, accountId, 5000n, 'EUR')).toEqual([{ paymentId, amountMinor: 5000n }]);
  await ground.jobs.drain();
  expect(events).toContain(`failed ${refundId}`);
  await booksBalance();
});

test('what the gateway refuses for good fails, and the money is on the balance again', async () => {
  const paymentId = await paid();
  const { intentId } = (await payments.payment(ground.db, paymentId))!;
  await fetch(`${gateway.shown['url']}/v1/refunds`, {
    method: 'POST', body: new URLSearchParams({ payment_intent: intentId! }), headers: { authorization: `Bearer ${gateway.shown['secretKey']}` },
  });
  const refundId = await requested(paymentId, 5000n);
  expect(await payments.payRefund(refundId)).toBe('failed');
  expect((await payments.refund(ground.db, refundId))!.failure).toBe('charge_already_refunded');
  expect(await cash()).toBe(5000n);
});

test('unpaid top-ups are canceled; one paid in the meantime is captured; one at the bank blocks the closure', async () => {
  const [unpaid, inTime, atBank] = [await begin(), await begin(), await begin()];
  await gateway.post('/_control/webhooks', { drop: 2 });
  await pay(inTime);
  await pay(atBank, undefined, true);
  await later(10 * 60_000);
  expect(await payments.holder.closureConcerns(ground.db, accountId)).toHaveLength(3);
  expect(await payments.cancelOpenTopUps(accountId)).toEqual({ stillOpen: 1 });
  expect((await payments.cancelTopUp(accountId, unpaid.payment.paymentId)).status).toBe('canceled');
  expect(await cash()).toBe(5000n);
  expect(await payments.holder.closureConcerns(ground.db, accountId)).toContainEqual(
    expect.objectContaining({ code: 'payments/payment-in-flight', severity: 'blocker', owner: 'payment-processor' }));
  await expect(payments.cancelTopUp(randomUUID(), unpaid.payment.paymentId)).rejects.toMatchObject({ code: 'payments/unknown-payment' });
  await gateway.post(`/_control/intents/${atBank.payment.intentId}/settle`, { cardNumber: '4242424242424242' });
  await payments.cancelTopUp(accountId, atBank.payment.paymentId);
  expect(await cash()).toBe(10_000n);
});

test('the processor is told of a closure, payment by payment', async () => {
  await paid();
  await paid();
  expect(await payments.tellProcessor(accountId)).toMatchObject({ recipient: 'Stripe', payments: 2, reference: expect.stringMatching(/^req_/) });
  expect((await books()).intents.filter(({ metadata }) => 'account_closed_at' in metadata).length).toBeGreaterThanOrEqual(2);
});

test('a voucher is worth its amount once, whoever tries at the same time', async () => {
  const batch = {
    agentId: randomUUID(), idempotencyKey: randomUUID(), name: 'Spring', amountMinor: 500n, currency: 'EUR', count: 3,
    validUntil: new Date(ground.clock.now().getTime() + 86_400_000),
  };
  const made = await payments.createVoucherBatch(batch);
  expect((await payments.createVoucherBatch(batch)).codes).toEqual(made.codes);
  expect(made.codes).toHaveLength(3);
  const travellers = Array.from({ length: 5 }, () => randomUUID());
  const tries = await Promise.allSettled(travellers.map((id) => payments.redeemVoucher({ accountId: id, code: made.codes[0]!, idempotencyKey: 'first-try' })));
  expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  const winner = travellers[tries.findIndex(({ status }) => status === 'fulfilled')]!;
  expect(await ledger.balance(ground.db, promoAccount(winner, 'EUR'))).toBe(500n);
  const again = { accountId: winner, code: made.codes[0]!.toLowerCase(), idempotencyKey: 'first-try' };
  expect(await payments.redeemVoucher(again)).toEqual({ amountMinor: 500n, currency: 'EUR' });
  await expect(payments.redeemVoucher({ ...again, idempotencyKey: 'second-try' })).rejects.toMatchObject({ code: 'payments/voucher-spent' });
  expect(await ledger.balance(ground.db, promoAccount(winner, 'EUR'))).toBe(500n);
  const { text } = await ground.db.one<{ text: string }>(sql`
    select (select string_agg(v::text, ' ') from payments.voucher v) || (select string_agg(b::text, ' ') from payments.voucher_batch b) as text`);
  for (const code of made.codes) expect(text).not.toContain(code);
  await later(2 * 86_400_000);
  await expect(payments.redeemVoucher({ accountId, code: made.codes[1]!, idempotencyKey: 'late' })).rejects.toMatchObject({ code: 'payments/voucher-expired' });
});

test('guessing voucher codes is limited', async () => {
  const guess = () => payments.redeemVoucher({ accountId, code: '0000-0000-0000-0000', idempotencyKey: 'guess' }).catch((error: ServiceError) => error.code);
  const codes: unknown[] = [];
  for (let i = 0; i < 11; i++) codes.push(await guess());
  expect(codes[9]).toBe('payments/voucher-unknown');
  expect(codes[10]).toBe('general/too-many-requests');
});

test('a person takes the payments along; erased, amounts and dates stay and cards go', async () => {
  const paymentId = await paid();
  await payments.payRefund(await requested(paymentId, 1000n));
  const files = await payments.holder.exportData(ground.db, accountId);
  expect(files.map(({ name, rows }) => [name, rows.length])).toEqual([['payments', 1], ['refunds', 1], ['vouchers', 0]]);
  expect(files[0]!.rows[0]).toMatchObject({ card: 'visa 4242', capturedMinor: 5000, refundedMinor: 1000 });
  expect(await payments.holder.closureConcerns(ground.db, accountId)).toMatchObject([{ code: 'payments/cards-remembered', about: { cards: 'visa 4242' } }]);
  const erase = () => ground.db.transaction((tx) => payments.holder.erase(tx, accountId));
  expect(await erase()).toEqual({ erased: { cards: 1, requestKeys: 1 }, kept: { payments: 1, refunds: 1, vouchers: 0 } });
  expect(await erase()).toEqual({ erased: { cards: 0, requestKeys: 0 }, kept: { payments: 1, refunds: 1, vouchers: 0 } });
  expect(await payments.payment(ground.db, paymentId)).toMatchObject({ cardLast4: null, capturedMinor: 5000n });
});
