import { sql, type Reader, type Tx } from '../db/index.ts';

export interface KeyRow {
  readonly subjectId: string;
  readonly destroyed: boolean;
  readonly kekId: string | null;
  readonly wrapped: Buffer | null;
}

/** What is known of subjects; one that was never heard of has no row. */
export async function readKeys(db: Reader, subjectIds: readonly string[]): Promise<KeyRow[]> {
  const rows = await db.all(sql<{ subject_id: string; destroyed: boolean; kek_id: string | null; wrapped: Buffer | null }>`
    select s.id as subject_id, t.subject_id is not null as destroyed, k.kek_id, k.wrapped
    from unnest(${subjectIds}::text[]) as s (id)
    left join keys.tombstone t on t.subject_id = s.id
    left join keys.data_key k on k.subject_id = s.id
    where t.subject_id is not null or k.subject_id is not null`);
  return rows.map((row) => ({ subjectId: row.subject_id, destroyed: row.destroyed, kekId: row.kek_id, wrapped: row.wrapped }));
}

/** Stores a new key unless the subject has one or had one. */
export async function insertKey(tx: Tx, subjectId: string, kekId: string, wrapped: Buffer, now: Date): Promise<void> {
  await tx.run(sql`
    insert into keys.data_key (subject_id, kek_id, wrapped, created_at)
    select ${subjectId}, ${kekId}, ${wrapped}, ${now}
    where not exists (select from keys.tombstone where subject_id = ${subjectId})
    on conflict (subject_id) do nothing`);
}

export async function insertTombstone(tx: Tx, subjectId: string, reason: string, now: Date): Promise<void> {
  await tx.run(sql`
    insert into keys.tombstone (subject_id, reason, destroyed_at) values (${subjectId}, ${reason}, ${now})
    on conflict (subject_id) do nothing`);
}

export async function deleteKey(tx: Tx, subjectId: string): Promise<void> {
  await tx.run(sql`delete from keys.data_key where subject_id = ${subjectId}`);
}

/** Deletes the keys of subjects that have a tombstone; answers how many. */
export async function deleteDestroyed(tx: Tx): Promise<number> {
  return tx.run(sql`delete from keys.data_key k using keys.tombstone t where t.subject_id = k.subject_id`);
}

export async function hasForeignKeys(db: Reader, kekIds: readonly string[]): Promise<boolean> {
  return (await db.maybe(sql`select 1 from keys.data_key where kek_id <> all(${kekIds}::text[]) limit 1`)) !== undefined;
}

export async function lockKeysNotUnder(
  tx: Tx, kekId: string, limit: number,
): Promise<{ subjectId: string; kekId: string; wrapped: Buffer }[]> {
  const rows = await tx.all(sql<{ subject_id: string; kek_id: string; wrapped: Buffer }>`
    select subject_id, kek_id, wrapped from keys.data_key where kek_id <> ${kekId} limit ${limit} for update skip locked`);
  return rows.map((row) => ({ subjectId: row.subject_id, kekId: row.kek_id, wrapped: row.wrapped }));
}

export async function updateKey(tx: Tx, subjectId: string, kekId: string, wrapped: Buffer): Promise<void> {
  await tx.run(sql`update keys.data_key set kek_id = ${kekId}, wrapped = ${wrapped} where subject_id = ${subjectId}`);
}

export async function listTombstones(db: Reader, after: string, limit: number): Promise<{ subjectId: string; destroyedAt: Date }[]> {
  const rows = await db.all(sql<{ subject_id: string; destroyed_at: Date }>`
    select subject_id, destroyed_at from keys.tombstone where subject_id > ${after} order by subject_id limit ${limit}`);
  return rows.map((row) => ({ subjectId: row.subject_id, destroyedAt: row.destroyed_at }));
}
