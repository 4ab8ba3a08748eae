import { afterAll, beforeAll, expect, test } from 'vitest';
import { layFoundation, type Foundation } from '../../test/foundation.ts';
import { createLedger, recipes, type Ledger } from '../ledger/index.ts';
import { sql } from '../platform/db/index.ts';
import { newId } from '../platform/ids.ts';
import { expireAllowances } from './expire.ts';
import type { Allowance } from './model.ts';
import { settleAccount } from './settle.ts';
import * as store from './store.ts';

const day = 86_400_000;
let ground: Foundation;
let ledger: Ledger;
beforeAll(async () => {
  ground = await layFoundation();
  ledger = createLedger({ clock: ground.clock });
});
afterAll(() => ground.stop());

const expire = () => expireAllowances({ db: ground.db, ledger, clock: ground.clock });
const stateOf = async (a: Allowance) => (await store.allowancesOfAccount(ground.db, a.accountId))[0]!.state;
const breakage = async (currency: string) => (await ground.db.one<{ sum: bigint }>(sql`
  select coalesce(-sum(amount_minor), 0)::bigint as sum from ledger.entry where account_code = ${`revenue:breakage:${currency}`}`)).sum;
const transfers = async () => (await ground.db.one<{ n: bigint }>(sql`select count(*) as n from ledger.transfer where kind = 'breakage'`)).n;

/** An allowance that was bought for 1000 and ended `daysAgo`. */
async function ended(daysAgo: number, more: Partial<Allowance> = {}): Promise<Allowance> {
  const now = ground.clock.now();
  const a: Allowance = {
    lineId: newId(), allowanceId: newId(), accountId: newId(), orderId: newId(), operatorId: newId(), state: 'active', totalBytes: 1000n, usedBytes: 0n,
    boughtAt: new Date(now.getTime() - 10 * day), validityDays: 7, validFrom: new Date(now.getTime() - 10 * day), validUntil: new Date(now.getTime() - daysAgo * day),
    currency: 'EUR', paidCashMinor: 1000n, paidPromoMinor: 0n, earnedMinor: 0n, refundRule: { kind: 'pro-rata', withinDays: 14 }, toldPercent: 0, cutoffAt: null, ...more,
  };
  await ground.db.transaction(async (tx) => {
    await ledger.openHouse(tx, a.currency);
    await ledger.openTraveller(tx, a.accountId, a.currency);
    await ledger.post(tx, recipes.topUp({ id: `top-up:${a.orderId}`, at: now, currency: a.currency, accountId: a.accountId, amountMinor: 1000n, refs: {} }));
    await ledger.post(tx, recipes.purchase({ id: `order:${a.orderId}`, at: now, currency: a.currency, accountId: a.accountId, cashMinor: 1000n, promoMinor: 0n, refs: {} }));
    await store.insertAllowance(tx, a);
    if (a.cutoffAt !== null) await store.setCutoff(tx, a.accountId, a.cutoffAt);
  });
  return a;
}

test('what ended long enough ago is earned in one transfer a batch and currency; a repeat does nothing, and settling returns nothing', async () => {
  const [one, two, yen, queued, recent] = [await ended(4), await ended(5), await ended(4, { currency: 'JPY' }), await ended(4, { state: 'queued' }), await ended(2)];
  expect(await expire()).toBe(4);
  expect(await Promise.all([one, two, yen, queued, recent].map(stateOf))).toEqual(['expired', 'expired', 'expired', 'expired', 'active']);
  expect([await breakage('EUR'), await breakage('JPY'), await transfers()]).toEqual([3000n, 1000n, 2n]);
  expect(await expire()).toBe(0);
  expect(await transfers()).toBe(2n);
  for (const a of [one, queued]) {
    expect(await ground.db.transaction((tx) => settleAccount({ ledger, clock: ground.clock }, tx, a.accountId, 'test'))).toEqual([]);
    expect(await ledger.balance(ground.db, `traveller:${a.accountId}:cash:EUR`)).toBe(0n);
  }
  expect((await ledger.checkBooks(ground.db)).ok).toBe(true);
});

test('an allowance under a closure’s cutoff is left to the closure, which returns what stood at the cutoff', async () => {
  const cutoffAt = new Date(ground.clock.now().getTime() - 6 * day);
  const leaving = await ended(4, { cutoffAt });
  await expire();
  expect(await stateOf(leaving)).toBe('active');
  await ground.db.transaction((tx) => settleAccount({ ledger, clock: ground.clock }, tx, leaving.accountId, 'test'));
  expect(await stateOf(leaving)).toBe('refunded');
  expect(await ledger.balance(ground.db, `traveller:${leaving.accountId}:cash:EUR`)).toBe(1000n);
});

test('several processes at once end each allowance once', async () => {
  for (let n = 0; n < 30; n++) await ended(4);
  const before = await breakage('EUR');
  const counts = await Promise.all([expire(), expire(), expire()]);
  expect(counts.reduce((sum, n) => sum + n, 0)).toBe(30);
  expect(await breakage('EUR') - before).toBe(30_000n);
  expect((await ledger.checkBooks(ground.db)).ok).toBe(true);
});
