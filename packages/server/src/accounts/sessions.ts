import type { Reader, Tx } from '../platform/db/types.ts';
import { ServiceError } from '../platform/errors.ts';
import type { Authenticator } from '../platform/http/index.ts';
import { newId } from '../platform/ids.ts';
import { newSecret, secretHash } from '../platform/secrets/index.ts';
import type { AccountsDeps } from './deps.ts';
import { comparable, deviceOf, limits, seenEveryMs, sessionLifeMs, sessionPrefix } from './model.ts';
import type { AccountRow } from './model.ts';
import type { Sealing } from './sealing.ts';
import * as store from './store.ts';

/** Where a session is begun from. */
export interface Device {
  readonly userAgent: string | undefined;
  readonly address: string;
}

/** A session just begun: the secret is known to its bearer alone. */
export interface BegunSession {
  readonly sessionId: string;
  readonly secret: string;
  readonly expiresAt: Date;
}

export async function prepareSession(
  deps: AccountsDeps, sealing: Sealing, accountId: string, device: Device,
): Promise<{ begun: BegunSession; save(tx: Tx): Promise<void> }> {
  const at = deps.clock.now();
  const begun = { sessionId: newId(at.getTime()), secret: newSecret(sessionPrefix), expiresAt: new Date(at.getTime() + sessionLifeMs) };
  const userAgent = await sealing.seal(accountId, 'userAgent', deviceOf(device.userAgent));
  const address = await sealing.seal(accountId, 'address', device.address);
  return {
    begun,
    save: (tx) => store.insertSession(tx, {
      id: begun.sessionId, accountId, secretHash: secretHash(begun.secret), userAgent, address, at, expiresAt: begun.expiresAt,
    }),
  };
}

/** Signs in. An unknown address, a closed account and a wrong password are answered alike, and take alike. */
export async function signIn(
  deps: AccountsDeps, sealing: Sealing, given: { readonly email: string; readonly password: string; readonly device: Device },
): Promise<{ account: AccountRow; session: BegunSession }> {
  const subject = comparable(given.email);
  await deps.attempts.count('accounts.sign-in.address', given.device.address, limits.signInFromAddress);
  await deps.attempts.count('accounts.sign-in.account', subject, limits.signInOfAccount);
  const account = await store.findAccountByEmail(deps.db, sealing.emailIndex(given.email));
  if (!await deps.passwords.verify(account?.passwordHash, given.password) || account === undefined) {
    throw new ServiceError('accounts/wrong-credentials');
  }
  await deps.attempts.clear('accounts.sign-in.account', subject);
  const session = await prepareSession(deps, sealing, account.id, given.device);
  await deps.db.transaction(async (tx) => {
    // Closure deletes sessions under the account's lock: none may be born behind its back.
    await store.lockAccount(tx, account.id);
    if (await store.findAccount(tx, account.id) === undefined) throw new ServiceError('accounts/wrong-credentials');
    await session.save(tx);
    await deps.audit.record(tx, {
      actor: { kind: 'account', id: account.id }, action: 'accounts.sign-in', subjectKind: 'session', subjectId: session.begun.sessionId, accountId: account.id,
    });
  });
  return { account, session: session.begun };
}

/** Recognises travellers' sessions. */
export function sessionAuthenticator(deps: AccountsDeps): Authenticator {
  return {
    kind: 'traveller',
    prefix: sessionPrefix,
    cookie: true,
    async principal(secret) {
      const now = deps.clock.now();
      const live = await store.findLiveSession(deps.db, secretHash(secret), now);
      if (live === undefined) return undefined;
      if (now.getTime() - live.lastSeenAt.getTime() > seenEveryMs) await deps.db.transaction((tx) => store.touchSession(tx, live.sessionId, now));
      return { kind: 'traveller', accountId: live.accountId, sessionId: live.sessionId, leaving: live.state === 'leaving' };
    },
  };
}

export interface SessionView {
  readonly id: string;
  readonly device: string;
  /** The network address at sign-in. */
  readonly address: string;
  readonly createdAt: Date;
  readonly lastSeenAt: Date;
  readonly expiresAt: Date;
}

export async function listSessions(
  deps: AccountsDeps, sealing: Sealing, db: Reader, accountId: string, before: string | null, limit: number,
): Promise<SessionView[]> {
  const rows = await store.listSessions(db, accountId, deps.clock.now(), before, limit);
  return Promise.all(rows.map(async (row) => ({
    id: row.id, device: await sealing.open(accountId, 'userAgent', row.userAgent), address: await sealing.open(accountId, 'address', row.address),
    createdAt: row.createdAt, lastSeenAt: row.lastSeenAt, expiresAt: row.expiresAt,
  })));
}

/** Ends one session. @throws `general/not-found` */
export async function endSession(deps: AccountsDeps, accountId: string, sessionId: string): Promise<void> {
  await deps.db.transaction(async (tx) => {
    if (await store.deleteSession(tx, accountId, sessionId) === 0) throw new ServiceError('general/not-found');
    await deps.audit.record(tx, {
      actor: { kind: 'account', id: accountId }, action: 'accounts.end-session', subjectKind: 'session', subjectId: sessionId, accountId,
    });
  });
}
