import type { Reader, Tx } from '../platform/db/types.ts';
import { ServiceError } from '../platform/errors.ts';
import type { AccountsDeps } from './deps.ts';
import { accountFrozen, accountUnfrozen } from './events.ts';
import { factsOf } from './model.ts';
import type { AccountFacts } from './model.ts';
import { requireRow } from './profile.ts';
import * as store from './store.ts';

/** The facts of an open account. @throws `accounts/unknown`, `accounts/closed` */
export async function requireAccount(db: Reader, accountId: string): Promise<AccountFacts> {
  return factsOf(await requireRow(db, accountId));
}

/** Freezes an account for closure: signing in reaches only what is marked for it. Repeatable. */
export async function freeze(deps: AccountsDeps, tx: Tx, accountId: string): Promise<void> {
  if (await store.moveState(tx, accountId, 'active', 'leaving', deps.clock.now())) {
    await deps.outbox.emit(tx, accountFrozen, accountId, { accountId });
    return;
  }
  await requireRow(tx, accountId);
}

/** Undoes `freeze`. Repeatable. */
export async function unfreeze(deps: AccountsDeps, tx: Tx, accountId: string): Promise<void> {
  if (await store.moveState(tx, accountId, 'leaving', 'active', deps.clock.now())) {
    await deps.outbox.emit(tx, accountUnfrozen, accountId, { accountId });
    return;
  }
  await requireRow(tx, accountId);
}

/** An account that may order, pay and change things. Locks it, so that a freeze comes before or after the caller's transaction. */
export async function requireActive(tx: Tx, accountId: string): Promise<AccountFacts> {
  await store.lockAccount(tx, accountId);
  const facts = await requireAccount(tx, accountId);
  if (facts.state !== 'active') throw new ServiceError('accounts/leaving', { accountId });
  return facts;
}

/** Ends every session; answers how many there were. */
export async function endSessions(tx: Tx, accountId: string): Promise<number> {
  await store.lockAccount(tx, accountId);
  return store.deleteSessions(tx, accountId, null);
}
