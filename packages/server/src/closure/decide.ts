import type { Actor } from '../platform/audit/types.ts';
import type { Tx } from '../platform/db/index.ts';
import { newId } from '../platform/ids.ts';
import { coolingOffEnded } from './events.ts';
import { refusedMessage } from './messages.ts';
import { daysAfter } from './model.ts';
import type { Case, Refusal } from './model.ts';
import { bySystem, locked, move } from './move.ts';
import type { ClosureDeps } from './ports.ts';
import { closureSaga } from './saga-kind.ts';
import * as store from './store.ts';

/** Begins the execution of an approved case. */
async function execute(deps: ClosureDeps, tx: Tx, theCase: Case, actor: Actor, reason: string | null): Promise<Case> {
  const executing = await move(deps, tx, theCase, 'execute', actor, reason);
  const executionId = newId(deps.clock.now().getTime());
  await store.saveExecution(tx, theCase.caseId, executionId);
  await deps.sagas.start(tx, closureSaga, executionId, { caseId: theCase.caseId, accountId: theCase.accountId });
  return executing;
}

/** Approves a locked case: nothing is billed from now on; it is executed when the cooling-off time ends, at once where that was skipped. */
export async function approve(deps: ClosureDeps, tx: Tx, theCase: Case, actor: Actor, reason: string): Promise<Case> {
  const cooling = await move(deps, tx, theCase, 'approve', actor, reason);
  await deps.accounts.freeze(tx, theCase.accountId);
  const until = daysAfter(deps.clock.now(), theCase.choices.coolingOffDays);
  await store.saveCoolingOff(tx, theCase.caseId, until);
  if (theCase.choices.coolingOffDays === 0) return execute(deps, tx, cooling, bySystem, 'cooling-off skipped by choice');
  await deps.outbox.emit(tx, coolingOffEnded, theCase.caseId, { caseId: theCase.caseId }, { notBefore: until });
  return { ...cooling, coolingOffUntil: until };
}

/** The cooling-off time has ended; one that was withdrawn or skipped meanwhile is left as it is. */
export async function endCoolingOff(deps: ClosureDeps, caseId: string): Promise<void> {
  await deps.db.transaction(async (tx) => {
    const theCase = await locked(tx, caseId);
    // Approved anew after an undo, it has another end.
    const over = theCase.coolingOffUntil !== null && theCase.coolingOffUntil <= deps.clock.now();
    if (theCase.state === 'coolingOff' && over) await execute(deps, tx, theCase, bySystem, 'cooling-off ended');
  });
}

/** The applicant does not want to wait. */
export async function skipCoolingOff(deps: ClosureDeps, caseId: string): Promise<void> {
  await deps.db.transaction(async (tx) => {
    const theCase = await locked(tx, caseId);
    await execute(deps, tx, theCase, { kind: 'account', id: theCase.accountId }, 'cooling-off skipped');
  });
}

export async function approveByAgent(deps: ClosureDeps, caseId: string, agentId: string, reason: string): Promise<Case> {
  return deps.db.transaction(async (tx) => approve(deps, tx, await locked(tx, caseId), { kind: 'agent', id: agentId }, reason));
}

/** Refuses a case with reason, legal ground and complaint body, and tells the applicant. */
export async function refuse(deps: ClosureDeps, caseId: string, agentId: string, refusal: Refusal): Promise<Case> {
  const theCase = await store.findCase(deps.db, caseId);
  const to = theCase === undefined ? undefined : await deps.accounts.contactPoint(theCase.accountId);
  const message = theCase === undefined || to === undefined ? undefined : await deps.notifications.queue({
    subjectId: theCase.accountId, to: { email: to.email }, language: to.language, kind: refusedMessage, params: { caseNumber: theCase.caseNumber, ...refusal },
  });
  return deps.db.transaction(async (tx) => {
    const refused = await move(deps, tx, await locked(tx, caseId), 'refuse', { kind: 'agent', id: agentId }, refusal.reason);
    await store.saveRefusal(tx, caseId, refusal);
    await message?.save(tx);
    return refused;
  });
}
