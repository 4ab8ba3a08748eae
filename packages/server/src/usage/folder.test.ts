import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { createBlobs } from '../platform/blobs/index.ts';
import { systemClock } from '../platform/clock/index.ts';
import { testDatabase } from '../platform/db/testing.ts';
import type { TestDatabase } from '../platform/db/testing.ts';
import { newId } from '../platform/ids.ts';
import { maxFileBytes } from './csv.ts';
import { sweepFolder } from './folder.ts';
import type { FolderDeps } from './folder.ts';
import * as store from './store.ts';

let database: TestDatabase;
let folder: string;
let operatorId: string;
let errors: object[];
beforeAll(async () => { database = await testDatabase(); });
afterAll(() => database.drop());
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'yuanyou-feed-'));
  operatorId = newId();
  errors = [];
  return () => { rmSync(folder, { recursive: true }); };
});

function deps(settledMs = 0): FolderDeps {
  const { db } = database;
  const asIs = async (_subject: string, _context: string, bytes: Uint8Array | string): Promise<Buffer> => Buffer.from(bytes as Uint8Array);
  return {
    db, clock: systemClock, blobs: createBlobs({ db }), dataKeys: { seal: asIs }, outbox: { emit: async () => {}, subscribe() {} },
    log: { error: (fields: object) => { errors.push(fields); } }, settledMs,
  } as unknown as FolderDeps;
}
const put = (name: string, text = `id\n${name}\n`): void => { writeFileSync(join(folder, name), text); };
const taken = async () => (await store.batches(database.db, null, 100)).filter((batch) => batch.operatorId === operatorId)
  .map(({ source, state, reason }) => ({ source, state, reason }));
const names = async () => (await taken()).filter(({ state }) => state === 'received').map(({ source }) => source).toSorted();

test('several processes that look into one folder at once take in every file, each once', async () => {
  const files = Array.from({ length: 40 }, (_, index) => `use-${String(index).padStart(2, '0')}.csv`);
  files.forEach((name) => { put(name); });
  await Promise.all([1, 2, 3, 4].map(() => sweepFolder(deps(), operatorId, folder)));
  expect(readdirSync(folder)).toEqual([]);
  expect(await names()).toEqual(files);
});

test('files that are being written are left alone: by their names, and until they have stood still', async () => {
  for (const name of ['.a.csv', '.a.csv.part', 'a.csv.tmp', 'a.part', 'a.csv.refused', 'a b.csv']) put(name);
  put('fresh.csv');
  put('still.csv');
  put('ahead.csv');
  utimesSync(join(folder, 'still.csv'), new Date(), new Date(Date.now() - 3000));
  utimesSync(join(folder, 'ahead.csv'), new Date(), new Date(Date.now() + 3_600_000));
  expect(await sweepFolder(deps(2000), operatorId, folder)).toBe(2);
  expect(await names()).toEqual(['ahead.csv', 'still.csv']);
  expect(readdirSync(folder).toSorted()).toEqual(['.a.csv', '.a.csv.part', 'a b.csv', 'a.csv.refused', 'a.csv.tmp', 'a.part', 'fresh.csv']);
  utimesSync(join(folder, 'fresh.csv'), new Date(), new Date(Date.now() - 3000));
  await sweepFolder(deps(2000), operatorId, folder);
  expect(await names()).toContain('fresh.csv');
});

test('a folder that is not there yet holds nothing', async () => {
  expect(await sweepFolder(deps(), operatorId, join(folder, 'none'))).toBe(0);
});

test('what cannot be read is noted once, stays, and holds up nothing behind it', async () => {
  mkdirSync(join(folder, 'a-folder.csv'));
  symlinkSync('/etc/hostname', join(folder, 'b-link.csv'));
  execFileSync('mkfifo', [join(folder, 'c-pipe.csv')]);
  put('d-good.csv');
  for (let round = 0; round < 3; round++) await sweepFolder(deps(), operatorId, folder);
  expect(await names()).toEqual(['d-good.csv']);
  const refused = (await taken()).filter(({ state }) => state === 'refused').toSorted((a, b) => (a.source < b.source ? -1 : 1));
  expect(refused).toEqual([
    { source: 'a-folder.csv', state: 'refused', reason: 'not a file' },
    { source: 'b-link.csv', state: 'refused', reason: 'not a file of its own' },
    { source: 'c-pipe.csv', state: 'refused', reason: 'not a file' },
  ]);
  expect(errors).toHaveLength(3);
  expect(readdirSync(folder).toSorted()).toEqual(['a-folder.csv', 'b-link.csv', 'c-pipe.csv']);
});

test.skipIf(process.getuid?.() === 0)('a file without the right to read it is taken once the right is there', async () => {
  put('closed.csv');
  chmodSync(join(folder, 'closed.csv'), 0o000);
  await sweepFolder(deps(), operatorId, folder);
  expect(await taken()).toEqual([{ source: 'closed.csv', state: 'refused', reason: 'the file cannot be read' }]);
  chmodSync(join(folder, 'closed.csv'), 0o600);
  await sweepFolder(deps(), operatorId, folder);
  expect(await names()).toEqual(['closed.csv']);
});

test('a file that is too large is refused by its digest and goes', async () => {
  const huge = Buffer.alloc(maxFileBytes + 1, 'a');
  writeFileSync(join(folder, 'a-huge.csv'), huge);
  put('b-good.csv');
  await sweepFolder(deps(), operatorId, folder);
  expect(readdirSync(folder)).toEqual([]);
  expect(await names()).toEqual(['b-good.csv']);
  const row = (await store.batches(database.db, null, 100)).find(({ source }) => source === 'a-huge.csv')!;
  expect(row).toMatchObject({ state: 'refused', reason: `the file is larger than ${maxFileBytes} bytes`, blobId: null });
  expect(errors).toMatchObject([{ source: 'a-huge.csv' }]);
});

test('a file that takes the place of the one just read is not removed with it', async () => {
  put('hour.csv', 'id\nfirst\n');
  const given = deps();
  const { put: keep } = given.blobs;
  let replaced = false;
  const blobs = {
    ...given.blobs,
    put: async (...args: Parameters<typeof keep>) => {
      await keep(...args);
      if (replaced) return;
      replaced = true;
      writeFileSync(join(folder, '.next'), 'id\nsecond, and longer\n');
      renameSync(join(folder, '.next'), join(folder, 'hour.csv'));
    },
  };
  await sweepFolder({ ...given, blobs }, operatorId, folder);
  expect(existsSync(join(folder, 'hour.csv'))).toBe(true);
  await sweepFolder(given, operatorId, folder);
  expect(await names()).toEqual(['hour.csv', 'hour.csv']);
  expect(readdirSync(folder)).toEqual([]);
});
