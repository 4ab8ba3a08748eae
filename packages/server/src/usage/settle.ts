import { recipes } from '../ledger/index.ts';
import type { Ledger } from '../ledger/index.ts';
import type { Clock } from '../platform/clock/index.ts';
import type { Tx } from '../platform/db/index.ts';
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
  readonly usedBytes: bigint;
  readonly totalBytes: bigint;
}

const ended: readonly Allowance['state'][] = ['refunded', 'revoked', 'expired'];

async function settleOne(deps: { readonly ledger: Ledger; readonly clock: Clock }, tx: Tx, a: Allowance, ref: string): Promise<Settled> {
  const at = a.cutoffAt ?? deps.clock.now();
  const { cashMinor, promoMinor, earnedMinor } = settlement(a, at);
  const base = { at, currency: a.currency, refs: { lineId: a.lineId, orderId: a.orderId, for: ref } };
  const id = (what: string): string => `settle:${a.allowanceId}:${what}`;
  if (cashMinor > 0n) await deps.ledger.post(tx, recipes.returnUnused({ ...base, id: id('cash'), accountId: a.accountId, amountMinor: cashMinor }));
  if (promoMinor > 0n) await deps.ledger.post(tx, recipes.returnUnusedPromo({ ...base, id: id('promo'), accountId: a.accountId, amountMinor: promoMinor }));
  if (earnedMinor > 0n) await deps.ledger.post(tx, recipes.expireAllowance({ ...base, id: id('breakage'), amountMinor: earnedMinor }));
  await store.endAllowance(tx, a, cashMinor + promoMinor > 0n ? 'refunded' : 'revoked', earnedMinor);
  return {
    allowanceId: a.allowanceId, lineId: a.lineId, orderId: a.orderId, currency: a.currency, returnedCashMinor: cashMinor, returnedPromoMinor: promoMinor,
    usedBytes: a.usedBytes, totalBytes: a.totalBytes,
  };
}

/** Ends every allowance of an account: unused value returns by each plan's rule, the rest is earned. A repeat does nothing more. */
export async function settleAccount(deps: { readonly ledger: Ledger; readonly clock: Clock }, tx: Tx, accountId: string, ref: string): Promise<Settled[]> {
  const settled: Settled[] = [];
  for (const allowance of await store.lockAllowancesOfAccount(tx, accountId)) {
    if (!ended.includes(allowance.state)) settled.push(await settleOne(deps, tx, allowance, ref));
  }
  return settled;
}
