import { sql } from '../../platform/db/index.ts';
import type { Reader, Tx } from '../../platform/db/types.ts';

export interface PasskeyRow {
  readonly id: string;
  readonly agentId: string;
  readonly details: Buffer;
  readonly signCount: bigint;
  readonly backedUp: boolean;
  readonly createdAt: Date;
  readonly lastUsedAt: Date | null;
}

const columns = sql.raw(`id, agent_id as "agentId", details, sign_count as "signCount", backed_up as "backedUp", created_at as "createdAt",
  last_used_at as "lastUsedAt"`);

/** Oldest first. */
export function listPasskeys(db: Reader, agentId: string): Promise<PasskeyRow[]> {
  return db.all<PasskeyRow>(sql`select ${columns} from access.passkey where agent_id = ${agentId} order by id limit 100`);
}

export function findPasskeyByCredential(db: Reader, credentialIndex: Buffer): Promise<PasskeyRow | undefined> {
  return db.maybe<PasskeyRow>(sql`select ${columns} from access.passkey where credential_index = ${credentialIndex}`);
}

/** False when the credential is kept already. */
export async function insertPasskey(tx: Tx, row: Omit<PasskeyRow, 'lastUsedAt'> & { readonly credentialIndex: Buffer }): Promise<boolean> {
  return await tx.run(sql`
    insert into access.passkey (id, agent_id, credential_index, details, sign_count, backed_up, created_at)
    values (${row.id}, ${row.agentId}, ${row.credentialIndex}, ${row.details}, ${row.signCount}, ${row.backedUp}, ${row.createdAt})
    on conflict do nothing`) === 1;
}

/** False when the counter did not go forward: the same answer twice, or a copy of the key. Authenticators that do not count always say 0. */
export async function advancePasskey(tx: Tx, passkeyId: string, used: { signCount: number; backedUp: boolean; at: Date }): Promise<boolean> {
  return await tx.run(sql`
    update access.passkey set sign_count = ${used.signCount}, backed_up = ${used.backedUp}, last_used_at = ${used.at}
     where id = ${passkeyId} and (sign_count < ${used.signCount} or (sign_count = 0 and ${used.signCount}::bigint = 0))`) === 1;
}

export async function deletePasskey(tx: Tx, agentId: string, passkeyId: string): Promise<number> {
  return tx.run(sql`delete from access.passkey where agent_id = ${agentId} and id = ${passkeyId}`);
}

export async function deletePasskeys(tx: Tx, agentId: string): Promise<number> {
  return tx.run(sql`delete from access.passkey where agent_id = ${agentId}`);
}

export async function insertChallenge(tx: Tx, row: { id: string; agentId: string | null; challenge: Buffer; expiresAt: Date }): Promise<void> {
  await tx.run(sql`
    insert into access.challenge (id, agent_id, challenge, expires_at) values (${row.id}, ${row.agentId}, ${row.challenge}, ${row.expiresAt})`);
}

/** The challenge, once; undefined when it is another's, answered before or run out. */
export async function takeChallenge(tx: Tx, challengeId: string, agentId: string | null, now: Date): Promise<Buffer | undefined> {
  return (await tx.maybe<{ challenge: Buffer }>(sql`
    delete from access.challenge
     where id = ${challengeId} and agent_id is not distinct from ${agentId}::uuid and expires_at > ${now} returning challenge`))?.challenge;
}

export async function deleteExpiredChallenges(tx: Tx, now: Date): Promise<number> {
  return tx.run(sql`
    delete from access.challenge where id in (select id from access.challenge where expires_at <= ${now} order by expires_at limit 1000 for update skip locked)`);
}
