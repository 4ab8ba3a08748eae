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

export async function insertDeliveries(tx: Tx, event: {
  readonly eventId: string; readonly name: string; readonly key: string; readonly body: string; readonly emittedAt: Date; readonly notBefore: Date | undefined;
}, consumers: readonly string[]): Promise<void> {
  const delayed = event.notBefore !== undefined && event.notBefore > event.emittedAt;
  await tx.run(sql`
    insert into jobs.delivery (event_id, consumer, event, key, body, emitted_at, status, due_at)
    select ${event.eventId}::uuid, c.name, ${event.name}, ${event.key}, ${event.body}::jsonb, ${event.emittedAt},
      ${delayed ? 'delayed' : 'ready'}, ${delayed ? event.notBefore : event.emittedAt}
    from unnest(${consumers}::text[]) as c (name)`);
}

/** Lets delayed rows that fell due take their place in their lanes, and takes back rows whose worker went silent. */
export async function refreshDeliveries(tx: Tx, now: Date, limit: number): Promise<void> {
  await tx.run(sql`
    update jobs.delivery d set status = 'ready', seq = due.seq
    from (
      select event_id, consumer, nextval('jobs.delivery_seq') as seq from (
        select event_id, consumer from jobs.delivery where status = 'delayed' and due_at <= ${now}
        order by due_at, seq limit ${limit} for update skip locked
      ) in_order
    ) due
    where d.event_id = due.event_id and d.consumer = due.consumer`);
  await tx.run(sql`
    update jobs.delivery d set status = 'ready', lease_until = null
    from (
      select event_id, consumer from jobs.delivery where status = 'running' and lease_until <= ${now}
      limit ${limit} for update skip locked
    ) lost
    where d.event_id = lost.event_id and d.consumer = lost.consumer`);
}

interface Candidate { readonly event_id: string; readonly consumer: string; readonly key: string }
interface Head extends Candidate { readonly event: string; readonly free: boolean }

/** What this process subscribes to; other rows are left to processes that know them. */
export interface Known { readonly consumers: readonly string[]; readonly events: readonly string[]; has(consumer: string, event: string): boolean }

/**
 * Takes the oldest unsent row of each due lane. Its lock orders the lane; the unique index on running rows keeps two
 * workers out of one lane even when a late commit slipped an older row in between.
 */
export async function claimDeliveries(db: Transactor, claim: {
  readonly known: Known; readonly limit: number; readonly now: Date; readonly leaseUntil: Date;
}): Promise<ClaimedDelivery[]> {
  try {
    return await db.transaction(async (tx) => {
      const candidates = await dueRows(tx, claim.known, claim.now, claim.limit * 4);
      if (candidates.length === 0) return [];
      const heads = await lockHeads(tx, candidates, claim.now);
      const free = heads.filter((head) => head.free && claim.known.has(head.consumer, head.event)).slice(0, claim.limit);
      const claimed = await takeHeads(tx, free, claim.now, claim.leaseUntil);
      await standBehind(tx, candidates, heads);
      return claimed;
    });
  } catch (error) {
    if (isUniqueViolation(error, 'delivery_one_running')) return [];
    throw error;
  }
}

function dueRows(tx: Tx, known: Known, now: Date, limit: number): Promise<Candidate[]> {
  return tx.all(sql<Candidate>`
    select event_id, consumer, key from jobs.delivery
    where status = 'ready' and due_at <= ${now}
      and (consumer, event) in (select * from unnest(${known.consumers}::text[], ${known.events}::text[]))
    order by due_at, seq limit ${limit}`);
}

/** Locks the oldest unsent row of each lane; lanes that another worker is busy with are left out. */
function lockHeads(tx: Tx, candidates: readonly Candidate[], now: Date): Promise<Head[]> {
  const lanes = [...new Map(candidates.map((row) => [JSON.stringify([row.consumer, row.key]), row])).values()];
  return tx.all(sql<Head>`
    with head as (
      select oldest.event_id, lane.consumer, lane.place
      from unnest(${lanes.map((lane) => lane.consumer)}::text[], ${lanes.map((lane) => lane.key)}::text[])
        with ordinality as lane (consumer, key, place)
      cross join lateral (
        select event_id from jobs.delivery
        where consumer = lane.consumer and key = lane.key and status in ('ready', 'behind', 'running')
        order by seq limit 1
      ) oldest
    )
    select d.event_id, d.consumer, d.key, d.event, d.status <> 'running' and d.due_at <= ${now} as free
    from head join jobs.delivery d on d.event_id = head.event_id and d.consumer = head.consumer
    where d.status in ('ready', 'behind', 'running')
    order by head.place
    for update of d skip locked`);
}

async function takeHeads(tx: Tx, heads: readonly Head[], now: Date, leaseUntil: Date): Promise<ClaimedDelivery[]> {
  if (heads.length === 0) return [];
  const rows = await tx.all(sql<{
    event_id: string; consumer: string; event: string; key: string; body: Json; emitted_at: Date; attempts: number;
  }>`
    update jobs.delivery d set status = 'running', attempts = d.attempts + 1, lease_until = ${leaseUntil}
    from unnest(${heads.map((head) => head.event_id)}::uuid[], ${heads.map((head) => head.consumer)}::text[]) as head (event_id, consumer)
    where d.event_id = head.event_id and d.consumer = head.consumer and d.status in ('ready', 'behind') and d.due_at <= ${now}
      and not exists (select from jobs.delivery r where r.consumer = d.consumer and r.key = d.key and r.status = 'running')
    returning d.event_id, d.consumer, d.event, d.key, d.body, d.emitted_at, d.attempts`);
  return rows.map((row) => ({
    eventId: row.event_id, consumer: row.consumer, event: row.event, key: row.key, body: row.body, emittedAt: row.emitted_at,
    attempt: row.attempts,
  }));
}

/**
 * Due rows that are not the oldest of their lane stand back, so that a long lane is not read again at every look. Safe
 * only under the lock of the lane's oldest row: whoever ends that row calls the next one forward after us.
 */
async function standBehind(tx: Tx, candidates: readonly Candidate[], heads: readonly Head[]): Promise<void> {
  const headOf = new Map(heads.map((head) => [JSON.stringify([head.consumer, head.key]), head.event_id]));
  const behind = candidates.filter((row) => {
    const head = headOf.get(JSON.stringify([row.consumer, row.key]));
    return head !== undefined && head !== row.event_id;
  });
  if (behind.length === 0) return;
  await tx.run(sql`
    update jobs.delivery d set status = 'behind'
    from unnest(${behind.map((row) => row.event_id)}::uuid[], ${behind.map((row) => row.consumer)}::text[]) as b (event_id, consumer)
    where d.event_id = b.event_id and d.consumer = b.consumer and d.status = 'ready'`);
}

/** Saves how deliveries ended, except those that were taken back meanwhile, and calls the next of their lanes forward. */
export async function endDeliveries(tx: Tx, ended: readonly EndedDelivery[], now: Date): Promise<void> {
  const lanes = await tx.all(sql<{ consumer: string; key: string; status: string }>`
    update jobs.delivery d set lease_until = null, last_error = e.error,
      status = case e.fate when 'retry' then 'ready' else e.fate end,
      due_at = case e.fate when 'retry' then e.due_at else d.due_at end,
      ended_at = case e.fate when 'retry' then null else ${now}::timestamptz end
    from unnest(
      ${ended.map((one) => one.delivery.eventId)}::uuid[], ${ended.map((one) => one.delivery.consumer)}::text[],
      ${ended.map((one) => one.delivery.attempt)}::integer[], ${ended.map((one) => one.end)}::text[],
      ${ended.map((one) => (one.end === 'done' ? null : one.error))}::text[],
      ${ended.map((one) => (one.end === 'retry' ? one.dueAt : null))}::timestamptz[]
    ) as e (event_id, consumer, attempt, fate, error, due_at)
    where d.event_id = e.event_id and d.consumer = e.consumer and d.attempts = e.attempt and d.status = 'running'
    returning d.consumer, d.key, d.status`);
  const freed = lanes.filter((lane) => lane.status !== 'ready');
  if (freed.length === 0) return;
  await tx.run(sql`
    update jobs.delivery d set status = 'ready'
    from unnest(${freed.map((lane) => lane.consumer)}::text[], ${freed.map((lane) => lane.key)}::text[]) as lane (consumer, key)
    cross join lateral (
      select event_id from jobs.delivery where consumer = lane.consumer and key = lane.key and status = 'behind' order by seq limit 1
    ) next
    where d.event_id = next.event_id and d.consumer = lane.consumer and d.status = 'behind'`);
}

/** Renews leases; a row that is locked is just ending. */
export async function extendDeliveries(tx: Tx, held: readonly ClaimedDelivery[], leaseUntil: Date): Promise<void> {
  await tx.run(sql`
    update jobs.delivery d set lease_until = ${leaseUntil}
    from (
      select r.event_id, r.consumer from jobs.delivery r
      join unnest(
        ${held.map((one) => one.eventId)}::uuid[], ${held.map((one) => one.consumer)}::text[], ${held.map((one) => one.attempt)}::integer[]
      ) as h (event_id, consumer, attempt) on r.event_id = h.event_id and r.consumer = h.consumer and r.attempts = h.attempt
      where r.status = 'running'
      for update of r skip locked
    ) ours
    where d.event_id = ours.event_id and d.consumer = ours.consumer`);
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
