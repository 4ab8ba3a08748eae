import { timingSafeEqual } from 'node:crypto';
import type { Language } from '@yuanyou/contract';
import type { Tx } from '../platform/db/types.ts';
import { isUniqueViolation } from '../platform/db/index.ts';
import { ServiceError } from '../platform/errors.ts';
import { newCode } from '../platform/secrets/index.ts';
import type { AccountsDeps } from './deps.ts';
import { accountEmailChanged, accountEmailVerified } from './events.ts';
import { codeLifeMs, limits } from './model.ts';
import { emailChanged, verifyEmail } from './messages.ts';
import type { AccountRow } from './model.ts';
import type { Sealing } from './sealing.ts';
import * as store from './store.ts';

/** A code for an address, with the message that carries it: made outside the transaction, saved inside. */
export async function prepareVerification(
  deps: AccountsDeps, sealing: Sealing, target: { readonly accountId: string; readonly email: string; readonly language: Language },
): Promise<{ save(tx: Tx): Promise<void> }> {
  const { accountId, email, language } = target;
  const code = newCode();
  const pending = await sealing.seal(accountId, 'pending', email);
  const message = await deps.notifications.queue({ subjectId: accountId, to: { email }, language, kind: verifyEmail, params: { code } });
  return {
    async save(tx) {
      await store.putVerification(tx, accountId, {
        email: pending, emailIndex: sealing.emailIndex(email), codeDigest: sealing.codeDigest(accountId, code),
        expiresAt: new Date(deps.clock.now().getTime() + codeLifeMs),
      });
      await message.save(tx);
    },
  };
}

/** Sends a code to an address: the account's own, or the one it wants instead. */
export async function sendCode(deps: AccountsDeps, sealing: Sealing, account: AccountRow, newEmail: string | null): Promise<void> {
  await deps.attempts.count('accounts.code-sent', account.id, limits.codeSent);
  const email = newEmail?.trim() ?? await sealing.open(account.id, 'email', account.email);
  const verification = await prepareVerification(deps, sealing, { accountId: account.id, email, language: account.language });
  await deps.db.transaction(async (tx) => {
    await verification.save(tx);
    await deps.audit.record(tx, {
      actor: { kind: 'account', id: account.id }, action: newEmail === null ? 'accounts.send-code' : 'accounts.ask-email-change',
      subjectKind: 'account', subjectId: account.id, accountId: account.id,
    });
  });
}

/** Confirms the address that the last code went to. @throws `accounts/wrong-code`, `accounts/email-taken` */
export async function confirmEmail(deps: AccountsDeps, sealing: Sealing, account: AccountRow, code: string): Promise<void> {
  await deps.attempts.count('accounts.code-tried', account.id, limits.codeTried);
  const pending = await store.findVerification(deps.db, account.id);
  const digest = sealing.codeDigest(account.id, code);
  if (pending === undefined || pending.expiresAt <= deps.clock.now() || !timingSafeEqual(pending.codeDigest, digest)) {
    throw new ServiceError('accounts/wrong-code');
  }
  const changed = account.emailIndex?.equals(pending.emailIndex) !== true;
  const email = await sealing.open(account.id, 'pending', pending.email);
  const sealed = await sealing.seal(account.id, 'email', email);
  const farewell = changed ? await tellOldAddress(deps, sealing, account) : undefined;
  const body = { accountId: account.id };

  try {
    await deps.db.transaction(async (tx) => {
      if (!await store.takeVerification(tx, account.id, digest, deps.clock.now())) throw new ServiceError('accounts/wrong-code');
      await store.updateEmail(tx, account.id, sealed, pending.emailIndex, deps.clock.now(), changed);
      // A code that was mailed to the old address shall open nothing any more.
      if (changed) await store.deleteMailedCodes(tx, account.id);
      await farewell?.save(tx);
      await deps.outbox.emit(tx, changed ? accountEmailChanged : accountEmailVerified, account.id, body);
      await deps.audit.record(tx, {
        actor: { kind: 'account', id: account.id }, action: changed ? 'accounts.change-email' : 'accounts.verify-email',
        subjectKind: 'account', subjectId: account.id, accountId: account.id,
      });
    });
  } catch (error) {
    if (isUniqueViolation(error)) throw new ServiceError('accounts/email-taken');
    throw error;
  }
}

/** Whoever held the old address learns of the change there, in case it was not they who made it. */
async function tellOldAddress(deps: AccountsDeps, sealing: Sealing, account: AccountRow): Promise<{ save(tx: Tx): Promise<unknown> }> {
  const old = await sealing.open(account.id, 'email', account.email);
  return deps.notifications.queue({ subjectId: account.id, to: { email: old }, language: account.language, kind: emailChanged, params: {} });
}
