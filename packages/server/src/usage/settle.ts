import { recipes } from '../ledger/index.ts';
import type { Ledger, Transfer } from '../ledger/index.ts';
import type { Clock } from '../platform/clock/index.ts';
import type { Reader, Tx } from '../platform/db/index.ts';
import { settlement } from './model.ts';
import type { Allowance } from './model.ts';
import * as store from './store.ts';

/** What ended and what came back of it, in minor units. */
export interface Settled {
  readonly allowanceId: string;
  readonly lineId: string;
  readonly orderId: string;
  readonly currency: string;
  readonly returnedCashMinor: bigint;
  readonly returnedPromoMinor: bigint;
  /** What no rule returned. */
  readonly forfeitedMinor: bigint;
  readonly usedBytes: bigint;
  readonly totalBytes: bigint;
  /** The state it had. */
  readonly before: Allowance['state'];
}

interface SettleDeps {
  readonly ledger: Ledger;
  readonly clock: Clock;
}

const ended: readonly Allowance['state'][] = ['refunded', 'revoked', 'expired'];

/** The transfers that settling posts, from what it found: the same facts give the same transfers, so that they can be taken back. */
function transfersOf(accountId: string, s: Settled, ref: string, at: Date): Transfer[] {
  const base = { at, currency: s.currency, refs: { lineId: s.lineId, orderId: s.orderId, for: ref } };
  const id = (what: string): string => `settle:${ref}:${s.allowanceId}:${what}`;
  const transfers: Transfer[] = [];
  if (s.returnedCashMinor > 0n) transfers.push(recipes.returnUnused({ ...base, id: id('cash'), accountId, amountMinor: s.returnedCashMinor }));
  if (s.returnedPromoMinor > 0n) transfers.push(recipes.returnUnusedPromo({ ...base, id: id('promo'), accountId, amountMinor: s.returnedPromoMinor }));
  if (s.forfeitedMinor > 0n) transfers.push(recipes.expireAllowance({ ...base, id: id('breakage'), amountMinor: s.forfeitedMinor }));
  return transfers;
}

async function settleOne(deps: SettleDeps, tx: Tx, a: Allowance, ref: string): Promise<Settled> {
  const at = a.cutoffAt ?? deps.clock.now();
  const { cashMinor, promoMinor, earnedMinor } = settlement(a, at);
  const settled: Settled = {
    allowanceId: a.allowanceId, lineId: a.lineId, orderId: a.orderId, currency: a.currency, returnedCashMinor: cashMinor, returnedPromoMinor: promoMinor,
    forfeitedMinor: earnedMinor, usedBytes: a.usedBytes, totalBytes: a.totalBytes, before: a.state,
  };
  for (const transfer of transfersOf(a.accountId, settled, ref, at)) await deps.ledger.post(tx, transfer);
  await store.endAllowance(tx, a, cashMinor + promoMinor > 0n ? 'refunded' : 'revoked', earnedMinor);
  return settled;
}

/** What an account's plans would return to its balance if they ended now, by currency. */
export async function wouldReturn(db: Reader, accountId: string, at: Date): Promise<Map<string, bigint>> {
  const sums = new Map<string, bigint>();
  for (const a of await store.allowancesOfAccount(db, accountId)) {
    if (!ended.includes(a.state)) sums.set(a.currency, (sums.get(a.currency) ?? 0n) + settlement(a, at).cashMinor);
  }
  return sums;
}

/** Ends every allowance of an account: unused value returns by each plan's rule, the rest is earned. A repeat does nothing more. */
export async function settleAccount(deps: SettleDeps, tx: Tx, accountId: string, ref: string): Promise<Settled[]> {
  const settled: Settled[] = [];
  for (const allowance of await store.lockAllowancesOfAccount(tx, accountId)) {
    if (!ended.includes(allowance.state)) settled.push(await settleOne(deps, tx, allowance, ref));
  }
  return settled;
}

/** Takes a settlement back: every allowance is as it was, every transfer has its correction. */
export async function unsettleAccount(deps: SettleDeps, tx: Tx, accountId: string, ref: string, settled: readonly Settled[]): Promise<void> {
  const at = deps.clock.now();
  await store.lockAllowancesOfAccount(tx, accountId);
  for (const one of settled) {
    for (const transfer of transfersOf(accountId, one, ref, at)) await deps.ledger.post(tx, recipes.correction(transfer, `${transfer.id}:back`, at));
    await store.reopenAllowance(tx, one.lineId, one.allowanceId, one.before, one.forfeitedMinor);
  }
}
