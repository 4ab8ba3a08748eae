import type { accountsRoutes } from '@yuanyou/contract';
import type { Reader, Tx } from '../platform/db/types.ts';
import { ServiceError } from '../platform/errors.ts';
import type { Authenticator, Call } from '../platform/http/index.ts';
import { newId } from '../platform/ids.ts';
import { newSecret, secretHash } from '../platform/secrets/index.ts';
import type { AccountsDeps } from './deps.ts';
import { comparable, deviceNameOf, deviceOf, limits, seenEveryMs, sessionLifeMs, sessionPrefix } from './model.ts';
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

export type SignedIn = { readonly account: AccountRow; readonly session: BegunSession };

type SessionCall = Pick<Call<typeof accountsRoutes.signIn>, 'headers' | 'remoteAddress' | 'setSession'>;

export function deviceOfCall(call: SessionCall): Device {
  const userAgent = call.headers['user-agent'];
  return { userAgent: Array.isArray(userAgent) ? userAgent[0] : userAgent, address: call.remoteAddress };
}

/** Into the cookie, where scripts cannot read it, or into the answer: never both. */
export function begun(call: SessionCall, session: BegunSession, transport: 'bearer' | 'cookie') {
  if (transport === 'cookie') call.setSession(session.secret);
  return { id: session.sessionId, secret: transport === 'cookie' ? null : session.secret, expiresAt: session.expiresAt.toISOString() };
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
  deps: AccountsDeps, sealing: Sealing,
  given: { readonly email: string; readonly password: string; readonly device: Device; readonly demandSecondFactor: (account: AccountRow) => Promise<void> },
): Promise<SignedIn> {
  const subject = comparable(given.email);
  await deps.attempts.count('accounts.sign-in.address', given.device.address, limits.signInFromAddress);
  await deps.attempts.count('accounts.sign-in.account', subject, limits.signInOfAccount);
  const account = await store.findAccountByEmail(deps.db, sealing.emailIndex(given.email));
  if (!await deps.passwords.verify(account?.passwordHash, given.password) || account === undefined) {
    throw new ServiceError('accounts/wrong-credentials');
  }
  await deps.attempts.clear('accounts.sign-in.account', subject);
  await given.demandSecondFactor(account);
  return openSession(deps, sealing, account, given.device, 'accounts.sign-in');
}

/** Opens a session for somebody who has proved who they are; `spend` takes back what they proved it with. */
export async function openSession(
  deps: AccountsDeps, sealing: Sealing, account: AccountRow, device: Device, action: string, spend?: (tx: Tx) => Promise<void>,
): Promise<SignedIn> {
  const session = await prepareSession(deps, sealing, account.id, device);
  await deps.db.transaction(async (tx) => {
    // Closure deletes sessions under the account's lock: none may be born behind its back.
    await store.lockAccount(tx, account.id);
    if (await store.findAccount(tx, account.id) === undefined) throw new ServiceError('accounts/wrong-credentials');
    await spend?.(tx);
    await session.save(tx);
    await deps.audit.record(tx, {
      actor: { kind: 'account', id: account.id }, action, subjectKind: 'session', subjectId: session.begun.sessionId, accountId: account.id,
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
  /** What its owner calls it, or browser and system. */
  readonly name: string;
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
  return Promise.all(rows.map(async (row) => {
    const device = await sealing.open(accountId, 'userAgent', row.userAgent);
    return {
      id: row.id, device, name: row.name === null ? deviceNameOf(device) : await sealing.open(accountId, 'sessionName', row.name),
      address: await sealing.open(accountId, 'address', row.address), createdAt: row.createdAt, lastSeenAt: row.lastSeenAt, expiresAt: row.expiresAt,
    };
  }));
}

/** @throws `general/not-found` */
export async function renameSession(deps: AccountsDeps, sealing: Sealing, accountId: string, sessionId: string, name: string): Promise<void> {
  const sealed = await sealing.seal(accountId, 'sessionName', name);
  await deps.db.transaction(async (tx) => {
    if (await store.nameSession(tx, accountId, sessionId, sealed) === 0) throw new ServiceError('general/not-found');
    await deps.audit.record(tx, {
      actor: { kind: 'account', id: accountId }, action: 'accounts.rename-session', subjectKind: 'session', subjectId: sessionId, accountId,
    });
  });
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
