import { sql, type Reader, type Tx } from '../db/index.ts';

export interface BlobRow {
  readonly mediaType: string;
  readonly size: number;
  readonly digest: Buffer;
  readonly deleteAfter: Date;
}

/** False when a blob of that id exists already. */
export async function insertBlob(tx: Tx, id: string, blob: BlobRow): Promise<boolean> {
  const inserted = await tx.run(sql`
    insert into blobs.blob (id, media_type, size, digest, delete_after)
    values (${id}::uuid, ${blob.mediaType}, ${blob.size}, ${blob.digest}, ${blob.deleteAfter})
    on conflict (id) do nothing`);
  return inserted > 0;
}

export async function insertChunks(tx: Tx, id: string, firstPosition: number, chunks: readonly Buffer[]): Promise<void> {
  await tx.run(sql`
    insert into blobs.chunk (blob_id, position, bytes)
    select ${id}::uuid, ${firstPosition}::integer + c.place - 1, c.bytes
    from unnest(${chunks}::bytea[]) with ordinality as c (bytes, place)`);
}

export async function readBlob(db: Reader, id: string): Promise<BlobRow | undefined> {
  const row = await db.maybe(sql<{ media_type: string; size: bigint; digest: Buffer; delete_after: Date }>`
    select media_type, size, digest, delete_after from blobs.blob where id = ${id}::uuid`);
  return row && { mediaType: row.media_type, size: Number(row.size), digest: row.digest, deleteAfter: row.delete_after };
}

export async function readChunks(db: Reader, id: string, firstPosition: number, count: number): Promise<Buffer[]> {
  const rows = await db.all(sql<{ bytes: Buffer }>`
    select bytes from blobs.chunk where blob_id = ${id}::uuid and position >= ${firstPosition} and position < ${firstPosition + count}
    order by position`);
  return rows.map((row) => row.bytes);
}

export async function deleteBlob(tx: Tx, id: string): Promise<void> {
  await tx.run(sql`delete from blobs.blob where id = ${id}::uuid`);
}

export async function deleteExpired(tx: Tx, now: Date, limit: number): Promise<number> {
  return tx.run(sql`
    delete from blobs.blob b using (
      select id from blobs.blob where delete_after <= ${now} order by delete_after, id limit ${limit} for update skip locked
    ) expired
    where b.id = expired.id`);
}
