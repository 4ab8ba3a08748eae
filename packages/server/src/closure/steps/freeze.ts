import { envelopeSubject, sealEnvelope } from '../envelope.ts';
import { blockers } from '../model.ts';
import { concernsOf } from '../preflight.ts';
import type { ClosureDeps } from '../ports.ts';
import * as store from '../store.ts';
import { caseOf, done } from './step.ts';
import type { Step } from './step.ts';

const lookAgainMs = 5000;

/**
 * 1. No new orders, payments, renewals or reminders; signing in reaches only the closure. The envelope is sealed while the address is still
 * known. Then what was under way before the freeze comes to its end: unpaid top-ups are closed, an order in flight is fulfilled or undone.
 */
export function freeze(deps: ClosureDeps): Step {
  return {
    name: 'freeze',
    async run({ input, sagaId, now, transaction }) {
      const theCase = await caseOf(deps.db, input.caseId);
      const envelope = theCase.envelope ?? await sealEnvelope(deps, theCase, sagaId);
      await transaction(async (tx) => {
        await deps.accounts.freeze(tx, input.accountId);
        await store.saveEnvelope(tx, input.caseId, envelope);
      });
      const until = new Date(now().getTime() + lookAgainMs);
      const { stillOpen } = await deps.payments.cancelOpenTopUps(input.accountId);
      if (stillOpen > 0) return { kind: 'waiting', on: 'payment-processor', until };
      const [blocker] = blockers(await concernsOf(deps, input.accountId));
      return blocker === undefined ? done : { kind: 'waiting', on: blocker.owner, until };
    },
    async undo({ input, sagaId, transaction }) {
      await transaction(async (tx) => {
        await deps.accounts.unfreeze(tx, input.accountId);
        await store.clearEnvelope(tx, input.caseId);
      });
      await deps.dataKeys.destroy(envelopeSubject(sagaId), `closure undone:${input.caseId}`);
    },
  };
}
