import type { SessionClient, SmdpSession } from '@yuanyou/rsp';
import { sql, type Reader, type Transactor, type Tx } from '../platform/db/index.ts';
import type { StoredOrder } from './model.ts';

/** A session as it is stored, with the profile it came to concern. */
export type StoredSession = SmdpSession & { readonly profileId: string | null };

interface SessionRow {
  readonly transactionId: string;
  readonly sessionState: SmdpSession['state'];
  readonly serverAddress: string;
  readonly serverChallenge: Buffer;
  readonly euiccCiKeyId: Buffer;
  readonly chainCiKeyId: Buffer;
  readonly sessionExpiresAt: Date;
  readonly sessionProfileId: string | null;
  readonly sessionEid: string | null;
  readonly curve: SessionClient['curve'] | null;
  readonly point: Buffer | null;
  readonly smdpSignature2: Buffer | null;
}

type OrderRow = { readonly [K in keyof StoredOrder]: StoredOrder[K] };
type Joined = SessionRow & (OrderRow | { readonly [K in keyof StoredOrder]: null });

const sessionColumns = sql.raw(`
  s.transaction_id as "transactionId", s.state as "sessionState", s.server_address as "serverAddress", s.server_challenge as "serverChallenge",
  s.euicc_ci_key_id as "euiccCiKeyId", s.chain_ci_key_id as "chainCiKeyId", s.expires_at as "sessionExpiresAt",
  s.profile_id as "sessionProfileId", s.eid as "sessionEid", s.curve, s.point, s.smdp_signature2 as "smdpSignature2"`);

const orderColumns = sql.raw(`
  o.profile_id as "profileId", o.matching_id as "matchingId", o.state, o.iccid, o.eid, o.card, o.sealed_confirmation as "sealedConfirmation",
  o.confirmation_tries_left as "confirmationTriesLeft", o.downloads, o.max_downloads as "maxDownloads", o.reinstall,
  o.expires_at as "expiresAt", o.euicc_otpk as "euiccOtpk", o.last_sequence as "lastSequence"`);

/** What one request of a session needs. */
export interface Found {
  readonly session: StoredSession;
  readonly order: StoredOrder | undefined;
}

export async function insertSession(db: Transactor, session: SmdpSession, startedAt: Date): Promise<void> {
  await db.alone(sql`
    insert into smdp.session (transaction_id, state, server_address, server_challenge, euicc_ci_key_id, chain_ci_key_id, started_at, expires_at)
    values (${session.transactionId}, ${session.state}, ${session.serverAddress}, ${session.serverChallenge}, ${session.euiccCiKeyId},
      ${session.chainCiKeyId}, ${startedAt}, ${session.expiresAt})`);
}

/** The session, and the order that its eUICC asks for by matchingId. */
export async function findByMatchingId(db: Reader, transactionId: string, matchingId: string): Promise<Found | undefined> {
  return joined(await db.maybe(sql<Joined>`
    select ${sessionColumns}, ${orderColumns}
    from smdp.session s left join smdp.download_order o on o.matching_id = ${matchingId}
    where s.transaction_id = ${transactionId}`));
}

/** The session, and the oldest order that waits for this eUICC. */
export async function findByEid(db: Reader, transactionId: string, eid: string): Promise<Found | undefined> {
  return joined(await db.maybe(sql<Joined>`
    select ${sessionColumns}, ${orderColumns}
    from smdp.session s left join lateral (
      select * from smdp.download_order w where w.eid = ${eid} and w.state in ('released', 'downloaded', 'error') order by w.ordered_at limit 1
    ) o on true
    where s.transaction_id = ${transactionId}`));
}

/** The session, and the order it was authenticated for. */
export async function findBySession(db: Reader, transactionId: string): Promise<Found | undefined> {
  return joined(await db.maybe(sql<Joined>`
    select ${sessionColumns}, ${orderColumns}
    from smdp.session s left join smdp.download_order o on o.profile_id = s.profile_id
    where s.transaction_id = ${transactionId}`));
}

/** False when another request took the session on meanwhile. */
export async function saveAuthenticated(db: Transactor, session: SmdpSession & { readonly client: SessionClient }, profileId: string): Promise<boolean> {
  const { client } = session;
  return (await db.alone(sql`
    update smdp.session set state = 'authenticated', profile_id = ${profileId}::uuid, eid = ${client.eid}, curve = ${client.curve},
      point = ${client.point}, smdp_signature2 = ${client.smdpSignature2}
    where transaction_id = ${session.transactionId} and state = 'initiated'`)) === 1;
}

/** Notes that a package is given out. False when the order cannot be downloaded by this eUICC any more. */
export async function saveBound(
  tx: Tx, bound: { readonly transactionId: string; readonly eid: string; readonly euiccOtpk: Uint8Array; readonly tries: number; readonly at: Date },
): Promise<boolean> {
  return (await tx.run(sql`
    with s as (
      update smdp.session set state = 'bound' where transaction_id = ${bound.transactionId} and state in ('authenticated', 'bound')
      returning profile_id
    )
    update smdp.download_order o set state = 'downloaded', downloads = o.downloads + 1, eid = ${bound.eid}, euicc_otpk = ${bound.euiccOtpk},
      confirmation_tries_left = ${bound.tries}, changed_at = ${bound.at}
    from s where o.profile_id = s.profile_id and o.state in ('released', 'downloaded', 'error') and o.downloads < o.max_downloads
      and (o.eid is null or o.eid = ${bound.eid})`)) === 1;
}

/** Takes one try at the confirmation code, before the code is compared; false when none is left. */
export async function takeConfirmationTry(db: Transactor, profileId: string): Promise<boolean> {
  return (await db.alone(sql`
    update smdp.download_order set confirmation_tries_left = confirmation_tries_left - 1
    where profile_id = ${profileId}::uuid and confirmation_tries_left > 0`)) === 1;
}

export async function endSession(db: Transactor, transactionId: string): Promise<void> {
  await db.alone(sql`update smdp.session set state = 'ended' where transaction_id = ${transactionId} and state <> 'ended'`);
}

/** The order of an installation's session, locked. */
export async function lockBySession(tx: Tx, transactionId: string): Promise<Found | undefined> {
  return joined(await tx.maybe(sql<Joined>`
    select ${sessionColumns}, ${orderColumns}
    from smdp.session s join smdp.download_order o on o.profile_id = s.profile_id
    where s.transaction_id = ${transactionId} for update of o`));
}

/** The latest order of an ICCID, locked. */
export async function lockByIccid(tx: Tx, iccid: string): Promise<StoredOrder | undefined> {
  return tx.maybe(sql<StoredOrder>`
    select ${orderColumns} from smdp.download_order o where o.iccid = ${iccid} order by o.ordered_at desc limit 1 for update`);
}

export interface NotificationRow {
  readonly eid: string;
  readonly sequenceNumber: number;
  readonly iccid: string;
  readonly event: string;
  readonly profileId: string | null;
  readonly details: string | null;
  readonly at: Date;
}

/** Where a notification leads its order; without one it is recorded only. */
export interface OrderChange {
  readonly profileId: string;
  readonly state: StoredOrder['state'];
  readonly eid: string | null;
}

/** Records a notification and applies it to its order. False, and nothing done, when it came before. */
export async function saveNotification(tx: Tx, row: NotificationRow, change: OrderChange | undefined): Promise<boolean> {
  const { recorded } = await tx.one(sql<{ recorded: boolean }>`
    with fresh as (
      insert into smdp.notification (eid, sequence_number, iccid, event, profile_id, details, received_at)
      values (${row.eid}, ${row.sequenceNumber}, ${row.iccid}, ${row.event}, ${row.profileId}::uuid, ${row.details}::jsonb, ${row.at})
      on conflict do nothing returning sequence_number
    ), changed as (
      update smdp.download_order o set state = ${change?.state ?? null}, eid = ${change?.eid ?? null}, last_sequence = fresh.sequence_number,
        changed_at = ${row.at}
      from fresh where o.profile_id = ${change?.profileId ?? null}::uuid
    )
    select exists (select from fresh) as recorded`);
  return recorded;
}

/** An order as it is placed. */
export type NewOrder = Pick<
  StoredOrder, 'profileId' | 'matchingId' | 'state' | 'iccid' | 'eid' | 'card' | 'sealedConfirmation' | 'confirmationTriesLeft' | 'maxDownloads' | 'reinstall' | 'expiresAt'
>;

/** False when the profile or the matchingId has an order already. */
export async function insertOrder(tx: Tx, order: NewOrder, at: Date): Promise<boolean> {
  return (await tx.run(sql`
    insert into smdp.download_order (profile_id, matching_id, state, iccid, eid, card, sealed_confirmation, confirmation_tries_left, max_downloads,
      reinstall, expires_at, ordered_at, changed_at)
    values (${order.profileId}::uuid, ${order.matchingId}, ${order.state}, ${order.iccid}, ${order.eid}, ${JSON.stringify(order.card)}::jsonb,
      ${order.sealedConfirmation}, ${order.confirmationTriesLeft}, ${order.maxDownloads}, ${order.reinstall}, ${order.expiresAt}, ${at}, ${at})
    on conflict do nothing`)) === 1;
}

export async function findOrder(db: Reader, profileId: string): Promise<StoredOrder | undefined> {
  return db.maybe(sql<StoredOrder>`select ${orderColumns} from smdp.download_order o where o.profile_id = ${profileId}::uuid`);
}

export async function lockOrder(tx: Tx, profileId: string): Promise<StoredOrder | undefined> {
  return tx.maybe(sql<StoredOrder>`select ${orderColumns} from smdp.download_order o where o.profile_id = ${profileId}::uuid for update`);
}

export async function setState(tx: Tx, profileId: string, state: StoredOrder['state'], at: Date): Promise<void> {
  await tx.run(sql`update smdp.download_order set state = ${state}, changed_at = ${at} where profile_id = ${profileId}::uuid`);
}

/** Frees an order for any eUICC, with its downloads counted from 0. */
export async function resetOrder(tx: Tx, profileId: string, at: Date): Promise<void> {
  await tx.run(sql`
    update smdp.download_order set state = 'released', eid = null, euicc_otpk = null, downloads = 0, last_sequence = null,
      confirmation_tries_left = greatest(confirmation_tries_left, 1), changed_at = ${at}
    where profile_id = ${profileId}::uuid`);
}

/** Deletes a batch of what its retention is over for; answers how many rows. */
export async function forget(tx: Tx, before: { readonly kept: Date; readonly idle: Date }, limit: number): Promise<number> {
  const sessions = await tx.run(sql`
    delete from smdp.session where transaction_id in (
      select transaction_id from smdp.session
      where expires_at < ${before.kept} or (expires_at < ${before.idle} and state in ('initiated', 'authenticated')) limit ${limit})`);
  const notifications = await tx.run(sql`
    delete from smdp.notification where (eid, sequence_number, iccid) in (
      select eid, sequence_number, iccid from smdp.notification where received_at < ${before.kept} limit ${limit})`);
  const orders = await tx.run(sql`
    delete from smdp.download_order where profile_id in (
      select profile_id from smdp.download_order where state in ('deleted', 'unavailable') and changed_at < ${before.kept} limit ${limit})`);
  return sessions + notifications + orders;
}

function joined(row: Joined | undefined): Found | undefined {
  if (!row) return undefined;
  const { sessionEid: eid, curve, point, smdpSignature2 } = row;
  const client = eid !== null && curve !== null && point && smdpSignature2 ? { eid, curve, point, smdpSignature2 } : undefined;
  return {
    session: {
      transactionId: row.transactionId, state: row.sessionState, serverAddress: row.serverAddress, serverChallenge: row.serverChallenge,
      euiccCiKeyId: row.euiccCiKeyId, chainCiKeyId: row.chainCiKeyId, expiresAt: row.sessionExpiresAt, profileId: row.sessionProfileId,
      ...(client && { client }),
    },
    order: row.profileId === null ? undefined : row,
  };
}
