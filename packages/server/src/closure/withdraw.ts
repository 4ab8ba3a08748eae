import { withdrawnMessage } from './messages.ts';
import type { Case } from './model.ts';
import { locked, move } from './move.ts';
import type { ClosureDeps } from './ports.ts';

/** Withdraws an application by an explicit act; signing in never does. The account is as it was. */
export async function withdraw(deps: ClosureDeps, theCase: Case): Promise<void> {
  const to = await deps.accounts.contactPoint(theCase.accountId);
  const message = to === undefined ? undefined : await deps.notifications.queue({
    subjectId: theCase.accountId, to: { email: to.email }, language: to.language, kind: withdrawnMessage, params: { caseNumber: theCase.caseNumber },
  });
  await deps.db.transaction(async (tx) => {
    const now = await locked(tx, theCase.caseId);
    await move(deps, tx, now, 'withdraw', { kind: 'account', id: now.accountId }, null);
    await deps.accounts.unfreeze(tx, now.accountId);
    await message?.save(tx);
  });
}
