import { recipes } from '../ledger/index.ts';
import type { Ledger } from '../ledger/index.ts';
import type { Clock } from '../platform/clock/index.ts';
import type { Transactor, Tx } from '../platform/db/index.ts';
import type { Allowance } from './model.ts';
import * as store from './store.ts';

/** Records of roaming arrive late; until then use of the last days still counts for the allowance it was made of. */
const holdBackMs = 3 * 86_400_000;
const batchSize = 200;

interface ExpireDeps {
  readonly db: Transactor;
  readonly ledger: Ledger;
  readonly clock: Clock;
}

/** What is left of the allowances of one batch is earned, by currency in one transfer; an allowance ends once, so its id names the batch. */
async function postBreakage(deps: ExpireDeps, tx: Tx, ended: readonly Allowance[], at: Date): Promise<void> {
  for (const [currency, ofCurrency] of Map.groupBy(ended, (a) => a.currency)) {
    const amountMinor = ofCurrency.reduce((sum, a) => sum + a.paidCashMinor + a.paidPromoMinor - a.earnedMinor, 0n);
    if (amountMinor === 0n) continue;
    const first = ofCurrency[0]!.allowanceId;
    await deps.ledger.post(tx, recipes.expireAllowance({
      id: `expire:${first}:${currency}`, at, currency, amountMinor, refs: { firstAllowanceId: first, allowances: String(ofCurrency.length) },
    }));
  }
}

/**
 * Ends allowances whose validity is over, also queued ones that were not begun in time; what is left of them is earned. One under a closure's
 * cutoff is the closure's to settle, by what stood at the cutoff. Answers how many.
 */
export async function expireAllowances(deps: ExpireDeps): Promise<number> {
  const at = deps.clock.now();
  let expired = 0;
  for (;;) {
    const batch = await deps.db.transaction(async (tx) => {
      const ended = await store.lockEnded(tx, new Date(at.getTime() - holdBackMs), batchSize);
      await postBreakage(deps, tx, ended, at);
      await store.expire(tx, ended);
      return ended.length;
    });
    expired += batch;
    if (batch < batchSize) return expired;
  }
}
