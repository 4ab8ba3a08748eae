import { envelopeSubject } from '../envelope.ts';
import type { ClosureDeps } from '../ports.ts';
import * as store from '../store.ts';
import { done } from './step.ts';
import type { Step } from './step.ts';

/** 12. The envelope's key is destroyed, and with it the last trace of the address; no message can follow. */
export function destroyEnvelope(deps: ClosureDeps): Step {
  return {
    name: 'destroy-envelope',
    async run({ input, now, transaction }) {
      await transaction(async (tx) => {
        await deps.notifications.suppress(tx, envelopeSubject(input.caseId));
        await store.dropEnvelope(tx, input.caseId, now());
      });
      await deps.dataKeys.destroy(envelopeSubject(input.caseId), `closure:${input.caseId}`);
      return done;
    },
  };
}
