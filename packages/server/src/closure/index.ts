import { lineChanged } from '../lines/index.ts';
import { messageEnded } from '../notifications/index.ts';
import type { Endpoint } from '../platform/http/types.ts';
import type { SubjectHolder } from '../platform/subject/index.ts';
import { endCoolingOff } from './decide.ts';
import { destroyOverdue, executionOfSubject } from './envelope.ts';
import { coolingOffEnded } from './events.ts';
import { returnLateMoney } from './late-money.ts';
import type { ClosureDeps } from './ports.ts';
import { closureEndpoints } from './routes.ts';
import { executeClosure } from './saga.ts';
import * as store from './store.ts';

export { closureMoved } from './events.ts';
export type { ClosingAccounts, ClosingLog, ClosingPayments, ClosureDeps, ClosureSettings, Recipient } from './ports.ts';

/** A payment as the processor captured it. */
export interface CapturedPayment {
  readonly accountId: string;
  readonly paymentId: string;
  readonly currency: string;
}

export interface Closure {
  readonly endpoints: Endpoint[];
  readonly holder: SubjectHolder;
  /** Called when the payment processor has said something about a refund, so that a waiting closure looks at once. */
  wakeFor(accountId: string): Promise<void>;
  /** Called when money came in: what reaches an account that has settled goes back. */
  moneyCame(payment: CapturedPayment): Promise<void>;
}

async function wakeFor(deps: ClosureDeps, accountId: string): Promise<void> {
  await deps.db.transaction(async (tx) => {
    const theCase = await store.openCaseOf(tx, accountId);
    // One that is stuck waits for an agent: what failed would only fail again.
    if (theCase?.state === 'executing' && theCase.executionId !== null) await deps.sagas.wake(tx, theCase.executionId, { alsoStuck: false });
  });
}

/** The last messages are sealed under the execution's own subject: their end is what confirming waits for. */
async function wakeExecution(deps: ClosureDeps, subjectId: string): Promise<void> {
  const executionId = executionOfSubject(subjectId);
  if (executionId !== undefined) await deps.db.transaction((tx) => deps.sagas.wake(tx, executionId, { alsoStuck: false }));
}

const holder: SubjectHolder = {
  slice: 'closure',
  closureConcerns: async () => [],
  exportData: async (db, accountId) => [{
    name: 'closure-cases',
    rows: (await store.casesOf(db, accountId)).map((c) => ({ caseNumber: c.caseNumber, state: c.state, submittedAt: c.submittedAt.toISOString(), reason: c.reason })),
  }],
  erase: async (tx, accountId) => ({ erased: { sealedTexts: await store.eraseOf(tx, accountId) }, kept: { cases: (await store.casesOf(tx, accountId)).length } }),
};

/** Leaving: the case from application to certificate. */
export function createClosure(deps: ClosureDeps): Closure {
  deps.sagas.register(executeClosure(deps));
  deps.outbox.subscribe(coolingOffEnded, 'closure.execute', ({ body }) => endCoolingOff(deps, body.caseId));
  // A phone's delete notification is what unbinding waits for.
  deps.outbox.subscribe(lineChanged, 'closure.wake', async ({ body }) => {
    if (body.axis === 'delivery' && body.to === 'deleted') await wakeFor(deps, body.accountId);
  });
  deps.outbox.subscribe(messageEnded, 'closure.message', ({ body }) => wakeExecution(deps, body.subjectId));
  deps.schedule.every('closure.envelopes', 600_000, async () => {
    while ((await destroyOverdue(deps)) === 100) { /* until nothing is left */ }
  });
  return { endpoints: closureEndpoints(deps), holder, wakeFor: (accountId) => wakeFor(deps, accountId), moneyCame: (payment) => returnLateMoney(deps, payment) };
}
