import type { Language } from '@yuanyou/contract';
import type { Reader } from '../platform/db/types.ts';
import { ServiceError } from '../platform/errors.ts';
import type { AccountsDeps } from './deps.ts';
import { accountPasswordChanged } from './events.ts';
import { deleteBegun } from './factors/store.ts';
import { passwordChanged } from './messages.ts';
import { limits } from './model.ts';
import type { AccountRow } from './model.ts';
import type { Sealing } from './sealing.ts';
import * as store from './store.ts';

/** An account as its owner sees it. */
export interface Profile {
  readonly id: string;
  readonly state: 'active' | 'leaving' | 'closed';
  readonly email: string;
  readonly emailVerified: boolean;
  readonly name: string;
  readonly language: Language;
  readonly country: string | null;
  readonly createdAt: Date;
  readonly passwordChangedAt: Date | null;
  readonly emailChangedAt: Date | null;
  readonly guest: boolean;
}

/** Where and how to reach the holder of an account. */
export interface ContactPoint {
  readonly email: string;
  readonly name: string;
  readonly language: Language;
}

/** @throws `accounts/unknown`, `accounts/closed` */
export async function requireRow(db: Reader, accountId: string): Promise<AccountRow> {
  const row = await store.findAccount(db, accountId);
  if (row !== undefined) return row;
  throw new ServiceError(await store.stateOf(db, accountId) === 'closed' ? 'accounts/closed' : 'accounts/unknown', { accountId });
}

export async function openProfile(sealing: Sealing, row: AccountRow): Promise<Profile> {
  return {
    id: row.id, state: row.state, email: await sealing.open(row.id, 'email', row.email), emailVerified: row.emailVerifiedAt !== null,
    name: await sealing.open(row.id, 'name', row.name), language: row.language, country: row.country,
    createdAt: row.createdAt, passwordChangedAt: row.passwordChangedAt, emailChangedAt: row.emailChangedAt,
    guest: row.guestIndex !== null,
  };
}

/** As the API shows it. */
export function shown(profile: Profile) {
  return {
    ...profile, createdAt: profile.createdAt.toISOString(), passwordChangedAt: profile.passwordChangedAt?.toISOString() ?? null,
    emailChangedAt: profile.emailChangedAt?.toISOString() ?? null,
  };
}

export async function contactPoint(deps: AccountsDeps, sealing: Sealing, accountId: string): Promise<ContactPoint> {
  const { email, name, language } = await openProfile(sealing, await requireRow(deps.db, accountId));
  return { email, name, language };
}

/** What may be corrected without a step-up; undefined leaves a field as it is. */
export interface ProfileChange {
  readonly name?: string | undefined;
  readonly language?: Language | undefined;
  readonly country?: string | null | undefined;
}

export async function changeProfile(deps: AccountsDeps, sealing: Sealing, accountId: string, change: ProfileChange): Promise<void> {
  const name = change.name === undefined ? null : await sealing.seal(accountId, 'name', change.name);
  await deps.db.transaction(async (tx) => {
    await store.updateProfile(tx, accountId, { name, language: change.language ?? null, country: change.country ?? null, setCountry: change.country !== undefined });
    await deps.audit.record(tx, {
      actor: { kind: 'account', id: accountId }, action: 'accounts.change-profile', subjectKind: 'account', subjectId: accountId, accountId,
      details: { fields: Object.entries(change).filter(([, value]) => value !== undefined).map(([field]) => field) },
    });
  });
}

/** The step-up: the holder proves the password once more. @throws `accounts/wrong-password`, `general/too-many-requests` */
export async function verifyPassword(deps: AccountsDeps, accountId: string, password: string): Promise<true> {
  await deps.attempts.count('accounts.password', accountId, limits.password);
  const row = await requireRow(deps.db, accountId);
  if (!await deps.passwords.verify(row.passwordHash, password)) throw new ServiceError('accounts/wrong-password');
  await deps.attempts.clear('accounts.password', accountId);
  return true;
}

/** Sets a new password, after a step-up, and ends every session but the one it was done in. */
export async function changePassword(
  deps: AccountsDeps, sealing: Sealing, given: { readonly accountId: string; readonly sessionId: string; readonly newPassword: string },
): Promise<void> {
  const { accountId } = given;
  const passwordHash = await deps.passwords.hash(given.newPassword);
  const { email, language } = await contactPoint(deps, sealing, accountId);
  const message = await deps.notifications.queue({ subjectId: accountId, to: { email }, language, kind: passwordChanged, params: {} });
  await deps.db.transaction(async (tx) => {
    await store.updatePassword(tx, accountId, passwordHash, deps.clock.now());
    await deleteBegun(tx, accountId);
    await store.deleteMailedCodes(tx, accountId);
    const ended = await store.deleteSessions(tx, accountId, given.sessionId);
    await message.save(tx);
    await deps.outbox.emit(tx, accountPasswordChanged, accountId, { accountId });
    await deps.audit.record(tx, {
      actor: { kind: 'account', id: accountId }, action: 'accounts.change-password', subjectKind: 'account', subjectId: accountId, accountId,
      details: { sessionsEnded: ended },
    });
  });
}
