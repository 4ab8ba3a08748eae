import { randomBytes } from 'node:crypto';
import type { Clock } from '../clock/index.ts';
import type { Transactor } from '../db/index.ts';
import { ServiceError } from '../errors.ts';
import { createKeyCache, type KeyCache } from './cache.ts';
import { deriveKey, nameOfKey } from './derive.ts';
import { openBytes, sealBytes } from './sealing.ts';
import * as store from './store.ts';
import type { KeyRow } from './store.ts';
import type { DataKeys, KeyUpkeep, SealedItem } from './types.ts';

export interface DataKeysDeps {
  /** The keys database, never the main one. */
  readonly db: Transactor;
  readonly clock: Clock;
  /** The one in force first, then previous ones. */
  readonly masterKeys: readonly [Buffer, ...Buffer[]];
}

interface Keyring extends DataKeysDeps {
  readonly current: string;
  readonly wrappingKeys: ReadonlyMap<string, Buffer>;
  readonly cache: KeyCache;
}

/** At most this long may another process go on with a key that was destroyed here. */
const cacheLifeMs = 20_000;
const cacheSize = 2_000;
const mostAtOnce = 10_000;

export function createDataKeys(deps: DataKeysDeps): DataKeys & KeyUpkeep {
  const ring: Keyring = {
    ...deps,
    current: nameOfKey(deps.masterKeys[0]),
    wrappingKeys: new Map(deps.masterKeys.map((master) => [nameOfKey(master), deriveKey(master, 'data-key-wrapping')])),
    cache: createKeyCache(cacheLifeMs, cacheSize),
  };
  const open = async (subjectId: string, context: string, sealed: Uint8Array): Promise<Buffer> =>
    openBytes(await existingKey(ring, subjectId), [subjectId, context], sealed);
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
    finishDestroying: () => ring.db.transaction((tx) => store.deleteDestroyed(tx)),
    rewrap: (limit) => rewrap(ring, limit),
    tombstones: ({ after, limit }) => store.listTombstones(ring.db, after ?? '', limit),
  };
}

/** Known keys of subjects by id; null where destroyed, absent where there never was one. */
async function keysOf(ring: Keyring, subjectIds: readonly string[]): Promise<Map<string, Buffer | null>> {
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
  // A key destroyed here while we read must not be used any more.
  if (ring.cache.epoch() !== epoch) return keysOf(ring, subjectIds);
  for (const row of rows) {
    // Left by a crash, or stored by a process that did not see the tombstone in time.
    if (row.destroyed && row.wrapped !== null) await ring.db.transaction((tx) => store.deleteKey(tx, row.subjectId));
    const key = row.destroyed ? null : unwrap(ring, row);
    if (key !== null) ring.cache.keep(row.subjectId, key, now, epoch);
    found.set(row.subjectId, key);
  }
  return found;
}

async function existingKey(ring: Keyring, subjectId: string): Promise<Buffer> {
  const key = (await keysOf(ring, [subjectId])).get(subjectId);
  if (key === undefined) throw new ServiceError('keys/unopenable');
  if (key === null) throw new ServiceError('keys/destroyed', { subjectId });
  return key;
}

/** The subject's key, made when there never was one. */
async function keyFor(ring: Keyring, subjectId: string): Promise<Buffer> {
  if (!(await keysOf(ring, [subjectId])).has(subjectId)) {
    const wrapped = wrap(ring, subjectId, randomBytes(32));
    await ring.db.transaction((tx) => store.insertKey(tx, subjectId, ring.current, wrapped, ring.clock.now()));
  }
  // Read back after the commit: another process may have stored its key first, or a tombstone may stand by now.
  return existingKey(ring, subjectId);
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
  await ring.db.transaction((tx) => store.deleteKey(tx, subjectId));
}

async function check(ring: Keyring): Promise<void> {
  if (await store.hasForeignKeys(ring.db, [...ring.wrappingKeys.keys()])) throw new ServiceError('keys/wrong-master-key');
}

function rewrap(ring: Keyring, limit: number): Promise<number> {
  return ring.db.transaction(async (tx) => {
    const rows = await store.lockKeysNotUnder(tx, ring.current, limit);
    for (const row of rows) {
      const key = unwrap(ring, { ...row, destroyed: false });
      await store.updateKey(tx, row.subjectId, ring.current, wrap(ring, row.subjectId, key));
      key.fill(0);
    }
    return rows.length;
  });
}

function wrap(ring: Keyring, subjectId: string, key: Buffer): Buffer {
  return sealBytes(ring.wrappingKeys.get(ring.current)!, ['data-key', subjectId], key);
}

function unwrap(ring: Keyring, row: KeyRow): Buffer {
  const wrappingKey = ring.wrappingKeys.get(row.kekId ?? '');
  if (wrappingKey === undefined || row.wrapped === null) throw new ServiceError('keys/wrong-master-key');
  return openBytes(wrappingKey, ['data-key', row.subjectId], row.wrapped);
}
