import { accountsRoutes, ledgerRoutes, lineRoutes, orderRoutes, usageRoutes } from '@yuanyou/contract';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sql } from '../src/platform/db/index.ts';
import { expectSoundBooks, subscriber } from './support/books.ts';
import { openHouse, type House } from './support/house.ts';
import { givePlanAway, iccidOf, newKey, planOf, refusal, signUp, type Traveller } from './support/traveller.ts';

let house: House;
beforeAll(async () => { house = await openHouse(); });
afterAll(() => house.stop());

const orders = async (t: Traveller) => (await t.client.call(orderRoutes.listOrders, { query: { limit: 100 } })).body.items;
const orderNow = async (t: Traveller, orderId: string) => (await t.client.call(orderRoutes.getOrder, { params: { orderId } })).body;

async function withMoney(cash: number, promo = 0): Promise<Traveller> {
  const t = await signUp(house);
  await t.topUp(cash);
  if (promo > 0) await t.redeem(promo);
  return t;
}

describe('an order', () => {
  test('becomes a line that the operator serves and a phone can download', async () => {
    const t = await withMoney(5000);
    const order = await t.order('japan-3gb-15d');
    expect(order).toMatchObject({ state: 'paid', total: { amountMinor: 900 }, paidFromBalance: { amountMinor: 900 }, paidFromPromotionalCredit: { amountMinor: 0 } });
    const iccid = await iccidOf(house, order.lineId);
    await house.until('the order fulfilled', async () => (await orderNow(t, order.orderId)).state === 'fulfilled');
    expect(await t.line(order.lineId)).toMatchObject({ service: 'active', delivery: 'released', iccidTail: iccid.slice(-4), deviceId: null, terminatedAt: null });
    expect(await subscriber(house, iccid)).toBe('active');
    const { body } = await t.client.call(lineRoutes.getActivation, { params: { lineId: order.lineId } });
    expect(body.activationCode).toBe(`LPA:1$${house.config.es9.address}$${body.matchingId}`);
    expect(await t.allowance(order.lineId)).toMatchObject({ state: 'queued', totalBytes: 3_000_000_000, usedBytes: 0 });
    expect((await t.balance()).cash).toBe(4100);
    await expectSoundBooks(house);
  });

  test('spends promotional credit first, or not at all, as the buyer wishes', async () => {
    const t = await withMoney(2000, 500);
    expect(await t.order()).toMatchObject({ paidFromBalance: { amountMinor: 400 }, paidFromPromotionalCredit: { amountMinor: 500 } });
    expect(await t.balance()).toEqual({ cash: 1600, promo: 0 });
    await t.redeem(1500);
    expect(await t.order()).toMatchObject({ paidFromBalance: { amountMinor: 0 }, paidFromPromotionalCredit: { amountMinor: 900 } });
    expect(await t.order('japan-3gb-15d', { promo: false })).toMatchObject({ paidFromBalance: { amountMinor: 900 } });
    expect(await t.balance()).toEqual({ cash: 700, promo: 600 });
    await house.run();
    await expectSoundBooks(house);
  });

  test('under one key is one order, also when it is sent many times at once; another order under it is refused', async () => {
    const t = await withMoney(5000);
    const key = newKey();
    const answers = await Promise.all(Array.from({ length: 5 }, () => t.order('japan-3gb-15d', { key })));
    expect(new Set(answers.map(({ orderId }) => orderId)).size).toBe(1);
    expect(await t.order('japan-3gb-15d', { key })).toEqual(answers[0]);
    expect(await refusal(t.order('japan-1gb-7d', { key }))).toBe('422 general/idempotency-key-reused');
    expect(await orders(t)).toHaveLength(1);
    expect((await t.balance()).cash).toBe(4100);
    expect(await refusal(t.client.call(orderRoutes.placeOrder, {
      idempotencyKey: 'short', body: { planId: answers[0]!.planId, currency: 'EUR', expectedTotalMinor: 900 },
    }))).toBe('400 general/idempotency-key-missing');
  });

  test('at another price than the buyer was shown is refused, and nothing is charged', async () => {
    const t = await withMoney(5000);
    const refused = await t.order('japan-3gb-15d', { expect: 800 }).catch((error: unknown) => error);
    expect(refused).toMatchObject({ status: 409, code: 'orders/price-changed', problem: { details: { totalMinor: 900, currency: 'EUR' } } });
    const { planId } = await planOf(house, 'japan-3gb-15d');
    const order = (currency: string, id = planId) => t.client.call(orderRoutes.placeOrder, {
      idempotencyKey: newKey(), body: { planId: id, currency, expectedTotalMinor: 900 },
    });
    expect(await refusal(order('XTS'))).toBe('404 catalogue/unknown-plan');
    expect(await refusal(order('EUR', '0198c5d2-0000-7000-8000-00000000ffff'))).toBe('404 catalogue/unknown-plan');
    expect(await t.balance()).toEqual({ cash: 5000, promo: 0 });
    expect(await orders(t)).toEqual([]);
  });

  test('beyond the balance is refused, also when two race for the same money', async () => {
    const t = await withMoney(1000);
    const answers = await Promise.all([refusal(t.order()), refusal(t.order())]);
    expect(answers.sort()).toEqual(['409 ledger/overdraft', 'answered']);
    expect((await t.balance()).cash).toBe(100);
    const poor = await signUp(house);
    expect(await refusal(poor.order())).toBe('409 ledger/overdraft');
    expect(await orders(poor)).toEqual([]);
    const { taken } = await house.db.one<{ taken: bigint }>(sql`
      select count(*) as taken from inventory.profile p where p.state = 'allocated' and not exists (select 1 from lines.line l where l.profile_id = p.id)`);
    expect(taken).toBe(0n);
  });

  test('of a plan whose operator has no profile left is sold out, and nothing is charged', async () => {
    const t = await withMoney(1000);
    await house.db.transaction((tx) => tx.run(sql`update inventory.profile set state = 'released' where state = 'available'`));
    expect(await refusal(t.order())).toBe('409 orders/sold-out');
    expect((await t.balance()).cash).toBe(1000);
    await house.db.transaction((tx) => tx.run(sql`
      update inventory.profile set state = 'available' where state = 'released' and not exists (select 1 from lines.line l where l.profile_id = profile.id)`));
    expect(await refusal(t.order())).toBe('answered');
  });

  test('for nothing moves no money and works as any other', async () => {
    await givePlanAway(house, 'korea-5gb-15d');
    const t = await signUp(house);
    const line = await t.buy('korea-5gb-15d');
    expect(line.service).toBe('active');
    expect((await orders(t))[0]).toMatchObject({ state: 'fulfilled', total: { amountMinor: 0 } });
    await expectSoundBooks(house);
  });
});

describe('lists', () => {
  test('are paged, newest first, without gaps or repeats', async () => {
    const t = await withMoney(5000);
    for (let i = 0; i < 5; i++) await t.buy('japan-1gb-7d');
    const pages = async <T>(ask: (query: { limit: number; cursor?: string }) => Promise<{ items: T[]; nextCursor: string | null }>): Promise<T[]> => {
      const all: T[] = [];
      let cursor: string | null = null;
      do {
        const page: { items: T[]; nextCursor: string | null } = await ask({ limit: 2, ...(cursor === null ? {} : { cursor }) });
        expect(page.items.length).toBeLessThanOrEqual(2);
        all.push(...page.items);
        cursor = page.nextCursor;
      } while (cursor !== null);
      return all;
    };
    const byOrder = await pages(async (query) => (await t.client.call(orderRoutes.listOrders, { query })).body);
    expect(byOrder.map(({ orderedAt }) => orderedAt)).toEqual(byOrder.map(({ orderedAt }) => orderedAt).sort().reverse());
    expect(new Set(byOrder.map(({ orderId }) => orderId)).size).toBe(5);
    const byLine = await pages(async (query) => (await t.client.call(lineRoutes.listLines, { query })).body);
    expect(byLine.map(({ lineId }) => lineId)).toEqual(byOrder.map(({ lineId }) => lineId));
    const { lineId } = byLine[0]!;
    const changes = await pages(async (query) => (await t.client.call(lineRoutes.listLineChanges, { params: { lineId }, query })).body);
    expect(changes.map(({ axis, from, to, by }) => `${axis} ${from} ${to} ${by}`).sort()).toEqual([
      'delivery allocated released system', 'service pending active system']);
    const entries = await pages(async (query) => (await t.client.call(ledgerRoutes.listBalanceEntries, { query })).body);
    expect(entries.map(({ amount }) => amount.amountMinor)).toEqual([-400, -400, -400, -400, -400, 5000]);
    const strange = (await t.client.call(orderRoutes.listOrders, { query: { limit: 100, cursor: 'not-one-of-ours' } })).body;
    expect(strange.items).toHaveLength(5);
    expect(await refusal(t.client.call(orderRoutes.listOrders, { query: { limit: 1000 } }))).toBe('400 general/bad-request');
  });
});

describe('what belongs to another account', () => {
  test('answers as if it were not there', async () => {
    const [mine, other] = [await withMoney(1000), await signUp(house)];
    const { orderId, lineId } = await mine.order();
    await house.run();
    const line = { params: { lineId } };
    expect(await refusal(other.client.call(orderRoutes.getOrder, { params: { orderId } }))).toBe('404 orders/unknown');
    for (const route of [lineRoutes.getLine, lineRoutes.getActivation, lineRoutes.listLineChanges, usageRoutes.listAllowances, usageRoutes.listUsage] as const) {
      expect(await refusal(other.client.call(route, line as never))).toBe('404 lines/unknown');
    }
    expect(await refusal(house.client().call(orderRoutes.getOrder, { params: { orderId } }))).toBe('401 general/unauthenticated');
    expect((await other.client.call(accountsRoutes.getAccount)).body.id).toBe(other.accountId);
  });
});
