import { createHash } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openDatabase, sql } from './index.ts';
import { keysMigrations, mainMigrations, migrate, readMigrations, type Migration } from './migrations.ts';
import { sibling, testDatabase, type TestDatabase } from './testing.ts';

let t: TestDatabase;
let url: string;
beforeAll(async () => {
  t = await testDatabase();
  url = sibling(t.url, `${new URL(t.url).pathname.slice(1)}_fresh`);
  await t.db.script(`create database ${new URL(url).pathname.slice(1)} template template0`);
});
afterAll(async () => {
  await t.db.script(`drop database ${new URL(url).pathname.slice(1)} with (force)`);
  await t.drop();
});

const file = (name: string, text: string): Migration => ({ name, text, hash: createHash('sha256').update(text).digest('hex') });
const first = file('0001-a-first.sql', 'create schema a; create table a.t (n int);\ninsert into a.t values (1);');
const second = file('0002-a-second.sql', 'insert into a.t values (2);');

test('several processes that start at once run each file once', async () => {
  const ran = await Promise.all([1, 2, 3, 4].map(() => migrate(url, [first, second])));
  expect(ran.flat().sort()).toEqual(['0001-a-first.sql', '0002-a-second.sql']);
  const db = openDatabase(url);
  expect(await db.all(sql`select n from a.t order by n`)).toEqual([{ n: 1 }, { n: 2 }]);
  await db.close();
});

test('a failing file names its line and leaves nothing', async () => {
  const broken = file('0003-a-third.sql', 'create table a.u (n int);\n\nselect nonsense;');
  await expect(migrate(url, [first, second, broken])).rejects.toMatchObject({
    code: 'db/migration-failed', details: { file: '0003-a-third.sql', line: 3, reason: 'column "nonsense" does not exist' },
  });
  const db = openDatabase(url);
  expect(await db.one(sql`select to_regclass('a.u') as u`)).toEqual({ u: null });
  await db.close();
});

test('a newer schema and a changed file are refused', async () => {
  await expect(migrate(url, [first])).rejects.toMatchObject({ code: 'db/schema-newer', details: { unknown: ['0002-a-second.sql'] } });
  await expect(migrate(url, [first, file(second.name, 'select 1')])).rejects.toMatchObject({ code: 'db/schema-differs' });
});

test('our own folders are in order and leave nothing to do after they ran', async () => {
  expect(await migrate(t.url, readMigrations(mainMigrations))).toEqual([]);
  expect(await migrate(t.keysUrl, readMigrations(keysMigrations))).toEqual([]);
});
