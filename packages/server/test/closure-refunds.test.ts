import { closureRoutes, paymentsRoutes } from '@yuanyou/contract';
import type { Client } from '@yuanyou/contract';
import { parseBundle, parseCertificate } from '@yuanyou/proof';
import type { ClosureSubject } from '@yuanyou/proof';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sql } from '../src/platform/db/index.ts';
import { expectSoundBooks, gatewayBooks, owedTo } from './support/books.ts';
import { openHouse, type House } from './support/house.ts';
import { card, givePlanAway, refusal, signUp, type Access, type Receipt, type Traveller } from './support/traveller.ts';

let house: House;
let agent: Client;
beforeAll(async () => {
  house = await openHouse();
  agent = await house.agent('support');
});
afterAll(() => house.stop());

async function certified(access: Access): Promise<ClosureSubject> {
  const { body } = await house.client().call(closureRoutes.getCertificate, { body: { caseNumber: access.caseNumber, accessCode: access.accessCode } });
  return parseCertificate(parseBundle(body).certificate).statement.credentialSubject;
}

async function paramsOf(receipt: Receipt): Promise<{ caseId: string }> {
  return { caseId: (await house.db.one<{ id: string }>(sql`select case_id as id from closure.case where case_number = ${receipt.caseNumber}`)).id };
}

/** Somebody else has paid the money back at the gateway, past us: our refund is refused for good. */
async function payBackBehindOurBack(t: Traveller): Promise<void> {
  const intents = await house.db.all<{ id: string }>(sql`select intent_id as id from payments.payment where account_id = ${t.accountId}`);
  for (const { id } of intents) {
    await fetch(`${house.gateway.shown['url']}/v1/refunds`, {
      method: 'POST', body: new URLSearchParams({ payment_intent: id }), headers: { authorization: `Bearer ${house.gateway.shown['secretKey']}` },
    });
  }
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
    expect(paid.map(({ kind, credit, amountMinor, state }) => [kind, credit, amountMinor, state]).sort()).toEqual([
      ['given-up', 'cash', 1700, 'not-due'], ['given-up', 'promotional', 300, 'not-due']]);
    expect(paid.every(({ at }) => !Number.isNaN(Date.parse(at)) && at <= closedAt)).toBe(true);
    expect((await gatewayBooks(house)).refunds.some(({ amountMinor }) => amountMinor === 1700)).toBe(false);
    expect(await owedTo(house, t.accountId)).toBe(0n);
    await expectSoundBooks(house);
  });
});

describe('a refund that the gateway refuses for good', () => {
  async function stuck(amount: number): Promise<{ t: Traveller; receipt: Receipt }> {
    const t = await signUp(house);
    await t.topUp(amount);
    await payBackBehindOurBack(t);
    const receipt = await t.apply();
    await house.run();
    const status = await t.status(receipt);
    expect(status.state).toBe('executing');
    expect(status.steps.find(({ step }) => step === 'pay-out')).toMatchObject({ state: 'stuck', actsNow: 'agent' });
    expect(status.refunds).toMatchObject([{ state: 'failed' }]);
    expect(await owedTo(house, t.accountId)).toBe(BigInt(amount));
    return { t, receipt };
  }

  test('stops the case for an agent, whose retry is another refund; many words of the gateway are not many tries', async () => {
    const { receipt } = await stuck(1100);
    const tries = async () => (await house.db.one<{ n: bigint }>(sql`select count(*) as n from payments.refund where amount_minor = 1100`)).n;
    expect(await tries()).toBe(1n);
    await house.later(3_600_000);
    expect(await tries()).toBe(1n);
    const { body } = await agent.call(closureRoutes.retryClosureStep, { params: await paramsOf(receipt), body: { reason: 'the bank says it works now' } });
    expect(body.stuckStep).toBeNull();
    await house.run();
    expect(await tries()).toBe(2n);
    const { items } = (await agent.call(closureRoutes.listClosureCases, { query: { state: 'executing', limit: 100 } })).body;
    expect(items.find(({ caseNumber }) => caseNumber === receipt.caseNumber)!.stuckStep).toBe('pay-out');
  });

  test('skipped with a reason: the closure goes on, says that it is partial and that the refund failed, and the money stays owed', async () => {
    const { t, receipt } = await stuck(1300);
    const params = await paramsOf(receipt);
    expect(await refusal(agent.call(closureRoutes.skipClosureStep, { params, body: { step: 'erase', reason: 'no' } }))).toBe('409 closure/action-not-allowed');
    await agent.call(closureRoutes.skipClosureStep, { params, body: { step: 'pay-out', reason: 'paid by bank transfer' } });
    await house.run();
    const status = await t.status(receipt);
    expect(status.state).toBe('partiallyCompleted');
    expect(status.completedAt).not.toBeNull();
    expect(status.steps.find(({ step }) => step === 'pay-out')!.state).toBe('skipped');
    expect((await certified(receipt)).paid).toMatchObject([{ kind: 'refund', amountMinor: 1300, state: 'failed' }]);
    expect(await owedTo(house, t.accountId)).toBe(1300n);
    expect(await house.db.all(sql`select reason from audit.entry where action = 'closure.skip' and subject_id = ${params.caseId}`)).toEqual([{ reason: 'paid by bank transfer' }]);
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
    expect(paid.map(({ kind, amountMinor }) => [kind, amountMinor]).sort()).toEqual([['given-up', 700], ['refund', 1100]]);
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
