import {
  certificateLeaf, consistencyProof, leafHash, parseCheckpoint, parseVerifierKey, readerOfLeaves, verifyConsistency, verifyInclusion,
  verifyNote,
} from '@yuanyou/proof';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sql, type Transactor, type Tx } from '../platform/db/index.ts';
import { testDatabase, type TestDatabase } from '../platform/db/testing.ts';
import { newId } from '../platform/ids.ts';
import { publishedFolder } from './published.ts';
import { entryOf, referenceRoot, testFolder, testLog, testSigner } from './testing.ts';

const signer = testSigner();
const databases: TestDatabase[] = [];
const folders: ReturnType<typeof testFolder>[] = [];
const newDatabase = async (): Promise<TestDatabase> => {
  const database = await testDatabase();
  databases.push(database);
  return database;
};
const newFolder = (): string => {
  const folder = testFolder();
  folders.push(folder);
  return folder.path;
};
afterAll(async () => {
  for (const database of databases) await database.drop();
  for (const folder of folders) folder.remove();
});

const entriesOf = async (db: Transactor): Promise<Buffer[]> => {
  const rows = await db.all(sql<{ entry: Buffer; at: bigint }>`
    select entry, leaf_index as at from transparency.leaf where leaf_index is not null order by leaf_index`);
  expect(rows.map((row) => Number(row.at))).toEqual(rows.map((_, at) => at));
  return rows.map((row) => row.entry);
};
const headOf = (note: string, vkey: string) => {
  const { text, verified } = verifyNote(note, [parseVerifierKey(vkey)]);
  expect(verified).toHaveLength(1);
  return parseCheckpoint(text);
};

describe('one log, several processes', () => {
  let database: TestDatabase;
  let folder: string;
  beforeAll(async () => {
    database = await newDatabase();
    folder = newFolder();
  });

  test('concurrent appends from two of them get contiguous places, and every head continues the one before', async () => {
    const logs = [7, 5].map((batch) => testLog(database.db, { signer, published: folder, batch }));
    for (const log of logs) expect(await log.start()).toBe('running');
    const notes: string[] = [];
    const ids: string[] = [];
    const worker = async (log: typeof logs[number], name: string): Promise<void> => {
      for (let round = 0; round < 6; round += 1) {
        ids.push(...await log.add(`${name} ${round} a`, `${name} ${round} b`));
        await log.sequence();
        notes.push(await log.checkpoint());
      }
    };
    await Promise.all([worker(logs[0]!, 'one'), worker(logs[1]!, 'two'), worker(logs[0]!, 'three'), worker(logs[1]!, 'four')]);

    const entries = await entriesOf(database.db);
    expect(entries).toHaveLength(48);
    const heads = notes.map((note) => headOf(note, logs[0]!.vkey)).sort((left, right) => left.size - right.size);
    expect(Buffer.from(heads.at(-1)!.root)).toEqual(referenceRoot(entries));
    const read = readerOfLeaves(entries.map((entry) => leafHash(entry)));
    for (const [at, head] of heads.entries()) {
      const before = heads[at - 1];
      if (before === undefined) continue;
      const proof = consistencyProof(before.size, head.size, read);
      verifyConsistency(before.size, before.root, head.size, head.root, proof);
    }
    for (const [at, leafId] of ids.entries()) {
      const evidence = (await logs[at % 2]!.evidence(leafId))!;
      const head = headOf(evidence.checkpoint, logs[0]!.vkey);
      verifyInclusion(leafHash(entries[evidence.index]!), evidence.index, head.size, head.root, evidence.inclusion);
    }
    const sequenced = logs.flatMap((log) => log.events.emitted.filter((event) => event.name === 'transparency.sequenced'));
    expect(new Set(sequenced.map((event) => (event.body as { leafId: string }).leafId))).toEqual(new Set(ids));
  });

  test('a leaf is pending until it is sequenced, and unknown ids have no evidence', async () => {
    const log = testLog(database.db, { signer, published: folder });
    const [leafId] = await log.add('a pending one') as [string];
    expect(await log.evidence(leafId)).toBeUndefined();
    await log.events.handlers.get('transparency.appended')!({} as never);
    expect(await log.evidence(leafId)).toMatchObject({ origin: 'demo.example/log', index: 48, treeSize: 49 });
    expect(await log.evidence(newId())).toBeUndefined();
  });

  test('the sweep finds what nobody announced', async () => {
    const log = testLog(database.db, { signer, published: folder });
    const [leafId] = await log.add('unannounced') as [string];
    await log.tasks[0]!();
    expect(await log.evidence(leafId)).toBeDefined();
  });

  test('a rolled back append leaves no leaf', async () => {
    const log = testLog(database.db, { signer, published: folder });
    const leafId = newId();
    await expect(database.db.transaction(async (tx) => {
      await log.append(tx, { leafId, entry: entryOf('rolled back') });
      throw new Error('the case changed its mind');
    })).rejects.toThrow('changed its mind');
    const before = await log.sequence();
    expect(await log.evidence(leafId)).toBeUndefined();
    expect(before.placed).toBe(0);
  });

  test('a repeated append does nothing, another entry under the same id is refused, before and after sequencing', async () => {
    const log = testLog(database.db, { signer, published: folder });
    const leaf = { leafId: newId(), entry: certificateLeaf('a.b.c', entryOf('salt')) };
    const append = (entry: Uint8Array) => database.db.transaction((tx) => log.append(tx, { ...leaf, entry }));
    for (const _ of ['pending', 'sequenced']) {
      await append(leaf.entry);
      await append(leaf.entry);
      await expect(append(entryOf('another'))).rejects.toMatchObject({ code: 'transparency/leaf-differs' });
      await log.sequence();
    }
    await expect(append(new Uint8Array(31))).rejects.toMatchObject({ code: 'transparency/bad-entry' });
    expect((await log.sequence()).placed).toBe(0);
  });

  test('what is sequenced cannot be changed in the database', async () => {
    for (const statement of [
      sql`update transparency.leaf set entry = ${entryOf('forged')} where leaf_index = 3`,
      sql`delete from transparency.leaf where leaf_index = 3`, sql`delete from transparency.log`,
    ]) {
      await expect(database.db.transaction((tx) => tx.run(statement))).rejects.toThrow();
    }
  });
});

describe('crashes', () => {
  test('whichever statement fails, nothing is half done and the next call goes on', async () => {
    const { db } = await newDatabase();
    const folder = newFolder();
    const steady = testLog(db, { signer, published: folder });
    await steady.start();
    let expected = 0;
    for (let failAt = 1; ; failAt += 1) {
      await steady.add(`round ${failAt}`);
      expected += 1;
      const crashing = testLog(breaking(db, failAt), { signer, published: folder });
      const failed = await crashing.sequence().then(() => false, () => true);
      const before = (await entriesOf(db)).length;
      expect(before).toBe(failed ? expected - 1 : expected);
      await steady.sequence();
      const entries = await entriesOf(db);
      expect(entries).toHaveLength(expected);
      expect(Buffer.from(headOf(await steady.checkpoint(), steady.vkey).root)).toEqual(referenceRoot(entries));
      if (!failed) break;
    }
    expect(expected).toBeGreaterThan(5);
  });

  test('a crash between commit and publishing loses nothing and shows nothing unpublished', async () => {
    const { db } = await newDatabase();
    const path = newFolder();
    const heads = publishedFolder(path, 'demo.example/log');
    let broken = true;
    const published = {
      latest: () => heads.latest(),
      record: (size: number, note: string) => (broken && size > 0 ? Promise.reject(new Error('disk full')) : heads.record(size, note)),
    };
    const log = testLog(db, { signer, published });
    const [leafId] = await log.add('one') as [string];
    await expect(log.sequence()).rejects.toThrow('disk full');
    expect(await entriesOf(db)).toHaveLength(1);
    await expect(log.evidence(leafId)).rejects.toThrow('disk full');
    await expect(log.checkpoint()).rejects.toThrow('disk full');
    broken = false;
    expect(await testLog(db, { signer, published: path }).evidence(leafId)).toMatchObject({ index: 0, treeSize: 1 });
  });
});

describe('a restored backup', () => {
  test('an older database refuses to append until the right one is back, or a new origin is opened', async () => {
    const [present, older] = [await newDatabase(), await newDatabase()];
    const folder = newFolder();
    const log = testLog(present.db, { signer, published: folder });
    await log.add('a', 'b');
    await log.sequence();
    const backup = testLog(older.db, { signer, published: newFolder() });
    await backup.add('a', 'b');
    await backup.sequence();
    await log.add('c');
    await log.sequence();

    const restored = testLog(older.db, { signer, published: folder });
    expect(await restored.start()).toBe('stopped');
    expect(restored.logged).toEqual(['the transparency log is stopped']);
    await expect(restored.add('d')).rejects.toMatchObject({
      code: 'transparency/stopped', details: { fault: 'behind-published', size: 2, publishedSize: 3 },
    });
    for (const refused of [restored.sequence, restored.checkpoint, restored.requireRunning]) {
      await expect(refused()).rejects.toMatchObject({ code: 'transparency/stopped' });
    }
    await restored.tasks[0]!();
    expect(await entriesOf(older.db)).toHaveLength(2);

    const anew = testLog(older.db, { signer, published: folder, origin: 'demo.example/log-2' });
    expect(await anew.start()).toBe('running');
    const [leafId] = await anew.add('d') as [string];
    expect(await anew.sequence()).toEqual({ placed: 1, size: 1 });
    expect(await anew.evidence(leafId)).toMatchObject({ origin: 'demo.example/log-2', index: 0 });
  });

  test('a database that went another way refuses, also where it is larger', async () => {
    const [present, other] = [await newDatabase(), await newDatabase()];
    const folder = newFolder();
    const log = testLog(present.db, { signer, published: folder });
    await log.add('a', 'b', 'c');
    await log.sequence();
    const forked = testLog(other.db, { signer, published: newFolder() });
    await forked.add('a', 'b', 'x', 'd', 'e');
    await forked.sequence();
    const restored = testLog(other.db, { signer, published: folder });
    expect(await restored.start()).toBe('stopped');
    await expect(restored.add('f')).rejects.toMatchObject({ details: { fault: 'not-what-was-published' } });
  });

  test('an empty database under a published log refuses; one that was mended goes on', async () => {
    const [present, empty] = [await newDatabase(), await newDatabase()];
    const folder = newFolder();
    const log = testLog(present.db, { signer, published: folder });
    await log.add('a');
    await log.sequence();
    const restored = testLog(empty.db, { signer, published: folder });
    await expect(restored.add('b')).rejects.toMatchObject({ details: { fault: 'behind-published', size: 0, publishedSize: 1 } });
    // Mended: the missing leaf is brought back by a process without the memory of what was published.
    await testLog(empty.db, { signer, published: newFolder() }).add('a');
    await testLog(empty.db, { signer, published: newFolder() }).sequence();
    await restored.tasks[0]!();
    expect(restored.logged).toEqual(['the transparency log is stopped', 'the transparency log goes on']);
    await restored.add('b');
    expect(await restored.sequence()).toEqual({ placed: 1, size: 2 });
  });

  test('damaged tiles, another key and a foreign file in the folder stop it too', async () => {
    const { db } = await newDatabase();
    const folder = newFolder();
    const log = testLog(db, { signer, published: folder });
    await log.add('a', 'b');
    await log.sequence();
    const otherKey = testLog(db, { signer: testSigner(), published: newFolder() });
    await expect(otherKey.start()).rejects.toMatchObject({ code: 'transparency/bad-key' });
    expect(() => testLog(db, { signer: testSigner('ES256'), published: folder })).toThrow('transparency/bad-key');
    const foreign = { latest: () => Promise.resolve('not a note'), record: () => Promise.reject(new Error('never')) };
    expect(await testLog(db, { signer, published: foreign }).start()).toBe('stopped');
    await db.script('alter table transparency.leaf disable trigger leaf_stays');
    await db.transaction((tx) => tx.run(sql`update transparency.leaf set entry = ${entryOf('forged')} where leaf_index = 1`));
    const damaged = testLog(db, { signer, published: folder });
    expect(await damaged.start()).toBe('stopped');
    await expect(damaged.add('c')).rejects.toMatchObject({ details: { fault: 'tiles-damaged' } });
    await log.add('d');
    await expect(log.sequence()).rejects.toMatchObject({ details: { fault: 'tiles-damaged' } });
  });
});

/** A database whose transactions fail at their n-th statement. */
function breaking(db: Transactor, failAt: number): Transactor {
  return {
    all: (query) => db.all(query), maybe: (query) => db.maybe(query), one: (query) => db.one(query), alone: (statement) => db.alone(statement),
    transaction: (work) => db.transaction((tx) => {
      let count = 0;
      const step = (): void => {
        count += 1;
        if (count === failAt) throw new Error('broken on purpose');
      };
      const counted: Tx = {
        all: async (query) => { step(); return tx.all(query); }, maybe: async (query) => { step(); return tx.maybe(query); },
        one: async (query) => { step(); return tx.one(query); }, run: async (query) => { step(); return tx.run(query); },
        send: (query) => { step(); tx.send(query); }, onCommit: (call) => { tx.onCommit(call); },
      };
      return work(counted);
    }),
  };
}
