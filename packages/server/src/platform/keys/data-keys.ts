import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { ServiceError } from '../errors.ts';
import {
  destroyDiscarded, findPlace, finishDestroying, leavePreviousMasters, replaceKey, unwrap, wrap, type BucketsDeps, type Place,
} from './buckets.ts';
import { createKeyCache, type KeyCache } from './cache.ts';
import { openBytes, sealBytes } from './sealing.ts';
import * as store from './store.ts';
import type { KeyRow } from './store.ts';
import type { DataKeys, KeyUpkeep, SealedItem } from './types.ts';

export type DataKeysDeps = BucketsDeps;

interface Keyring extends BucketsDeps {
  readonly cache: KeyCache;
  /** Where the next new key goes, as far as this process knows; looked for by one caller at a time. */
  place: Promise<Place> | undefined;
}

/** At most this long may another process go on with a key that was destroyed here. */
const cacheLifeMs = 20_000;
const cacheSize = 2_000;
const mostAtOnce = 10_000;
/** Files read at the same time. */
const filesAtOnce = 64;
/** How often what others changed meanwhile is read again. */
const attempts = 8;
/** Buckets whose files are looked for at start: a folder that is not the shared one has none of them. */
const checkedBuckets = 32;

/** `deps.db` is the keys database, never the main one. */
export function createDataKeys(deps: DataKeysDeps): DataKeys & KeyUpkeep {
  const ring: Keyring = { ...deps, cache: createKeyCache(cacheLifeMs, cacheSize), place: undefined };
  const open = async (subjectId: string, context: string, sealed: Uint8Array): Promise<Buffer> =>
    openBytes(usable(subjectId, await keyOf(ring, subjectId)), [subjectId, context], sealed);
  return {
    async seal(subjectId, context, plain) {
      const bytes = typeof plain === 'string' ? Buffer.from(plain, 'utf8') : plain;
      return sealBytes(await keyFor(ring, subjectId), [subjectId, context], bytes);
    },
    open,
    openText: async (subjectId, context, sealed) => (await open(subjectId, context, sealed)).toString('utf8'),
    openMany: (items) => openMany(ring, items),
    destroy: (subjectId, reason) => destroy(ring, subjectId, reason),
    isDestroyed: async (subjectId) => (await store.readKeys(ring.db, [subjectId])).some((row) => row.destroyed),
    check: () => check(ring),
    finishDestroying: () => finishDestroying(ring),
    rewrap: (limit) => leavePreviousMasters(ring, limit),
    tombstones: ({ after, limit }) => store.listTombstones(ring.db, after ?? '', limit),
  };
}

/** Known keys of subjects by id; null where destroyed, absent where there never was one. */
async function keysOf(ring: Keyring, subjectIds: readonly string[], attempt = 1): Promise<Map<string, Buffer | null>> {
  const now = ring.clock.now().getTime();
  const found = new Map<string, Buffer | null>();
  const missing: string[] = [];
  for (const subjectId of new Set(subjectIds)) {
    const cached = ring.cache.get(subjectId, now);
    if (cached === undefined) missing.push(subjectId);
    else found.set(subjectId, cached);
  }
  if (missing.length === 0) return found;
  const epoch = ring.cache.epoch();
  const rows = await store.readKeys(ring.db, missing);
  const wrappingKeys = await wrappingKeysOf(ring, rows, attempt);
  // A key destroyed here while we read must not be used any more; a wrapping key that is gone was replaced while we read.
  if (ring.cache.epoch() !== epoch || wrappingKeys === undefined) return keysOf(ring, subjectIds, attempt + 1);
  for (const row of rows) {
    // Left by a crash, or stored by a process that did not see the tombstone in time.
    if (row.destroyed && row.bucketId !== null) await clear(ring, row.bucketId);
    const key = row.destroyed ? null : unwrap(wrappingKeys.get(row.keyId!)!, row.subjectId, row.wrapped!);
    if (key !== null) ring.cache.keep(row.subjectId, key, now, epoch);
    found.set(row.subjectId, key);
  }
  return found;
}

/** The wrapping keys of these rows by name; undefined when the rows must be read again, after a while. */
async function wrappingKeysOf(ring: Keyring, rows: readonly KeyRow[], attempt: number): Promise<Map<string, Buffer> | undefined> {
  const names = [...new Set(rows.flatMap((row) => (row.destroyed || row.keyId === null ? [] : [row.keyId])))];
  const keys = new Map<string, Buffer>();
  for (let from = 0; from < names.length; from += filesAtOnce) {
    await Promise.all(names.slice(from, from + filesAtOnce).map(async (name) => {
      const key = await findUnlessReplaced(ring, name, attempt);
      if (key !== undefined) keys.set(name, key);
    }));
  }
  if (keys.size === names.length) return keys;
  // Another machine's file may also need a moment to be seen here.
  await sleep(10 * attempt);
  return undefined;
}

async function findUnlessReplaced(ring: Keyring, name: string, attempt: number): Promise<Buffer | undefined> {
  try {
    const key = await ring.wrappingKeys.find(name);
    if (key === undefined && attempt >= attempts) throw new ServiceError('keys/missing-key-file', { name });
    return key;
  } catch (error) {
    // A file that is being overwritten reads as damaged.
    if (attempt < attempts && error instanceof ServiceError && error.code === 'keys/bad-key-file') return undefined;
    throw error;
  }
}

async function keyOf(ring: Keyring, subjectId: string): Promise<Buffer | null | undefined> {
  return (await keysOf(ring, [subjectId])).get(subjectId);
}

function usable(subjectId: string, key: Buffer | null | undefined): Buffer {
  if (key === undefined) throw new ServiceError('keys/unopenable');
  if (key === null) throw new ServiceError('keys/destroyed', { subjectId });
  return key;
}

/** The subject's key, made when there never was one. */
async function keyFor(ring: Keyring, subjectId: string): Promise<Buffer> {
  const known = await keyOf(ring, subjectId);
  if (known !== undefined) return usable(subjectId, known);
  for (let attempt = 1; attempt <= attempts; attempt++) {
    const placing = ring.place ??= findPlace(ring);
    if (await storeNewKey(ring, placing, subjectId)) {
      // Read back after the commit: another process may have stored its key first, or a tombstone may stand by now.
      const key = await keyOf(ring, subjectId);
      if (key !== undefined) return usable(subjectId, key);
    }
    // The bucket is full, gone, or under another key by now.
    if (ring.place === placing) ring.place = undefined;
  }
  throw new ServiceError('keys/no-place');
}

/** False when the place is none any more. */
async function storeNewKey(ring: Keyring, placing: Promise<Place>, subjectId: string): Promise<boolean> {
  try {
    const { bucketId, keyId } = await placing;
    const wrappingKey = await ring.wrappingKeys.find(keyId);
    if (wrappingKey === undefined) return false;
    const wrapped = wrap(wrappingKey, subjectId, randomBytes(32));
    await store.insertKey(ring.db, { subjectId, bucketId, keyId, wrapped }, ring.clock.now());
    return true;
  } catch (error) {
    // A failure must not be what all later callers are given.
    if (ring.place === placing) ring.place = undefined;
    throw error;
  }
}

async function openMany(ring: Keyring, items: readonly SealedItem[]): Promise<(Buffer | undefined)[]> {
  if (items.length > mostAtOnce) throw new ServiceError('keys/too-many', { items: items.length });
  const keys = await keysOf(ring, items.map((item) => item.subjectId));
  return items.map((item) => {
    const key = keys.get(item.subjectId);
    if (key === undefined) throw new ServiceError('keys/unopenable');
    return key === null ? undefined : openBytes(key, [item.subjectId, item.context], item.sealed);
  });
}

async function destroy(ring: Keyring, subjectId: string, reason: string): Promise<void> {
  // The order matters: once the tombstone is committed no key of the subject is used or made again, whatever happens next.
  await ring.db.transaction((tx) => store.insertTombstone(tx, subjectId, reason.slice(0, 200), ring.clock.now()));
  ring.cache.destroy(subjectId);
  const bucketId = await store.bucketOf(ring.db, subjectId);
  if (bucketId !== undefined) await replaceKey(ring, bucketId);
  // Also where another process was first with the bucket: this one answers for the file being gone.
  await destroyDiscarded(ring);
}

async function clear(ring: Keyring, bucketId: bigint): Promise<void> {
  await replaceKey(ring, bucketId);
  await destroyDiscarded(ring);
}

async function check(ring: Keyring): Promise<void> {
  if (await store.hasForeignMaster(ring.db, ring.wrappingKeys.masters)) throw new ServiceError('keys/wrong-master-key');
  for (const { keyId } of await store.newestBuckets(ring.db, checkedBuckets)) {
    const failure = await failureOf(ring, keyId);
    if (failure !== undefined && await store.isInForce(ring.db, keyId)) throw failure;
  }
}

async function failureOf(ring: Keyring, name: string): Promise<ServiceError | undefined> {
  try {
    return await ring.wrappingKeys.find(name) === undefined ? new ServiceError('keys/missing-key-file', { name }) : undefined;
  } catch (error) {
    if (error instanceof ServiceError) return error;
    throw error;
  }
}
