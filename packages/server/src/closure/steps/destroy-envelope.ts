import { destroyEnvelopeOf } from '../envelope.ts';
import type { ClosureDeps } from '../ports.ts';
import { done } from './step.ts';
import type { Step } from './step.ts';

/** 12. The envelope's key is destroyed, and with it the last trace of the address; no message can follow. */
export function destroyEnvelope(deps: ClosureDeps): Step {
  return {
    name: 'destroy-envelope',
    async run({ input, sagaId, transaction }) {
      await destroyEnvelopeOf(deps, transaction, { caseId: input.caseId, executionId: sagaId });
      return done;
    },
  };
}
