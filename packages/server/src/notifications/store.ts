import { sql } from '../platform/db/index.ts';
import type { Reader, Tx } from '../platform/db/index.ts';
import type { MessageStatus } from './model.ts';

export interface NewMessage {
  readonly id: string;
  readonly subjectId: string;
  readonly code: string;
  readonly kind: string;
  readonly language: string;
  readonly address: Buffer;
  readonly content: Buffer;
  readonly addressHash: Buffer;
  readonly queuedAt: Date;
}

export interface MessageRow {
  readonly id: string;
  readonly subjectId: string;
  readonly code: string;
  readonly kind: string;
  readonly channel: 'email';
  readonly language: string;
  readonly address: Buffer | null;
  readonly content: Buffer | null;
  readonly status: MessageStatus;
  readonly queuedAt: Date;
  readonly sentAt: Date | null;
  readonly attempts: number;
  readonly unknownOutcomes: number;
  readonly nextAttemptAt: Date | null;
  readonly sendingUntil: Date | null;
}

const columns = sql.raw(`m.id, m.subject_id as "subjectId", m.code, m.kind, m.channel, m.language, m.address, m.content, m.status,
  m.queued_at as "queuedAt", m.sent_at as "sentAt", m.attempts, m.unknown_outcomes as "unknownOutcomes",
  m.next_attempt_at as "nextAttemptAt", m.sending_until as "sendingUntil"`);

/** Locks the subject and says whether it is suppressed; made at first use. */
export async function lockSubject(tx: Tx, subjectId: string): Promise<boolean> {
  const row = await tx.one<{ suppressed: boolean }>(sql`
    insert into notifications.subject (subject_id) values (${subjectId})
    on conflict (subject_id) do update set subject_id = excluded.subject_id
    returning suppressed_at is not null as suppressed`);
  return row.suppressed;
}

export async function hasLeft(tx: Tx, addressHash: Buffer, now: Date): Promise<boolean> {
  return (await tx.maybe(sql`select 1 from notifications.left_address where address_hash = ${addressHash} and until > ${now}`)) !== undefined;
}

export async function insertMessage(tx: Tx, m: NewMessage): Promise<void> {
  await tx.run(sql`
    insert into notifications.message (id, subject_id, code, kind, channel, language, address, content, address_hash, status, queued_at, next_attempt_at)
    values (${m.id}, ${m.subjectId}, ${m.code}, ${m.kind}, 'email', ${m.language}, ${m.address}, ${m.content}, ${m.addressHash}, 'queued',
            ${m.queuedAt}, ${m.queuedAt})`);
}

/** Messages whose next attempt is due, and those whose sender fell silent, the longest due first. */
export async function dueMessages(db: Reader, now: Date, limit: number): Promise<string[]> {
  const rows = await db.all<{ id: string }>(sql`
    select id from (
      (select id, next_attempt_at as at from notifications.message where status = 'queued' and next_attempt_at <= ${now} order by next_attempt_at, id limit ${limit})
      union all
      (select id, sending_until as at from notifications.message where status = 'sending' and sending_until <= ${now} order by sending_until, id limit ${limit})
    ) due order by at, id limit ${limit}`);
  return rows.map(({ id }) => id);
}

/** Locks a message for its sender; the subject's lock keeps suppression from slipping in between. */
export function lockForSending(tx: Tx, id: string): Promise<(MessageRow & { suppressed: boolean }) | undefined> {
  return tx.maybe(sql`
    select ${columns}, s.suppressed_at is not null as suppressed
      from notifications.message m join notifications.subject s on s.subject_id = m.subject_id
     where m.id = ${id}
       for update of m for share of s`);
}

export async function markSending(tx: Tx, id: string, unknownOutcomes: number, until: Date): Promise<void> {
  await tx.run(sql`
    update notifications.message
       set status = 'sending', attempts = attempts + 1, unknown_outcomes = ${unknownOutcomes}, sending_until = ${until}, next_attempt_at = null
     where id = ${id}`);
}

/** False when the message was ended otherwise meanwhile. */
export async function markSent(tx: Tx, id: string, at: Date): Promise<boolean> {
  return (await tx.run(sql`
    update notifications.message set status = 'sent', sent_at = ${at}, ended_at = ${at}, sending_until = null, failure = null
     where id = ${id} and status = 'sending'`)) === 1;
}

export async function markQueued(tx: Tx, id: string, unknownOutcomes: number, failure: string, nextAttemptAt: Date): Promise<void> {
  await tx.run(sql`
    update notifications.message
       set status = 'queued', unknown_outcomes = ${unknownOutcomes}, sending_until = null, failure = ${failure}, next_attempt_at = ${nextAttemptAt}
     where id = ${id} and status = 'sending'`);
}

/** False when the message had ended before. */
export async function markEnded(tx: Tx, id: string, status: 'failed' | 'suppressed', failure: string, at: Date): Promise<boolean> {
  return (await tx.run(sql`
    update notifications.message set status = ${status}, failure = ${failure}, sending_until = null, next_attempt_at = null, ended_at = ${at}
     where id = ${id} and status in ('queued', 'sending')`)) === 1;
}

export async function suppressSubject(tx: Tx, subjectId: string, at: Date): Promise<void> {
  await tx.run(sql`
    insert into notifications.subject (subject_id, suppressed_at) values (${subjectId}, ${at})
    on conflict (subject_id) do update set suppressed_at = coalesce(notifications.subject.suppressed_at, excluded.suppressed_at)`);
}

/** True while a worker that is still alive may be handing a message of the subject over. */
export async function isSending(tx: Tx, subjectId: string, now: Date): Promise<boolean> {
  const row = await tx.one<{ sending: boolean }>(sql`
    select exists (select 1 from notifications.message where subject_id = ${subjectId} and status = 'sending' and sending_until > ${now}) as sending`);
  return row.sending;
}

/** Ends what was not sent; answers which. */
export async function suppressUnsent(tx: Tx, subjectId: string, failure: string, at: Date): Promise<string[]> {
  const rows = await tx.all<{ id: string }>(sql`
    update notifications.message set status = 'suppressed', failure = ${failure}, sending_until = null, next_attempt_at = null, ended_at = ${at}
     where subject_id = ${subjectId} and status in ('queued', 'sending') returning id`);
  return rows.map(({ id }) => id);
}

export async function keepLeftAddress(tx: Tx, addressHash: Buffer, until: Date): Promise<void> {
  await tx.run(sql`
    insert into notifications.left_address (address_hash, until) values (${addressHash}, ${until})
    on conflict (address_hash) do update set until = greatest(notifications.left_address.until, excluded.until)`);
}

export function byCode(db: Reader, code: string): Promise<MessageRow | undefined> {
  return db.maybe(sql`select ${columns} from notifications.message m where m.code = ${code}`);
}

export function byId(db: Reader, id: string): Promise<MessageRow | undefined> {
  return db.maybe(sql`select ${columns} from notifications.message m where m.id = ${id}`);
}

/** A subject's readable messages, newest first. */
export function readableOf(db: Reader, subjectId: string, before: { readonly at: Date; readonly id: string } | null, limit: number): Promise<MessageRow[]> {
  return db.all(sql`
    select ${columns} from notifications.message m
     where m.subject_id = ${subjectId} and m.content is not null
       and (${before?.at ?? null}::timestamptz is null or (m.queued_at, m.id) < (${before?.at ?? null}::timestamptz, ${before?.id ?? null}::uuid))
     order by m.queued_at desc, m.id desc limit ${limit}`);
}

export function eraseTexts(tx: Tx, subjectId: string): Promise<number> {
  return tx.run(sql`
    update notifications.message set address = null, content = null, address_hash = null
     where subject_id = ${subjectId} and (content is not null or address is not null or address_hash is not null)`);
}

export async function countOf(db: Reader, subjectId: string): Promise<number> {
  const row = await db.one<{ n: bigint }>(sql`select count(*) as n from notifications.message where subject_id = ${subjectId}`);
  return Number(row.n);
}

/** Drops texts and left addresses that have run out, at most `limit` of each. */
export async function dropExpired(tx: Tx, textsBefore: Date, now: Date, limit: number): Promise<number> {
  const texts = await tx.run(sql`
    update notifications.message set address = null, content = null, address_hash = null
     where id in (select id from notifications.message
                   where content is not null and queued_at < ${textsBefore} and status in ('sent', 'failed', 'suppressed') limit ${limit})`);
  const addresses = await tx.run(sql`
    delete from notifications.left_address
     where address_hash in (select address_hash from notifications.left_address where until <= ${now} limit ${limit})`);
  return texts + addresses;
}

export interface FailedRow {
  readonly id: string;
  readonly kind: string;
  readonly failure: string;
  readonly attempts: number;
  readonly queuedAt: Date;
  readonly endedAt: Date;
}

/** Messages that were given up or refused, the latest first. */
export function failedMessages(db: Reader, before: { readonly at: Date; readonly id: string } | null, limit: number): Promise<FailedRow[]> {
  return db.all(sql`
    select id, kind, coalesce(failure, '') as failure, attempts, queued_at as "queuedAt", ended_at as "endedAt" from notifications.message
     where status = 'failed'
       and (${before?.at ?? null}::timestamptz is null or (ended_at, id) < (${before?.at ?? null}::timestamptz, ${before?.id ?? null}::uuid))
     order by ended_at desc, id desc limit ${limit}`);
}
