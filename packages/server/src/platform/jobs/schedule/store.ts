import { sql, type Reader, type Transactor } from '../../db/index.ts';

export interface ClaimedTask {
  readonly name: string;
  readonly claim: bigint;
  readonly dueAt: Date;
  readonly failures: number;
}

export async function ensureTasks(db: Transactor, tasks: readonly { readonly name: string; readonly everyMs: number }[], now: Date): Promise<void> {
  await db.alone(sql`
    insert into jobs.schedule (name, every_ms, due_at)
    select t.name, t.every_ms, ${now} from unnest(${tasks.map((task) => task.name)}::text[], ${tasks.map((task) => task.everyMs)}::bigint[])
      as t (name, every_ms)
    on conflict (name) do update set every_ms = excluded.every_ms,
      due_at = least(schedule.due_at, ${now}::timestamptz + make_interval(secs => excluded.every_ms / 1000.0))
    where schedule.every_ms <> excluded.every_ms`);
}

/** Takes due tasks that nobody runs, or whose runner let its lease run out. */
export async function claimTasks(
  db: Reader, names: readonly string[], limit: number, now: Date, leaseUntil: Date,
): Promise<ClaimedTask[]> {
  const rows = await db.all(sql<{ name: string; claim: bigint; due_at: Date; failures: number }>`
    update jobs.schedule s set claim = s.claim + 1, lease_until = ${leaseUntil}
    from (
      select name from jobs.schedule
      where due_at <= ${now} and (lease_until is null or lease_until <= ${now}) and name = any(${names}::text[])
      order by due_at limit ${limit}
      for update skip locked
    ) due
    where s.name = due.name
    returning s.name, s.claim, s.due_at, s.failures`);
  return rows.map((row) => ({ name: row.name, claim: row.claim, dueAt: row.due_at, failures: row.failures }));
}

export async function extendTasks(db: Transactor, held: readonly ClaimedTask[], leaseUntil: Date): Promise<void> {
  await db.alone(sql`
    update jobs.schedule s set lease_until = ${leaseUntil}
    from unnest(${held.map((task) => task.name)}::text[], ${held.map((task) => task.claim)}::bigint[]) as h (name, claim)
    where s.name = h.name and s.claim = h.claim and s.lease_until is not null`);
}

export async function endTask(
  db: Transactor, task: ClaimedTask, end: { readonly dueAt: Date; readonly error: string | null; readonly now: Date },
): Promise<void> {
  await db.alone(sql`
    update jobs.schedule set lease_until = null, due_at = ${end.dueAt}, last_error = ${end.error}, last_run_at = ${end.now},
      failures = case when ${end.error}::text is null then 0 else failures + 1 end
    where name = ${task.name} and claim = ${task.claim}`);
}
