import { sql } from '../db/index.ts';
import type { Reader, Tx } from '../db/types.ts';

export interface Claim {
  readonly place: Buffer;
  readonly request: Buffer;
  readonly runId: string;
  readonly now: Date;
  readonly leaseUntil: Date;
  readonly expiresAt: Date;
}

/** True when this run now holds the place: it was free, its answer has run out, or the run before it died on the way. */
export async function claimPlace(tx: Tx, claim: Claim): Promise<boolean> {
  return await tx.run(sql`
    insert into http.idempotency as held (place, request, run_id, lease_until, expires_at)
    values (${claim.place}, ${claim.request}, ${claim.runId}, ${claim.leaseUntil}, ${claim.expiresAt})
    on conflict (place) do update
      set request = excluded.request, run_id = excluded.run_id, lease_until = excluded.lease_until, expires_at = excluded.expires_at, answer = null
      where held.expires_at <= ${claim.now}
         or (held.answer is null and held.lease_until <= ${claim.now} and held.request = excluded.request)`) === 1;
}

export interface Place {
  readonly request: Buffer;
  readonly answer: Buffer | null;
  readonly leaseUntil: Date;
}

export function findPlace(db: Reader, place: Buffer): Promise<Place | undefined> {
  return db.maybe<Place>(sql`select request, answer, lease_until as "leaseUntil" from http.idempotency where place = ${place}`);
}

export async function storeAnswer(tx: Tx, place: Buffer, runId: string, answer: Buffer): Promise<void> {
  await tx.run(sql`update http.idempotency set answer = ${answer} where place = ${place} and run_id = ${runId}`);
}

export async function releasePlace(tx: Tx, place: Buffer, runId: string): Promise<void> {
  await tx.run(sql`delete from http.idempotency where place = ${place} and run_id = ${runId} and answer is null`);
}

/** Counts one attempt in a bucket and answers how many there were in its window. */
export function countAttempt(tx: Tx, bucket: Buffer, now: Date, windowEnd: Date): Promise<{ count: number; expiresAt: Date }> {
  return tx.one<{ count: number; expiresAt: Date }>(sql`
    insert into http.attempts as seen (bucket, count, expires_at) values (${bucket}, 1, ${windowEnd})
    on conflict (bucket) do update
      set count = case when seen.expires_at <= ${now} then 1 else seen.count + 1 end,
          expires_at = case when seen.expires_at <= ${now} then excluded.expires_at else seen.expires_at end
    returning count, expires_at as "expiresAt"`);
}

export async function clearAttempts(tx: Tx, bucket: Buffer): Promise<void> {
  await tx.run(sql`delete from http.attempts where bucket = ${bucket}`);
}

/** Deletes what has run out, a bounded number of rows at a time; answers how many. */
export async function deleteExpired(tx: Tx, now: Date, most: number): Promise<number> {
  const answers = await tx.run(sql`
    delete from http.idempotency where place in
      (select place from http.idempotency where expires_at <= ${now} order by expires_at limit ${most} for update skip locked)`);
  const attempts = await tx.run(sql`
    delete from http.attempts where bucket in
      (select bucket from http.attempts where expires_at <= ${now} order by expires_at limit ${most} for update skip locked)`);
  return answers + attempts;
}
