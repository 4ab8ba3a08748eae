import { createDecipheriv, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { manualClock } from '../clock/index.ts';
import { sql } from '../db/index.ts';
import { testDatabase, type TestDatabase } from '../db/testing.ts';
import { newId } from '../ids.ts';
import { deriveKey } from './derive.ts';
import { createKeys, type Keys } from './index.ts';

const masterKey = randomBytes(32);
let database: TestDatabase;
let folder: string;
beforeAll(async () => {
  database = await testDatabase();
  folder = await mkdtemp(join(tmpdir(), 'yuanyou-residue-'));
});
afterAll(async () => {
  await database.drop();
  await rm(folder, { recursive: true });
});

const start = (): Keys => createKeys({ db: database.keysDb, masterKey, keyFolder: folder, clock: manualClock(new Date('2026-11-22T08:00:00Z')) });

/** AES-256-GCM by node:crypto alone: version | nonce | ciphertext | tag, with the bound texts as associated data. */
function opens(key: Buffer, bound: readonly string[], sealed: Buffer): Buffer | undefined {
  const aad = bound.flatMap((text) => [Buffer.from([0, 0, 0, Buffer.byteLength(text)]), Buffer.from(text)]);
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(1, 13), { authTagLength: 16 });
  decipher.setAAD(Buffer.concat(aad)).setAuthTag(sealed.subarray(-16));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(13, -16)), decipher.final()]);
  } catch {
    return undefined;
  }
}

/** Every key that whoever has the machine holds: the master key, what derives from it, and all that the key files yield under it. */
async function keysHeld(): Promise<Buffer[]> {
  const purposes = ['data-key-wrapping', 'wrapping-key-file', 'signing-key-file', 'name'];
  const held = [masterKey, ...purposes.map((purpose) => deriveKey(masterKey, purpose))];
  for (const name of await readdir(folder)) {
    const { sealed } = JSON.parse(await readFile(join(folder, name), 'utf8')) as { sealed: string };
    const key = opens(deriveKey(masterKey, 'wrapping-key-file'), ['wrapping-key', name.replace(/\.key$/, '')], Buffer.from(sealed, 'base64'));
    if (key !== undefined) held.push(key);
  }
  return held;
}

/** The table's file and the WAL since `from`, as they lie on the server's disk. */
async function bytesOnDisk(from: string): Promise<Buffer[]> {
  const { keysDb } = database;
  await keysDb.script('checkpoint');
  const table = await keysDb.one(sql<{ bytes: Buffer }>`select pg_read_binary_file(pg_relation_filepath('keys.data_key')) as bytes`);
  const wal = await keysDb.all(sql<{ bytes: Buffer }>`
    with last as (select * from pg_walfile_name_offset(pg_current_wal_lsn()))
    select case name when last.file_name then pg_read_binary_file('pg_wal/' || name, 0, last.file_offset) else pg_read_binary_file('pg_wal/' || name) end as bytes
    from pg_ls_waldir(), last
    where name ~ '^[0-9A-F]{24}$' and name between pg_walfile_name(${from}::pg_lsn) and last.file_name order by name`);
  return [table.bytes, Buffer.concat(wal.map(({ bytes }) => withoutPageHeaders(bytes)))];
}

/** Records of the WAL run on over its pages of 8192 bytes; the first page of a file has a longer header. */
function withoutPageHeaders(segment: Buffer): Buffer {
  const pages = Array.from({ length: Math.ceil(segment.length / 8192) }, (_, page) => page * 8192);
  return Buffer.concat(pages.map((at) => segment.subarray(at + (at === 0 ? 40 : 24), at + 8192)));
}

const wrappedLength = 1 + 12 + 32 + 16;
/** A row is smaller than this, so its data key lies so near to its subject. */
const rowLength = 400;

/** Whether any of the keys opens, near any mention of the subject in these bytes, a data key that opens the sealed value. */
function findsDataKey(places: readonly Buffer[], keys: readonly Buffer[], subject: string, sealed: Buffer): boolean {
  return places.some((bytes) => candidatesIn(bytes, subject).some((candidate) => keys.some((key) => {
    const dataKey = opens(key, ['data-key', subject], candidate);
    return dataKey !== undefined && opens(dataKey, [subject, 'c'], sealed) !== undefined;
  })));
}

function candidatesIn(bytes: Buffer, subject: string): Buffer[] {
  const found: Buffer[] = [];
  for (let at = bytes.indexOf(subject); at !== -1; at = bytes.indexOf(subject, at + 1)) {
    const near = bytes.subarray(Math.max(0, at - rowLength), at + rowLength);
    for (let from = 0; from + wrappedLength <= near.length; from++) if (near[from] === 1) found.push(near.subarray(from, from + wrappedLength));
  }
  return found;
}

test('after a destruction, nothing that the database keeps of the data key opens with any key that is still held', { timeout: 30_000 }, async () => {
  const { lsn } = await database.keysDb.one(sql<{ lsn: string }>`select pg_switch_wal()::text as lsn`);
  const { dataKeys } = start();
  const [subject, other] = [newId(), newId()];
  const sealed = await dataKeys.seal(subject, 'c', 'a name');
  const others = await dataKeys.seal(other, 'c', 'another name');
  const heldBefore = await keysHeld();
  const before = await bytesOnDisk(lsn);
  expect(before.map((bytes) => findsDataKey([bytes], heldBefore, subject, sealed))).toEqual([true, true]);

  await dataKeys.destroy(subject, 'closed');

  const [heldAfter, after] = [await keysHeld(), await bytesOnDisk(lsn)];
  // The residue is there: with the wrapping key that was destroyed it would open.
  expect(findsDataKey(after, heldBefore, subject, sealed)).toBe(true);
  expect(findsDataKey(after, heldAfter, subject, sealed)).toBe(false);
  expect(findsDataKey(after, heldAfter, other, others)).toBe(true);
  expect(await start().dataKeys.openText(other, 'c', others)).toBe('another name');
});
