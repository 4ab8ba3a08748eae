import { ContractError, closureRoutes, paymentsRoutes } from '@yuanyou/contract';
import fc from 'fast-check';
import { expect } from 'vitest';
import { sql } from '../../src/platform/db/index.ts';
import { expectSoundBooks, gatewayBooks, owedTo, standsAt } from './books.ts';
import type { House } from './house.ts';
import { card, newKey, planOf, signUp } from './traveller.ts';
import type { Receipt, Traveller } from './traveller.ts';
import { leaveFile, usageCsv } from './use.ts';

/** Something that a traveller, an operator or time does. `who` picks one of the travellers. */
export type Act =
  | { readonly kind: 'topUp'; readonly who: number; readonly amount: number; readonly slowRefund: boolean }
  | { readonly kind: 'voucher'; readonly who: number; readonly amount: number }
  | { readonly kind: 'buy'; readonly who: number; readonly plan: number; readonly promo: boolean }
  | { readonly kind: 'use'; readonly who: number; readonly line: number; readonly megabytes: number }
  | { readonly kind: 'apply'; readonly who: number; readonly days: number; readonly giveUp: boolean }
  | { readonly kind: 'withdraw'; readonly who: number }
  | { readonly kind: 'skip'; readonly who: number }
  | { readonly kind: 'bank' }
  | { readonly kind: 'later'; readonly hours: number }
  | { readonly kind: 'together'; readonly acts: readonly Act[] };

const travellers = 3;
const plans = ['japan-1gb-7d', 'japan-3gb-15d', 'world-1gb-7d'] as const;
const who = fc.nat(travellers - 1);

const single: fc.Arbitrary<Act> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('topUp' as const), who, amount: fc.integer({ min: 100, max: 6000 }), slowRefund: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('voucher' as const), who, amount: fc.integer({ min: 1, max: 1500 }) }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('buy' as const), who, plan: fc.nat(plans.length - 1), promo: fc.boolean() }) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('use' as const), who, line: fc.nat(3), megabytes: fc.integer({ min: 1, max: 1500 }) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('apply' as const), who, days: fc.constantFrom(0, 0, 1, 3), giveUp: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('withdraw' as const), who }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('skip' as const), who }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'bank' as const }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('later' as const), hours: fc.integer({ min: 1, max: 60 }) }) },
);

/** A sequence of acts; some happen at the same time. */
export function acts(longest: number): fc.Arbitrary<Act[]> {
  const together = fc.record({ kind: fc.constant('together' as const), acts: fc.array(single, { minLength: 2, maxLength: 3 }) });
  return fc.array(fc.oneof({ weight: 4, arbitrary: single }, { weight: 1, arbitrary: together }), { minLength: 4, maxLength: longest });
}

/** What a person who may be leaving, poor or late is told; anything else is a fault. */
const refusals: readonly string[] = [
  'ledger/overdraft', 'general/leaving', 'general/unauthenticated', 'closure/blocked', 'closure/already-open', 'closure/action-not-allowed',
  'accounts/leaving', 'accounts/closed', 'accounts/unknown', 'orders/sold-out', 'general/too-many-requests', 'payments/unknown-payment', 'accounts/wrong-credentials',
];

async function orRefused(act: Promise<unknown>): Promise<void> {
  try {
    await act;
  } catch (error) {
    if (!(error instanceof ContractError) || !refusals.includes(error.code)) throw error;
  }
}

interface Person {
  traveller: Traveller;
  receipts: Receipt[];
  lines: string[];
}

const accessOf = ({ caseNumber, accessCode }: Receipt) => ({ session: null, body: { caseNumber, accessCode } });

async function topUp({ traveller }: Person, amount: number, slowRefund: boolean): Promise<void> {
  const { body } = await traveller.client.call(paymentsRoutes.startTopUp, { idempotencyKey: newKey(), body: { amount: { amountMinor: amount, currency: 'EUR' } } });
  if (body.payUrl === null) return;
  // The page may have been closed by an application meanwhile.
  await fetch(body.payUrl, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ cardNumber: slowRefund ? card.slowRefund : card.good }),
  });
}

async function buy(house: House, person: Person, plan: number, promo: boolean): Promise<void> {
  const { lineId } = await person.traveller.order(plans[plan]!, { promo });
  const { iccid } = await house.db.one<{ iccid: string }>(sql`
    select p.iccid from lines.line l join inventory.profile p on p.id = l.profile_id where l.line_id = ${lineId}`);
  person.lines.push(iccid);
}

async function settleBank(house: House): Promise<void> {
  for (const { id, status } of (await gatewayBooks(house)).refunds) {
    if (status === 'pending') await house.gateway.post(`/_control/refunds/${id}/settle`, { status: 'succeeded' });
  }
}

async function perform(house: House, people: readonly Person[], act: Act): Promise<void> {
  const person = 'who' in act ? people[act.who]! : undefined;
  switch (act.kind) {
    case 'topUp': return orRefused(topUp(person!, act.amount, act.slowRefund));
    case 'voucher': return orRefused(person!.traveller.redeem(act.amount));
    case 'buy': return orRefused(buy(house, person!, act.plan, act.promo));
    case 'use': {
      const iccid = person!.lines[act.line % Math.max(1, person!.lines.length)];
      if (iccid !== undefined) leaveFile(house, usageCsv(house, [{ iccid, bytes: act.megabytes * 1_000_000 }]));
      return;
    }
    case 'apply': return orRefused((async () => {
      person!.receipts.push(await person!.traveller.apply({ coolingOffDays: act.days, balance: act.giveUp ? 'giveUp' : 'originalMethods', export: act.days === 0 }));
    })());
    case 'withdraw': case 'skip': {
      const receipt = person!.receipts.at(-1);
      const route = act.kind === 'withdraw' ? closureRoutes.withdrawClosure : closureRoutes.skipCoolingOff;
      if (receipt !== undefined) await orRefused(person!.traveller.client.call(route, accessOf(receipt)));
      return;
    }
    case 'bank': return settleBank(house);
    case 'later': return moveOn(house, people, act.hours * 3_600_000);
    case 'together': await Promise.all(act.acts.filter(({ kind }) => kind !== 'later').map((one) => perform(house, people, one)));
  }
}

async function moveOn(house: House, people: readonly Person[], ms: number): Promise<void> {
  await house.later(ms);
  for (const { traveller } of people) await orRefused(traveller.signIn());
}

/** Whatever is asked of the gateway by then has come back, and nothing is due. */
async function atRest(house: House): Promise<void> {
  await house.run();
  await house.until('every word of the gateway taken in', async () => {
    const theirs = (await gatewayBooks(house)).intents.filter(({ status }) => status === 'succeeded').length;
    const { ours } = await house.db.one<{ ours: bigint }>(sql`select count(*) as ours from payments.payment where status = 'captured'`);
    return BigInt(theirs) === ours;
  });
  await house.until('every refund that the gateway has paid booked', async () => {
    const paid = (await gatewayBooks(house)).refunds.filter(({ status }) => status === 'succeeded').length;
    const { ours } = await house.db.one<{ ours: bigint }>(sql`select count(*) as ours from payments.refund where status = 'succeeded'`);
    return BigInt(paid) === ours;
  });
}

/** Everybody leaves in the end, and nothing is owed, deferred or on its way. */
async function expectAllGone(house: House, people: readonly Person[]): Promise<void> {
  const agent = await house.agent('operations');
  for (const person of people) {
    await orRefused(person.traveller.signIn());
    await orRefused((async () => { person.receipts.push(await person.traveller.apply()); })());
    await house.run();
    const receipt = person.receipts.at(-1)!;
    const { state } = await person.traveller.status(receipt);
    if (state === 'coolingOff') await person.traveller.client.call(closureRoutes.skipCoolingOff, accessOf(receipt));
    if (state === 'inReview') {
      const { id } = await house.db.one<{ id: string }>(sql`select case_id as id from closure.case where case_number = ${receipt.caseNumber}`);
      await agent.call(closureRoutes.decideClosureCase, { params: { caseId: id }, body: { decision: 'approve', reason: 'in order' } });
    }
    await atRest(house);
    await settleBank(house);
    await house.until('the account closed', async () => (await person.traveller.status(receipt)).state === 'completed');
    expect(await owedTo(house, person.traveller.accountId)).toBe(0n);
    const { open } = await house.db.one<{ open: bigint }>(sql`
      select count(*) as open from usage.allowance where account_id = ${person.traveller.accountId} and state in ('active', 'queued', 'depleted')`);
    expect(open).toBe(0n);
  }
  await house.later(house.config.feeds.everyMs);
  await atRest(house);
  expect(await standsAt(house, 'refunds-payable:EUR')).toBe(0n);
  expect(await standsAt(house, 'deferred-revenue:EUR')).toBe(0n);
  await expectSoundBooks(house);
}

/** Performs a sequence for new travellers in a house where nobody else is; the invariants of the books hold after each act. */
export async function performAll(house: House, sequence: readonly Act[]): Promise<void> {
  await planOf(house, plans[0]);
  const people: Person[] = [];
  for (let i = 0; i < travellers; i++) people.push({ traveller: await signUp(house), receipts: [], lines: [] });
  for (const act of sequence) {
    await perform(house, people, act);
    await atRest(house);
    await expectSoundBooks(house);
  }
  await expectAllGone(house, people);
}
