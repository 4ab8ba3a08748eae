import { recipes } from '../ledger/index.ts';
import type { Ledger } from '../ledger/index.ts';
import type { Clock } from '../platform/clock/index.ts';
import type { Transactor } from '../platform/db/index.ts';
import * as store from './store.ts';

/** Records of roaming arrive late; until then use of the last days still counts for the allowance it was made of. */
const holdBackMs = 3 * 86_400_000;
const batchSize = 200;

/** Ends allowances whose validity is over: what is left of them is earned. Answers how many. */
export async function expireAllowances(deps: { readonly db: Transactor; readonly ledger: Ledger; readonly clock: Clock }): Promise<number> {
  const at = deps.clock.now();
  let expired = 0;
  for (;;) {
    const batch = await deps.db.transaction(async (tx) => {
      const ended = await store.lockEnded(tx, new Date(at.getTime() - holdBackMs), batchSize);
      for (const a of ended) {
        const amountMinor = a.paidCashMinor + a.paidPromoMinor - a.earnedMinor;
        const refs = { lineId: a.lineId, orderId: a.orderId };
        if (amountMinor > 0n) await deps.ledger.post(tx, recipes.expireAllowance({ id: `expire:${a.allowanceId}`, at, currency: a.currency, amountMinor, refs }));
        await store.endAllowance(tx, a, 'expired', amountMinor);
      }
      return ended.length;
    });
    expired += batch;
    if (batch < batchSize) return expired;
  }
}
