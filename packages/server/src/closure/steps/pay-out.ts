import { newId } from '../../platform/ids.ts';
import type { Tx } from '../../platform/db/index.ts';
import { locked } from '../move.ts';
import type { PlannedRefund } from '../model.ts';
import type { ClosureDeps } from '../ports.ts';
import * as store from '../store.ts';
import { done } from './step.ts';
import type { Step } from './step.ts';

/** How long until a refund that the payment processor works on is looked at again, if no word of it comes. */
const lookAgainMs = 30_000;

/** A refund that was refused for good is over, and its money on the balance again: an agent's new try is another refund. */
async function anew(deps: ClosureDeps, tx: Tx, refund: PlannedRefund): Promise<PlannedRefund> {
  if (refund.refused !== 'again') return refund;
  const { refused: _over, ...rest } = refund;
  const refundId = newId(deps.clock.now().getTime());
  await deps.payments.requestRefund(tx, { refundId, paymentId: refund.paymentId, amountMinor: BigInt(refund.amountMinor) });
  return { ...rest, refundId };
}

async function planned(deps: ClosureDeps, tx: Tx, caseId: string): Promise<readonly PlannedRefund[]> {
  const { settlement } = await locked(tx, caseId);
  if (settlement === null) return [];
  if (!settlement.refunds.some(({ refused }) => refused === 'again')) return settlement.refunds;
  const refunds: PlannedRefund[] = [];
  for (const refund of settlement.refunds) refunds.push(await anew(deps, tx, refund));
  await store.saveSettlement(tx, caseId, { ...settlement, refunds });
  return refunds;
}

async function markRefused(tx: Tx, caseId: string, refundId: string): Promise<void> {
  const { settlement } = await locked(tx, caseId);
  if (settlement === null) return;
  const refunds = settlement.refunds.map((refund) => (refund.refundId === refundId ? { ...refund, refused: 'held' as const } : refund));
  await store.saveSettlement(tx, caseId, { ...settlement, refunds });
}

/** 5. The pivot: money leaves. From here on the closure only goes forward. */
export function payOut(deps: ClosureDeps): Step {
  return {
    name: 'pay-out',
    pivot: true,
    async run({ input, now, transaction }) {
      let pending = false;
      let refused = false;
      for (const { refundId, refused: held } of await transaction((tx) => planned(deps, tx, input.caseId))) {
        const outcome = held === undefined ? await deps.payments.payRefund(refundId) : 'failed';
        if (outcome === 'failed' && held === undefined) await transaction((tx) => markRefused(tx, input.caseId, refundId));
        refused ||= outcome === 'failed';
        pending ||= outcome === 'pending';
      }
      // Another try by itself would fail as well: an agent looks.
      if (refused) return { kind: 'refused', code: 'closure/refund-failed' };
      return pending ? { kind: 'waiting', on: 'payment-processor', until: new Date(now().getTime() + lookAgainMs) } : done;
    },
  };
}
