import { sql, type Reader, type Tx } from '../../db/index.ts';
import { ServiceError } from '../../errors.ts';
import type { Json, SagaStatus, StepStatus, StuckSaga } from '../types.ts';
import type { SagaState, StepState } from './model.ts';

/** A saga that this worker has taken; `fence` must still be the row's at every write. */
export interface Claim {
  readonly sagaId: string;
  readonly kind: string;
  readonly input: Json;
  readonly fence: bigint;
}

export interface LoadedSaga {
  readonly kind: string;
  readonly state: SagaState;
  readonly wakes: bigint;
}

interface SagaRow {
  readonly kind: string;
  readonly status: SagaStatus;
  readonly direction: 'forward' | 'backward';
  readonly due_at: Date | null;
  readonly wakes: bigint;
}

interface StepRow {
  readonly name: string;
  readonly pivot: boolean;
  readonly status: StepStatus;
  readonly attempts: number;
  readonly failures: number;
  readonly due_at: Date | null;
  readonly waiting_on: string | null;
  readonly started_at: Date | null;
  readonly ended_at: Date | null;
  readonly last_error: string | null;
  readonly result: Json;
  readonly skip_reason: string | null;
}

/** False when a saga of that id exists already. */
export async function insertSaga(tx: Tx, sagaId: string, kind: string, input: Json, saga: SagaState, now: Date): Promise<boolean> {
  const inserted = await tx.run(sql`
    insert into jobs.saga (id, kind, input, status, direction, due_at, created_at)
    values (${sagaId}, ${kind}, ${JSON.stringify(input)}::jsonb, ${saga.status}, ${saga.direction}, ${saga.dueAt}, ${now})
    on conflict (id) do nothing`);
  if (inserted === 0) return false;
  await tx.run(sql`
    insert into jobs.saga_step (saga_id, position, name, pivot, status)
    select ${sagaId}, s.position - 1, s.name, s.pivot, 'pending'
    from unnest(${saga.steps.map((step) => step.name)}::text[], ${saga.steps.map((step) => step.pivot)}::boolean[])
      with ordinality as s (name, pivot, position)`);
  return true;
}

/** Takes due sagas that nobody holds, or whose holder let its lease run out. */
export async function claimSagas(db: Reader, claim: {
  readonly kinds: readonly string[]; readonly except: readonly string[]; readonly limit: number;
  readonly now: Date; readonly leaseUntil: Date;
}): Promise<Claim[]> {
  const rows = await db.all(sql<{ id: string; kind: string; input: Json; fence: bigint }>`
    update jobs.saga s set fence = s.fence + 1, lease_until = ${claim.leaseUntil}
    from (
      select id from jobs.saga
      where status in ('running', 'undoing') and due_at <= ${claim.now} and (lease_until is null or lease_until <= ${claim.now})
        and kind = any(${claim.kinds}::text[]) and id <> all(${claim.except}::text[])
      order by due_at
      limit ${claim.limit}
      for update skip locked
    ) due
    where s.id = due.id
    returning s.id, s.kind, s.input, s.fence`);
  return rows.map((row) => ({ sagaId: row.id, kind: row.kind, input: row.input, fence: row.fence }));
}

/**
 * Locks the saga for this transaction and renews its lease.
 * @throws `jobs/lease-lost` when another worker has taken it over
 */
export async function lockFenced(tx: Tx, claim: Claim, leaseUntil: Date): Promise<void> {
  const held = await tx.run(sql`
    update jobs.saga set lease_until = ${leaseUntil} where id = ${claim.sagaId} and fence = ${claim.fence} and lease_until is not null`);
  if (held === 0) throw new ServiceError('jobs/lease-lost', { sagaId: claim.sagaId });
}

/** Renews the leases of sagas whose rows are free; a locked one is in a transaction of its own worker, which renews it too. */
export async function extendLeases(tx: Tx, claims: readonly Claim[], leaseUntil: Date): Promise<void> {
  await tx.run(sql`
    update jobs.saga s set lease_until = ${leaseUntil}
    from (
      select g.id from jobs.saga g
      join unnest(${claims.map((claim) => claim.sagaId)}::text[], ${claims.map((claim) => claim.fence)}::bigint[]) held (id, fence)
        on g.id = held.id and g.fence = held.fence
      where g.lease_until is not null
      for update of g skip locked
    ) free
    where s.id = free.id`);
}

/** Lets go of a saga, unless another worker has it already. */
export async function releaseSaga(tx: Tx, claim: Claim): Promise<void> {
  await tx.run(sql`update jobs.saga set lease_until = null where id = ${claim.sagaId} and fence = ${claim.fence}`);
}

/** Puts off a saga that this process cannot run; others may. */
export async function postponeSaga(tx: Tx, claim: Claim, position: number, error: string, until: Date): Promise<void> {
  await tx.run(sql`
    update jobs.saga set lease_until = null, due_at = ${until} where id = ${claim.sagaId} and fence = ${claim.fence}`);
  await tx.run(sql`
    update jobs.saga_step set last_error = ${error} where saga_id = ${claim.sagaId} and position = ${position}`);
}

export async function loadSaga(db: Reader, sagaId: string): Promise<LoadedSaga | undefined> {
  return load(db, sagaId, await db.maybe(sql<SagaRow>`
    select kind, status, direction, due_at, wakes from jobs.saga where id = ${sagaId}`));
}

/** Loads a saga and keeps everyone else from changing it until the transaction ends. */
export async function loadLocked(tx: Tx, sagaId: string): Promise<LoadedSaga | undefined> {
  return load(tx, sagaId, await tx.maybe(sql<SagaRow>`
    select kind, status, direction, due_at, wakes from jobs.saga where id = ${sagaId} for update`));
}

async function load(db: Reader, sagaId: string, saga: SagaRow | undefined): Promise<LoadedSaga | undefined> {
  if (saga === undefined) return undefined;
  const steps = await db.all(sql<StepRow>`
    select name, pivot, status, attempts, failures, due_at, waiting_on, started_at, ended_at, last_error, result, skip_reason
    from jobs.saga_step where saga_id = ${sagaId} order by position`);
  const state: SagaState = { status: saga.status, direction: saga.direction, dueAt: saga.due_at, steps: steps.map(toStep) };
  return { kind: saga.kind, state, wakes: saga.wakes };
}

function toStep(row: StepRow): StepState {
  return {
    name: row.name, pivot: row.pivot, status: row.status, attempts: row.attempts, failures: row.failures, dueAt: row.due_at,
    waitingOn: row.waiting_on, startedAt: row.started_at, endedAt: row.ended_at, lastError: row.last_error, result: row.result,
    skipReason: row.skip_reason,
  };
}

/** Saves the saga and the steps that differ from `before`; `keepLease` while this worker goes on with it. */
export async function saveSaga(
  tx: Tx, sagaId: string, before: SagaState, after: SagaState,
  how: { readonly keepLease: boolean; readonly woken: boolean; readonly now: Date },
): Promise<void> {
  const ended = after.status === 'completed' || after.status === 'undone';
  await tx.run(sql`
    update jobs.saga set status = ${after.status}, direction = ${after.direction}, due_at = ${after.dueAt},
      ended_at = case when ${ended}::boolean then ${how.now}::timestamptz end,
      lease_until = case when ${how.keepLease}::boolean then lease_until end,
      wakes = wakes + case when ${how.woken}::boolean then 1 else 0 end
    where id = ${sagaId}`);
  const changed = after.steps.flatMap((step, position) => (step === before.steps[position] ? [] : [toChange(step, position)]));
  if (changed.length > 0) await saveSteps(tx, sagaId, JSON.stringify(changed));
}

function toChange(step: StepState, position: number): Record<string, unknown> {
  return {
    position, status: step.status, attempts: step.attempts, failures: step.failures, due_at: step.dueAt, waiting_on: step.waitingOn,
    started_at: step.startedAt, ended_at: step.endedAt, last_error: step.lastError, result: step.result, skip_reason: step.skipReason,
  };
}

async function saveSteps(tx: Tx, sagaId: string, changes: string): Promise<void> {
  await tx.run(sql`
    update jobs.saga_step s set status = c.status, attempts = c.attempts, failures = c.failures, due_at = c.due_at,
      waiting_on = c.waiting_on, started_at = c.started_at, ended_at = c.ended_at, last_error = c.last_error,
      result = c.result, skip_reason = c.skip_reason
    from jsonb_to_recordset(${changes}::jsonb) as c (
      position integer, status text, attempts integer, failures integer, due_at timestamptz, waiting_on text,
      started_at timestamptz, ended_at timestamptz, last_error text, result jsonb, skip_reason text)
    where s.saga_id = ${sagaId} and s.position = c.position`);
}

/** Oldest first; one more than `limit` tells that there is another page. */
export async function listStuck(
  db: Reader, after: { readonly createdAt: Date; readonly sagaId: string } | undefined, limit: number,
): Promise<StuckSaga[]> {
  const createdAfter = after?.createdAt ?? null;
  const rows = await db.all(sql<{ id: string; kind: string; created_at: Date; step: string; last_error: string | null }>`
    select g.id, g.kind, g.created_at, s.name as step, s.last_error
    from jobs.saga g join jobs.saga_step s on s.saga_id = g.id and s.status = 'stuck'
    where g.status = 'stuck'
      and (${createdAfter}::timestamptz is null or (g.created_at, g.id) > (${createdAfter}::timestamptz, ${after?.sagaId ?? null}::text))
    order by g.created_at, g.id
    limit ${limit}`);
  return rows.map((row) => ({ sagaId: row.id, kind: row.kind, step: row.step, lastError: row.last_error, createdAt: row.created_at }));
}

/** How many sagas wait for an agent, counted up to `most`. */
export async function countStuck(db: Reader, most: number): Promise<number> {
  const row = await db.one(sql<{ rows: bigint }>`select count(*) as rows from (select from jobs.saga where status = 'stuck' limit ${most}) stuck`);
  return Number(row.rows);
}
