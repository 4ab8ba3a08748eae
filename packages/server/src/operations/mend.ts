import type { Audit } from '../platform/audit/types.ts';
import type { Transactor } from '../platform/db/index.ts';
import { ServiceError } from '../platform/errors.ts';
import type { DeadLetters, Sagas } from '../platform/jobs/index.ts';

export interface MendDeps {
  readonly db: Transactor;
  readonly audit: Audit;
  readonly deadLetters: DeadLetters;
  readonly sagas: Sagas;
}

/** An agent's act and why. */
interface Act {
  readonly agentId: string;
  readonly reason: string;
}

/** @throws ServiceError `operations/unknown-dead-letter` */
export async function requeue(deps: MendDeps, act: Act, eventId: string, consumer: string): Promise<void> {
  await deps.db.transaction(async (tx) => {
    if (!await deps.deadLetters.requeue(tx, eventId, consumer)) throw new ServiceError('operations/unknown-dead-letter', { eventId, consumer });
    await deps.audit.record(tx, {
      actor: { kind: 'agent', id: act.agentId }, action: 'operations.requeue', subjectKind: 'event', subjectId: eventId, reason: act.reason, details: { consumer },
    });
  });
}

/** @throws ServiceError `jobs/unknown-saga`, `jobs/step-not-stuck` */
export async function retry(deps: MendDeps, act: Act, sagaId: string): Promise<void> {
  await deps.db.transaction(async (tx) => {
    const { step } = await deps.sagas.retry(tx, sagaId);
    await deps.audit.record(tx, {
      actor: { kind: 'agent', id: act.agentId }, action: 'operations.retry', subjectKind: 'saga', subjectId: sagaId, reason: act.reason, details: { step },
    });
  });
}

/** @throws ServiceError `jobs/unknown-saga`, `jobs/step-not-stuck`, `jobs/no-reason` */
export async function skip(deps: MendDeps, act: Act, sagaId: string, step: string): Promise<void> {
  await deps.db.transaction(async (tx) => {
    await deps.sagas.skip(tx, sagaId, step, act.reason);
    await deps.audit.record(tx, {
      actor: { kind: 'agent', id: act.agentId }, action: 'operations.skip', subjectKind: 'saga', subjectId: sagaId, reason: act.reason, details: { step },
    });
  });
}
