import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { manualClock } from '../platform/clock/index.ts';
import { sql } from '../platform/db/index.ts';
import { testDatabase } from '../platform/db/testing.ts';
import type { TestDatabase } from '../platform/db/testing.ts';
import { newId } from '../platform/ids.ts';
import { cashAccount, createLedger, houseAccount, promoAccount, recipes } from './index.ts';

const at = new Date('2026-11-22T08:00:00Z');
const ledger = createLedger({ clock: manualClock(at) });
let database: TestDatabase;

beforeAll(async () => {
  database = await testDatabase();
  await database.db.transaction((tx) => ledger.openHouse(tx, 'EUR'));
});
afterAll(() => database.drop());

async function traveller(): Promise<string> {
  const accountId = newId();
  await database.db.transaction((tx) => ledger.openTraveller(tx, accountId, 'EUR'));
  return accountId;
}

const occasion = (accountId: string, amountMinor: bigint, id = newId()) => ({ id, at, currency: 'EUR', accountId, amountMinor, refs: {} });
const cash = (accountId: string): Promise<bigint> => ledger.balance(database.db, cashAccount(accountId, 'EUR'));

describe('posting', () => {
  it('moves money once for one id', async () => {
    const { db } = database;
    const accountId = await traveller();
    const transfer = recipes.topUp(occasion(accountId, 5000n));
    expect(await db.transaction((tx) => ledger.post(tx, transfer))).toBe('posted');
    expect(await db.transaction((tx) => ledger.post(tx, transfer))).toBe('already');
    expect(await cash(accountId)).toBe(5000n);
  });

  it('refuses another transfer under a known id', async () => {
    const { db } = database;
    const accountId = await traveller();
    const id = newId();
    await db.transaction((tx) => ledger.post(tx, recipes.topUp(occasion(accountId, 5000n, id))));
    await expect(db.transaction((tx) => ledger.post(tx, recipes.topUp(occasion(accountId, 5001n, id))))).rejects.toMatchObject({ code: 'ledger/id-reused' });
  });

  it('refuses to overdraw a traveller, also when two spend at once', async () => {
    const { db } = database;
    const accountId = await traveller();
    await db.transaction((tx) => ledger.post(tx, recipes.topUp(occasion(accountId, 100n))));
    const spend = () => db.transaction((tx) => ledger.post(tx, recipes.giveUpCash(occasion(accountId, 60n))));
    const outcomes = await Promise.allSettled([spend(), spend(), spend()]);
    expect(outcomes.filter((o) => o.status === 'fulfilled')).toHaveLength(1);
    expect(outcomes.flatMap((o) => (o.status === 'rejected' ? [(o.reason as { code: string }).code] : []))).toEqual(['ledger/overdraft', 'ledger/overdraft']);
    expect(await cash(accountId)).toBe(40n);
  });

  it('refuses what does not balance, before and inside the database', async () => {
    const { db } = database;
    const accountId = await traveller();
    const lopsided = {
      id: newId(), kind: 'test', at, refs: {},
      entries: [{ account: cashAccount(accountId, 'EUR'), creditMinor: 2n }, { account: houseAccount('gateway', 'EUR'), debitMinor: 1n }],
    };
    await expect(db.transaction((tx) => ledger.post(tx, lopsided))).rejects.toMatchObject({ code: 'ledger/unbalanced' });
    const around = db.transaction(async (tx) => {
      await tx.run(sql`insert into ledger.transfer (id, kind, at, refs, fingerprint) values ('around', 'test', ${at}, '{}', '')`);
      await tx.run(sql`insert into ledger.entry (transfer_id, account_code, amount_minor) values ('around', 'gateway:EUR', 1), ('around', 'promotions:EUR', 1)`);
    });
    await expect(around).rejects.toMatchObject({ code: 'YL002' });
  });

  it('refuses an account that was never opened', async () => {
    const stranger = newId();
    await expect(database.db.transaction((tx) => ledger.post(tx, recipes.topUp(occasion(stranger, 1n))))).rejects.toMatchObject({ code: 'ledger/no-account' });
  });

  it('lets nobody change or remove an entry', async () => {
    const { db } = database;
    const accountId = await traveller();
    await db.transaction((tx) => ledger.post(tx, recipes.topUp(occasion(accountId, 7n))));
    await expect(db.transaction((tx) => tx.run(sql`update ledger.entry set amount_minor = amount_minor + 1`))).rejects.toMatchObject({ code: 'YL001' });
    await expect(db.transaction((tx) => tx.run(sql`delete from ledger.transfer`))).rejects.toMatchObject({ code: 'YL001' });
  });
});

describe('the history', () => {
  it('shows what came and went, newest first, with the balance after each', async () => {
    const { db } = database;
    const accountId = await traveller();
    await db.transaction(async (tx) => {
      await ledger.post(tx, recipes.topUp(occasion(accountId, 5000n)));
      await ledger.post(tx, recipes.purchase({ id: newId(), at, currency: 'EUR', accountId, cashMinor: 900n, promoMinor: 0n, refs: {} }));
    });
    const entries = await ledger.entries(db, accountId, null, 10);
    expect(entries.map((e) => [e.kind, e.amountMinor, e.balanceAfterMinor])).toEqual([['purchase', -900n, 4100n], ['top-up', 5000n, 5000n]]);
    expect(await ledger.entries(db, accountId, entries[0]!.entryNo, 10)).toHaveLength(1);
  });
});

type Act = { readonly act: 'topUp' | 'voucher' | 'buy' | 'giveUp' | 'refund'; readonly who: 0 | 1; readonly amount: number };

const acts = fc.array(fc.record<Act>({
  act: fc.constantFrom('topUp', 'voucher', 'buy', 'giveUp', 'refund'), who: fc.constantFrom(0, 1), amount: fc.integer({ min: 1, max: 5000 }),
}), { minLength: 1, maxLength: 25 });

describe('the books', () => {
  it('balance and agree with a plain sum after any acts', async () => {
    const { db } = database;
    await fc.assert(fc.asyncProperty(acts, async (list) => {
      const who = [await traveller(), await traveller()] as const;
      const expected = new Map<string, bigint>();
      for (const { act, who: index, amount } of list) {
        const accountId = who[index];
        const o = occasion(accountId, BigInt(amount));
        const code = act === 'voucher' ? promoAccount(accountId, 'EUR') : cashAccount(accountId, 'EUR');
        const transfer = act === 'topUp' ? recipes.topUp(o) : act === 'voucher' ? recipes.voucher(o) : act === 'giveUp' ? recipes.giveUpCash(o)
          : act === 'refund' ? recipes.requestRefund(o) : recipes.purchase({ ...o, cashMinor: o.amountMinor, promoMinor: 0n });
        const change = act === 'topUp' || act === 'voucher' ? o.amountMinor : -o.amountMinor;
        const before = expected.get(code) ?? 0n;
        const posting = db.transaction((tx) => ledger.post(tx, transfer));
        if (before + change < 0n) await expect(posting).rejects.toMatchObject({ code: 'ledger/overdraft' });
        else {
          await posting;
          expected.set(code, before + change);
        }
      }
      for (const [code, balance] of expected) expect(await ledger.balance(db, code)).toBe(balance);
    }), { numRuns: 25 });
    const check = await ledger.checkBooks(db);
    expect(check).toMatchObject({ ok: true, sums: { EUR: 0n }, broken: [] });
  });

  it('are seen to be wrong when a balance was tampered with', async () => {
    const { db } = database;
    const accountId = await traveller();
    await db.transaction((tx) => ledger.post(tx, recipes.topUp(occasion(accountId, 10n))));
    await db.transaction((tx) => tx.run(sql`update ledger.account set balance_minor = -11 where code = ${cashAccount(accountId, 'EUR')}`));
    expect((await ledger.checkBooks(db)).broken).toEqual([cashAccount(accountId, 'EUR')]);
  });
});
