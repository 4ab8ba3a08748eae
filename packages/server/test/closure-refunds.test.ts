import { closureRoutes, paymentsRoutes } from '@yuanyou/contract';
import { parseBundle, parseCertificate } from '@yuanyou/proof';
import type { ClosureSubject } from '@yuanyou/proof';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sql } from '../src/platform/db/index.ts';
import { expectSoundBooks, gatewayBooks, owedTo } from './support/books.ts';
import { openHouse, type House } from './support/house.ts';
import { card, givePlanAway, signUp, type Access } from './support/traveller.ts';

let house: House;
beforeAll(async () => { house = await openHouse(); });
afterAll(() => house.stop());

async function certified(access: Access): Promise<ClosureSubject> {
  const { body } = await house.client().call(closureRoutes.getCertificate, { body: { caseNumber: access.caseNumber, accessCode: access.accessCode } });
  return parseCertificate(parseBundle(body).certificate).statement.credentialSubject;
}

describe('money goes back', () => {
  test('over several payments, newest first, none beyond what it was', async () => {
    const t = await signUp(house);
    for (const amount of [1000, 2000, 3000]) await t.topUp(amount);
    await t.buy('japan-10gb-30d', { promo: false });
    const receipt = await t.apply();
    await house.run();
    // 38.00 are left and 22.00 come back from the plan that nobody used.
    expect((await t.status(receipt)).refunds.map(({ amount, state }) => [amount.amountMinor, state])).toEqual([[3000, 'succeeded'], [2000, 'succeeded'], [1000, 'succeeded']]);
    expect((await certified(receipt)).paid.map(({ amountMinor, state }) => [amountMinor, state])).toEqual([[3000, 'paid'], [2000, 'paid'], [1000, 'paid']]);
    expect(await owedTo(house, t.accountId)).toBe(0n);
    await expectSoundBooks(house);
  });

  test('once the bank has had its time, and the case waits for its word', async () => {
    const t = await signUp(house);
    await t.topUp(1500, card.slowRefund);
    const receipt = await t.apply();
    await house.run();
    const status = await t.status(receipt);
    expect(status.refunds).toMatchObject([{ state: 'pending' }]);
    expect(status.steps.find(({ step }) => step === 'pay-out')).toMatchObject({ state: 'waiting', waitingOn: 'payment-processor', actsNow: 'payment-processor' });
    const { refunds } = await gatewayBooks(house);
    await house.gateway.post(`/_control/refunds/${refunds.find(({ amountMinor }) => amountMinor === 1500)!.id}/settle`, { status: 'succeeded' });
    await house.until('the closure completed', async () => (await t.status(receipt)).state === 'completed');
    expect((await t.status(receipt)).refunds).toMatchObject([{ state: 'succeeded' }]);
    await expectSoundBooks(house);
  });

  test('not at all where the traveller gives it up', async () => {
    const t = await signUp(house);
    await t.topUp(1700);
    await t.redeem(300);
    const receipt = await t.apply({ balance: 'giveUp' });
    await house.run();
    expect(await t.status(receipt)).toMatchObject({ state: 'completed', refunds: [] });
    const { paid, closedAt } = await certified(receipt);
    expect(paid.map(({ kind, credit, amountMinor, state }) => `${kind} ${credit} ${amountMinor} ${state}`).sort()).toEqual([
      'given-up cash 1700 not-due', 'given-up promotional 300 not-due']);
    expect(paid.every(({ at }) => !Number.isNaN(Date.parse(at)) && at <= closedAt)).toBe(true);
    expect((await gatewayBooks(house)).refunds.some(({ amountMinor }) => amountMinor === 1700)).toBe(false);
    expect(await owedTo(house, t.accountId)).toBe(0n);
    await expectSoundBooks(house);
  });
});

test('a gateway that is down for a while is waited for, and the refund is paid once', async () => {
  const t = await signUp(house);
  await t.topUp(1900);
  await house.gateway.post('/_control/faults', { kind: 'lost-answer', match: 'POST /v1/refunds', times: 2 });
  await house.gateway.post('/_control/faults', { kind: 'fail', match: 'GET /v1/refunds', times: 2, status: 503 });
  const receipt = await t.apply();
  await house.run();
  expect((await t.status(receipt)).state).toBe('completed');
  expect((await gatewayBooks(house)).refunds.filter(({ amountMinor }) => amountMinor === 1900)).toHaveLength(1);
});

describe('an account', () => {
  test('with nothing at all leaves too; every instant of its certificate is one', async () => {
    const t = await signUp(house);
    const receipt = await t.apply();
    await house.run();
    expect(await t.status(receipt)).toMatchObject({ state: 'completed', refunds: [], recipients: [] });
    const subject = await certified(receipt);
    expect(subject).toMatchObject({ stopped: [], paid: [], told: [] });
    for (const at of [subject.requestedAt, subject.closedAt, subject.envelopeDestroyedBy, ...subject.kept.map(({ until }) => until)]) {
      expect(new Date(at).toISOString()).toBe(at);
    }
    const { settled } = await house.db.one<{ settled: string }>(sql`select settlement ->> 'settledAt' as settled from closure.case where case_number = ${receipt.caseNumber}`);
    expect(new Date(settled).toISOString()).toBe(settled);
  });

  test('with several lines, orders that cost nothing and orders paid by credit leaves with all of them', async () => {
    await givePlanAway(house, 'korea-5gb-15d');
    const t = await signUp(house);
    await t.topUp(2000);
    await t.redeem(700);
    const lines = [await t.buy('korea-5gb-15d'), await t.buy('thailand-3gb-10d'), await t.buy('japan-1gb-7d'), await t.buy('world-1gb-7d')];
    expect(await t.balance()).toEqual({ cash: 700, promo: 0 });
    const receipt = await t.apply();
    await house.run();
    // The plan paid by credit returns credit, the one of Japan cash, the one of the world nothing by its rule.
    expect(await t.status(receipt)).toMatchObject({ state: 'completed', refunds: [{ amount: { amountMinor: 700 + 400 } }] });
    const { stopped, paid } = await certified(receipt);
    expect(stopped.map(({ iccidTail }) => iccidTail).sort()).toEqual(lines.map(({ iccid }) => iccid.slice(-4)).sort());
    expect(stopped.every(({ service, device }) => service === 'terminated' && device === 'never-installed')).toBe(true);
    expect(paid.map(({ kind, amountMinor }) => `${kind} ${amountMinor}`).sort()).toEqual(['given-up 700', 'refund 1100']);
    expect(await owedTo(house, t.accountId)).toBe(0n);
    await expectSoundBooks(house);
  });

  test('whose top-up was begun and never paid leaves; the top-up is closed and cannot be paid any more', async () => {
    const t = await signUp(house);
    const { body } = await t.client.call(paymentsRoutes.startTopUp, { idempotencyKey: 'a-top-up-that-was-left', body: { amount: { amountMinor: 800, currency: 'EUR' } } });
    const receipt = await t.apply();
    await house.run();
    expect((await t.status(receipt)).state).toBe('completed');
    const late = await fetch(body.payUrl!, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ cardNumber: card.good }) });
    expect(late.ok).toBe(false);
    await expectSoundBooks(house);
  });
});
