import type { ClosureDeps } from '../ports.ts';
import { caseOf, done } from './step.ts';
import type { Step } from './step.ts';

/** How long until a refund that the payment processor works on is looked at again, if no word of it comes. */
const lookAgainMs = 30_000;

/** 5. The pivot: money leaves. From here on the closure only goes forward. */
export function payOut(deps: ClosureDeps): Step {
  return {
    name: 'pay-out',
    pivot: true,
    async run({ input, now }) {
      const { settlement } = await caseOf(deps.db, input.caseId);
      let pending = false;
      for (const { refundId } of settlement?.refunds ?? []) {
        const outcome = await deps.payments.payRefund(refundId);
        // Another try would fail as well: an agent arranges another way.
        if (outcome === 'failed') return { kind: 'refused', code: 'closure/refund-failed' };
        pending ||= outcome === 'pending';
      }
      return pending ? { kind: 'waiting', on: 'payment-processor', until: new Date(now().getTime() + lookAgainMs) } : done;
    },
  };
}
