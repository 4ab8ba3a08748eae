import { timingSafeEqual } from 'node:crypto';
import { closureCan, closureSteps } from '@yuanyou/contract';
import type { closureStatus } from '@yuanyou/contract';
import type { z } from 'zod';
import { ServiceError } from '../platform/errors.ts';
import type { SagaView, StepStatus } from '../platform/jobs/types.ts';
import { accessCodeHash } from './apply.ts';
import { normalCode } from './model.ts';
import type { Case } from './model.ts';
import type { ClosureDeps } from './ports.ts';
import * as store from './store.ts';

type Status = z.input<typeof closureStatus>;
type StepStatusRow = Status['steps'][number];

const tries = { max: 20, windowMs: 3_600_000 };

/** The case that number and access code open together; guesses are counted in the database. @throws ServiceError `closure/no-such-case` */
export async function caseByAccess(
  deps: ClosureDeps, access: { readonly caseNumber: string; readonly accessCode: string }, remoteAddress: string,
): Promise<Case> {
  const typed = normalCode(access.caseNumber);
  const caseNumber = `${typed.slice(0, 2)}-${typed.slice(2, 7)}-${typed.slice(7)}`;
  // Counted by case and caller: the number stands in the certificate, and a stranger must not lock the holder out.
  const bucket = `${caseNumber} ${remoteAddress}`;
  await deps.attempts.count('closure.access', bucket, tries);
  const found = await store.caseByNumber(deps.db, caseNumber);
  const given = accessCodeHash(access.accessCode);
  if (found === undefined || !timingSafeEqual(found.accessCodeHash, given)) throw new ServiceError('closure/no-such-case');
  await deps.attempts.clear('closure.access', bucket);
  return found;
}

function actor(state: StepStatus, waitingOn: string | null): StepStatusRow['actsNow'] {
  if (state === 'stuck') return 'agent';
  if (state === 'waiting' && (waitingOn === 'traveller' || waitingOn === 'operator' || waitingOn === 'payment-processor')) return waitingOn;
  return state === 'pending' || state === 'done' || state === 'skipped' || state === 'undone' ? 'nobody' : 'system';
}

function stepsOf(view: SagaView | undefined): StepStatusRow[] {
  const known = new Map(view?.steps.map((step) => [step.name, step]));
  return closureSteps.map((name) => {
    const step = known.get(name);
    const state = step?.status ?? 'pending';
    return {
      step: name, state, waitingOn: step?.waitingOn ?? null, until: state === 'waiting' ? step?.dueAt?.toISOString() ?? null : null,
      startedAt: step?.startedAt?.toISOString() ?? null, endedAt: step?.endedAt?.toISOString() ?? null, actsNow: actor(state, step?.waitingOn ?? null),
    };
  });
}

async function refundsOf(deps: ClosureDeps, theCase: Case): Promise<Status['refunds']> {
  const rows: Status['refunds'] = [];
  for (const refund of theCase.settlement?.refunds ?? []) {
    const state = await deps.payments.refundStatus(deps.db, refund.refundId);
    rows.push({ amount: { amountMinor: Number(refund.amountMinor), currency: refund.currency }, method: refund.method, state: state ?? 'requested' });
  }
  return rows;
}

/** Where a case stands, read from the saga's own table: the tracker cannot tell anything else than what happened. */
export async function statusOf(deps: ClosureDeps, caseId: string): Promise<Status> {
  const theCase = await store.findCase(deps.db, caseId);
  if (theCase === undefined) throw new ServiceError('closure/no-such-case', { caseId });
  const certificate = await store.certificateOf(deps.db, caseId);
  return {
    caseNumber: theCase.caseNumber, state: theCase.state, submittedAt: theCase.submittedAt.toISOString(), targetAt: theCase.targetAt.toISOString(),
    promisedAt: theCase.promisedAt.toISOString(), coolingOffUntil: theCase.coolingOffUntil?.toISOString() ?? null,
    completedAt: theCase.completedAt?.toISOString() ?? null, rules: [...theCase.rules], refusal: theCase.refusal,
    steps: stepsOf(theCase.executionId === null ? undefined : await deps.sagas.view(theCase.executionId)), refunds: await refundsOf(deps, theCase),
    recipients: (await store.receiptsOf(deps.db, caseId)).map((r) => ({ recipient: r.name, state: r.state, toldAt: r.toldAt.toISOString() })),
    certificate: certificate?.bundle != null,
    may: { withdraw: closureCan('withdraw', theCase), skipCoolingOff: closureCan('execute', theCase) },
  };
}
