import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createBlobs } from '../platform/blobs/index.ts';
import { systemClock } from '../platform/clock/index.ts';
import { testDatabase } from '../platform/db/testing.ts';
import type { TestDatabase } from '../platform/db/testing.ts';
import { newId } from '../platform/ids.ts';
import { sweepFeed } from './feed.ts';
import type { FeedDeps } from './feed.ts';
import * as store from './store.ts';

let database: TestDatabase;
let folder: string;
beforeAll(async () => {
  database = await testDatabase();
  folder = mkdtempSync(join(tmpdir(), 'yuanyou-feed-'));
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await database.drop();
});

test('several processes that look into one folder at once take in every file, each once', async () => {
  const { db } = database;
  const asIs = async (_subject: string, _context: string, bytes: Uint8Array | string): Promise<Buffer> => Buffer.from(bytes as Uint8Array);
  const deps = {
    db, clock: systemClock, blobs: createBlobs({ db }), dataKeys: { seal: asIs }, outbox: { emit: async () => {}, subscribe() {} }, log: { error() {} },
  } as unknown as FeedDeps;
  const operatorId = newId();
  const names = Array.from({ length: 40 }, (_, index) => `use-${String(index).padStart(2, '0')}.csv`);
  for (const name of names) writeFileSync(join(folder, name), `id\n${name}\n`);
  await Promise.all([1, 2, 3, 4].map(() => sweepFeed(deps, operatorId, folder)));
  expect(readdirSync(folder)).toEqual([]);
  expect((await store.batches(db, null, 100)).map((batch) => batch.source).toSorted()).toEqual(names);
});
