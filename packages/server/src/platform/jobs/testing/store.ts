import { sql, type Database, type Reader, type Tx } from '../../db/index.ts';

/** What steps of the tests do to the world: one row for each (saga, step), and a count of how often it was tried. */
export async function createEffects(db: Database): Promise<void> {
  await db.script(`create table public.effect (saga_id text, step text, times integer not null, worker text, primary key (saga_id, step))`);
}

/** Idempotent in what it leaves, but counted. */
export async function addEffect(tx: Tx, sagaId: string, step: string, worker: string): Promise<void> {
  await tx.run(sql`
    insert into public.effect (saga_id, step, times, worker) values (${sagaId}, ${step}, 1, ${worker})
    on conflict (saga_id, step) do update set times = effect.times + 1, worker = excluded.worker`);
}

export async function removeEffect(tx: Tx, sagaId: string, step: string): Promise<void> {
  await tx.run(sql`delete from public.effect where saga_id = ${sagaId} and step = ${step}`);
}

export async function effectsOf(db: Reader, sagaId: string): Promise<{ step: string; times: number; worker: string }[]> {
  return db.all(sql<{ step: string; times: number; worker: string }>`
    select step, times, worker from public.effect where saga_id = ${sagaId} order by step`);
}
