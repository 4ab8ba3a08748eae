import { expect } from 'vitest';
import { sql } from '../../src/platform/db/index.ts';
import { createLedger } from '../../src/ledger/index.ts';
import type { House } from './house.ts';

interface GatewayBooks {
  readonly intents: readonly { readonly id: string; readonly status: string; readonly amountMinor: number; readonly metadata: Readonly<Record<string, string>> }[];
  readonly refunds: readonly { readonly id: string; readonly amountMinor: number; readonly status: string; readonly metadata: Readonly<Record<string, string>> }[];
}

interface OperatorRegister {
  readonly subscribers: readonly { readonly iccid: string; readonly state: 'active' | 'suspended' | 'terminated' }[];
  readonly forgotten: readonly string[];
}

export function gatewayBooks(house: House): Promise<GatewayBooks> {
  return house.gateway.get('/_control/books');
}

/** What the operator holds of a subscriber. */
export async function subscriber(house: House, iccid: string): Promise<'active' | 'suspended' | 'terminated' | 'forgotten' | 'unknown'> {
  const { subscribers, forgotten } = await house.operator.get<OperatorRegister>('/_control/register');
  return subscribers.find((one) => one.iccid === iccid)?.state ?? (forgotten.includes(iccid) ? 'forgotten' : 'unknown');
}

/** What a ledger account stands at, debit positive. */
export async function standsAt(house: House, code: string): Promise<bigint> {
  return (await house.db.one<{ sum: bigint }>(sql`select coalesce(sum(amount_minor), 0)::bigint as sum from ledger.entry where account_code = ${code}`)).sum;
}

/**
 * The invariants of the books: zero sum, balances that follow from their entries, deferred revenue equal to what of open allowances is
 * unearned, refunds payable equal to refunds under way, and the gateway's books equal to ours.
 */
export async function expectSoundBooks(house: House): Promise<void> {
  const { db } = house;
  const check = await createLedger({ clock: house.clock }).checkBooks(db);
  expect(check.broken).toEqual([]);
  expect(Object.values(check.sums).every((sum) => sum === 0n)).toBe(true);
  const { unearned } = await db.one<{ unearned: bigint }>(sql`
    select coalesce(sum(paid_cash_minor + paid_promo_minor - earned_minor) filter (where state in ('active', 'queued', 'depleted')), 0)::bigint as unearned from usage.allowance`);
  expect(-await standsAt(house, 'deferred-revenue:EUR')).toBe(unearned);
  const { open } = await db.one<{ open: bigint }>(sql`
    select coalesce(sum(amount_minor), 0)::bigint as open from payments.refund where status in ('requested', 'pending')`);
  expect(-await standsAt(house, 'refunds-payable:EUR')).toBe(open);
  await expectGatewayAgrees(house);
}

async function expectGatewayAgrees(house: House): Promise<void> {
  const theirs = await gatewayBooks(house);
  const paid = theirs.intents.filter(({ status }) => status === 'succeeded').reduce((sum, one) => sum + BigInt(one.amountMinor), 0n);
  const back = theirs.refunds.filter(({ status }) => status === 'succeeded').reduce((sum, one) => sum + BigInt(one.amountMinor), 0n);
  expect(await standsAt(house, 'gateway:EUR')).toBe(paid - back);
  const ours = await house.db.all<{ id: string; amount: bigint; status: string }>(sql`
    select gateway_refund_id as id, amount_minor as amount, status from payments.refund where gateway_refund_id is not null order by 1`);
  expect(ours.map(({ id, amount, status }) => [id, amount, status]))
    .toEqual([...theirs.refunds].sort((a, b) => (a.id < b.id ? -1 : 1)).map(({ id, amountMinor, status }) => [id, BigInt(amountMinor), status]));
}

/** What is owed to a traveller, cash and promotional credit together. */
export async function owedTo(house: House, accountId: string): Promise<bigint> {
  return (await house.db.one<{ sum: bigint }>(sql`
    select coalesce(-sum(balance_minor), 0)::bigint as sum from ledger.account where account_id = ${accountId}`)).sum;
}
