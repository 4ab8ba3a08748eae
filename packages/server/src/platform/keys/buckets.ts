import type { Clock } from '../clock/index.ts';
import type { Transactor, Tx } from '../db/index.ts';
import { ServiceError } from '../errors.ts';
import { openBytes, sealBytes } from './sealing.ts';
import * as store from './store.ts';
import type { BucketRow } from './store.ts';
import type { WrappingKey, WrappingKeys } from './wrapping-keys.ts';

export interface BucketsDeps {
  readonly db: Transactor;
  readonly clock: Clock;
  readonly wrappingKeys: WrappingKeys;
}

/** Where a new data key goes: a bucket with a place left, and the name of the key to wrap it under. */
export interface Place {
  readonly bucketId: bigint;
  readonly keyId: string;
}

/** A draft that nobody took for so long belongs to a process that died. */
const draftLifeMs = 10 * 60_000;
const batch = 500;

export function wrap(key: Buffer, subjectId: string, dataKey: Buffer): Buffer {
  return sealBytes(key, ['data-key', subjectId], dataKey);
}

export function unwrap(key: Buffer, subjectId: string, wrapped: Buffer): Buffer {
  return openBytes(key, ['data-key', subjectId], wrapped);
}

/** The first bucket with a place, made where there is none. */
export async function findPlace(deps: BucketsDeps): Promise<Place> {
  const open = await store.openBucket(deps.db);
  if (open !== undefined) return open;
  const draft = await makeDraft(deps);
  return withDraft(deps, draft, async (tx) => {
    await take(tx, draft);
    const bucketId = await store.insertBucket(tx, draft.keyId, deps.wrappingKeys.master);
    return { bucketId, keyId: draft.keyId };
  });
}

/** A new wrapping key with its file. It is noted before the file is made, so that no crash leaves a file that nobody knows of. */
async function makeDraft({ db, clock, wrappingKeys }: BucketsDeps): Promise<WrappingKey> {
  const keyId = wrappingKeys.newName();
  await store.insertDraft(db, keyId, clock.now());
  return wrappingKeys.make(keyId);
}

/** Runs work that takes the draft; where that was given up meanwhile, its file goes as well. */
async function withDraft<T>({ db, clock }: BucketsDeps, { keyId }: WrappingKey, work: (tx: Tx) => Promise<T>): Promise<T> {
  try {
    return await db.transaction(work);
  } catch (error) {
    // Any other failure may hide that the transaction was committed: then the draft is a key in force.
    if (error instanceof ServiceError && error.code === 'keys/draft-lost') await store.discardLost(db, keyId, clock.now());
    throw error;
  }
}

async function take(tx: Tx, { keyId }: WrappingKey): Promise<void> {
  // Given up as left by a crash: its file may be gone.
  if (!await store.takeDraft(tx, keyId)) throw new ServiceError('keys/draft-lost', { name: keyId });
}

/** What became of a bucket's data keys. */
export interface Replaced {
  readonly destroyed: number;
  readonly rewrapped: number;
}

/**
 * Gives the bucket another wrapping key, wraps anew what is to stay and deletes the data keys of subjects that have a tombstone: in one
 * transaction. Does nothing where that was done meanwhile. The previous key is discarded, and its file is `destroyDiscarded`'s.
 */
export async function replaceKey(deps: BucketsDeps, bucketId: bigint): Promise<Replaced> {
  const next = await makeDraft(deps);
  const { taken, ...replaced } = await withDraft(deps, next, async (tx) => {
    const bucket = await store.lockBucket(tx, bucketId);
    return bucket === undefined ? { taken: false, destroyed: 0, rewrapped: 0 } : replaceLocked(deps, tx, bucket, next);
  });
  if (!taken) await store.discardDraft(deps.db, next.keyId);
  return replaced;
}

async function replaceLocked(
  deps: BucketsDeps, tx: Tx, bucket: BucketRow, next: WrappingKey,
): Promise<Replaced & { readonly taken: boolean }> {
  const { wrappingKeys } = deps;
  const members = await store.readMembers(tx, bucket.bucketId);
  const staying = members.filter((member) => !member.destroyed);
  const destroyed = members.length - staying.length;
  if (destroyed === 0 && bucket.masterId === wrappingKeys.master) return { taken: false, destroyed, rewrapped: 0 };
  await store.deleteKeys(tx, members.filter((member) => member.destroyed).map((member) => member.subjectId));
  await store.discard(tx, bucket.keyId, deps.clock.now());
  if (staying.length === 0) {
    await store.deleteBucket(tx, bucket.bucketId);
    return { taken: false, destroyed, rewrapped: 0 };
  }
  const previous = await wrappingKeys.find(bucket.keyId);
  if (previous === undefined) throw new ServiceError('keys/missing-key-file', { name: bucket.keyId });
  await store.updateKeys(tx, staying.map(({ subjectId, wrapped }) => rewrap(subjectId, wrapped, previous, next.key)));
  await take(tx, next);
  await store.updateBucket(tx, bucket.bucketId, next.keyId, wrappingKeys.master);
  return { taken: true, destroyed, rewrapped: staying.length };
}

/** One that does not open stops the whole: better a destruction that waits for a person than 255 keys lost by a wrong one. */
function rewrap(subjectId: string, wrapped: Buffer, previous: Buffer, next: Buffer): { subjectId: string; wrapped: Buffer } {
  const dataKey = unwrap(previous, subjectId, wrapped);
  const again = wrap(next, subjectId, dataKey);
  dataKey.fill(0);
  return { subjectId, wrapped: again };
}

/** Destroys the files of keys that no bucket uses any more, whoever discarded them. */
export async function destroyDiscarded({ db, wrappingKeys }: BucketsDeps): Promise<void> {
  for (;;) {
    const names = await store.discarded(db, batch);
    for (const keyId of names) {
      await wrappingKeys.destroy(keyId);
      // Only after the file: until then the row is what remembers it.
      await store.forgetDiscarded(db, keyId);
    }
    if (names.length < batch) return;
  }
}

/** Goes on wherever a process broke off; answers how many data keys it destroyed. */
export async function finishDestroying(deps: BucketsDeps): Promise<number> {
  await store.discardDrafts(deps.db, new Date(deps.clock.now().getTime() - draftLifeMs));
  let destroyed = 0;
  for (;;) {
    const buckets = await store.bucketsToClear(deps.db, batch);
    for (const bucketId of buckets) destroyed += (await replaceKey(deps, bucketId)).destroyed;
    if (buckets.length < batch) break;
  }
  await destroyDiscarded(deps);
  return destroyed;
}

/** Moves whole buckets under the master key in force until `limit` data keys have moved; answers how many. */
export async function leavePreviousMasters(deps: BucketsDeps, limit: number): Promise<number> {
  let moved = 0;
  while (moved < limit) {
    const bucketId = await store.bucketNotUnder(deps.db, deps.wrappingKeys.master);
    if (bucketId === undefined) break;
    moved += (await replaceKey(deps, bucketId)).rewrapped;
  }
  await destroyDiscarded(deps);
  return moved;
}
