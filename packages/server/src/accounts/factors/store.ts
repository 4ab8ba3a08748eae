import { sql } from '../../platform/db/index.ts';
import type { Reader, Tx } from '../../platform/db/types.ts';

export interface OneTimeRow {
  readonly secret: Buffer;
  /** The last step of the clock whose code was taken. */
  readonly lastStep: bigint;
  readonly confirmedAt: Date | null;
}

export function findOneTime(db: Reader, accountId: string): Promise<OneTimeRow | undefined> {
  return db.maybe<OneTimeRow>(sql`
    select secret, last_step as "lastStep", confirmed_at as "confirmedAt" from accounts.one_time_code where account_id = ${accountId}`);
}

/** False where a secret is confirmed already. */
export async function putOneTime(tx: Tx, accountId: string, secret: Buffer, at: Date): Promise<boolean> {
  return await tx.run(sql`
    insert into accounts.one_time_code as known (account_id, secret, created_at) values (${accountId}, ${secret}, ${at})
    on conflict (account_id) do update set secret = excluded.secret, created_at = excluded.created_at, last_step = 0 where known.confirmed_at is null`) === 1;
}

/** True for the first code of a step: an older or the same one never counts again. */
export async function takeStep(tx: Tx, accountId: string, step: number): Promise<boolean> {
  return await tx.run(sql`update accounts.one_time_code set last_step = ${step} where account_id = ${accountId} and last_step < ${step}`) === 1;
}

export async function confirmOneTime(tx: Tx, accountId: string, at: Date): Promise<boolean> {
  return await tx.run(sql`update accounts.one_time_code set confirmed_at = ${at} where account_id = ${accountId} and confirmed_at is null`) === 1;
}

export async function deleteOneTime(tx: Tx, accountId: string): Promise<number> {
  return tx.run(sql`delete from accounts.one_time_code where account_id = ${accountId}`);
}

export async function replaceRecoveryCodes(tx: Tx, accountId: string, digests: readonly Buffer[]): Promise<void> {
  await deleteRecoveryCodes(tx, accountId);
  await tx.run(sql`insert into accounts.recovery_code (account_id, code_digest) select ${accountId}::uuid, unnest(${digests}::bytea[])`);
}

/** True when it was there: a code counts once. */
export async function takeRecoveryCode(tx: Tx, accountId: string, digest: Buffer): Promise<boolean> {
  return await tx.run(sql`delete from accounts.recovery_code where account_id = ${accountId} and code_digest = ${digest}`) === 1;
}

export async function countRecoveryCodes(db: Reader, accountId: string): Promise<number> {
  return Number((await db.one<{ n: bigint }>(sql`select count(*) as n from accounts.recovery_code where account_id = ${accountId}`)).n);
}

export async function deleteRecoveryCodes(tx: Tx, accountId: string): Promise<number> {
  return tx.run(sql`delete from accounts.recovery_code where account_id = ${accountId}`);
}

export interface PasskeyRow {
  readonly id: string;
  readonly accountId: string;
  readonly details: Buffer;
  readonly signCount: bigint;
  readonly backedUp: boolean;
  readonly createdAt: Date;
  readonly lastUsedAt: Date | null;
}

const passkeyColumns = sql.raw(`id, account_id as "accountId", details, sign_count as "signCount", backed_up as "backedUp", created_at as "createdAt",
  last_used_at as "lastUsedAt"`);

/** Oldest first. */
export function listPasskeys(db: Reader, accountId: string): Promise<PasskeyRow[]> {
  return db.all<PasskeyRow>(sql`select ${passkeyColumns} from accounts.passkey where account_id = ${accountId} order by id limit 100`);
}

export async function countPasskeys(db: Reader, accountId: string): Promise<number> {
  return Number((await db.one<{ n: bigint }>(sql`select count(*) as n from accounts.passkey where account_id = ${accountId}`)).n);
}

export function findPasskey(db: Reader, accountId: string, passkeyId: string): Promise<PasskeyRow | undefined> {
  return db.maybe<PasskeyRow>(sql`select ${passkeyColumns} from accounts.passkey where account_id = ${accountId} and id = ${passkeyId}`);
}

export function findPasskeyByCredential(db: Reader, credentialIndex: Buffer): Promise<PasskeyRow | undefined> {
  return db.maybe<PasskeyRow>(sql`select ${passkeyColumns} from accounts.passkey where credential_index = ${credentialIndex}`);
}

/** False when the credential is kept already. */
export async function insertPasskey(tx: Tx, row: Omit<PasskeyRow, 'lastUsedAt'> & { readonly credentialIndex: Buffer }): Promise<boolean> {
  return await tx.run(sql`
    insert into accounts.passkey (id, account_id, credential_index, details, sign_count, backed_up, created_at)
    values (${row.id}, ${row.accountId}, ${row.credentialIndex}, ${row.details}, ${row.signCount}, ${row.backedUp}, ${row.createdAt})
    on conflict do nothing`) === 1;
}

/** False when the counter did not go forward: the same answer twice, or a copy of the key. Authenticators that do not count always say 0. */
export async function advancePasskey(tx: Tx, passkeyId: string, used: { signCount: number; backedUp: boolean; at: Date }): Promise<boolean> {
  return await tx.run(sql`
    update accounts.passkey set sign_count = ${used.signCount}, backed_up = ${used.backedUp}, last_used_at = ${used.at}
     where id = ${passkeyId} and (sign_count < ${used.signCount} or (sign_count = 0 and ${used.signCount}::bigint = 0))`) === 1;
}

export async function updatePasskey(tx: Tx, accountId: string, passkeyId: string, details: Buffer): Promise<number> {
  return tx.run(sql`update accounts.passkey set details = ${details} where account_id = ${accountId} and id = ${passkeyId}`);
}

export async function deletePasskey(tx: Tx, accountId: string, passkeyId: string): Promise<number> {
  return tx.run(sql`delete from accounts.passkey where account_id = ${accountId} and id = ${passkeyId}`);
}

export async function deletePasskeys(tx: Tx, accountId: string): Promise<number> {
  return tx.run(sql`delete from accounts.passkey where account_id = ${accountId}`);
}

export type ChallengePurpose = 'sign-in' | 'step-up' | 'create';

export async function insertChallenge(
  tx: Tx, row: { id: string; accountId: string | null; purpose: ChallengePurpose; challenge: Uint8Array; expiresAt: Date },
): Promise<void> {
  await tx.run(sql`
    insert into accounts.challenge (id, account_id, purpose, challenge, expires_at)
    values (${row.id}, ${row.accountId}, ${row.purpose}, ${Buffer.from(row.challenge)}, ${row.expiresAt})`);
}

/** The challenge, once; undefined when it is another's, for something else, answered before or run out. */
export async function takeChallenge(
  tx: Tx, challengeId: string, accountId: string | null, purpose: ChallengePurpose, now: Date,
): Promise<Buffer | undefined> {
  return (await tx.maybe<{ challenge: Buffer }>(sql`
    delete from accounts.challenge
     where id = ${challengeId} and purpose = ${purpose} and account_id is not distinct from ${accountId}::uuid and expires_at > ${now}
     returning challenge`))?.challenge;
}

export async function insertPendingSignIn(tx: Tx, row: { secretHash: Buffer; accountId: string; expiresAt: Date }): Promise<void> {
  await tx.run(sql`
    insert into accounts.pending_sign_in (secret_hash, account_id, expires_at) values (${row.secretHash}, ${row.accountId}, ${row.expiresAt})`);
}

export async function findPendingSignIn(db: Reader, secretHash: Buffer, now: Date): Promise<string | undefined> {
  return (await db.maybe<{ accountId: string }>(sql`
    select account_id as "accountId" from accounts.pending_sign_in where secret_hash = ${secretHash} and expires_at > ${now}`))?.accountId;
}

export async function deletePendingSignIn(tx: Tx, secretHash: Buffer): Promise<boolean> {
  return await tx.run(sql`delete from accounts.pending_sign_in where secret_hash = ${secretHash}`) === 1;
}

/** What an account had begun and not ended. */
export async function deleteBegun(tx: Tx, accountId: string): Promise<number> {
  const pending = await tx.run(sql`delete from accounts.pending_sign_in where account_id = ${accountId}`);
  return pending + await tx.run(sql`delete from accounts.challenge where account_id = ${accountId}`);
}

/** Deletes challenges and sign-ins that have run out; answers how many. */
export async function deleteExpired(tx: Tx, now: Date): Promise<number> {
  const challenges = await tx.run(sql`
    delete from accounts.challenge where id in (select id from accounts.challenge where expires_at <= ${now} order by expires_at limit 1000 for update skip locked)`);
  const pending = await tx.run(sql`
    delete from accounts.pending_sign_in where secret_hash in
      (select secret_hash from accounts.pending_sign_in where expires_at <= ${now} order by expires_at limit 1000 for update skip locked)`);
  return challenges + pending;
}
