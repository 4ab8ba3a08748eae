import { permissionsOf } from '@yuanyou/contract';
import type { Tx } from '../platform/db/types.ts';
import { ServiceError } from '../platform/errors.ts';
import type { Authenticator } from '../platform/http/index.ts';
import { newId } from '../platform/ids.ts';
import { newSecret, secretHash } from '../platform/secrets/index.ts';
import { emailIndex } from './agents.ts';
import type { AccessDeps } from './deps.ts';
import { comparable, keyPermissions, limits, prefixes, seenEveryMs, sessionLifeMs } from './model.ts';
import { takeAssertion } from './passkeys/keep.ts';
import type { PasskeyDeps } from './passkeys/keep.ts';
import { listPasskeys } from './passkeys/store.ts';
import * as store from './store.ts';

export interface BegunSession {
  readonly agentId: string;
  readonly sessionId: string;
  readonly secret: string;
  readonly expiresAt: Date;
}

async function begin(deps: AccessDeps, tx: Tx, agentId: string): Promise<BegunSession> {
  const at = deps.clock.now();
  const begun = { agentId, sessionId: newId(at.getTime()), secret: newSecret(prefixes.session), expiresAt: new Date(at.getTime() + sessionLifeMs) };
  await store.insertSession(tx, { id: begun.sessionId, agentId, secretHash: secretHash(begun.secret), at, expiresAt: begun.expiresAt });
  return begun;
}

/** Signs an agent in; whatever is wrong is answered alike. Who has a passkey uses it. @throws `access/wrong-credentials`, `access/passkey-needed` */
export async function signIn(
  deps: AccessDeps, given: { readonly email: string; readonly password: string; readonly address: string },
): Promise<BegunSession> {
  const subject = comparable(given.email);
  await deps.attempts.count('access.sign-in.address', given.address, limits.signInFromAddress);
  await deps.attempts.count('access.sign-in.agent', subject, limits.signInOfAgent);
  const agent = await store.findAgentByEmail(deps.db, emailIndex(deps, given.email));
  const known = agent?.state === 'active' ? agent : undefined;
  if (!await deps.passwords.verify(known?.passwordHash, given.password) || known === undefined) throw new ServiceError('access/wrong-credentials');
  await deps.attempts.clear('access.sign-in.agent', subject);
  if ((await listPasskeys(deps.db, known.id)).length > 0) throw new ServiceError('access/passkey-needed');
  return openSession(deps, known.id, 'access.sign-in');
}

/** Signs in by a passkey alone: it proves possession and the unlocking of the device. @throws `access/wrong-credentials` */
export async function signInWithPasskey(
  deps: PasskeyDeps, given: Parameters<typeof takeAssertion>[1] & { readonly address: string },
): Promise<BegunSession> {
  await deps.attempts.count('access.sign-in.address', given.address, limits.signInFromAddress);
  const agentId = await takeAssertion(deps, given);
  const agent = agentId === undefined ? undefined : await store.findAgent(deps.db, agentId);
  if (agent?.state !== 'active') throw new ServiceError('access/wrong-credentials');
  return openSession(deps, agent.id, 'access.sign-in-with-passkey');
}

function openSession(deps: AccessDeps, agentId: string, action: string): Promise<BegunSession> {
  return deps.db.transaction(async (tx) => {
    const begun = await begin(deps, tx, agentId);
    await deps.audit.record(tx, { actor: { kind: 'agent', id: agentId }, action, subjectKind: 'session', subjectId: begun.sessionId });
    return begun;
  });
}

/** Turns an invitation into an agent with a password, once. @throws `access/wrong-invitation` */
export async function acceptInvitation(
  deps: AccessDeps, given: { readonly code: string; readonly password: string; readonly address: string },
): Promise<BegunSession> {
  await deps.attempts.count('access.invitation.address', given.address, limits.invitationFromAddress);
  const hash = secretHash(given.code);
  if (!await store.isInvitation(deps.db, hash, deps.clock.now())) throw new ServiceError('access/wrong-invitation');
  const passwordHash = await deps.passwords.hash(given.password);
  return deps.db.transaction(async (tx) => {
    const agentId = await store.acceptInvitation(tx, hash, passwordHash, deps.clock.now());
    if (agentId === undefined) throw new ServiceError('access/wrong-invitation');
    const begun = await begin(deps, tx, agentId);
    await deps.audit.record(tx, { actor: { kind: 'agent', id: agentId }, action: 'access.accept-invitation', subjectKind: 'agent', subjectId: agentId });
    return begun;
  });
}

export async function signOut(deps: AccessDeps, agentId: string, sessionId: string): Promise<void> {
  await deps.db.transaction(async (tx) => {
    if (await store.deleteSession(tx, agentId, sessionId) === 0) throw new ServiceError('general/not-found');
    await deps.audit.record(tx, { actor: { kind: 'agent', id: agentId }, action: 'access.sign-out', subjectKind: 'session', subjectId: sessionId });
  });
}

/** Recognises agents' sessions and API keys. */
export function agentAuthenticators(deps: AccessDeps): readonly Authenticator[] {
  return [
    {
      kind: 'agent', prefix: prefixes.session, cookie: true,
      async principal(secret) {
        const now = deps.clock.now();
        const live = await store.findLiveSession(deps.db, secretHash(secret), now);
        if (live === undefined) return undefined;
        if (now.getTime() - live.lastSeenAt.getTime() > seenEveryMs) await deps.db.transaction((tx) => store.touchSession(tx, live.sessionId, now));
        return { kind: 'agent', agentId: live.agentId, permissions: permissionsOf(live.roles), credentialId: live.sessionId };
      },
    },
    {
      kind: 'agent', prefix: prefixes.apiKey, cookie: false,
      async principal(secret) {
        const live = await store.findLiveKey(deps.db, secretHash(secret), deps.clock.now());
        if (live === undefined) return undefined;
        return { kind: 'agent', agentId: live.agentId, permissions: keyPermissions(live.scopes, live.roles), credentialId: live.apiKeyId };
      },
    },
  ];
}
