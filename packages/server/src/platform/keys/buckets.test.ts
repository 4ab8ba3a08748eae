import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { manualClock } from '../clock/index.ts';
import { sql, type Transactor } from '../db/index.ts';
import { testDatabase, type TestDatabase } from '../db/testing.ts';
import { newId } from '../ids.ts';
import { createKeys, type KeyFolder, type Keys } from './index.ts';
import * as store from './store.ts';
import { memoryFolder } from './testing.ts';

const masterKey = randomBytes(32);
const clock = manualClock(new Date('2026-11-22T08:00:00Z'));
const files = new Map<string, Buffer>();
const shared = memoryFolder(files);
let database: TestDatabase;
beforeAll(async () => { database = await testDatabase(); });
afterAll(() => database.drop());
beforeEach(async () => {
  files.clear();
  await database.keysDb.script('delete from keys.data_key; delete from keys.bucket; delete from keys.loose_key');
});

/** Another process on the same database and key folder. */
function another(options: { masterKey?: Buffer; previousMasterKeys?: Buffer[]; db?: Transactor; keyFolder?: KeyFolder } = {}): Keys {
  return createKeys({ db: database.keysDb, masterKey, keyFolder: shared, clock, ...options });
}

async function sealedBy({ dataKeys }: Keys, count: number): Promise<{ subject: string; sealed: Buffer }[]> {
  const made = [];
  for (let n = 0; n < count; n++) {
    const subject = newId();
    made.push({ subject, sealed: await dataKeys.seal(subject, 'c', subject) });
  }
  return made;
}

const bucketsNow = () => database.keysDb.all(sql<{ bucket_id: bigint; key_id: string; assigned: number; members: number }>`
  select b.bucket_id, b.key_id, b.assigned, (select count(*)::int from keys.data_key k where k.bucket_id = b.bucket_id) as members
  from keys.bucket b order by b.bucket_id`);
const looseNow = async () => (await database.keysDb.one(sql<{ count: number }>`select count(*)::int as count from keys.loose_key`)).count;

/** The key folder holds the wrapping keys in force and nothing else. */
async function expectTidyFolder(): Promise<void> {
  expect([...files.keys()].toSorted()).toEqual((await bucketsNow()).map(({ key_id }) => key_id).toSorted());
  expect(await looseNow()).toBe(0);
}

describe('buckets', () => {
  test('are filled in order, 256 subjects each', async () => {
    const [keys] = [another()];
    await sealedBy(keys, 1);
    await database.keysDb.script('update keys.bucket set assigned = 254');
    const made = await sealedBy(keys, 3);
    expect((await bucketsNow()).map(({ assigned, members }) => [assigned, members])).toEqual([[256, 3], [1, 1]]);
    const reader = another().dataKeys;
    for (const { subject, sealed } of made) expect(await reader.openText(subject, 'c', sealed)).toBe(subject);
  });

  test('a destruction wraps anew its own bucket only, and an empty bucket goes', async () => {
    const keys = another();
    const first = await sealedBy(keys, 3);
    await database.keysDb.script('update keys.bucket set assigned = 256');
    const [alone] = await sealedBy(keys, 1);
    const before = await bucketsNow();
    await keys.dataKeys.destroy(first[0]!.subject, 'closed');
    const after = await bucketsNow();
    expect(after.map(({ members }) => members)).toEqual([2, 1]);
    expect([after[0]!.key_id === before[0]!.key_id, after[1]!.key_id === before[1]!.key_id]).toEqual([false, true]);
    await keys.dataKeys.destroy(alone!.subject, 'closed');
    expect((await bucketsNow()).map(({ members }) => members)).toEqual([2]);
    await expectTidyFolder();
    // What comes next gets a bucket again.
    const [next] = await sealedBy(keys, 1);
    expect(await another().dataKeys.openText(next!.subject, 'c', next!.sealed)).toBe(next!.subject);
  });

  test('a process that holds the replaced wrapping key goes on with the new one, reading and sealing', async () => {
    const [here, there] = [another(), another()];
    const made = await sealedBy(here, 3);
    expect(await there.dataKeys.openText(made[0]!.subject, 'c', made[0]!.sealed)).toBe(made[0]!.subject);
    const [own] = await sealedBy(there, 1);
    await here.dataKeys.destroy(made[1]!.subject, 'closed');
    expect(await there.dataKeys.openText(made[2]!.subject, 'c', made[2]!.sealed)).toBe(made[2]!.subject);
    const [later] = await sealedBy(there, 1);
    for (const { subject, sealed } of [own!, later!]) expect(await another().dataKeys.openText(subject, 'c', sealed)).toBe(subject);
    expect((await bucketsNow()).map(({ members }) => members)).toEqual([4]);
  });

  test('a folder that lacks the keys is told at start and at use, a damaged file too', async () => {
    const [made] = await sealedBy(another(), 1);
    await expect(another().upkeep.check()).resolves.toBeUndefined();
    const elsewhere = another({ keyFolder: memoryFolder() });
    await expect(elsewhere.upkeep.check()).rejects.toMatchObject({ code: 'keys/missing-key-file' });
    await expect(elsewhere.dataKeys.open(made!.subject, 'c', made!.sealed)).rejects.toMatchObject({ code: 'keys/missing-key-file' });
    const [[name, bytes]] = [...files] as [[string, Buffer]];
    files.set(name, bytes.subarray(1));
    await expect(another().upkeep.check()).rejects.toMatchObject({ code: 'keys/bad-key-file' });
  });

  test('a data key that does not open stops the destruction, which takes none of the others with it', async () => {
    const keys = another();
    const made = await sealedBy(keys, 3);
    const damage = sql`update keys.data_key set wrapped = set_byte(wrapped, 20, get_byte(wrapped, 20) # 1) where subject_id = ${made[0]!.subject}`;
    await database.keysDb.alone(damage);
    await expect(keys.dataKeys.destroy(made[1]!.subject, 'closed')).rejects.toMatchObject({ code: 'keys/unopenable' });
    expect(await another().dataKeys.openText(made[2]!.subject, 'c', made[2]!.sealed)).toBe(made[2]!.subject);
    await database.keysDb.alone(damage);
    clock.advance(11 * 60_000);
    expect(await another().upkeep.finishDestroying()).toBe(1);
    await expectTidyFolder();
  });

  test('a master key in force takes over buckets that have none left as well', async () => {
    const made = await sealedBy(another(), 3);
    const next = randomBytes(32);
    const rotating = another({ masterKey: next, previousMasterKeys: [masterKey] });
    expect(await rotating.upkeep.rewrap(1)).toBe(3);
    expect(await rotating.upkeep.rewrap(1)).toBe(0);
    const rotated = another({ masterKey: next });
    await rotated.upkeep.check();
    expect(await rotated.dataKeys.openText(made[0]!.subject, 'c', made[0]!.sealed)).toBe(made[0]!.subject);
    await expectTidyFolder();
  });
});

describe('many processes', () => {
  test('destroy in one bucket at once, while others read and seal', async () => {
    const made = await sealedBy(another(), 18);
    const [leaving, staying] = [made.slice(0, 9), made.slice(9)];
    const processes = Array.from({ length: 3 }, () => another());
    const destroying = leaving.map(({ subject }, n) => processes[n % 3]!.dataKeys.destroy(subject, 'closed'));
    const reading = staying.map(({ subject, sealed }) => another().dataKeys.openText(subject, 'c', sealed));
    const sealing = Array.from({ length: 4 }, () => sealedBy(another(), 2));
    await Promise.all(destroying);
    expect(await Promise.all(reading)).toEqual(staying.map(({ subject }) => subject));
    const fresh = another().dataKeys;
    for (const { subject, sealed } of [...staying, ...(await Promise.all(sealing)).flat()]) {
      expect(await fresh.openText(subject, 'c', sealed)).toBe(subject);
    }
    for (const { subject, sealed } of leaving) await expect(fresh.open(subject, 'c', sealed)).rejects.toMatchObject({ code: 'keys/destroyed' });
    await expectTidyFolder();
  });

  test('a destruction answers only when the wrapping key is gone, also where another process replaced it', async () => {
    const made = await sealedBy(another(), 3);
    const before = (await bucketsNow())[0]!.key_id;
    let goOn = (): void => {};
    const held = new Promise<void>((resolve) => { goOn = resolve; });
    const slow = another({ keyFolder: { ...shared, async destroy(name) { await held; await shared.destroy(name); } } });
    const first = slow.dataKeys.destroy(made[0]!.subject, 'closed');
    await expect.poll(async () => (await bucketsNow())[0]!.key_id).not.toBe(before);
    expect(files.has(before)).toBe(true);
    await another().dataKeys.destroy(made[0]!.subject, 'closed');
    expect(files.has(before)).toBe(false);
    goOn();
    await first;
    await expectTidyFolder();
  });
});

/** A process that dies at its n-th call of the database or the folder, before or after it took effect. */
function dying(at: number, moment: 'before' | 'after'): { readonly keys: Keys; readonly lived: () => boolean } {
  let calls = 0;
  const mortal = <A extends unknown[], R>(call: (...args: A) => Promise<R>) => async (...args: A): Promise<R> => {
    calls++;
    if (calls > at || (calls === at && moment === 'before')) throw new Error('dead');
    const result = await call(...args);
    if (calls >= at) throw new Error('dead');
    return result;
  };
  const { keysDb } = database;
  const db: Transactor = {
    all: mortal(keysDb.all) as Transactor['all'], maybe: mortal(keysDb.maybe) as Transactor['maybe'], one: mortal(keysDb.one) as Transactor['one'],
    alone: mortal(keysDb.alone), transaction: mortal(keysDb.transaction) as Transactor['transaction'],
  };
  const keyFolder: KeyFolder = { read: mortal(shared.read), create: mortal(shared.create), destroy: mortal(shared.destroy) };
  return { keys: another({ db, keyFolder }), lived: () => calls < at };
}

describe('dying at any point', () => {
  test.each(['before', 'after'] as const)('of a destruction, %s a call, loses nothing, and the next start finishes it', async (moment) => {
    const staying = await sealedBy(another(), 3);
    let points = 0;
    for (let lived = false; !lived; points++) {
      const [leaving] = await sealedBy(another(), 1);
      const process = dying(points + 1, moment);
      await process.keys.dataKeys.destroy(leaving!.subject, 'closed').catch(() => {});
      lived = process.lived();
      const next = another();
      for (const { subject, sealed } of staying) expect(await next.dataKeys.openText(subject, 'c', sealed)).toBe(subject);
      if (await next.dataKeys.isDestroyed(leaving!.subject)) {
        await expect(next.dataKeys.open(leaving!.subject, 'c', leaving!.sealed)).rejects.toMatchObject({ code: 'keys/destroyed' });
      } else {
        expect(await next.dataKeys.openText(leaving!.subject, 'c', leaving!.sealed)).toBe(leaving!.subject);
        await next.dataKeys.destroy(leaving!.subject, 'closed');
      }
      clock.advance(11 * 60_000);
      await another().upkeep.finishDestroying();
      await expectTidyFolder();
      expect((await bucketsNow()).map(({ members }) => members)).toEqual([3]);
    }
    // Tombstone, look-up, draft, file, replacement, list, file, note: at least.
    expect(points).toBeGreaterThan(7);
  });

  test.each(['before', 'after'] as const)('of a first sealing, %s a call, leaves nothing behind that is not tidied', async (moment) => {
    for (let at = 1, lived = false; !lived; at++) {
      await database.keysDb.script('delete from keys.data_key; delete from keys.bucket');
      files.clear();
      const process = dying(at, moment);
      const subject = newId();
      await process.keys.dataKeys.seal(subject, 'c', 'value').catch(() => {});
      lived = process.lived();
      const sealed = await another().dataKeys.seal(subject, 'c', 'value');
      expect(await another().dataKeys.openText(subject, 'c', sealed)).toBe('value');
      clock.advance(11 * 60_000);
      await another().upkeep.finishDestroying();
      await expectTidyFolder();
    }
  });

  test('a draft that was given up meanwhile is not taken, and its file goes', async () => {
    const made = await sealedBy(another(), 2);
    const late = another({ keyFolder: {
      ...shared,
      async create(name, bytes) {
        await store.discardDrafts(database.keysDb, new Date(clock.now().getTime() + 1));
        await store.forgetDiscarded(database.keysDb, name);
        return shared.create(name, bytes);
      },
    } });
    await expect(late.dataKeys.destroy(made[0]!.subject, 'closed')).rejects.toMatchObject({ code: 'keys/draft-lost' });
    expect(await another().dataKeys.openText(made[1]!.subject, 'c', made[1]!.sealed)).toBe(made[1]!.subject);
    expect(await another().upkeep.finishDestroying()).toBe(1);
    await expectTidyFolder();
  });
});
