import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { promoAccount } from '../ledger/index.ts';
import { sql } from '../platform/db/index.ts';
import type { ServiceError } from '../platform/errors.ts';
import { openDesk, type Desk } from './testing/desk.ts';

let desk: Desk;
let accountId: string;
beforeAll(async () => { desk = await openDesk(); });
afterAll(() => desk.close());
beforeEach(() => { accountId = randomUUID(); });

test('a voucher is worth its amount once, whoever tries at the same time', async () => {
  const batch = {
    agentId: randomUUID(), idempotencyKey: randomUUID(), name: 'Spring', amountMinor: 500n, currency: 'EUR', count: 3,
    validUntil: new Date(desk.ground.clock.now().getTime() + 86_400_000),
  };
  const made = await desk.payments.createVoucherBatch(batch);
  expect((await desk.payments.createVoucherBatch(batch)).codes).toEqual(made.codes);
  expect(made.codes).toHaveLength(3);
  const travellers = Array.from({ length: 5 }, () => randomUUID());
  const tries = await Promise.allSettled(travellers.map((id) => desk.payments.redeemVoucher({ accountId: id, code: made.codes[0]!, idempotencyKey: 'first-try' })));
  expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  const winner = travellers[tries.findIndex(({ status }) => status === 'fulfilled')]!;
  expect(await desk.ledger.balance(desk.ground.db, promoAccount(winner, 'EUR'))).toBe(500n);
  const again = { accountId: winner, code: made.codes[0]!.toLowerCase(), idempotencyKey: 'first-try' };
  expect(await desk.payments.redeemVoucher(again)).toEqual({ amountMinor: 500n, currency: 'EUR' });
  await expect(desk.payments.redeemVoucher({ ...again, idempotencyKey: 'second-try' })).rejects.toMatchObject({ code: 'payments/voucher-spent' });
  expect(await desk.ledger.balance(desk.ground.db, promoAccount(winner, 'EUR'))).toBe(500n);
  const { text } = await desk.ground.db.one<{ text: string }>(sql`
    select (select string_agg(v::text, ' ') from payments.voucher v) || (select string_agg(b::text, ' ') from payments.voucher_batch b) as text`);
  for (const code of made.codes) expect(text).not.toContain(code);
  await desk.later(2 * 86_400_000);
  await expect(desk.payments.redeemVoucher({ accountId, code: made.codes[1]!, idempotencyKey: 'late' })).rejects.toMatchObject({ code: 'payments/voucher-expired' });
});

test('guessing voucher codes is limited', async () => {
  const guess = () => desk.payments.redeemVoucher({ accountId, code: '0000-0000-0000-0000', idempotencyKey: 'guess' }).catch((error: ServiceError) => error.code);
  const codes: unknown[] = [];
  for (let i = 0; i < 11; i++) codes.push(await guess());
  expect(codes[9]).toBe('payments/voucher-unknown');
  expect(codes[10]).toBe('general/too-many-requests');
});
