import { afterAll, beforeAll, expect, test } from 'vitest';
import { isUniqueViolation, openDatabase, sql, type RawBuilder, type Tx } from './index.ts';
import { testDatabase, type TestDatabase } from './testing.ts';

let t: TestDatabase;
beforeAll(async () => {
  t = await testDatabase();
  await t.db.script('create table box (id int primary key, n int8 not null default 0, constraint box_small check (n < 1000))');
});
afterAll(() => t.drop());

test('values come back as the types we use', async () => {
  const row = await t.db.one(sql`
    select 9007199254740993::int8 as big, count(*) as n, '2026-02-03T04:05:06.789Z'::timestamptz as at, '2026-02-03'::date as day,
      '{"a":[1]}'::jsonb as j, '\\x00ff'::bytea as bytes, ${['01900000-0000-7000-8000-000000000001']}::uuid[] as ids, array[1,2]::int8[] as bigs
    from box`);
  expect(row).toEqual({
    big: 9007199254740993n, n: 0n, at: new Date('2026-02-03T04:05:06.789Z'), day: '2026-02-03',
    j: { a: [1] }, bytes: Buffer.from([0, 255]), ids: ['01900000-0000-7000-8000-000000000001'], bigs: [1n, 2n],
  });
});

test('parameters of our types go in', async () => {
  const at = new Date('2026-02-03T04:05:06.789Z');
  const row = await t.db.one(sql`select ${at}::timestamptz as at, ${12345678901234567n}::int8 as big, ${Buffer.from([1, 0, 2])}::bytea as bytes,
    ${JSON.stringify({ a: 1 })}::jsonb as j, ${null}::text as nothing`);
  expect(row).toEqual({ at, big: 12345678901234567n, bytes: Buffer.from([1, 0, 2]), j: { a: 1 }, nothing: null });
});

test('one template may be filled with values and with templates, in any mixture', async () => {
  const fill = (...parts: readonly (number | RawBuilder<unknown>)[]) => parts.map((part) => t.db.one(sql<{ n: number }>`select ${part}::int + ${5}::int as n`));
  const parts = [1, sql`(${2}::int + ${3}::int)`, sql.raw('4'), sql`${sql.lit(6)}`, 7, sql.join([sql`8`], sql` + `)];
  expect((await Promise.all(fill(...parts))).map(({ n }) => n)).toEqual([6, 10, 9, 11, 12, 13]);
  expect(await t.db.one(sql`select n from (values (1)) v (${sql.id('n')})`)).toEqual({ n: 1 });
});

test('maybe and one refuse other numbers of rows', async () => {
  expect(await t.db.maybe(sql`select 1 as n where false`)).toBeUndefined();
  await expect(t.db.maybe(sql`select generate_series(1, 2)`)).rejects.toMatchObject({ code: 'db/too-many-rows' });
  await expect(t.db.one(sql`select 1 where false`)).rejects.toMatchObject({ code: 'db/no-row' });
});

test('one statement may be a transaction of its own', async () => {
  expect(await t.db.alone(sql`insert into box values (20, 1), (21, 1)`)).toBe(2);
  expect(await t.db.alone(sql`delete from box where id in (20, 21)`)).toBe(2);
});

test('a transaction commits as a whole or not at all', async () => {
  await t.db.transaction((tx) => tx.run(sql`insert into box values (1, 1), (2, 1)`));
  await expect(t.db.transaction(async (tx) => {
    expect(await tx.run(sql`update box set n = n + 1 where id = any(${[1, 2]}::int[])`)).toBe(2);
    throw new Error('changed my mind');
  })).rejects.toThrow('changed my mind');
  expect(await t.db.all(sql`select n from box order by id`)).toEqual([{ n: 1n }, { n: 1n }]);
});

test('work that goes on after a failed statement does not pass for committed', async () => {
  await expect(t.db.transaction(async (tx) => {
    await tx.run(sql`insert into box values (3, 5)`);
    await tx.run(sql`insert into box values (3, 5)`).catch(() => {});
  })).rejects.toMatchObject({ code: 'db/rolled-back' });
  expect(await t.db.maybe(sql`select 1 from box where id = 3`)).toBeUndefined();
});

test('a transaction cannot be used after its end', async () => {
  const tx = await t.db.transaction(async (inside) => inside);
  await expect(tx.run(sql`insert into box values (9, 9)`)).rejects.toMatchObject({ code: 'db/transaction-ended' });
});

test('several statements of a transaction may be under way at once', async () => {
  const sums = await t.db.transaction((tx) => Promise.all([1, 2, 3].map((n) => tx.one(sql<{ n: number }>`select ${n}::int as n`))));
  expect(sums.map(({ n }) => n)).toEqual([1, 2, 3]);
});

test('a statement that nobody waits for is in the transaction like any other', async () => {
  const told: string[] = [];
  await t.db.transaction(async (tx) => {
    tx.onCommit(() => { told.push('committed'); });
    tx.send(sql`insert into box values (50, 1)`);
    expect(await tx.one(sql`select n from box where id = 50`)).toEqual({ n: 1n });
    tx.send(sql`update box set n = 2 where id = 50`);
    expect(told).toEqual([]);
  });
  expect(await t.db.one(sql`select n from box where id = 50`)).toEqual({ n: 2n });
  expect(told).toEqual(['committed']);
});

test('its failure fails the transaction with its own error, whatever came after it', async () => {
  const told: string[] = [];
  const failing = (after: (tx: Tx) => Promise<unknown>): Promise<unknown> => t.db.transaction(async (tx) => {
    tx.onCommit(() => { told.push('committed'); });
    tx.send(sql`insert into box values (51, 1)`);
    tx.send(sql`insert into box values (51, 1)`);
    return after(tx);
  });
  for (const after of [
    async () => {}, (tx: Tx) => tx.all(sql`select 1`), (tx: Tx) => tx.all(sql`select 1`).catch(() => {}),
  ]) {
    expect(isUniqueViolation(await failing(after).catch((error: unknown) => error))).toBe(true);
  }
  expect(told).toEqual([]);
  expect(await t.db.maybe(sql`select n from box where id = 51`)).toBeUndefined();
});

test('a commit that may reach the disk later is seen by all at once, and the next one waits for the disk again', async () => {
  const db = openDatabase({ url: `${t.url}&options=${encodeURIComponent('-c synchronous_commit=on')}`, maxConnections: 1 });
  const setting = sql<{ setting: string }>`select current_setting('synchronous_commit') as setting`;
  await db.transaction(async (tx) => {
    expect(await tx.one(setting)).toEqual({ setting: 'off' });
    tx.send(sql`insert into box values (52, 1)`);
  }, { durable: 'soon' });
  expect(await db.one(setting)).toEqual({ setting: 'on' });
  await db.close();
  expect(await t.db.one(sql`select n from box where id = 52`)).toEqual({ n: 1n });
});

test('deadlocked transactions are repeated and both commit', async () => {
  await t.db.transaction((tx) => tx.run(sql`insert into box values (10, 0), (11, 0)`));
  let runs = 0;
  const bump = (first: number, second: number): Promise<void> => t.db.transaction(async (tx) => {
    runs++;
    await tx.run(sql`update box set n = n + 1 where id = ${first}`);
    await tx.one(sql`select pg_sleep(0.1)`);
    await tx.run(sql`update box set n = n + 1 where id = ${second}`);
  });
  await Promise.all([bump(10, 11), bump(11, 10)]);
  expect(runs).toBeGreaterThan(2);
  expect(await t.db.all(sql`select n from box where id in (10, 11)`)).toEqual([{ n: 2n }, { n: 2n }]);
});

test('a unique violation is told from others, also behind a cause', async () => {
  const error = await t.db.transaction((tx) => tx.run(sql`insert into box values (1, 1)`)).catch((e: unknown) => e);
  expect(isUniqueViolation(error)).toBe(true);
  expect(isUniqueViolation(new Error('wrapped', { cause: error }), 'box_pkey')).toBe(true);
  expect(isUniqueViolation(error, 'other')).toBe(false);
  const check = await t.db.transaction((tx) => tx.run(sql`insert into box values (5, 5000)`)).catch((e: unknown) => e);
  expect(isUniqueViolation(check)).toBe(false);
});

test('statements are prepared once a connection, and not at all behind a transaction pooler', async () => {
  const db = openDatabase({ url: t.url, maxConnections: 1 });
  for (let i = 0; i < 3; i++) await db.one(sql`select ${i}::int + 1 as next`);
  expect(await db.one(sql`select count(*) as n from pg_prepared_statements where statement like '%as next%'`)).toEqual({ n: 2n });
  await db.close();
  const pooled = openDatabase({ url: t.url, maxConnections: 1, pooling: 'transaction', statementTimeoutMs: 1234 });
  expect(await pooled.transaction((tx) => tx.one(sql`select current_setting('statement_timeout') as limit, ${1}::int as n`)))
    .toEqual({ limit: '1234ms', n: 1 });
  expect(await pooled.one(sql`select count(*) as n from pg_prepared_statements`)).toEqual({ n: 0n });
  await pooled.close();
});

test('a table altered under a prepared statement does not fail the next transaction', async () => {
  const read = (): Promise<unknown> => t.db.transaction((tx) => tx.all(sql`select * from box where id = 1`));
  await read();
  await t.db.script('alter table box add column extra text');
  expect(await read()).toEqual([{ id: 1, n: 1n, extra: null }]);
});

test('slow statements and idle transactions end', async () => {
  const db = openDatabase({ url: t.url, maxConnections: 2, statementTimeoutMs: 50, idleInTransactionTimeoutMs: 50 });
  await expect(db.one(sql`select pg_sleep(5)`)).rejects.toMatchObject({ code: '57014' });
  await expect(db.transaction(async (tx) => {
    await tx.one(sql`select 1 as n`);
    await new Promise((resolve) => setTimeout(resolve, 200));
    await tx.one(sql`select 1 as n`);
  })).rejects.toThrow();
  expect(await db.one(sql`select 1 as n`)).toEqual({ n: 1 });
  await db.close();
});
