import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { manualClock } from '../clock/index.ts';
import type { Transactor } from '../db/index.ts';
import { testDatabase, type TestDatabase } from '../db/testing.ts';
import { newId } from '../ids.ts';
import { createKeys, type Keys } from './index.ts';
import * as store from './store.ts';
import { memoryFolder } from './testing.ts';

const masterKey = randomBytes(32);
const files = new Map<string, Buffer>();
const keyFolder = memoryFolder(files);
const clock = manualClock(new Date('2026-11-22T08:00:00Z'));
let database: TestDatabase;
beforeAll(async () => { database = await testDatabase(); });
afterAll(() => database.drop());

/** Another process on the same database and key folder. */
function another(options: { masterKey?: Buffer; previousMasterKeys?: Buffer[]; db?: Transactor } = {}): Keys {
  return createKeys({ db: database.keysDb, masterKey, keyFolder, clock, ...options });
}

describe('sealing', () => {
  test('what is sealed opens again, text or bytes, in any process', async () => {
    const { dataKeys } = another();
    const subject = newId();
    const sealed = await dataKeys.seal(subject, 'accounts.account.name', '林 Mei');
    expect(await dataKeys.openText(subject, 'accounts.account.name', sealed)).toBe('林 Mei');
    const bytes = await another().dataKeys.seal(subject, 'x', Uint8Array.of(0, 255, 7));
    expect(await dataKeys.open(subject, 'x', bytes)).toEqual(Buffer.of(0, 255, 7));
    expect(await dataKeys.openText(subject, 'x', await dataKeys.seal(subject, 'x', ''))).toBe('');
  });

  test('the same value looks different each time, and carries version, nonce and tag', async () => {
    const { dataKeys } = another();
    const subject = newId();
    const [one, two] = [await dataKeys.seal(subject, 'c', 'value'), await dataKeys.seal(subject, 'c', 'value')];
    expect(one.equals(two)).toBe(false);
    expect([one.length, one[0]]).toEqual([1 + 12 + 5 + 16, 1]);
    expect(one.includes('value')).toBe(false);
  });

  test('another subject, another context or any changed byte does not open', async () => {
    const { dataKeys } = another();
    const [subject, other] = [newId(), newId()];
    const sealed = await dataKeys.seal(subject, 'c', 'value');
    await dataKeys.seal(other, 'c', 'value');
    const unopenable = { code: 'keys/unopenable' };
    await expect(dataKeys.open(other, 'c', sealed)).rejects.toMatchObject(unopenable);
    await expect(dataKeys.open(subject, 'd', sealed)).rejects.toMatchObject(unopenable);
    await expect(dataKeys.open(newId(), 'c', sealed)).rejects.toMatchObject(unopenable);
    await expect(dataKeys.open(subject, 'c', sealed.subarray(0, 28))).rejects.toMatchObject(unopenable);
    for (let at = 0; at < sealed.length; at++) {
      const changed = Buffer.from(sealed);
      changed[at]! ^= 1;
      await expect(dataKeys.open(subject, 'c', changed)).rejects.toMatchObject(unopenable);
    }
  });

  test('many are opened with one look-up', async () => {
    const subjects = [newId(), newId(), newId()];
    const sealing = another().dataKeys;
    const items = await Promise.all(subjects.flatMap((subjectId) => ['a', 'b'].map(async (context) => (
      { subjectId, context, sealed: await sealing.seal(subjectId, context, `${subjectId} ${context}`) }))));
    await sealing.destroy(subjects[1]!, 'closed');
    let lookUps = 0;
    const counting: Transactor = { ...database.keysDb, all: (query) => { lookUps++; return database.keysDb.all(query); } };
    const { dataKeys } = another({ db: counting });
    const opened = await dataKeys.openMany(items);
    expect(opened.map((value) => value?.toString())).toEqual(
      [`${subjects[0]} a`, `${subjects[0]} b`, undefined, undefined, `${subjects[2]} a`, `${subjects[2]} b`]);
    expect(lookUps).toBe(1);
    await expect(dataKeys.openMany([{ ...items[0]!, context: 'z' }])).rejects.toMatchObject({ code: 'keys/unopenable' });
  });
});

describe('keys', () => {
  test('of one subject, made by many processes at once, are one key', async () => {
    const subject = newId();
    const processes = Array.from({ length: 8 }, () => another().dataKeys);
    const sealed = await Promise.all(processes.map((dataKeys, n) => dataKeys.seal(subject, 'c', `value ${n}`)));
    const reader = another().dataKeys;
    expect(await Promise.all(sealed.map((one) => reader.openText(subject, 'c', one)))).toEqual(sealed.map((_, n) => `value ${n}`));
  });

  test('lie wrapped in the store, bound to their subject', async () => {
    const { dataKeys } = another();
    const [subject, thief] = [newId(), newId()];
    const sealed = await dataKeys.seal(subject, 'c', 'value');
    await dataKeys.seal(thief, 'c', 'value');
    const [row] = await store.readKeys(database.keysDb, [subject]);
    expect(row!.wrapped!.length).toBe(1 + 12 + 32 + 16);
    await database.keysDb.transaction((tx) => store.updateKeys(tx, [{ subjectId: thief, wrapped: row!.wrapped! }]));
    await expect(another().dataKeys.open(thief, 'c', sealed)).rejects.toMatchObject({ code: 'keys/unopenable' });
    await dataKeys.destroy(thief, 'test');
  });
});

describe('destroying', () => {
  test('closes the subject for good, at once here, everywhere within the cache time, and again without effect', async () => {
    const [here, there] = [another().dataKeys, another().dataKeys];
    const subject = newId();
    const sealed = await here.seal(subject, 'c', 'value');
    expect(await there.openText(subject, 'c', sealed)).toBe('value');
    await here.destroy(subject, 'closed');
    await here.destroy(subject, 'closed again');
    const destroyed = { code: 'keys/destroyed' };
    await expect(here.open(subject, 'c', sealed)).rejects.toMatchObject(destroyed);
    await expect(here.seal(subject, 'c', 'new')).rejects.toMatchObject(destroyed);
    expect(await here.isDestroyed(subject)).toBe(true);
    clock.advance(30_000);
    await expect(there.open(subject, 'c', sealed)).rejects.toMatchObject(destroyed);
    expect(await store.readKeys(database.keysDb, [subject])).toMatchObject([{ destroyed: true, wrapped: null }]);
    expect(await here.isDestroyed(newId())).toBe(false);
  });

  test('a subject destroyed before it ever had a key never gets one', async () => {
    const { dataKeys } = another();
    const subject = newId();
    await dataKeys.destroy(subject, 'closed');
    await expect(dataKeys.seal(subject, 'c', 'value')).rejects.toMatchObject({ code: 'keys/destroyed' });
  });

  test('a crash between tombstone and destruction leaves nothing usable, and is finished later', async () => {
    const { dataKeys, upkeep } = another();
    const [subject, second] = [newId(), newId()];
    const sealed = await dataKeys.seal(subject, 'c', 'value');
    await dataKeys.seal(second, 'c', 'value');
    for (const id of [subject, second]) await database.keysDb.transaction((tx) => store.insertTombstone(tx, id, 'closed', clock.now()));
    await expect(another().dataKeys.open(subject, 'c', sealed)).rejects.toMatchObject({ code: 'keys/destroyed' });
    // Looking for one finished its bucket.
    expect(await upkeep.finishDestroying()).toBe(0);
    expect(await store.readKeys(database.keysDb, [subject, second])).toMatchObject([{ wrapped: null }, { wrapped: null }]);
  });

  test('a key read just before it was destroyed here is not used after', async () => {
    const subject = newId();
    const sealed = await another().dataKeys.seal(subject, 'c', 'value');
    let pause = Promise.resolve();
    const slow: Transactor = {
      ...database.keysDb,
      async all(query) {
        const rows = await database.keysDb.all(query);
        const [now] = [pause, pause = Promise.resolve()];
        await now;
        return rows;
      },
    };
    const { dataKeys } = another({ db: slow });
    let goOn = (): void => {};
    pause = new Promise((resolve) => { goOn = resolve; });
    const opening = dataKeys.open(subject, 'c', sealed);
    await new Promise((resolve) => setTimeout(resolve, 50));
    await dataKeys.destroy(subject, 'closed');
    goOn();
    await expect(opening).rejects.toMatchObject({ code: 'keys/destroyed' });
  });

  test('racing with sealing in other processes, no key outlives the tombstone', async () => {
    for (let round = 0; round < 10; round++) {
      const subject = newId();
      const sealing = Promise.allSettled(Array.from({ length: 4 }, () => another().dataKeys.seal(subject, 'c', 'v')));
      await another().dataKeys.destroy(subject, 'closed');
      await sealing;
      await expect(another().dataKeys.seal(subject, 'c', 'v')).rejects.toMatchObject({ code: 'keys/destroyed' });
      expect(await store.readKeys(database.keysDb, [subject])).toMatchObject([{ destroyed: true, wrapped: null }]);
    }
  });

  test('tombstones are listed, and the database refuses to change them', async () => {
    const { upkeep } = another();
    const all = await upkeep.tombstones({ limit: 1000 });
    const rest = await upkeep.tombstones({ after: all[0]!.subjectId, limit: 1000 });
    expect(rest).toEqual(all.slice(1));
    await expect(database.keysDb.script('delete from keys.tombstone')).rejects.toThrow('never changed');
    await expect(database.keysDb.script(`update keys.tombstone set reason = 'x'`)).rejects.toThrow('never changed');
    await expect(database.keysDb.script('truncate keys.tombstone')).rejects.toThrow('never changed');
  });
});

describe('master keys', () => {
  test('a wrong one is noticed and opens nothing', async () => {
    const subject = newId();
    const sealed = await another().dataKeys.seal(subject, 'c', 'value');
    const wrong = another({ masterKey: randomBytes(32) });
    await expect(wrong.upkeep.check()).rejects.toMatchObject({ code: 'keys/wrong-master-key' });
    await expect(wrong.dataKeys.open(subject, 'c', sealed)).rejects.toMatchObject({ code: 'keys/wrong-master-key' });
    await expect(another().upkeep.check()).resolves.toBeUndefined();
    expect(() => another({ masterKey: randomBytes(16) })).toThrow('keys/bad-master-key');
  });

  test('are rotated: previous ones still open, and keys move under the new one', async () => {
    const subject = newId();
    const sealed = await another().dataKeys.seal(subject, 'c', 'value');
    const next = randomBytes(32);
    const rotating = another({ masterKey: next, previousMasterKeys: [masterKey] });
    expect(await rotating.dataKeys.openText(subject, 'c', sealed)).toBe('value');
    let moved = 0;
    for (let batch = 1; batch > 0; moved += batch) batch = await rotating.upkeep.rewrap(3);
    expect(moved).toBeGreaterThan(0);
    const rotated = another({ masterKey: next });
    await rotated.upkeep.check();
    expect(await rotated.dataKeys.openText(subject, 'c', sealed)).toBe('value');
  });
});

test('blind indexes are stable, keyed and apart by purpose', () => {
  const { blindIndex } = another();
  expect(blindIndex.of('email', 'mail@example.org')).toEqual(another().blindIndex.of('email', 'mail@example.org'));
  expect(blindIndex.of('email', 'mail@example.org')).toHaveLength(32);
  expect(blindIndex.of('email', 'mail@example.org')).not.toEqual(blindIndex.of('phone', 'mail@example.org'));
  expect(blindIndex.of('email', 'a')).not.toEqual(another({ masterKey: randomBytes(32) }).blindIndex.of('email', 'a'));
});
