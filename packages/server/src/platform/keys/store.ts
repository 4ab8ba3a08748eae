import { sql, type Reader, type Transactor, type Tx } from '../db/index.ts';

export interface KeyRow {
  readonly subjectId: string;
  readonly destroyed: boolean;
  /** The bucket's wrapping key, by name. */
  readonly keyId: string | null;
  readonly bucketId: bigint | null;
  readonly wrapped: Buffer | null;
}

export interface BucketRow {
  readonly bucketId: bigint;
  readonly keyId: string;
  readonly masterId: string;
}

/** What is known of subjects; one that was never heard of has no row. */
export async function readKeys(db: Reader, subjectIds: readonly string[]): Promise<KeyRow[]> {
  const rows = await db.all(sql<{
    subject_id: string; destroyed: boolean; key_id: string | null; bucket_id: bigint | null; wrapped: Buffer | null;
  }>`
    select s.id as subject_id, t.subject_id is not null as destroyed, b.key_id, b.bucket_id, k.wrapped
    from unnest(${subjectIds}::text[]) as s (id)
    left join keys.tombstone t on t.subject_id = s.id
    left join keys.data_key k on k.subject_id = s.id
    left join keys.bucket b on b.bucket_id = k.bucket_id
    where t.subject_id is not null or k.subject_id is not null`);
  return rows.map((row) => ({
    subjectId: row.subject_id, destroyed: row.destroyed, keyId: row.key_id, bucketId: row.bucket_id, wrapped: row.wrapped,
  }));
}

/**
 * Stores a new key in the bucket, unless the subject has one or had one, the bucket is full, or its wrapping key is another by now.
 * Giving out the place locks the bucket: nobody replaces its wrapping key meanwhile.
 */
export async function insertKey(
  db: Transactor, key: { readonly subjectId: string; readonly bucketId: bigint; readonly keyId: string; readonly wrapped: Buffer }, now: Date,
): Promise<void> {
  await db.alone(sql`
    with place as (
      update keys.bucket set assigned = assigned + 1
      where bucket_id = ${key.bucketId} and key_id = ${key.keyId} and assigned < 256
        and not exists (select from keys.tombstone where subject_id = ${key.subjectId})
        and not exists (select from keys.data_key where subject_id = ${key.subjectId})
      returning bucket_id
    )
    insert into keys.data_key (subject_id, bucket_id, wrapped, created_at)
    select ${key.subjectId}, bucket_id, ${key.wrapped}, ${now} from place
    on conflict (subject_id) do nothing`);
}

export async function insertTombstone(tx: Tx, subjectId: string, reason: string, now: Date): Promise<void> {
  await tx.run(sql`
    insert into keys.tombstone (subject_id, reason, destroyed_at) values (${subjectId}, ${reason}, ${now})
    on conflict (subject_id) do nothing`);
}

export async function bucketOf(db: Reader, subjectId: string): Promise<bigint | undefined> {
  return (await db.maybe(sql<{ bucket_id: bigint }>`select bucket_id from keys.data_key where subject_id = ${subjectId}`))?.bucket_id;
}

/** The first bucket with a place left. */
export async function openBucket(db: Reader): Promise<{ bucketId: bigint; keyId: string } | undefined> {
  const row = await db.maybe(sql<{ bucket_id: bigint; key_id: string }>`
    select bucket_id, key_id from keys.bucket where assigned < 256 order by bucket_id limit 1`);
  return row && { bucketId: row.bucket_id, keyId: row.key_id };
}

export async function insertBucket(tx: Tx, keyId: string, masterId: string): Promise<bigint> {
  const { bucket_id } = await tx.one(sql<{ bucket_id: bigint }>`
    insert into keys.bucket (key_id, master_id, assigned) values (${keyId}, ${masterId}, 0) returning bucket_id`);
  return bucket_id;
}

export async function lockBucket(tx: Tx, bucketId: bigint): Promise<BucketRow | undefined> {
  const row = await tx.maybe(sql<{ key_id: string; master_id: string }>`
    select key_id, master_id from keys.bucket where bucket_id = ${bucketId} for update`);
  return row && { bucketId, keyId: row.key_id, masterId: row.master_id };
}

export async function readMembers(tx: Tx, bucketId: bigint): Promise<{ subjectId: string; wrapped: Buffer; destroyed: boolean }[]> {
  const rows = await tx.all(sql<{ subject_id: string; wrapped: Buffer; destroyed: boolean }>`
    select k.subject_id, k.wrapped, t.subject_id is not null as destroyed
    from keys.data_key k left join keys.tombstone t on t.subject_id = k.subject_id
    where k.bucket_id = ${bucketId}`);
  return rows.map((row) => ({ subjectId: row.subject_id, wrapped: row.wrapped, destroyed: row.destroyed }));
}

export async function deleteKeys(tx: Tx, subjectIds: readonly string[]): Promise<void> {
  await tx.run(sql`delete from keys.data_key where subject_id = any(${subjectIds}::text[])`);
}

export async function updateKeys(tx: Tx, keys: readonly { readonly subjectId: string; readonly wrapped: Buffer }[]): Promise<void> {
  await tx.run(sql`
    update keys.data_key k set wrapped = n.wrapped
    from unnest(${keys.map((key) => key.subjectId)}::text[], ${keys.map((key) => key.wrapped)}::bytea[]) as n (subject_id, wrapped)
    where k.subject_id = n.subject_id`);
}

export async function updateBucket(tx: Tx, bucketId: bigint, keyId: string, masterId: string): Promise<void> {
  await tx.run(sql`update keys.bucket set key_id = ${keyId}, master_id = ${masterId} where bucket_id = ${bucketId}`);
}

export async function deleteBucket(tx: Tx, bucketId: bigint): Promise<void> {
  await tx.run(sql`delete from keys.bucket where bucket_id = ${bucketId}`);
}

/** Buckets that hold keys of subjects with a tombstone. */
export async function bucketsToClear(db: Reader, limit: number): Promise<bigint[]> {
  const rows = await db.all(sql<{ bucket_id: bigint }>`
    select distinct k.bucket_id from keys.data_key k join keys.tombstone t on t.subject_id = k.subject_id limit ${limit}`);
  return rows.map((row) => row.bucket_id);
}

export async function bucketNotUnder(db: Reader, masterId: string): Promise<bigint | undefined> {
  const row = await db.maybe(sql<{ bucket_id: bigint }>`
    select bucket_id from keys.bucket where master_id <> ${masterId} order by bucket_id limit 1`);
  return row?.bucket_id;
}

export async function hasForeignMaster(db: Reader, masterIds: readonly string[]): Promise<boolean> {
  return (await db.maybe(sql`select 1 from keys.bucket where master_id <> all(${masterIds}::text[]) limit 1`)) !== undefined;
}

/** Some of the buckets, the newest first. */
export async function newestBuckets(db: Reader, limit: number): Promise<{ bucketId: bigint; keyId: string }[]> {
  const rows = await db.all(sql<{ bucket_id: bigint; key_id: string }>`
    select bucket_id, key_id from keys.bucket order by bucket_id desc limit ${limit}`);
  return rows.map((row) => ({ bucketId: row.bucket_id, keyId: row.key_id }));
}

export async function isInForce(db: Reader, keyId: string): Promise<boolean> {
  return (await db.maybe(sql`select 1 from keys.bucket where key_id = ${keyId}`)) !== undefined;
}

export async function insertDraft(db: Transactor, keyId: string, now: Date): Promise<void> {
  await db.alone(sql`insert into keys.loose_key (key_id, draft, since) values (${keyId}, true, ${now})`);
}

/** Takes a draft for use; false when it was given up meanwhile. */
export async function takeDraft(tx: Tx, keyId: string): Promise<boolean> {
  return await tx.run(sql`delete from keys.loose_key where key_id = ${keyId} and draft`) === 1;
}

/** From now on the key's file is to be destroyed. */
export async function discard(tx: Tx, keyId: string, now: Date): Promise<void> {
  await tx.run(sql`
    insert into keys.loose_key (key_id, draft, since) values (${keyId}, false, ${now})
    on conflict (key_id) do update set draft = false`);
}

/** For a draft that is known to be lost: no bucket can take it any more. */
export async function discardLost(db: Transactor, keyId: string, now: Date): Promise<void> {
  await db.alone(sql`
    insert into keys.loose_key (key_id, draft, since)
    select ${keyId}, false, ${now} where not exists (select from keys.bucket where key_id = ${keyId})
    on conflict (key_id) do nothing`);
}

export async function discardDraft(db: Transactor, keyId: string): Promise<void> {
  await db.alone(sql`update keys.loose_key set draft = false where key_id = ${keyId} and draft`);
}

export async function discardDrafts(db: Transactor, before: Date): Promise<void> {
  await db.alone(sql`update keys.loose_key set draft = false where draft and since < ${before}`);
}

export async function discarded(db: Reader, limit: number): Promise<string[]> {
  return (await db.all(sql<{ key_id: string }>`select key_id from keys.loose_key where not draft limit ${limit}`)).map((row) => row.key_id);
}

export async function forgetDiscarded(db: Transactor, keyId: string): Promise<void> {
  await db.alone(sql`delete from keys.loose_key where key_id = ${keyId} and not draft`);
}

export async function listTombstones(db: Reader, after: string, limit: number): Promise<{ subjectId: string; destroyedAt: Date }[]> {
  const rows = await db.all(sql<{ subject_id: string; destroyed_at: Date }>`
    select subject_id, destroyed_at from keys.tombstone where subject_id > ${after} order by subject_id limit ${limit}`);
  return rows.map((row) => ({ subjectId: row.subject_id, destroyedAt: row.destroyed_at }));
}

/** The digest of the key that counts under a name; undefined before its first use. */
export async function signerDigest(db: Reader, name: string): Promise<Buffer | undefined> {
  const row = await db.maybe(sql<{ public_key_digest: Buffer }>`select public_key_digest from keys.signer where name = ${name}`);
  return row?.public_key_digest;
}

export async function insertSigner(db: Transactor, name: string, digest: Buffer, now: Date): Promise<void> {
  await db.alone(sql`
    insert into keys.signer (name, public_key_digest, first_used_at) values (${name}, ${digest}, ${now}) on conflict (name) do nothing`);
}
