import { sql } from '../platform/db/index.ts';
import type { Reader, Tx } from '../platform/db/types.ts';
import type { AccountRow } from './model.ts';

const columns = sql.raw(`id, state, email, email_index as "emailIndex", guest_index as "guestIndex", name, language, country, password_hash as "passwordHash",
  email_verified_at as "emailVerifiedAt", email_changed_at as "emailChangedAt", password_changed_at as "passwordChangedAt", created_at as "createdAt"`);

export interface NewAccount {
  readonly id: string;
  readonly email: Buffer;
  readonly emailIndex: Buffer | null;
  readonly guestIndex: Buffer | null;
  readonly name: Buffer;
  readonly language: string;
  readonly country: string | null;
  /** Null for a guest. */
  readonly passwordHash: string | null;
  readonly at: Date;
}

/** False when the address belongs to an account already. */
export async function insertAccount(tx: Tx, row: NewAccount): Promise<boolean> {
  return await tx.run(sql`
    insert into accounts.account (id, state, email, email_index, guest_index, name, language, country, password_hash, password_changed_at, created_at)
    values (${row.id}, 'active', ${row.email}, ${row.emailIndex}, ${row.guestIndex}, ${row.name}, ${row.language}, ${row.country}, ${row.passwordHash},
      ${row.passwordHash === null ? null : row.at}, ${row.at})
    on conflict do nothing`) === 1;
}

/** An account that is not closed. */
export function findAccount(db: Reader, accountId: string): Promise<AccountRow | undefined> {
  return db.maybe<AccountRow>(sql`select ${columns} from accounts.account where id = ${accountId} and state <> 'closed'`);
}

export function findAccountByEmail(db: Reader, emailIndex: Buffer): Promise<AccountRow | undefined> {
  return db.maybe<AccountRow>(sql`select ${columns} from accounts.account where email_index = ${emailIndex}`);
}

/** Guests' accounts with this address that are open for business, newest first. */
export function listGuests(db: Reader, guestIndex: Buffer, limit: number): Promise<AccountRow[]> {
  return db.all<AccountRow>(sql`
    select ${columns} from accounts.account where guest_index = ${guestIndex} and state = 'active' order by id desc limit ${limit}`);
}

/** A guest's account becomes one that signs in. False when it is no guest's any more; a taken address violates the unique index. */
export async function claimGuest(
  tx: Tx, accountId: string, claim: { emailIndex: Buffer; name: Buffer | null; passwordHash: string; at: Date },
): Promise<boolean> {
  return await tx.run(sql`
    update accounts.account
       set email_index = ${claim.emailIndex}, guest_index = null, password_hash = ${claim.passwordHash}, password_changed_at = ${claim.at},
           email_verified_at = ${claim.at}, name = coalesce(${claim.name}::bytea, name)
     where id = ${accountId} and guest_index is not null and state = 'active'`) === 1;
}

export async function stateOf(db: Reader, accountId: string): Promise<'active' | 'leaving' | 'closed' | undefined> {
  return (await db.maybe<{ state: 'active' | 'leaving' | 'closed' }>(sql`select state from accounts.account where id = ${accountId}`))?.state;
}

/** Null leaves a field as it is; the country is set when `setCountry`. */
export async function updateProfile(
  tx: Tx, accountId: string, change: { name: Buffer | null; language: string | null; country: string | null; setCountry: boolean },
): Promise<void> {
  await tx.run(sql`
    update accounts.account
       set name = coalesce(${change.name}::bytea, name), language = coalesce(${change.language}::text, language),
           country = case when ${change.setCountry}::boolean then ${change.country}::text else country end
     where id = ${accountId} and state <> 'closed'`);
}

export async function updatePassword(tx: Tx, accountId: string, passwordHash: string, at: Date): Promise<void> {
  await tx.run(sql`update accounts.account set password_hash = ${passwordHash}, password_changed_at = ${at} where id = ${accountId} and state <> 'closed'`);
}

/** Whoever reads the mail of an address has confirmed it, unless it was before. */
export async function confirmKnownEmail(tx: Tx, accountId: string, at: Date): Promise<void> {
  await tx.run(sql`update accounts.account set email_verified_at = coalesce(email_verified_at, ${at}::timestamptz) where id = ${accountId} and state <> 'closed'`);
}

/** Sets the confirmed address; `changed` where it is not the one the account had. */
export async function updateEmail(tx: Tx, accountId: string, email: Buffer, emailIndex: Buffer, at: Date, changed: boolean): Promise<void> {
  await tx.run(sql`
    update accounts.account
       set email = ${email}, email_index = ${emailIndex}, email_verified_at = ${at},
           email_changed_at = case when ${changed}::boolean then ${at}::timestamptz else email_changed_at end
     where id = ${accountId} and state <> 'closed'`);
}

/** True when the state was `from` and is now `to`. */
export async function moveState(tx: Tx, accountId: string, from: 'active' | 'leaving', to: 'active' | 'leaving', at: Date): Promise<boolean> {
  return await tx.run(sql`
    update accounts.account set state = ${to}, frozen_at = case when ${to}::text = 'leaving' then ${at}::timestamptz end
     where id = ${accountId} and state = ${from}`) === 1;
}

/** Leaves a tombstone: the id, that it is closed, and when. */
export async function closeAccount(tx: Tx, accountId: string, at: Date): Promise<number> {
  return tx.run(sql`
    update accounts.account
       set state = 'closed', closed_at = ${at}, email = null, email_index = null, guest_index = null, name = null, language = null, country = null, password_hash = null,
           email_verified_at = null, email_changed_at = null, password_changed_at = null, created_at = null, frozen_at = null
     where id = ${accountId} and state <> 'closed'`);
}

export interface VerificationRow {
  readonly email: Buffer;
  readonly emailIndex: Buffer;
  readonly codeDigest: Buffer;
  readonly expiresAt: Date;
}

export async function putVerification(tx: Tx, accountId: string, row: VerificationRow): Promise<void> {
  await tx.run(sql`
    insert into accounts.verification (account_id, email, email_index, code_digest, expires_at)
    values (${accountId}, ${row.email}, ${row.emailIndex}, ${row.codeDigest}, ${row.expiresAt})
    on conflict (account_id) do update
      set email = excluded.email, email_index = excluded.email_index, code_digest = excluded.code_digest, expires_at = excluded.expires_at`);
}

export function findVerification(db: Reader, accountId: string): Promise<VerificationRow | undefined> {
  return db.maybe<VerificationRow>(sql`
    select email, email_index as "emailIndex", code_digest as "codeDigest", expires_at as "expiresAt"
      from accounts.verification where account_id = ${accountId}`);
}

/** True when the very code was still there: it counts once. */
export async function takeVerification(tx: Tx, accountId: string, codeDigest: Buffer, now: Date): Promise<boolean> {
  return await tx.run(sql`
    delete from accounts.verification where account_id = ${accountId} and code_digest = ${codeDigest} and expires_at > ${now}`) === 1;
}

export async function deleteVerification(tx: Tx, accountId: string): Promise<number> {
  return tx.run(sql`delete from accounts.verification where account_id = ${accountId}`);
}

/** Deletes sessions and codes that have run out; answers how many. */
export async function deleteExpired(tx: Tx, now: Date): Promise<number> {
  const sessions = await tx.run(sql`
    delete from accounts.session where id in (select id from accounts.session where expires_at <= ${now} order by expires_at limit 1000 for update skip locked)`);
  const codes = await tx.run(sql`
    delete from accounts.verification where account_id in
      (select account_id from accounts.verification where expires_at <= ${now} order by expires_at limit 1000 for update skip locked)`);
  const mailed = await tx.run(sql`
    delete from accounts.mailed_code where (account_id, purpose) in
      (select account_id, purpose from accounts.mailed_code where expires_at <= ${now} order by expires_at limit 1000 for update skip locked)`);
  return sessions + codes + mailed;
}

export type MailedPurpose = 'reset' | 'claim' | 'step-up';

export async function putMailedCode(tx: Tx, accountId: string, purpose: MailedPurpose, codeDigest: Buffer, expiresAt: Date): Promise<void> {
  await tx.run(sql`
    insert into accounts.mailed_code (account_id, purpose, code_digest, expires_at) values (${accountId}, ${purpose}, ${codeDigest}, ${expiresAt})
    on conflict (account_id, purpose) do update set code_digest = excluded.code_digest, expires_at = excluded.expires_at`);
}

export async function hasMailedCode(db: Reader, accountId: string, purpose: MailedPurpose, codeDigest: Buffer, now: Date): Promise<boolean> {
  return await db.maybe(sql`
    select 1 from accounts.mailed_code
     where account_id = ${accountId} and purpose = ${purpose} and code_digest = ${codeDigest} and expires_at > ${now}`) !== undefined;
}

/** True when the very code was still there: it counts once. */
export async function takeMailedCode(tx: Tx, accountId: string, purpose: MailedPurpose, codeDigest: Buffer, now: Date): Promise<boolean> {
  return await tx.run(sql`
    delete from accounts.mailed_code
     where account_id = ${accountId} and purpose = ${purpose} and code_digest = ${codeDigest} and expires_at > ${now}`) === 1;
}

export async function deleteMailedCodes(tx: Tx, accountId: string): Promise<number> {
  return tx.run(sql`delete from accounts.mailed_code where account_id = ${accountId}`);
}

export interface NewSession {
  readonly id: string;
  readonly accountId: string;
  readonly secretHash: Buffer;
  readonly userAgent: Buffer;
  readonly address: Buffer;
  readonly at: Date;
  readonly expiresAt: Date;
}

export async function insertSession(tx: Tx, row: NewSession): Promise<void> {
  await tx.run(sql`
    insert into accounts.session (id, account_id, secret_hash, user_agent, address, created_at, last_seen_at, expires_at)
    values (${row.id}, ${row.accountId}, ${row.secretHash}, ${row.userAgent}, ${row.address}, ${row.at}, ${row.at}, ${row.expiresAt})`);
}

export interface LiveSession {
  readonly sessionId: string;
  readonly accountId: string;
  readonly state: 'active' | 'leaving';
  readonly lastSeenAt: Date;
}

export function findLiveSession(db: Reader, hash: Buffer, now: Date): Promise<LiveSession | undefined> {
  return db.maybe<LiveSession>(sql`
    select s.id as "sessionId", s.account_id as "accountId", a.state, s.last_seen_at as "lastSeenAt"
      from accounts.session s join accounts.account a on a.id = s.account_id
     where s.secret_hash = ${hash} and s.expires_at > ${now} and a.state <> 'closed'`);
}

export async function touchSession(tx: Tx, sessionId: string, at: Date): Promise<void> {
  await tx.run(sql`update accounts.session set last_seen_at = ${at} where id = ${sessionId}`);
}

export interface SessionRow {
  readonly id: string;
  readonly name: Buffer | null;
  readonly userAgent: Buffer;
  readonly address: Buffer;
  readonly createdAt: Date;
  readonly lastSeenAt: Date;
  readonly expiresAt: Date;
}

/** Newest first; `before` is the id of the last one seen. */
export function listSessions(db: Reader, accountId: string, now: Date, before: string | null, limit: number): Promise<SessionRow[]> {
  return db.all<SessionRow>(sql`
    select id, name, user_agent as "userAgent", address, created_at as "createdAt", last_seen_at as "lastSeenAt", expires_at as "expiresAt"
      from accounts.session
     where account_id = ${accountId} and expires_at > ${now} and (${before}::uuid is null or id < ${before}::uuid)
     order by id desc limit ${limit}`);
}

export async function nameSession(tx: Tx, accountId: string, sessionId: string, name: Buffer): Promise<number> {
  return tx.run(sql`update accounts.session set name = ${name} where account_id = ${accountId} and id = ${sessionId}`);
}

export async function deleteSession(tx: Tx, accountId: string, sessionId: string): Promise<number> {
  return tx.run(sql`delete from accounts.session where account_id = ${accountId} and id = ${sessionId}`);
}

/** Deletes the sessions of an account, but for one if named. */
export async function deleteSessions(tx: Tx, accountId: string, except: string | null): Promise<number> {
  return tx.run(sql`delete from accounts.session where account_id = ${accountId} and (${except}::uuid is null or id <> ${except}::uuid)`);
}

export interface ContactRow {
  readonly id: string;
  readonly details: Buffer;
  readonly createdAt: Date;
}

/** The same id for the same account is the same contact: a repeat changes nothing. False when the id is another account's. */
export async function insertContact(tx: Tx, accountId: string, row: ContactRow): Promise<boolean> {
  await tx.run(sql`
    insert into accounts.contact (id, account_id, details, created_at) values (${row.id}, ${accountId}, ${row.details}, ${row.createdAt})
    on conflict (id) do nothing`);
  return await findContact(tx, accountId, row.id) !== undefined;
}

export function findContact(db: Reader, accountId: string, contactId: string): Promise<ContactRow | undefined> {
  return db.maybe<ContactRow>(sql`
    select id, details, created_at as "createdAt" from accounts.contact where account_id = ${accountId} and id = ${contactId}`);
}

/** Oldest first, after the one last seen. */
export function listContacts(db: Reader, accountId: string, after: { at: Date; id: string } | null, limit: number): Promise<ContactRow[]> {
  const at = after?.at ?? null;
  return db.all<ContactRow>(sql`
    select id, details, created_at as "createdAt" from accounts.contact
     where account_id = ${accountId} and (${at}::timestamptz is null or (created_at, id) > (${at}::timestamptz, ${after?.id ?? null}::uuid))
     order by created_at, id limit ${limit}`);
}

export async function updateContact(tx: Tx, accountId: string, contactId: string, details: Buffer): Promise<number> {
  return tx.run(sql`update accounts.contact set details = ${details} where account_id = ${accountId} and id = ${contactId}`);
}

export async function deleteContact(tx: Tx, accountId: string, contactId: string): Promise<number> {
  return tx.run(sql`delete from accounts.contact where account_id = ${accountId} and id = ${contactId}`);
}

export async function deleteContacts(tx: Tx, accountId: string): Promise<number> {
  return tx.run(sql`delete from accounts.contact where account_id = ${accountId}`);
}

/** Locks the account, so that what is counted next holds until the transaction ends. */
export async function lockAccount(tx: Tx, accountId: string): Promise<void> {
  await tx.maybe(sql`select 1 from accounts.account where id = ${accountId} for update`);
}

export async function countContacts(db: Reader, accountId: string): Promise<number> {
  return Number((await db.one<{ n: bigint }>(sql`select count(*) as n from accounts.contact where account_id = ${accountId}`)).n);
}

export async function countSessions(db: Reader, accountId: string, now: Date): Promise<number> {
  return Number((await db.one<{ n: bigint }>(sql`
    select count(*) as n from accounts.session where account_id = ${accountId} and expires_at > ${now}`)).n);
}
