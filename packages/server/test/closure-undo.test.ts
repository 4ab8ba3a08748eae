import { closureRoutes } from '@yuanyou/contract';
import type { Client } from '@yuanyou/contract';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sql } from '../src/platform/db/index.ts';
import { expectSoundBooks, gatewayBooks, owedTo, standsAt, subscriber } from './support/books.ts';
import { openHouse, type House } from './support/house.ts';
import { refusal, signUp, type Receipt, type Traveller } from './support/traveller.ts';
import { gigabyte, use } from './support/use.ts';

let house: House;
afterAll(() => house.stop());

/** Each holds for one execution: the first that comes to it. */
const faults = [
  { at: 'closure:suspend-lines:after', kind: 'throw', times: 8 }, { at: 'closure:final-usage:before', kind: 'throw', times: 8 },
  { at: 'closure:settle:before', kind: 'throw', times: 8 }, { at: 'closure:settle:after', kind: 'throw', times: 8 },
] as const;
beforeAll(async () => { house = await openHouse({}, (config) => ({ ...config, faults })); });

interface Leaving {
  readonly t: Traveller;
  readonly receipt: Receipt;
  readonly lineId: string;
  readonly iccid: string;
}

async function caseOf(receipt: Receipt): Promise<string> {
  return (await house.db.one<{ id: string }>(sql`select case_id as id from closure.case where case_number = ${receipt.caseNumber}`)).id;
}

async function leaving(choice: Parameters<Traveller['apply']>[0] = {}): Promise<Leaving> {
  const t = await signUp(house);
  await t.topUp(3000);
  await t.redeem(1000);
  const { lineId, iccid } = await t.buy('japan-3gb-15d', { promo: false });
  await use(house, { iccid, bytes: gigabyte });
  const receipt = await t.apply(choice);
  await house.run();
  return { t, receipt, lineId, iccid };
}

async function approve(agent: Client, { receipt }: Leaving): Promise<void> {
  await agent.call(closureRoutes.decideClosureCase, {
    params: { caseId: await caseOf(receipt) }, body: { decision: 'approve', reason: 'the fault is mended' },
  });
  await house.run();
}

/** Everything is as it was before the application was carried out. */
async function expectAsBefore({ t, receipt, lineId, iccid }: Leaving): Promise<void> {
  const status = await t.status(receipt);
  expect(status).toMatchObject({ state: 'inReview', refunds: [], certificate: false, may: { withdraw: true } });
  expect(status.steps.every(({ state }) => state === 'undone' || state === 'pending')).toBe(true);
  expect(await t.balance()).toEqual({ cash: 2100, promo: 1000 });
  expect(await t.line(lineId)).toMatchObject({ service: 'active', delivery: 'released' });
  expect(await subscriber(house, iccid)).toBe('active');
  expect(await t.allowance(lineId)).toMatchObject({ state: 'active', usedBytes: gigabyte });
  expect(await house.db.one(sql`select cutoff_at as cutoff from usage.allowance where line_id = ${lineId}`)).toEqual({ cutoff: null });
  await expectSoundBooks(house);
}

async function expectCompleted({ t, receipt, iccid }: Leaving, refund: number): Promise<void> {
  expect(await t.status(receipt)).toMatchObject({ state: 'completed', refunds: [{ amount: { amountMinor: refund }, state: 'succeeded' }], certificate: true });
  expect(await owedTo(house, t.accountId)).toBe(0n);
  expect(await subscriber(house, iccid)).toBe('forgotten');
  await expectSoundBooks(house);
}

test('a step that fails for good before the payout undoes everything, whichever it is; approved again, the case goes on and completes', async () => {
  const agent = await house.agent('support');
  const one = await leaving();
  for (const [round, { at }] of faults.entries()) {
    if (round > 0) await approve(agent, one);
    expect((await one.t.status(one.receipt)).state, at).toBe('inReview');
    await expectAsBefore(one);
  }
  // Each transfer of the settlement has its correction, and no refund ever left.
  const corrected = await house.db.all<{ kind: string }>(sql`
    select t.kind from ledger.transfer t join ledger.entry e on e.transfer_id = t.id
     where t.kind like '%-corrected' and e.account_code like ${`traveller:${one.t.accountId}:%`} order by t.kind`);
  expect(corrected.map(({ kind }) => kind)).toEqual(['promo-given-up-corrected', 'unused-returned-corrected']);
  expect((await gatewayBooks(house)).refunds).toEqual([]);
  // The account works meanwhile: what is used and bought leaves with the rest.
  await use(house, { iccid: one.iccid, bytes: gigabyte });
  expect((await one.t.allowance(one.lineId)).usedBytes).toBe(2 * gigabyte);
  await one.t.buy('japan-1gb-7d', { promo: false });
  await approve(agent, one);
  await expectCompleted(one, 2100 + 300);
});

test('undone and then withdrawn, an account goes on as if nothing had been', async () => {
  const t = await signUp(house);
  await t.topUp(1000);
  const { lineId, iccid } = await t.buy('japan-1gb-7d');
  await house.operator.post('/_control/faults', { kind: 'fail', match: `POST /subscribers/${iccid}/suspend`, times: 8, status: 503 });
  const receipt = await t.apply();
  await house.run();
  expect((await t.status(receipt)).state).toBe('inReview');
  await t.client.call(closureRoutes.withdrawClosure, { session: null, body: { caseNumber: receipt.caseNumber, accessCode: receipt.accessCode } });
  await house.later(15 * 86_400_000);
  expect((await t.status(receipt)).state).toBe('withdrawn');
  expect(await subscriber(house, iccid)).toBe('active');
  expect(await t.line(lineId)).toMatchObject({ service: 'active' });
  expect(await t.balance()).toEqual({ cash: 600, promo: 0 });
  const { open } = await house.db.one<{ open: bigint }>(sql`select count(*) as open from closure.case where envelope is not null`);
  expect(open).toBe(0n);
  await expectSoundBooks(house);
});

test('an operator that is down: the closure is undone, the line resumed once the operator answers, and the case waits for an agent', async () => {
  const t = await signUp(house);
  await t.topUp(1000);
  const { lineId, iccid } = await t.buy('japan-1gb-7d');
  await house.operator.post('/_control/faults', { kind: 'lost-answer', match: `POST /subscribers/${iccid}/suspend`, times: 8 });
  await house.operator.post('/_control/faults', { kind: 'fail', match: `POST /subscribers/${iccid}/resume`, times: 3, status: 503 });
  const receipt = await t.apply();
  await house.run();
  expect((await t.status(receipt)).state).toBe('inReview');
  expect(await subscriber(house, iccid)).toBe('active');
  expect((await t.line(lineId)).service).toBe('active');
  const agent = await house.agent('support');
  await approve(agent, { t, receipt, lineId, iccid });
  await expectCompleted({ t, receipt, lineId, iccid }, 1000);
});

test('an operator that has ended the line already does not hold a closure up', async () => {
  const t = await signUp(house);
  await t.topUp(1000);
  const { iccid } = await t.buy('japan-1gb-7d');
  const { url, apiKey } = house.operator.shown;
  const ended = await fetch(`${url}/subscribers/${iccid}/terminate`, {
    method: 'POST', headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' }, body: JSON.stringify({ requestId: 'ended-by-the-operator' }),
  });
  expect(ended.status).toBe(200);
  const receipt = await t.apply();
  await house.run();
  expect((await t.status(receipt)).state).toBe('completed');
  expect(await subscriber(house, iccid)).toBe('forgotten');
});

test('an undone case that is approved with days to cool off waits for its own end, not for the first one’s', async () => {
  const t = await signUp(house);
  await t.topUp(1000);
  const { iccid } = await t.buy('japan-1gb-7d');
  const receipt = await t.apply({ coolingOffDays: 7 });
  await house.later(86_400_000);
  await house.operator.post('/_control/faults', { kind: 'fail', match: `POST /subscribers/${iccid}/suspend`, times: 8, status: 503 });
  await t.client.call(closureRoutes.skipCoolingOff, { session: null, body: { caseNumber: receipt.caseNumber, accessCode: receipt.accessCode } });
  await house.run();
  expect((await t.status(receipt)).state).toBe('inReview');
  await house.later(86_400_000);
  const agent = await house.agent('support');
  await agent.call(closureRoutes.decideClosureCase, { params: { caseId: await caseOf(receipt) }, body: { decision: 'approve', reason: 'mended' } });
  await house.later(5 * 86_400_000 + 60_000);
  expect((await t.status(receipt)).state).toBe('coolingOff');
  await house.later(2 * 86_400_000);
  expect((await t.status(receipt)).state).toBe('completed');
  expect(await refusal(t.client.call(closureRoutes.withdrawClosure, { session: null, body: { caseNumber: receipt.caseNumber, accessCode: receipt.accessCode } })))
    .toBe('409 closure/action-not-allowed');
  expect(await standsAt(house, 'refunds-payable:EUR')).toBe(0n);
});
