import { sql } from '../platform/db/index.ts';
import type { Reader, Transactor, Tx } from '../platform/db/index.ts';
import type { RefundRule } from '@yuanyou/contract';
import type { Allowance, Drawdown, UsageRecord } from './model.ts';

const columns = sql`line_id as "lineId", allowance_id as "allowanceId", account_id as "accountId", order_id as "orderId", operator_id as "operatorId", state,
  total_bytes as "totalBytes", used_bytes as "usedBytes", bought_at as "boughtAt", validity_days as "validityDays", valid_from as "validFrom", valid_until as "validUntil", currency,
  paid_cash_minor as "paidCashMinor", paid_promo_minor as "paidPromoMinor", earned_minor as "earnedMinor", refund_rule as "refundRule",
  told_percent as "toldPercent", cutoff_at as "cutoffAt"`;

export async function insertAllowance(tx: Tx, a: Allowance): Promise<void> {
  await tx.run(sql`
    insert into usage.allowance (line_id, allowance_id, account_id, order_id, operator_id, state, total_bytes, bought_at, validity_days, valid_from, valid_until,
                                 currency, paid_cash_minor, paid_promo_minor, refund_rule)
    values (${a.lineId}, ${a.allowanceId}, ${a.accountId}, ${a.orderId}, ${a.operatorId}, ${a.state}, ${a.totalBytes}, ${a.boughtAt}, ${a.validityDays}, ${a.validFrom}, ${a.validUntil},
            ${a.currency}, ${a.paidCashMinor}, ${a.paidPromoMinor}, ${JSON.stringify(a.refundRule satisfies RefundRule)}::jsonb)`);
}

export function allowancesOfLine(db: Reader, lineId: string): Promise<Allowance[]> {
  return db.all<Allowance>(sql`select ${columns} from usage.allowance where line_id = ${lineId} order by valid_until, allowance_id limit 200`);
}

/** Locks the allowances of several lines in one order, so that two batches cannot wait for each other. */
export function lockAllowances(tx: Tx, lineIds: readonly string[]): Promise<Allowance[]> {
  return tx.all<Allowance>(sql`
    select ${columns} from usage.allowance where line_id = any(${lineIds}::uuid[]) order by line_id, allowance_id for update`);
}

export function lockAllowancesOfAccount(tx: Tx, accountId: string): Promise<Allowance[]> {
  return tx.all<Allowance>(sql`
    select ${columns} from usage.allowance where account_id = ${accountId} order by line_id, allowance_id for update`);
}

export function allowancesOfAccount(db: Reader, accountId: string): Promise<Allowance[]> {
  return db.all<Allowance>(sql`select ${columns} from usage.allowance where account_id = ${accountId} order by allowance_id`);
}

export async function saveDraws(tx: Tx, draws: readonly Drawdown[]): Promise<void> {
  if (draws.length === 0) return;
  await tx.run(sql`
    update usage.allowance a
       set used_bytes = u.used_bytes, earned_minor = a.earned_minor + u.earned, state = u.state, valid_from = u.valid_from, valid_until = u.valid_until, told_percent = greatest(a.told_percent, u.told)
      from unnest(${draws.map((d) => d.allowance.lineId)}::uuid[], ${draws.map((d) => d.allowance.allowanceId)}::uuid[], ${draws.map((d) => String(d.usedBytes))}::bigint[],
                  ${draws.map((d) => String(d.earnedMinor))}::bigint[], ${draws.map((d) => d.state)}::text[], ${draws.map((d) => d.threshold ?? 0)}::int[],
                  ${draws.map((d) => d.validFrom)}::timestamptz[], ${draws.map((d) => d.validUntil)}::timestamptz[])
           as u (line_id, allowance_id, used_bytes, earned, state, told, valid_from, valid_until)
     where a.line_id = u.line_id and a.allowance_id = u.allowance_id`);
}

/** Locks allowances whose validity ended before, those that ended first, first. */
export function lockEnded(tx: Tx, before: Date, limit: number): Promise<Allowance[]> {
  return tx.all<Allowance>(sql`
    select ${columns} from usage.allowance where state in ('active', 'queued') and cutoff_at is null and valid_until < ${before}
     order by valid_until limit ${limit} for update skip locked`);
}

/** Ends locked allowances with all their price earned. */
export async function expire(tx: Tx, ended: readonly Allowance[]): Promise<void> {
  if (ended.length === 0) return;
  await tx.run(sql`
    update usage.allowance a set state = 'expired', earned_minor = a.paid_cash_minor + a.paid_promo_minor
      from unnest(${ended.map((a) => a.lineId)}::uuid[], ${ended.map((a) => a.allowanceId)}::uuid[]) as e (line_id, allowance_id)
     where a.line_id = e.line_id and a.allowance_id = e.allowance_id`);
}

export async function endAllowance(tx: Tx, a: Allowance, state: 'refunded' | 'revoked' | 'expired', earnedMinor: bigint): Promise<void> {
  await tx.run(sql`
    update usage.allowance set state = ${state}, earned_minor = earned_minor + ${earnedMinor}
     where line_id = ${a.lineId} and allowance_id = ${a.allowanceId}`);
}

export async function reopenAllowance(tx: Tx, lineId: string, allowanceId: string, state: Allowance['state'], forfeitedMinor: bigint): Promise<void> {
  await tx.run(sql`
    update usage.allowance set state = ${state}, earned_minor = earned_minor - ${forfeitedMinor} where line_id = ${lineId} and allowance_id = ${allowanceId}`);
}

/** True once for each threshold of an allowance. */
export async function claimMessage(tx: Tx, lineId: string, allowanceId: string, percent: number): Promise<boolean> {
  return (await tx.run(sql`
    update usage.allowance set messaged_percent = ${percent}
     where line_id = ${lineId} and allowance_id = ${allowanceId} and messaged_percent < ${percent}`)) === 1;
}

export async function pendingBatches(db: Reader, receivedUntil: Date): Promise<number> {
  const row = await db.one<{ n: bigint }>(sql`
    select count(*) as n from (select 1 from usage.batch where state = 'received' and received_at <= ${receivedUntil} limit 1000) b`);
  return Number(row.n);
}

export async function revokeOfLine(tx: Tx, lineId: string): Promise<boolean> {
  return (await tx.run(sql`
    update usage.allowance set state = 'revoked' where line_id = ${lineId} and used_bytes = 0 and state in ('active', 'queued')`)) > 0;
}

export async function setCutoff(tx: Tx, accountId: string, at: Date): Promise<number> {
  return tx.run(sql`update usage.allowance set cutoff_at = ${at} where account_id = ${accountId} and cutoff_at is null`);
}

export async function liftCutoff(tx: Tx, accountId: string): Promise<number> {
  return tx.run(sql`update usage.allowance set cutoff_at = null where account_id = ${accountId} and state in ('active', 'queued', 'depleted')`);
}

export interface BatchRow {
  readonly batchId: string;
  readonly operatorId: string;
  readonly source: string;
  readonly blobId: string | null;
  readonly state: 'received' | 'applied' | 'refused';
  readonly receivedAt: Date;
  readonly records: number;
  readonly duplicates: number;
  readonly suspended: number;
  readonly reason: string | null;
  readonly attempts: number;
  readonly appliedRows: number;
}

const batchColumns = sql`batch_id as "batchId", operator_id as "operatorId", source, blob_id as "blobId", state, received_at as "receivedAt",
  records, duplicates, suspended, reason, attempts, applied_rows as "appliedRows"`;

/** Notes an arrival; answers false when the same bytes under the same name had arrived before. */
export async function insertBatch(
  tx: Tx, b: { batchId: string; operatorId: string; source: string; digest: Buffer; blobId: string; receivedAt: Date; nextAttemptAt: Date },
): Promise<boolean> {
  return (await tx.run(sql`
    insert into usage.batch (batch_id, operator_id, source, digest, blob_id, state, received_at, next_attempt_at)
    values (${b.batchId}, ${b.operatorId}, ${b.source}, ${b.digest}, ${b.blobId}, 'received', ${b.receivedAt}, ${b.nextAttemptAt})
    on conflict (operator_id, source, digest) do nothing`)) === 1;
}

/** Notes what was refused unread; false when that is known already. */
export async function insertRefused(
  tx: Tx, b: { batchId: string; operatorId: string; source: string; digest: Buffer | null; receivedAt: Date; reason: string },
): Promise<boolean> {
  return (await tx.run(sql`
    insert into usage.batch (batch_id, operator_id, source, digest, state, received_at, applied_at, reason)
    values (${b.batchId}, ${b.operatorId}, ${b.source}, ${b.digest}, 'refused', ${b.receivedAt}, ${b.receivedAt}, ${b.reason})
    on conflict (operator_id, source, digest) do nothing`)) === 1;
}

export function findBatch(db: Reader, batchId: string): Promise<BatchRow | undefined> {
  return db.maybe<BatchRow>(sql`select ${batchColumns} from usage.batch where batch_id = ${batchId}`);
}

export function lockBatch(tx: Tx, batchId: string): Promise<BatchRow | undefined> {
  return tx.maybe<BatchRow>(sql`select ${batchColumns} from usage.batch where batch_id = ${batchId} for update`);
}

export function batches(db: Reader, before: string | null, limit: number): Promise<BatchRow[]> {
  return db.all<BatchRow>(sql`
    select ${batchColumns} from usage.batch where (${before}::uuid is null or batch_id < ${before}::uuid) order by batch_id desc limit ${limit}`);
}

/** Batches that wait to be looked at, the longest due first. */
export async function dueBatches(db: Reader, now: Date, limit: number): Promise<string[]> {
  const rows = await db.all<{ batchId: string }>(sql`
    select batch_id as "batchId" from usage.batch where state = 'received' and next_attempt_at <= ${now} order by next_attempt_at limit ${limit}`);
  return rows.map(({ batchId }) => batchId);
}

/** Keeps others from a batch that is being worked on, or puts the next attempt off after one that failed. */
export async function putOffBatch(tx: Tx, batchId: string, until: Date, failures: 0 | 1): Promise<void> {
  await tx.run(sql`
    update usage.batch set next_attempt_at = ${until}, attempts = attempts + ${failures} where batch_id = ${batchId} and state = 'received'`);
}

/** Notes that a piece of a batch is applied, and with the last one that all of it is. */
export async function advanceBatch(
  tx: Tx, batchId: string, piece: { rows: number; duplicates: number; suspended: number; last: boolean; at: Date; nextAttemptAt: Date },
): Promise<void> {
  await tx.run(sql`
    update usage.batch
       set applied_rows = applied_rows + ${piece.rows}, records = records + ${piece.rows}, duplicates = duplicates + ${piece.duplicates},
           suspended = suspended + ${piece.suspended}, next_attempt_at = ${piece.nextAttemptAt},
           state = case when ${piece.last}::boolean then 'applied' else state end,
           applied_at = case when ${piece.last}::boolean then ${piece.at}::timestamptz end
     where batch_id = ${batchId}`);
}

export async function refuseBatch(tx: Tx, batchId: string, reason: string, at: Date): Promise<boolean> {
  return (await tx.run(sql`
    update usage.batch set state = 'refused', applied_at = ${at}, reason = ${reason} where batch_id = ${batchId} and state = 'received'`)) === 1;
}

export async function reopenBatch(tx: Tx, batchId: string, at: Date): Promise<void> {
  await tx.run(sql`
    update usage.batch set state = 'received', applied_at = null, reason = null, attempts = 0, next_attempt_at = ${at}
     where batch_id = ${batchId}`);
}

/**
 * Makes the partitions of these days, each in a transaction of its own. A partition is made apart and then attached: that waits for no batch
 * that is being written and keeps none waiting, where making it in place would lock the whole table.
 */
export async function ensurePartitions(db: Transactor, days: readonly string[]): Promise<void> {
  const known = new Set(await partitionsOf(db, days));
  for (const day of days.filter((one) => !known.has(partitionOf(one)))) {
    const next = new Date(Date.parse(`${day}T00:00:00Z`) + 86_400_000).toISOString().slice(0, 10);
    const table = sql.raw(`usage.${partitionOf(day)}`);
    await db.transaction(async (tx) => {
      // Of those who make partitions, one at a time; writers pass.
      await tx.run(sql`lock table usage.record in share update exclusive mode`);
      if ((await partitionsOf(tx, [day])).length > 0) return;
      await tx.run(sql`create table ${table} (like usage.record including defaults including constraints)`);
      await tx.run(sql`alter table usage.record attach partition ${table} for values from (${sql.lit(day)}) to (${sql.lit(next)})`);
    });
  }
}

const partitionOf = (day: string): string => `record_${day.replaceAll('-', '')}`;

async function partitionsOf(db: Reader, days: readonly string[]): Promise<string[]> {
  const rows = await db.all<{ relname: string }>(sql`
    select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = 'usage' and c.relname = any(${days.map(partitionOf)}::text[])`);
  return rows.map(({ relname }) => relname);
}

export interface PlacedRecord extends UsageRecord {
  readonly lineId: string;
  readonly day: string;
  readonly late: boolean;
}

/** Inserts the records that are new; answers their row numbers. No record may stand twice among them. */
export async function insertRecords(tx: Tx, batchId: string, records: readonly PlacedRecord[]): Promise<Set<number>> {
  if (records.length === 0) return new Set();
  const inserted = await tx.all<{ lineId: string; recordId: string }>(sql`
    insert into usage.record (event_day, line_id, record_id, batch_id, started_at, stopped_at, bytes, plmn, late)
    select day, line_id, record_id, ${batchId}, started_at, stopped_at, bytes, plmn, late
      from unnest(${records.map((r) => r.day)}::date[], ${records.map((r) => r.lineId)}::uuid[], ${records.map((r) => r.recordId)}::text[],
                  ${records.map((r) => r.startedAt)}::timestamptz[], ${records.map((r) => r.stoppedAt)}::timestamptz[],
                  ${records.map((r) => String(r.bytes))}::bigint[], ${records.map((r) => r.plmn)}::text[], ${records.map((r) => r.late)}::boolean[])
           as u (day, line_id, record_id, started_at, stopped_at, bytes, plmn, late)
    on conflict (event_day, line_id, record_id) do nothing
    returning line_id as "lineId", record_id as "recordId"`);
  const fresh = new Set(inserted.map((row) => `${row.lineId} ${row.recordId}`));
  const rows = new Set<number>();
  for (const r of records) if (fresh.has(`${r.lineId} ${r.recordId}`)) rows.add(r.rowNo);
  return rows;
}

export async function insertSuspense(tx: Tx, batchId: string, records: readonly (UsageRecord & { readonly reason: string })[], at: Date): Promise<void> {
  if (records.length === 0) return;
  await tx.run(sql`
    insert into usage.suspense (batch_id, row_no, record_id, reason, iccid, bytes, at)
    select ${batchId}, row_no, record_id, reason, iccid, bytes, ${at}
      from unnest(${records.map((r) => r.rowNo)}::int[], ${records.map((r) => r.recordId)}::text[], ${records.map((r) => r.reason)}::text[],
                  ${records.map((r) => r.iccid)}::text[], ${records.map((r) => String(r.bytes))}::bigint[]) as u (row_no, record_id, reason, iccid, bytes)
    on conflict do nothing`);
}

export interface UsageDayRow {
  readonly day: string;
  readonly plmn: string | null;
  readonly bytes: bigint;
}

export function usageByDay(db: Reader, lineId: string, beforeDay: string | null, limit: number): Promise<UsageDayRow[]> {
  return db.all<UsageDayRow>(sql`
    select to_char(event_day, 'YYYY-MM-DD') as day, plmn, sum(bytes)::bigint as bytes
      from usage.record
     where line_id = ${lineId} and event_day in (
       select distinct event_day from usage.record
        where line_id = ${lineId} and (${beforeDay}::date is null or event_day < ${beforeDay}::date)
        order by event_day desc limit ${limit})
     group by event_day, plmn order by event_day desc, plmn`);
}
