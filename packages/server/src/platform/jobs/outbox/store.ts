import { isUniqueViolation, sql, type Reader, type Transactor, type Tx } from '../../db/index.ts';
import type { DeadLetter, Json } from '../types.ts';

/** A delivery that this worker has taken; `attempt` must still be the row's when it ends. */
export interface ClaimedDelivery {
  readonly eventId: string;
  readonly consumer: string;
  readonly event: string;
  readonly key: string;
  readonly body: Json;
  readonly emittedAt: Date;
  readonly attempt: number;
}

export type EndedDelivery =
  | { readonly delivery: ClaimedDelivery; readonly end: 'done' }
  | { readonly delivery: ClaimedDelivery; readonly end: 'retry'; readonly error: string; readonly dueAt: Date }
  | { readonly delivery: ClaimedDelivery; readonly end: 'dead'; readonly error: string };

export function insertDeliveries(tx: Tx, event: {
  readonly eventId: string; readonly name: string; readonly key: string; readonly body: string;
  readonly emittedAt: Date; readonly notBefore: Date | undefined;
}, consumers: readonly string[]): void {
  const delayed = event.notBefore !== undefined && event.notBefore > event.emittedAt;
  tx.send(sql`
    insert into jobs.delivery (event_id, consumer, event, key, body, emitted_at, status, due_at)
    select ${event.eventId}::uuid, c.name, ${event.name}, ${event.key}, ${event.body}::jsonb, ${event.emittedAt},
      ${delayed ? 'delayed' : 'ready'}, ${delayed ? event.notBefore : event.emittedAt}
    from unnest(${consumers}::text[]) as c (name)`);
}

/** A worker's turn: what ended, and what it wants to claim. */
export interface Turn {
  readonly ended: readonly EndedDelivery[];
  /** So many delayed rows that fell due take their place in their lanes, and so many come back whose worker went silent. */
  readonly refresh: number;
  /** What this process subscribes to, as `<consumer> <event>`. */
  readonly known: readonly string[];
  readonly limit: number;
  readonly now: Date;
  readonly leaseUntil: Date;
}

interface ClaimedRow {
  readonly event_id: string;
  readonly consumer: string;
  readonly event: string;
  readonly key: string;
  readonly body: Json;
  readonly emitted_at: Date;
  readonly attempts: number;
}

/**
 * Saves how deliveries ended, except those that were taken back meanwhile, calls the next of their lanes forward, and takes due rows, each
 * the oldest unsent of its lane.
 */
export async function turnDeliveries(db: Reader, { ended, refresh, known, limit, now, leaseUntil }: Turn): Promise<ClaimedDelivery[]> {
  try {
    const rows = await db.all(sql<ClaimedRow>`
      select event_id, consumer, event, key, body, emitted_at, attempts from jobs.turn_deliveries(
        ${ended.map((one) => one.delivery.eventId)}::uuid[], ${ended.map((one) => one.delivery.consumer)}::text[],
        ${ended.map((one) => one.delivery.attempt)}::integer[], ${ended.map((one) => one.end)}::text[],
        ${ended.map((one) => (one.end === 'done' ? null : one.error))}::text[],
        ${ended.map((one) => (one.end === 'retry' ? one.dueAt : null))}::timestamptz[],
        ${refresh}, ${known}::text[], ${now}, ${leaseUntil}, ${limit})`);
    return rows.map((row) => ({
      eventId: row.event_id, consumer: row.consumer, event: row.event, key: row.key, body: row.body, emittedAt: row.emitted_at,
      attempt: row.attempts,
    }));
  } catch (error) {
    // A late commit slipped an older row into a lane just being claimed by another worker: the next look sorts it out.
    if (!isUniqueViolation(error, 'delivery_one_running')) throw error;
    return ended.length === 0 ? [] : turnDeliveries(db, { ended, refresh: 0, known, limit: 0, now, leaseUntil });
  }
}

export async function extendDeliveries(db: Transactor, held: readonly ClaimedDelivery[], leaseUntil: Date): Promise<void> {
  await db.alone(sql`
    select jobs.extend_delivery(h.event_id, h.consumer, h.attempt, ${leaseUntil})
    from unnest(
      ${held.map((one) => one.eventId)}::uuid[], ${held.map((one) => one.consumer)}::text[], ${held.map((one) => one.attempt)}::integer[]
    ) as h (event_id, consumer, attempt)`);
}

/** Deletes rows that ended long ago; answers how many. */
export async function pruneDeliveries(tx: Tx, doneBefore: Date, deadBefore: Date, limit: number): Promise<number> {
  return tx.run(sql`
    delete from jobs.delivery d using (
      (select event_id, consumer from jobs.delivery where status = 'done' and ended_at < ${doneBefore} order by ended_at limit ${limit})
      union all
      (select event_id, consumer from jobs.delivery where status = 'dead' and ended_at < ${deadBefore} order by seq limit ${limit})
    ) old
    where d.event_id = old.event_id and d.consumer = old.consumer`);
}

/** In the order they were emitted, after the one of sequence number `after`. */
export async function listDead(db: Reader, after: bigint, limit: number): Promise<(DeadLetter & { readonly seq: bigint })[]> {
  const rows = await db.all(sql<{
    event_id: string; consumer: string; event: string; key: string; attempts: number; last_error: string | null;
    emitted_at: Date; ended_at: Date; seq: bigint;
  }>`
    select event_id, consumer, event, key, attempts, last_error, emitted_at, ended_at, seq from jobs.delivery
    where status = 'dead' and seq > ${after} order by seq limit ${limit}`);
  return rows.map((row) => ({
    eventId: row.event_id, consumer: row.consumer, event: row.event, key: row.key, attempts: row.attempts, lastError: row.last_error,
    emittedAt: row.emitted_at, diedAt: row.ended_at, seq: row.seq,
  }));
}

export async function requeueDead(tx: Tx, eventId: string, consumer: string, now: Date): Promise<boolean> {
  const requeued = await tx.run(sql`
    update jobs.delivery set status = 'ready', seq = nextval('jobs.delivery_seq'), due_at = ${now}, attempts = 0, ended_at = null
    where event_id = ${eventId}::uuid and consumer = ${consumer} and status = 'dead'`);
  return requeued > 0;
}

/** How many deliveries are dead, counted up to `most`. */
export async function countDead(db: Reader, most: number): Promise<number> {
  const row = await db.one(sql<{ rows: bigint }>`select count(*) as rows from (select from jobs.delivery where status = 'dead' limit ${most}) dead`);
  return Number(row.rows);
}

/** How many deliveries stand where. */
export async function countByStatus(db: Reader): Promise<{ readonly status: string; readonly rows: number }[]> {
  const rows = await db.all(sql<{ status: string; rows: bigint }>`
    select status, count(*) as rows from jobs.delivery group by status order by status`);
  return rows.map((row) => ({ status: row.status, rows: Number(row.rows) }));
}
