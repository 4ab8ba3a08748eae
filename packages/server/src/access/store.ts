import type { Permission, Role } from '@yuanyou/contract';
import { sql } from '../platform/db/index.ts';
import type { Reader, Tx } from '../platform/db/types.ts';
import type { AgentRow, AgentState, ApiKeyRow } from './model.ts';

const agentColumns = sql.raw('id, state, email, name, roles, password_hash as "passwordHash", created_at as "createdAt"');

export interface NewAgent {
  readonly id: string;
  readonly email: Buffer;
  readonly emailIndex: Buffer;
  readonly name: Buffer;
  readonly roles: readonly Role[];
  readonly invitationHash: Buffer;
  readonly invitationExpiresAt: Date;
  readonly at: Date;
}

/**
 * Invites an agent; the same id again, while nobody accepted, gets a fresh invitation. False when the address, or the id, is another's.
 */
export async function putInvitedAgent(tx: Tx, row: NewAgent): Promise<boolean> {
  return await tx.run(sql`
    insert into access.agent as known (id, state, email, email_index, name, roles, invitation_hash, invitation_expires_at, created_at)
    select ${row.id}::uuid, 'invited', ${row.email}::bytea, ${row.emailIndex}::bytea, ${row.name}::bytea, ${row.roles}::text[],
           ${row.invitationHash}::bytea, ${row.invitationExpiresAt}::timestamptz, ${row.at}::timestamptz
     where not exists (select 1 from access.agent where email_index = ${row.emailIndex} and id <> ${row.id}::uuid)
    on conflict (id) do update set invitation_hash = excluded.invitation_hash, invitation_expires_at = excluded.invitation_expires_at
      where known.state = 'invited' and known.email_index = excluded.email_index`) === 1;
}

/** Lets nobody else change agents until the transaction ends: there are few, and the last admin must be counted right. */
export async function lockAgents(tx: Tx): Promise<void> {
  await tx.run(sql`lock table access.agent in share row exclusive mode`);
}

/** Admins that have accepted, but for one. */
export async function countAdmins(db: Reader, except: string | null): Promise<number> {
  return Number((await db.one<{ n: bigint }>(sql`
    select count(*) as n from access.agent where 'admin' = any(roles) and state = 'active' and (${except}::uuid is null or id <> ${except}::uuid)`)).n);
}

/** True where any admin ever accepted, disabled ones included. */
export async function hadAdmin(db: Reader): Promise<boolean> {
  return (await db.one<{ had: boolean }>(sql`
    select exists (select 1 from access.agent where 'admin' = any(roles) and state <> 'invited') as had`)).had;
}

export async function deleteInvitedAdmins(tx: Tx): Promise<string[]> {
  const rows = await tx.all<{ id: string }>(sql`delete from access.agent where 'admin' = any(roles) and state = 'invited' returning id`);
  return rows.map(({ id }) => id);
}

export function findAgent(db: Reader, agentId: string): Promise<AgentRow | undefined> {
  return db.maybe<AgentRow>(sql`select ${agentColumns} from access.agent where id = ${agentId}`);
}

export function findAgentByEmail(db: Reader, emailIndex: Buffer): Promise<AgentRow | undefined> {
  return db.maybe<AgentRow>(sql`select ${agentColumns} from access.agent where email_index = ${emailIndex}`);
}

/** Oldest first, after the id last seen. */
export function listAgents(db: Reader, after: string | null, limit: number): Promise<AgentRow[]> {
  return db.all<AgentRow>(sql`
    select ${agentColumns} from access.agent where (${after}::uuid is null or id > ${after}::uuid) order by id limit ${limit}`);
}

/** Answers the id of the agent whose invitation it was; an invitation works once. */
export async function acceptInvitation(tx: Tx, invitationHash: Buffer, passwordHash: string, now: Date): Promise<string | undefined> {
  return (await tx.maybe<{ id: string }>(sql`
    update access.agent set state = 'active', password_hash = ${passwordHash}, invitation_hash = null, invitation_expires_at = null
     where invitation_hash = ${invitationHash} and invitation_expires_at > ${now} and state = 'invited' returning id`))?.id;
}

export async function isInvitation(db: Reader, invitationHash: Buffer, now: Date): Promise<boolean> {
  return (await db.one<{ there: boolean }>(sql`
    select exists (select 1 from access.agent
     where invitation_hash = ${invitationHash} and invitation_expires_at > ${now} and state = 'invited') as there`)).there;
}

export async function updateAgent(tx: Tx, agentId: string, change: { roles: readonly Role[]; state: AgentState; disabledAt: Date | null }): Promise<void> {
  await tx.run(sql`
    update access.agent set roles = ${change.roles}, state = ${change.state}, disabled_at = ${change.disabledAt} where id = ${agentId}`);
}

export interface SessionRow {
  readonly id: string;
  readonly agentId: string;
  readonly secretHash: Buffer;
  readonly at: Date;
  readonly expiresAt: Date;
}

export async function insertSession(tx: Tx, row: SessionRow): Promise<void> {
  await tx.run(sql`
    insert into access.session (id, agent_id, secret_hash, created_at, last_seen_at, expires_at)
    values (${row.id}, ${row.agentId}, ${row.secretHash}, ${row.at}, ${row.at}, ${row.expiresAt})`);
}

export interface LiveSession {
  readonly sessionId: string;
  readonly agentId: string;
  readonly roles: readonly Role[];
  readonly lastSeenAt: Date;
}

export function findLiveSession(db: Reader, secretHash: Buffer, now: Date): Promise<LiveSession | undefined> {
  return db.maybe<LiveSession>(sql`
    select s.id as "sessionId", s.agent_id as "agentId", a.roles, s.last_seen_at as "lastSeenAt"
      from access.session s join access.agent a on a.id = s.agent_id
     where s.secret_hash = ${secretHash} and s.expires_at > ${now} and a.state = 'active'`);
}

/** True for a session, false for an API key. */
export async function isSession(db: Reader, credentialId: string): Promise<boolean> {
  return await db.maybe(sql`select 1 from access.session where id = ${credentialId}`) !== undefined;
}

export async function touchSession(tx: Tx, sessionId: string, at: Date): Promise<void> {
  await tx.run(sql`update access.session set last_seen_at = ${at} where id = ${sessionId}`);
}

export async function deleteSession(tx: Tx, agentId: string, sessionId: string): Promise<number> {
  return tx.run(sql`delete from access.session where agent_id = ${agentId} and id = ${sessionId}`);
}

export async function deleteSessions(tx: Tx, agentId: string): Promise<number> {
  return tx.run(sql`delete from access.session where agent_id = ${agentId}`);
}

const keyColumns = sql.raw('id, agent_id as "agentId", name, scopes, created_at as "createdAt", expires_at as "expiresAt", revoked_at as "revokedAt"');

/** The same id again gets the new secret: the answer with the first one was lost. False when the id is another agent's. */
export async function putApiKey(tx: Tx, row: Omit<ApiKeyRow, 'revokedAt'> & { readonly secretHash: Buffer }): Promise<boolean> {
  return await tx.run(sql`
    insert into access.api_key as known (id, agent_id, name, secret_hash, scopes, created_at, expires_at)
    values (${row.id}, ${row.agentId}, ${row.name}, ${row.secretHash}, ${row.scopes}, ${row.createdAt}, ${row.expiresAt})
    on conflict (id) do update set secret_hash = excluded.secret_hash where known.agent_id = excluded.agent_id and known.revoked_at is null`) === 1;
}

export function findApiKey(db: Reader, apiKeyId: string): Promise<ApiKeyRow | undefined> {
  return db.maybe<ApiKeyRow>(sql`select ${keyColumns} from access.api_key where id = ${apiKeyId}`);
}

export interface LiveKey {
  readonly apiKeyId: string;
  readonly agentId: string;
  readonly scopes: readonly Permission[];
  readonly roles: readonly Role[];
}

export function findLiveKey(db: Reader, secretHash: Buffer, now: Date): Promise<LiveKey | undefined> {
  return db.maybe<LiveKey>(sql`
    select k.id as "apiKeyId", k.agent_id as "agentId", k.scopes, a.roles
      from access.api_key k join access.agent a on a.id = k.agent_id
     where k.secret_hash = ${secretHash} and k.expires_at > ${now} and k.revoked_at is null and a.state = 'active'`);
}

export function listApiKeys(db: Reader, after: { at: Date; id: string } | null, limit: number): Promise<ApiKeyRow[]> {
  const at = after?.at ?? null;
  return db.all<ApiKeyRow>(sql`
    select ${keyColumns} from access.api_key
     where (${at}::timestamptz is null or (created_at, id) > (${at}::timestamptz, ${after?.id ?? null}::uuid)) order by created_at, id limit ${limit}`);
}

export async function revokeApiKey(tx: Tx, apiKeyId: string, at: Date): Promise<number> {
  return tx.run(sql`update access.api_key set revoked_at = coalesce(revoked_at, ${at}::timestamptz) where id = ${apiKeyId}`);
}

export async function deleteExpiredSessions(tx: Tx, now: Date): Promise<number> {
  return tx.run(sql`
    delete from access.session where id in (select id from access.session where expires_at <= ${now} order by expires_at limit 1000 for update skip locked)`);
}

/** Agents disabled before an instant. */
export async function listForgettable(db: Reader, before: Date): Promise<string[]> {
  return (await db.all<{ id: string }>(sql`select id from access.agent where disabled_at < ${before} order by disabled_at limit 100`)).map(({ id }) => id);
}

export async function deleteAgent(tx: Tx, agentId: string): Promise<number> {
  return tx.run(sql`delete from access.agent where id = ${agentId} and state = 'disabled'`);
}
