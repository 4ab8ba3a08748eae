import { sealEnvelope } from '../envelope.ts';
import type { ClosureDeps } from '../ports.ts';
import * as store from '../store.ts';
import { caseOf, done } from './step.ts';
import type { Step } from './step.ts';

/** 1. No new orders, renewals or reminders; signing in reaches only the closure. The envelope is sealed while the address is still known. */
export function freeze(deps: ClosureDeps): Step {
  return {
    name: 'freeze',
    async run({ input, now, transaction }) {
      const theCase = await caseOf(deps.db, input.caseId);
      const envelope = theCase.envelope ?? await sealEnvelope(deps, theCase);
      await transaction(async (tx) => {
        await deps.accounts.freeze(tx, input.accountId);
        await store.saveEnvelope(tx, input.caseId, envelope);
      });
      // After the freeze no top-up can begin; one that was begun is closed, so that no money arrives after the end.
      const { stillOpen } = await deps.payments.cancelOpenTopUps(input.accountId);
      return stillOpen > 0 ? { kind: 'waiting', on: 'payment-processor', until: new Date(now().getTime() + 5000) } : done;
    },
    async undo({ input, transaction }) {
      await transaction((tx) => deps.accounts.unfreeze(tx, input.accountId));
    },
  };
}
