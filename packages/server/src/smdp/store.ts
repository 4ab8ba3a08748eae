import type { SessionClient, SmdpSession } from '@yuanyou/rsp';
import { isUniqueViolation, sql, type Reader, type Transactor, type Tx } from '../platform/db/index.ts';
import type { StoredOrder } from './model.ts';

interface SessionRow {
  readonly transactionId: string | null;
  readonly sessionState: SmdpSession['state'];
  readonly chainCiKeyId: Buffer | null;
  readonly sessionExpiresAt: Date;
  readonly sessionEid: string | null;
  readonly curve: SessionClient['curve'];
  readonly point: Buffer;
  readonly smdpSignature2: Buffer;
}

type OrderRow = { readonly [K in keyof StoredOrder]: StoredOrder[K] };
type Joined = SessionRow & (OrderRow | { readonly [K in keyof StoredOrder]: null });

const sessionColumns = sql.raw(`
  s.transaction_id as "transactionId", s.state as "sessionState", s.chain_ci_key_id as "chainCiKeyId", s.expires_at as "sessionExpiresAt",
  s.eid as "sessionEid", s.curve, s.point, s.smdp_signature2 as "smdpSignature2"`);

const orderColumns = sql.raw(`
  o.profile_id as "profileId", o.matching_id as "matchingId", o.state, o.iccid, o.eid, o.card, o.sealed_confirmation as "sealedConfirmation",
  o.confirmation_tries_left as "confirmationTriesLeft", o.downloads, o.max_downloads as "maxDownloads", o.reinstall,
  o.expires_at as "expiresAt", o.euicc_otpk as "euiccOtpk", o.last_sequence as "lastSequence"`);

/** What one request of a session needs. */
export interface Found {
  /** Undefined before the eUICC is authenticated. */
  readonly session: SmdpSession | undefined;
  readonly order: StoredOrder | undefined;
}

/** The session, if it went on before, and the order that its eUICC asks for by matchingId. */
export async function findByMatchingId(db: Reader, transactionId: string, matchingId: string): Promise<Found> {
  return found(await db.one(sql<Joined>`
    select ${sessionColumns}, ${orderColumns}
    from (select) one left join smdp.session s on s.transaction_id = ${transactionId}
      left join smdp.download_order o on o.matching_id = ${matchingId}`));
}

/** The session, if it went on before, and the oldest order that waits for this eUICC. */
export async function findByEid(db: Reader, transactionId: string, eid: string): Promise<Found> {
  return found(await db.one(sql<Joined>`
    select ${sessionColumns}, ${orderColumns}
    from (select) one left join smdp.session s on s.transaction_id = ${transactionId} left join lateral (
      select * from smdp.download_order w where w.eid = ${eid} and w.state in ('released', 'downloaded', 'error') order by w.ordered_at limit 1
    ) o on true`));
}

/** The session, and the order it was authenticated for. */
export async function findBySession(db: Reader, transactionId: string): Promise<Found | undefined> {
  const row = await db.maybe(sql<Joined>`
    select ${sessionColumns}, ${orderColumns}
    from smdp.session s left join smdp.download_order o on o.profile_id = s.profile_id
    where s.transaction_id = ${transactionId}`);
  return row && found(row);
}

/**
 * False when another request took the session on before. It reaches the disk with the package that is handed over next; lost before that,
 * the phone begins anew.
 */
export async function insertAuthenticated(
  db: Transactor, session: SmdpSession & { readonly client: SessionClient }, profileId: string,
): Promise<boolean> {
  const { client } = session;
  return (await db.alone(sql`
    insert into smdp.session (transaction_id, state, chain_ci_key_id, profile_id, eid, curve, point, smdp_signature2, expires_at)
    select ${session.transactionId}, 'authenticated', ${session.chainCiKeyId}::bytea, ${profileId}::uuid, ${client.eid}, ${client.curve},
      ${client.point}::bytea, ${client.smdpSignature2}::bytea, ${session.expiresAt}::timestamptz
    where set_config('synchronous_commit', 'off', true) = 'off'
    on conflict do nothing`)) === 1;
}

/** Ends a session, one that was never written too: its transactionId is worth nothing any more. */
export async function endSession(db: Transactor, transactionId: string, expiresAt: Date): Promise<void> {
  await db.alone(sql`
    insert into smdp.session (transaction_id, state, expires_at) values (${transactionId}, 'ended', ${expiresAt})
    on conflict (transaction_id) do update set state = 'ended'`);
}

/** Notes that a package is given out. False when the order cannot be downloaded by this eUICC any more. */
export async function saveBound(
  db: Transactor, bound: { readonly transactionId: string; readonly eid: string; readonly euiccOtpk: Uint8Array; readonly tries: number; readonly at: Date },
): Promise<boolean> {
  return (await db.alone(sql`
    with s as (
      update smdp.session set state = 'bound' where transaction_id = ${bound.transactionId} and state in ('authenticated', 'bound')
      returning profile_id
    )
    update smdp.download_order o set state = 'downloaded', downloads = o.downloads + 1, eid = ${bound.eid}, euicc_otpk = ${bound.euiccOtpk},
      confirmation_tries_left = ${bound.tries}, told = false, changed_at = ${bound.at}
    from s where o.profile_id = s.profile_id and o.state in ('released', 'downloaded', 'error') and o.downloads < o.max_downloads
      and (o.eid is null or o.eid = ${bound.eid})`)) === 1;
}

/** Takes one try at the confirmation code, before the code is compared; false when none is left. */
export async function takeConfirmationTry(db: Transactor, profileId: string): Promise<boolean> {
  return (await db.alone(sql`
    update smdp.download_order set confirmation_tries_left = confirmation_tries_left - 1
    where profile_id = ${profileId}::uuid and confirmation_tries_left > 0`)) === 1;
}

/** The order of an installation's session, locked. */
export async function lockBySession(tx: Tx, transactionId: string): Promise<Found | undefined> {
  const row = await tx.maybe(sql<Joined>`
    select ${sessionColumns}, ${orderColumns}
    from smdp.session s join smdp.download_order o on o.profile_id = s.profile_id
    where s.transaction_id = ${transactionId} for update of o`);
  return row && found(row);
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

/** Where a notification leads its order. */
export interface OrderChange {
  readonly profileId: string;
  readonly state: StoredOrder['state'];
  readonly eid: string | null;
}

/** Records a notification that changes nothing; one that came before is left as it is. */
export function saveNotification(tx: Tx, row: NotificationRow): void {
  tx.send(sql`
    insert into smdp.notification (eid, sequence_number, iccid, event, profile_id, details, received_at)
    values (${row.eid}, ${row.sequenceNumber}, ${row.iccid}, ${row.event}, ${row.profileId}::uuid, ${row.details}::jsonb, ${row.at})
    on conflict do nothing`);
}

/** Records a notification and applies it to its order. One that came before fails the transaction: see {@link isRepeated}. */
export function applyNotification(tx: Tx, row: NotificationRow, change: OrderChange): void {
  tx.send(sql`
    select smdp.apply_notification(${row.eid}, ${row.sequenceNumber}, ${row.iccid}, ${row.event}, ${change.profileId}::uuid,
      ${row.details}::jsonb, ${row.at}, ${change.state}, ${change.eid})`);
}

/** Whether a transaction failed because its notification came before. */
export function isRepeated(error: unknown): boolean {
  return isUniqueViolation(error, 'notification_pkey');
}

/** Takes downloads that no installation followed by then, each once. */
export async function takeUntold(tx: Tx, before: Date, limit: number): Promise<readonly { profileId: string; iccid: string; eid: string }[]> {
  return tx.all(sql<{ profileId: string; iccid: string; eid: string }>`
    update smdp.download_order set told = true where profile_id in (
      select profile_id from smdp.download_order where not told and changed_at < ${before} limit ${limit} for update skip locked)
    returning profile_id as "profileId", iccid, eid`);
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
      where expires_at < ${before.kept} or (expires_at < ${before.idle} and state <> 'bound') limit ${limit})`);
  const notifications = await tx.run(sql`
    delete from smdp.notification where (eid, sequence_number, iccid) in (
      select eid, sequence_number, iccid from smdp.notification where received_at < ${before.kept} limit ${limit})`);
  const orders = await tx.run(sql`
    delete from smdp.download_order where profile_id in (
      select profile_id from smdp.download_order where state in ('deleted', 'unavailable') and changed_at < ${before.kept} limit ${limit})`);
  return sessions + notifications + orders;
}

function found(row: Joined): Found {
  return { session: sessionOf(row), order: row.profileId === null ? undefined : row };
}

function sessionOf(row: SessionRow): SmdpSession | undefined {
  if (row.transactionId === null) return undefined;
  const { sessionEid: eid, curve, point, smdpSignature2 } = row;
  return {
    transactionId: row.transactionId, state: row.sessionState, chainCiKeyId: row.chainCiKeyId ?? new Uint8Array(), expiresAt: row.sessionExpiresAt,
    ...(eid !== null && { client: { eid, curve, point, smdpSignature2 } }),
  };
}
