import type { ClosureAction } from '@yuanyou/contract';
import type { Actor } from '../platform/audit/types.ts';
import type { Tx } from '../platform/db/index.ts';
import { ServiceError } from '../platform/errors.ts';
import { closureMoved } from './events.ts';
import { nextState } from './model.ts';
import type { Case } from './model.ts';
import type { ClosureDeps } from './ports.ts';
import * as store from './store.ts';

export const bySystem: Actor = { kind: 'system', id: 'closure' };

/**
 * Moves a locked case by one action of the table, with its history, audit entry and event. Answers the case as it stands then.
 * @throws ServiceError `closure/action-not-allowed`
 */
export async function move(
  deps: Pick<ClosureDeps, 'clock' | 'audit' | 'outbox'>, tx: Tx, theCase: Case, action: ClosureAction, actor: Actor, reason: string | null,
): Promise<Case> {
  const to = nextState(theCase, action);
  if (to === undefined) throw new ServiceError('closure/action-not-allowed', { caseNumber: theCase.caseNumber, action, state: theCase.state });
  await store.saveState(tx, theCase, action, to, deps.clock.now(), actor, reason);
  await deps.audit.record(tx, {
    actor, action: `closure.${action}`, subjectKind: 'closure', subjectId: theCase.caseId, accountId: theCase.accountId,
    ...(reason === null ? {} : { reason }), details: { from: theCase.state, to },
  });
  await deps.outbox.emit(tx, closureMoved, theCase.caseId, { caseId: theCase.caseId, accountId: theCase.accountId, state: to });
  return { ...theCase, state: to };
}

/** Locks a case. @throws ServiceError `closure/no-such-case` */
export async function locked(tx: Tx, caseId: string): Promise<Case> {
  const theCase = await store.lockCase(tx, caseId);
  if (theCase === undefined) throw new ServiceError('closure/no-such-case', { caseId });
  return theCase;
}
