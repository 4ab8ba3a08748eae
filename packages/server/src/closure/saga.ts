import type { Saga } from '../platform/jobs/types.ts';
import { bySystem, locked, move } from './move.ts';
import type { ClosureDeps } from './ports.ts';
import { certify } from './steps/certify.ts';
import { confirm } from './steps/confirm.ts';
import { deliverExport } from './steps/deliver-export.ts';
import { destroyEnvelope } from './steps/destroy-envelope.ts';
import { erase } from './steps/erase.ts';
import { finalUsage } from './steps/final-usage.ts';
import { freeze } from './steps/freeze.ts';
import { log } from './steps/log.ts';
import { payOut } from './steps/pay-out.ts';
import { closureSaga } from './saga-kind.ts';
import { settle } from './steps/settle.ts';
import type { Input } from './steps/step.ts';
import { suspendLines } from './steps/suspend-lines.ts';
import { tellRecipients } from './steps/tell-recipients.ts';
import { terminateLines } from './steps/terminate-lines.ts';
import { unbindDevices } from './steps/unbind-devices.ts';

/** The execution of a closure. Before money leaves, a failure undoes; from there on it only goes forward. docs/cycles/closure.md says why in this order. */
export function executeClosure(deps: ClosureDeps): Saga<Input> {
  return {
    kind: closureSaga,
    steps: [
      freeze(deps), suspendLines(deps), finalUsage(deps), settle(deps),
      payOut(deps), terminateLines(deps), unbindDevices(deps), deliverExport(deps), tellRecipients(deps), erase(deps),
      certify(deps), log(deps), confirm(deps), destroyEnvelope(deps),
    ],
    async onEnd(tx, sagaId, input, end) {
      const theCase = await locked(tx, input.caseId);
      const skipped = (await deps.sagas.view(sagaId))?.steps.filter((step) => step.status === 'skipped') ?? [];
      const names = skipped.map((step) => step.name).join(', ');
      if (end === 'completed' && skipped.length === 0) await move(deps, tx, theCase, 'complete', bySystem, null);
      else if (end === 'completed') await move(deps, tx, theCase, 'completePartially', bySystem, `skipped by an agent: ${names}`);
      else await move(deps, tx, theCase, 'undo', bySystem, 'a step before the payout could not be done; everything was undone');
    },
  };
}
