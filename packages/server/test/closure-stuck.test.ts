import { closureRoutes } from '@yuanyou/contract';
import type { Client } from '@yuanyou/contract';
import { parseBundle, parseCertificate } from '@yuanyou/proof';
import type { ClosureSubject } from '@yuanyou/proof';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sql } from '../src/platform/db/index.ts';
import { gatewayBooks, owedTo, standsAt } from './support/books.ts';
import { openHouse, type House } from './support/house.ts';
import { card, refusal, signUp, type Access, type Receipt, type Traveller } from './support/traveller.ts';

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

  test('is not passed over: money, erasure and proof are never skipped, and it stays owed until it is paid', async () => {
    const { t, receipt } = await stuck(1300);
    const params = await paramsOf(receipt);
    for (const step of ['settle', 'pay-out', 'erase', 'certify', 'log', 'destroy-envelope'] as const) {
      expect(await refusal(agent.call(closureRoutes.skipClosureStep, { params, body: { step, reason: 'paid by bank transfer' } }))).toBe('409 closure/action-not-allowed');
    }
    expect((await t.status(receipt)).state).toBe('executing');
    expect(await owedTo(house, t.accountId)).toBe(1300n);
  });
});

test('a recipient who refuses is skipped by an agent with a reason: the closure ends as partial, and the certificate says who did not confirm', async () => {
  const t = await signUp(house);
  await t.topUp(1000);
  const { iccid } = await t.buy('japan-1gb-7d');
  await house.operator.post('/_control/faults', { kind: 'fail', match: `POST /subscribers/${iccid}/forget`, times: 8, status: 422 });
  const receipt = await t.apply();
  await house.run();
  const tell = async () => (await t.status(receipt)).steps.find(({ step }) => step === 'tell-recipients')!;
  expect(await tell()).toMatchObject({ state: 'stuck', actsNow: 'agent' });
  const params = await paramsOf(receipt);
  expect(await refusal(agent.call(closureRoutes.skipClosureStep, { params, body: { step: 'deliver-export', reason: 'not stuck' } }))).toBe('409 closure/action-not-allowed');
  await agent.call(closureRoutes.skipClosureStep, { params, body: { step: 'tell-recipients', reason: 'the operator was told by letter' } });
  await house.run();
  const status = await t.status(receipt);
  expect(status.state).toBe('partiallyCompleted');
  expect(status.completedAt).not.toBeNull();
  expect((await tell()).state).toBe('skipped');
  expect((await certified(receipt)).told.map(({ kind, state }) => [kind, state])).toEqual([['operator', 'not-confirmed'], ['payment-processor', 'acknowledged']]);
  expect(await house.db.all(sql`select reason from audit.entry where action = 'closure.skip' and subject_id = ${params.caseId}`)).toEqual([{ reason: 'the operator was told by letter' }]);
  expect(await house.db.all(sql`select action, reason from closure.change where case_id = ${params.caseId} order by at desc, change_id desc limit 1`))
    .toEqual([{ action: 'completePartially', reason: 'skipped by an agent: tell-recipients' }]);
  expect(await house.keys.dataKeys.isDestroyed(t.accountId)).toBe(true);
});

test('a refund that stays with the bank and then fails stops the case; tried again, it goes through', async () => {
  const t = await signUp(house);
  await t.topUp(1600, card.slowRefund);
  const receipt = await t.apply();
  await house.run();
  const settle = async (status: 'succeeded' | 'failed') => {
    const open = (await gatewayBooks(house)).refunds.find((refund) => refund.status === 'pending')!;
    await house.gateway.post(`/_control/refunds/${open.id}/settle`, { status });
  };
  await settle('failed');
  const payOut = async () => (await t.status(receipt)).steps.find(({ step }) => step === 'pay-out')!.state;
  await house.until('the case stuck', async () => (await payOut()) === 'stuck');
  await agent.call(closureRoutes.retryClosureStep, { params: await paramsOf(receipt), body: { reason: 'the card is good again' } });
  await house.run();
  expect(await payOut()).toBe('waiting');
  await settle('succeeded');
  await house.until('the closure completed', async () => (await t.status(receipt)).state === 'completed');
  expect((await t.status(receipt)).refunds).toMatchObject([{ amount: { amountMinor: 1600 }, state: 'succeeded' }]);
  expect((await certified(receipt)).paid).toMatchObject([{ amountMinor: 1600, state: 'paid' }]);
  expect(await owedTo(house, t.accountId)).toBe(0n);
  expect(await standsAt(house, 'refunds-payable:EUR')).toBe(0n);
});
