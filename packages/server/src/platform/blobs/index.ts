import { createHash } from 'node:crypto';
import type { Reader, Transactor, Tx } from '../db/index.ts';
import { ServiceError } from '../errors.ts';
import * as store from './store.ts';
import type { Blobs, NewBlob } from './types.ts';

export type { Blobs, NewBlob } from './types.ts';

const chunkLength = 256 * 1024;
/** Chunks that travel in one statement. */
const chunksAtOnce = 16;
const largestBlob = 256 * 1024 * 1024;
const sweepBatch = 100;

export interface StoredBlobs extends Blobs {
  /** Deletes up to `limit` blobs that are past their time, in small transactions; answers how many. */
  sweep(now: Date, limit: number): Promise<number>;
}

/**
 * Blobs in chunks in the database, so that they commit and restore with the rows that name them.
 * `put` of the same bytes under the same id again changes nothing; of other bytes it fails with `blobs/exists`.
 */
export function createBlobs(deps: { readonly db: Transactor }): StoredBlobs {
  return {
    put,
    get,
    delete: (tx, id) => store.deleteBlob(tx, id),
    sweep: (now, limit) => sweep(deps.db, now, limit),
  };
}

async function put(tx: Tx, blob: NewBlob): Promise<void> {
  const bytes = Buffer.from(blob.bytes.buffer, blob.bytes.byteOffset, blob.bytes.byteLength);
  if (bytes.length > largestBlob) throw new ServiceError('blobs/too-large', { bytes: bytes.length });
  const digest = createHash('sha256').update(bytes).digest();
  const row = { mediaType: blob.mediaType, size: bytes.length, digest, deleteAfter: blob.deleteAfter };
  const inserted = await store.insertBlob(tx, blob.id, row);
  if (!inserted) {
    const there = await store.readBlob(tx, blob.id);
    if (there?.digest.equals(digest)) return;
    throw new ServiceError('blobs/exists', { id: blob.id });
  }
  const count = Math.ceil(bytes.length / chunkLength);
  const chunks = Array.from({ length: count }, (_, at) => bytes.subarray(at * chunkLength, (at + 1) * chunkLength));
  for (let at = 0; at < chunks.length; at += chunksAtOnce) {
    await store.insertChunks(tx, blob.id, at, chunks.slice(at, at + chunksAtOnce));
  }
}

async function get(db: Reader, id: string): ReturnType<Blobs['get']> {
  const blob = await store.readBlob(db, id);
  if (blob === undefined) return undefined;
  const bytes = Buffer.alloc(blob.size);
  const count = Math.ceil(blob.size / chunkLength);
  let filled = 0;
  for (let at = 0; at < count; at += chunksAtOnce) {
    for (const chunk of await store.readChunks(db, id, at, chunksAtOnce)) filled += chunk.copy(bytes, filled);
  }
  // Deleted between two statements of a reader that holds no transaction.
  if (filled !== blob.size) return undefined;
  if (!createHash('sha256').update(bytes).digest().equals(blob.digest)) throw new ServiceError('blobs/damaged', { id });
  return { bytes, mediaType: blob.mediaType, deleteAfter: blob.deleteAfter };
}

async function sweep(db: Transactor, now: Date, limit: number): Promise<number> {
  let swept = 0;
  while (swept < limit) {
    const batch = Math.min(sweepBatch, limit - swept);
    const deleted = await db.transaction((tx) => store.deleteExpired(tx, now, batch));
    swept += deleted;
    if (deleted < batch) break;
  }
  return swept;
}
