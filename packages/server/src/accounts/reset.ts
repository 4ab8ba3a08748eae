import type { Event } from '../platform/jobs/types.ts';
import { ServiceError } from '../platform/errors.ts';
import { newId } from '../platform/ids.ts';
import type { AccountsDeps } from './deps.ts';
import { accountCodeAsked, accountPasswordChanged } from './events.ts';
import { deleteBegun } from './factors/store.ts';
import { mailCode } from './mailed-code.ts';
import { passwordChanged } from './messages.ts';
import { comparable, limits } from './model.ts';
import type { AccountRow } from './model.ts';
import type { Sealing } from './sealing.ts';
import * as store from './store.ts';

type Purpose = 'reset' | 'claim';

interface Asked {
  readonly email: string;
  readonly address: string;
}

/**
 * Somebody without a session asks for a code. Known or not, the caller sees the same limits, the same one transaction and the same answer; the mail is
 * written later, by whoever takes up the event.
 */
export async function askForCode(deps: AccountsDeps, purpose: Purpose, asked: Asked, account: AccountRow | undefined): Promise<void> {
  await deps.attempts.count(`accounts.${purpose}.address`, asked.address, limits.mailAskedFromAddress);
  await deps.attempts.count(`accounts.${purpose}.email`, comparable(asked.email), limits.mailAskedForEmail);
  const accountId = account?.id ?? newId(deps.clock.now().getTime());
  await deps.db.transaction((tx) => deps.outbox.emit(tx, accountCodeAsked, accountId, { accountId, purpose }));
}

/** Takes up what was asked for: an account that is not there gets no mail. */
export function sendAskedCodes(deps: AccountsDeps, sealing: Sealing): (event: Event<{ accountId: string; purpose: Purpose }>) => Promise<void> {
  return async ({ body: { accountId, purpose } }) => {
    const account = await store.findAccount(deps.db, accountId);
    if (account === undefined || (account.guestIndex !== null) !== (purpose === 'claim')) return;
    await mailCode(deps, sealing, purpose, account);
  };
}

export async function requestPasswordReset(deps: AccountsDeps, sealing: Sealing, asked: Asked): Promise<void> {
  await askForCode(deps, 'reset', asked, await store.findAccountByEmail(deps.db, sealing.emailIndex(asked.email)));
}

/** A new password by a mailed code; every session ends. A second proof stays needed at sign-in. @throws `accounts/wrong-code` */
export async function resetPassword(
  deps: AccountsDeps, sealing: Sealing, given: { readonly email: string; readonly code: string; readonly newPassword: string; readonly address: string },
): Promise<void> {
  await deps.attempts.count('accounts.reset-tried.address', given.address, limits.mailAskedFromAddress);
  await deps.attempts.count('accounts.reset-tried', comparable(given.email), limits.mailedCodeTried);
  const account = await store.findAccountByEmail(deps.db, sealing.emailIndex(given.email));
  // Nobody's id stands in, so that known and unknown addresses ask the database alike.
  const accountId = account?.id ?? newId(deps.clock.now().getTime());
  const digest = sealing.longCodeDigest('reset', accountId, given.code);
  const right = await store.hasMailedCode(deps.db, accountId, 'reset', digest, deps.clock.now());
  if (!right || account === undefined) throw new ServiceError('accounts/wrong-code');
  const passwordHash = await deps.passwords.hash(given.newPassword);
  const email = await sealing.open(accountId, 'email', account.email);
  const message = await deps.notifications.queue({ subjectId: accountId, to: { email }, language: account.language, kind: passwordChanged, params: {} });
  await deps.db.transaction(async (tx) => {
    await store.lockAccount(tx, accountId);
    if (!await store.takeMailedCode(tx, accountId, 'reset', digest, deps.clock.now())) throw new ServiceError('accounts/wrong-code');
    await store.updatePassword(tx, accountId, passwordHash, deps.clock.now());
    await store.confirmKnownEmail(tx, accountId, deps.clock.now());
    await deleteBegun(tx, accountId);
    const ended = await store.deleteSessions(tx, accountId, null);
    await message.save(tx);
    await deps.outbox.emit(tx, accountPasswordChanged, accountId, { accountId });
    await deps.audit.record(tx, {
      actor: { kind: 'account', id: accountId }, action: 'accounts.reset-password', subjectKind: 'account', subjectId: accountId, accountId,
      details: { sessionsEnded: ended },
    });
  });
}
