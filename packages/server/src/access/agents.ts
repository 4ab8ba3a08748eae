import type { Role } from '@yuanyou/contract';
import type { Actor } from '../platform/audit/types.ts';
import type { Reader } from '../platform/db/types.ts';
import { ServiceError } from '../platform/errors.ts';
import { newId } from '../platform/ids.ts';
import { newSecret, secretHash } from '../platform/secrets/index.ts';
import type { AccessDeps } from './deps.ts';
import { comparable, forgetAfterMs, invitationLifeMs, prefixes } from './model.ts';
import type { AgentRow, AgentState } from './model.ts';
import { expireApprovals } from './approvals/store.ts';
import { deleteExpiredChallenges } from './passkeys/store.ts';
import * as store from './store.ts';

export interface AgentView {
  readonly id: string;
  readonly email: string;
  readonly name: string;
  readonly roles: readonly Role[];
  readonly state: AgentState;
  readonly createdAt: Date;
}

/** What turns into an agent with a password; shown once. */
export interface Invitation {
  readonly agentId: string;
  readonly code: string;
  readonly expiresAt: Date;
}

export const emailIndex = (deps: AccessDeps, email: string): Buffer => deps.blindIndex.of('access.email', comparable(email));

export async function openAgent(deps: AccessDeps, row: AgentRow): Promise<AgentView> {
  return {
    id: row.id, email: await deps.dataKeys.openText(row.id, 'access.agent.email', row.email),
    name: await deps.dataKeys.openText(row.id, 'access.agent.name', row.name), roles: row.roles, state: row.state, createdAt: row.createdAt,
  };
}

/** @throws `access/unknown` */
export async function getAgent(deps: AccessDeps, db: Reader, agentId: string): Promise<AgentView> {
  const row = await store.findAgent(db, agentId);
  if (row === undefined) throw new ServiceError('access/unknown');
  return openAgent(deps, row);
}

interface Invite {
  readonly agentId: string;
  readonly email: string;
  readonly name: string;
  readonly roles: readonly Role[];
}

async function prepareInvitation(deps: AccessDeps, given: Invite): Promise<{ invitation: Invitation; row: store.NewAgent }> {
  const at = deps.clock.now();
  const invitation = { agentId: given.agentId, code: newSecret(prefixes.invitation), expiresAt: new Date(at.getTime() + invitationLifeMs) };
  return {
    invitation,
    row: {
      id: given.agentId, email: await deps.dataKeys.seal(given.agentId, 'access.agent.email', given.email.trim()), emailIndex: emailIndex(deps, given.email),
      name: await deps.dataKeys.seal(given.agentId, 'access.agent.name', given.name), roles: [...new Set(given.roles)],
      invitationHash: secretHash(invitation.code), invitationExpiresAt: invitation.expiresAt, at,
    },
  };
}

/** Invites an agent under the given id; the same id again, before it was accepted, gets a fresh code. @throws `access/email-taken` */
export async function inviteAgent(deps: AccessDeps, actor: Actor, given: Invite): Promise<Invitation> {
  const known = await store.findAgentByEmail(deps.db, emailIndex(deps, given.email));
  if (known !== undefined && known.id !== given.agentId) throw new ServiceError('access/email-taken');
  const { invitation, row } = await prepareInvitation(deps, given);
  await deps.db.transaction(async (tx) => {
    await store.lockAgents(tx);
    if (!await store.putInvitedAgent(tx, row)) throw new ServiceError('access/email-taken');
    await deps.audit.record(tx, { actor, action: 'access.invite', subjectKind: 'agent', subjectId: given.agentId, details: { roles: [...row.roles] } });
  });
  return invitation;
}

/**
 * Makes the first admin of an installation: an invitation, whose code the caller prints once. Until it is accepted the command may be repeated and
 * the earlier code is void; afterwards never again.
 * @throws `access/admin-exists`
 */
export async function createFirstAdmin(deps: AccessDeps, given: { readonly email: string; readonly name: string }): Promise<Invitation> {
  if (await store.hadAdmin(deps.db)) throw new ServiceError('access/admin-exists');
  const { invitation, row } = await prepareInvitation(deps, { agentId: newId(deps.clock.now().getTime()), ...given, roles: ['admin'] });
  await deps.db.transaction(async (tx) => {
    await store.lockAgents(tx);
    if (await store.hadAdmin(tx)) throw new ServiceError('access/admin-exists');
    await store.deleteInvitedAdmins(tx);
    if (!await store.putInvitedAgent(tx, row)) throw new ServiceError('access/email-taken');
    await deps.audit.record(tx, { actor: { kind: 'system', id: 'command' }, action: 'access.create-first-admin', subjectKind: 'agent', subjectId: row.id });
  });
  return invitation;
}

/** Changes the roles of an agent, or disables one, which ends their sessions and stops their keys. @throws `access/unknown`, `access/last-admin` */
export async function changeAgent(
  deps: AccessDeps, actor: Actor, agentId: string, change: { readonly roles?: readonly Role[] | undefined; readonly disabled?: boolean | undefined },
): Promise<AgentView> {
  await deps.db.transaction(async (tx) => {
    await store.lockAgents(tx);
    const row = await store.findAgent(tx, agentId);
    if (row === undefined) throw new ServiceError('access/unknown');
    const roles = change.roles === undefined ? row.roles : [...new Set(change.roles)];
    const disabled = change.disabled ?? row.state === 'disabled';
    const state: AgentState = disabled ? 'disabled' : row.passwordHash === null ? 'invited' : 'active';
    const wasAdmin = row.state === 'active' && row.roles.includes('admin');
    if (wasAdmin && (disabled || !roles.includes('admin')) && await store.countAdmins(tx, agentId) === 0) throw new ServiceError('access/last-admin');
    await store.updateAgent(tx, agentId, { roles, state, disabledAt: disabled ? deps.clock.now() : null });
    if (disabled) await store.deleteSessions(tx, agentId);
    await deps.audit.record(tx, { actor, action: 'access.change-agent', subjectKind: 'agent', subjectId: agentId, details: { roles: [...roles], state } });
  });
  return getAgent(deps, deps.db, agentId);
}

/** Deletes sessions and challenges that have run out, ends approvals that nobody gave or used, and agents disabled for a year, with their key. */
export async function sweep(deps: AccessDeps): Promise<void> {
  const now = deps.clock.now();
  await deps.db.transaction(async (tx) => {
    await store.deleteExpiredSessions(tx, now);
    await deleteExpiredChallenges(tx, now);
    await expireApprovals(tx, now);
  });
  for (const agentId of await store.listForgettable(deps.db, new Date(now.getTime() - forgetAfterMs))) {
    await deps.db.transaction(async (tx) => {
      await store.deleteAgent(tx, agentId);
      await deps.audit.record(tx, { actor: { kind: 'system', id: 'retention' }, action: 'access.forget-agent', subjectKind: 'agent', subjectId: agentId });
    });
    await deps.dataKeys.destroy(agentId, 'retention');
  }
}
