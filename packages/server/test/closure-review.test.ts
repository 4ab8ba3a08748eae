import { accountsRoutes, closureRoutes } from '@yuanyou/contract';
import type { Client } from '@yuanyou/contract';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { sql } from '../src/platform/db/index.ts';
import { expectSoundBooks } from './support/books.ts';
import { openHouse, type House } from './support/house.ts';
import { refusal, signUp, type Receipt, type Traveller } from './support/traveller.ts';

let house: House;
let support: Client;
let viewer: Client;
beforeAll(async () => { house = await openHouse(); });
afterAll(() => house.stop());

async function caseOf(receipt: Receipt): Promise<string> {
  return (await house.db.one<{ id: string }>(sql`select case_id as id from closure.case where case_number = ${receipt.caseNumber}`)).id;
}

async function decide(agent: Client, receipt: Receipt, body: Parameters<typeof bodyOf>[0]) {
  return (await agent.call(closureRoutes.decideClosureCase, { params: { caseId: await caseOf(receipt) }, body: bodyOf(body) })).body;
}
const bodyOf = (body: 'approve' | 'refuse') => (body === 'approve'
  ? { decision: body, reason: 'spoke with the traveller' }
  : { decision: body, reason: 'the account is the object of a dispute', legalGround: 'Art. 17(3)(e) GDPR', complaintBody: 'Example Data Protection Authority' });

const rulesOf = async (t: Traveller, receipt: Receipt) => Object.fromEntries((await t.status(receipt)).rules.map(({ code, outcome }) => [code, outcome]));

describe('the rules', () => {
  test('approve at once what needs no person', async () => {
    const t = await signUp(house);
    await t.topUp(5000);
    const receipt = await t.apply({ coolingOffDays: 7 });
    expect(receipt.state).toBe('coolingOff');
    expect(await rulesOf(t, receipt)).toEqual({ 'credential-change': 'passed', amount: 'passed', 'original-method': 'passed' });
  });

  test('hold a case whose password was changed within 7 days, and say why; a week later it passes', async () => {
    const t = await signUp(house);
    house.clock.advance(60_000);
    await t.client.call(accountsRoutes.changePassword, { body: { password: t.password, newPassword: 'another good password' } });
    const receipt = await t.apply({ password: 'another good password' });
    expect(receipt.state).toBe('inReview');
    const { rules } = await t.status(receipt);
    expect(rules.find(({ outcome }) => outcome === 'review')).toMatchObject({ code: 'credential-change', words: expect.stringContaining('last 7 days') });
    await t.client.call(closureRoutes.withdrawClosure, { session: null, body: { caseNumber: receipt.caseNumber, accessCode: receipt.accessCode } });
    house.clock.advance(7 * 86_400_000);
    expect((await t.apply({ password: 'another good password', coolingOffDays: 7 })).state).toBe('coolingOff');
  });

  test('hold a case whose email address was changed within 7 days', async () => {
    const t = await signUp(house);
    const email = `new.${t.email}`;
    house.clock.advance(60_000);
    await t.client.call(accountsRoutes.changeEmail, { body: { email, password: t.password } });
    const { items } = await house.until('the code by mail', async () => {
      const found = await house.inbox.get<{ items: { id: string }[] }>(`/messages?to=${encodeURIComponent(email)}`);
      return found.items.length > 0 && found;
    });
    const { text } = await house.inbox.get<{ text: string }>(`/messages/${items[0]!.id}`);
    await t.client.call(accountsRoutes.confirmEmail, { body: { code: /\b\d{6}\b/.exec(text)![0] } });
    expect(await refusal(t.apply())).toBe('403 closure/proof-refused');
    const receipt = await t.apply({ email });
    expect(receipt.state).toBe('inReview');
    expect(await rulesOf(t, receipt)).toMatchObject({ 'credential-change': 'review' });
  });

  test('hold a case above the amount that goes back without a person, unless it is given up', async () => {
    const t = await signUp(house);
    await t.topUp(20_001);
    const receipt = await t.apply();
    expect(receipt.state).toBe('inReview');
    expect(await rulesOf(t, receipt)).toEqual({ 'credential-change': 'passed', amount: 'review', 'original-method': 'passed' });
  });
});

describe('an agent', () => {
  beforeEach(async () => { [support, viewer] = [await house.agent('support'), await house.agent('viewer')]; });

  async function held(): Promise<{ t: Traveller; receipt: Receipt }> {
    const t = await signUp(house);
    await t.topUp(20_001);
    const receipt = await t.apply();
    expect(receipt.state).toBe('inReview');
    return { t, receipt };
  }

  test('approves a case, which then goes its way', async () => {
    const { t, receipt } = await held();
    expect((await decide(support, receipt, 'approve')).state).toBe('executing');
    await house.run();
    expect(await t.status(receipt)).toMatchObject({ state: 'completed', refunds: [{ amount: { amountMinor: 20_001 }, state: 'succeeded' }] });
    expect(await house.db.all(sql`
      select action, by_kind, reason from closure.change where case_id = ${await caseOf(receipt)} and by_kind = 'agent'`))
      .toEqual([{ action: 'approve', by_kind: 'agent', reason: 'spoke with the traveller' }]);
    await expectSoundBooks(house);
  });

  test('refuses a case with reason, legal ground and complaint body; the account stays as it was', async () => {
    const { t, receipt } = await held();
    expect((await decide(support, receipt, 'refuse')).state).toBe('refused');
    const status = await t.status(receipt);
    expect(status).toMatchObject({
      state: 'refused', may: { withdraw: false, skipCoolingOff: false },
      refusal: { reason: 'the account is the object of a dispute', legalGround: 'Art. 17(3)(e) GDPR', complaintBody: 'Example Data Protection Authority' },
    });
    const { text } = await t.mailAbout(`${receipt.caseNumber} was refused`);
    for (const part of ['object of a dispute', 'Art. 17(3)(e) GDPR', 'Example Data Protection Authority']) expect(text).toContain(part);
    expect(await refusal(decide(support, receipt, 'approve'))).toBe('409 closure/action-not-allowed');
    expect((await t.balance()).cash).toBe(20_001);
    await t.buy();
    expect((await t.apply()).caseNumber).not.toBe(receipt.caseNumber);
  });

  test('cannot decide what is not in review, nor twice, nor what does not exist', async () => {
    const { receipt } = await held();
    await decide(support, receipt, 'refuse');
    expect(await refusal(decide(support, receipt, 'refuse'))).toBe('409 closure/action-not-allowed');
    const cooling = await (await signUp(house)).apply({ coolingOffDays: 7 });
    expect(await refusal(decide(support, cooling, 'refuse'))).toBe('409 closure/action-not-allowed');
    expect(await refusal(support.call(closureRoutes.decideClosureCase, {
      params: { caseId: '0198c5d2-0000-7000-8000-00000000ffff' }, body: bodyOf('approve'),
    }))).toBe('404 closure/no-such-case');
  });

  test('with a viewer’s role sees the queue and decides nothing; a traveller sees none of it', async () => {
    const { t, receipt } = await held();
    const { body } = await viewer.call(closureRoutes.listClosureCases, { query: { state: 'inReview', limit: 100 } });
    expect(body.items.find(({ caseNumber }) => caseNumber === receipt.caseNumber)).toMatchObject({ state: 'inReview', stuckStep: null });
    expect(await refusal(decide(viewer, receipt, 'approve'))).toBe('403 general/forbidden');
    const params = { caseId: await caseOf(receipt) };
    expect(await refusal(viewer.call(closureRoutes.retryClosureStep, { params, body: { reason: 'why not' } }))).toBe('403 general/forbidden');
    expect(await refusal(viewer.call(closureRoutes.skipClosureStep, { params, body: { step: 'settle', reason: 'why not' } }))).toBe('403 general/forbidden');
    expect(await refusal(decide(t.client, receipt, 'approve'))).toMatch(/^40[13] general/);
  });

  test('cannot retry or skip where nothing is executed or stuck', async () => {
    const { receipt } = await held();
    const params = { caseId: await caseOf(receipt) };
    expect(await refusal(support.call(closureRoutes.retryClosureStep, { params, body: { reason: 'look again' } }))).toBe('409 closure/action-not-allowed');
    const done = await (await signUp(house)).apply();
    await house.run();
    const ended = { caseId: await caseOf(done) };
    expect(await refusal(support.call(closureRoutes.skipClosureStep, { params: ended, body: { step: 'pay-out', reason: 'no' } }))).toBe('409 closure/action-not-allowed');
  });

  test('reads the queue in pages, the nearest promise first', async () => {
    for (let i = 0; i < 3; i++) {
      await held();
      house.clock.advance(86_400_000);
    }
    viewer = await house.agent('viewer');
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const { body } = await viewer.call(closureRoutes.listClosureCases, { query: { state: 'inReview', limit: 2, ...(cursor === undefined ? {} : { cursor }) } });
      seen.push(...body.items.map(({ promisedAt, caseId }) => `${promisedAt} ${caseId}`));
      cursor = body.nextCursor ?? undefined;
    } while (cursor !== undefined);
    expect(seen.length).toBeGreaterThanOrEqual(5);
    expect(seen).toEqual([...seen].sort());
    expect(new Set(seen).size).toBe(seen.length);
  });
});
