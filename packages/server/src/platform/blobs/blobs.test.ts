import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { testDatabase, type TestDatabase } from '../db/testing.ts';
import { newId } from '../ids.ts';
import { createBlobs, type StoredBlobs } from './index.ts';

let database: TestDatabase;
let blobs: StoredBlobs;
beforeAll(async () => {
  database = await testDatabase();
  blobs = createBlobs({ db: database.db });
});
afterAll(() => database.drop());

const deleteAfter = new Date('2026-12-01T00:00:00Z');
const put = (id: string, bytes: Uint8Array, until = deleteAfter): Promise<void> =>
  database.db.transaction((tx) => blobs.put(tx, { id, bytes, deleteAfter: until, mediaType: 'application/zip' }));

test.each([0, 1, 256 * 1024, 256 * 1024 + 1, 5 * 1024 * 1024 + 3])('a blob of %i bytes comes back as it was', async (length) => {
  const id = newId();
  const bytes = randomBytes(length);
  await put(id, bytes);
  const found = await blobs.get(database.db, id);
  expect(found?.bytes.equals(bytes)).toBe(true);
  expect(found).toMatchObject({ mediaType: 'application/zip', deleteAfter });
});

test('a repeated put changes nothing, other bytes under the same id are refused', async () => {
  const id = newId();
  await put(id, Buffer.from('one'));
  await put(id, Buffer.from('one'));
  await expect(put(id, Buffer.from('two'))).rejects.toMatchObject({ code: 'blobs/exists' });
  expect((await blobs.get(database.db, id))?.bytes.toString()).toBe('one');
});

test('a view into a larger buffer is stored as the view', async () => {
  const id = newId();
  await put(id, new Uint8Array(Buffer.from('xxvaluexx')).subarray(2, 7));
  expect((await blobs.get(database.db, id))?.bytes.toString()).toBe('value');
});

test('a put that rolls back leaves nothing; a deleted blob is gone with its chunks', async () => {
  const [rolledBack, deleted] = [newId(), newId()];
  await expect(database.db.transaction(async (tx) => {
    await blobs.put(tx, { id: rolledBack, bytes: Buffer.from('x'), deleteAfter, mediaType: 'text/plain' });
    throw new Error('no');
  })).rejects.toThrow('no');
  expect(await blobs.get(database.db, rolledBack)).toBeUndefined();
  await put(deleted, Buffer.from('x'));
  await database.db.transaction((tx) => blobs.delete(tx, deleted));
  await database.db.transaction((tx) => blobs.delete(tx, deleted));
  expect(await blobs.get(database.db, deleted)).toBeUndefined();
  await put(deleted, Buffer.from('y'));
});

test('damaged bytes are noticed', async () => {
  const id = newId();
  await put(id, Buffer.from('value'));
  await database.db.script(`update blobs.chunk set bytes = 'vAlue' where blob_id = '${id}'`);
  await expect(blobs.get(database.db, id)).rejects.toMatchObject({ code: 'blobs/damaged' });
});

test('the sweep deletes what is past its time, in batches, and no more than it was told', async () => {
  const past = new Date('2020-01-01T00:00:00Z');
  const ids = Array.from({ length: 205 }, () => newId());
  await database.db.transaction(async (tx) => {
    for (const id of ids) await blobs.put(tx, { id, bytes: Buffer.from('x'), deleteAfter: past, mediaType: 'text/plain' });
  });
  const kept = newId();
  await put(kept, Buffer.from('x'));
  expect(await blobs.sweep(past, 150)).toBe(150);
  expect(await blobs.sweep(past, 1000)).toBe(55);
  expect(await blobs.sweep(past, 1000)).toBe(0);
  expect(await blobs.get(database.db, kept)).toBeDefined();
});
