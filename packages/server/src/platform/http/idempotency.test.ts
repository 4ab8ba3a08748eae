import { setTimeout as sleep } from 'node:timers/promises';
import { route } from '@yuanyou/contract';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { manualClock } from '../clock/index.ts';
import { sql } from '../db/index.ts';
import { testDatabase } from '../db/testing.ts';
import type { TestDatabase } from '../db/testing.ts';
import { ServiceError } from '../errors.ts';
import { createAttempts, sweepRequests } from './attempts.ts';
import { requestIdOf } from './idempotency.ts';
import { serveForTest, tableAuthenticator, testBlindIndex } from './testing.ts';
import { endpoint } from './types.ts';

const pay = route({
  operationId: 'pay', method: 'POST', path: '/v1/pay', tag: 'Test', audience: 'public', summary: 'Pays', idempotent: true,
  body: z.object({ text: z.string(), how: z.enum(['ok', 'slow', 'refused', 'broken']).default('ok') }),
  responses: { 201: z.object({ paymentId: z.string(), text: z.string(), run: z.int() }) },
});

let runs: string[] = [];
let failOnce = false;
const endpoints = [endpoint(pay, async ({ body, idempotencyKey, setSession }) => {
  runs.push(idempotencyKey);
  if (body.how === 'slow') await sleep(150);
  if (body.how === 'refused') throw new ServiceError('general/conflict');
  if (failOnce) {
    failOnce = false;
    throw new Error('broke down');
  }
  setSession('tvs_a');
  return { status: 201, body: { paymentId: idempotencyKey, text: body.text, run: runs.length } };
})];

const clock = manualClock(new Date('2026-11-22T08:00:00Z'));
let database: TestDatabase;
let served: Awaited<ReturnType<typeof serveForTest>>;
beforeAll(async () => {
  database = await testDatabase();
  const traveller = (accountId: string) => ({ kind: 'traveller' as const, accountId, sessionId: 's', leaving: false });
  served = await serveForTest({
    endpoints, db: database.db, clock, more: { limits: { requestsPerMinute: 0, idempotencyWaitMs: 700 } },
    authenticators: [tableAuthenticator('traveller', 'tvs_', { tvs_a: traveller('a'), tvs_b: traveller('b') })],
  });
});
afterAll(async () => {
  await served.close();
  await database.drop();
});
beforeEach(() => { runs = []; });

let made = 0;
const newKey = () => `0198c5d2-7a10-7c3e-9a44-${String(++made).padStart(12, '0')}`;
const call = async (key: string | undefined, body: object, secret = 'tvs_a') => {
  const response = await fetch(`${served.url}/v1/pay`, {
    method: 'POST', body: JSON.stringify(body),
    headers: { 'content-type': 'application/json', authorization: `Bearer ${secret}`, ...(key === undefined ? {} : { 'idempotency-key': key }) },
  });
  return { status: response.status, headers: response.headers, body: await response.json() as Record<string, unknown> };
};

describe('an idempotent request', () => {
  test('needs a key of some length', async () => {
    for (const key of [undefined, 'short', 'has spaces in its middle']) {
      expect(await call(key, { text: 'a' })).toMatchObject({ status: 400, body: { code: 'general/idempotency-key-missing' } });
    }
    expect(runs).toEqual([]);
  });

  test('runs once; a repeat gets the same answer, cookie included', async () => {
    const key = newKey();
    const first = await call(key, { text: 'a' });
    const second = await call(key, { text: 'a' });
    expect(first).toMatchObject({ status: 201, body: { run: 1 } });
    expect(second.body).toEqual(first.body);
    expect(second.headers.get('set-cookie')).toBe(first.headers.get('set-cookie'));
    expect([first.headers.get('idempotency-replayed'), second.headers.get('idempotency-replayed')]).toEqual([null, 'true']);
    expect(runs).toHaveLength(1);
  });

  test('with another body is refused', async () => {
    const key = newKey();
    await call(key, { text: 'a' });
    expect(await call(key, { text: 'b' })).toMatchObject({ status: 422, body: { code: 'general/idempotency-key-reused' } });
  });

  test('of another caller is another request, with another id', async () => {
    const key = newKey();
    const [mine, theirs] = [await call(key, { text: 'a' }), await call(key, { text: 'a' }, 'tvs_b')];
    expect(theirs.status).toBe(201);
    expect(theirs.body['paymentId']).not.toBe(mine.body['paymentId']);
  });

  test('sent ten times at once runs once and answers ten times', async () => {
    const key = newKey();
    const answers = await Promise.all(Array.from({ length: 10 }, () => call(key, { text: 'a', how: 'slow' })));
    expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    expect(answers.every(({ status }) => status === 201)).toBe(true);
    expect(runs).toHaveLength(1);
  });

  test('that failed may be tried again at once, under the same id', async () => {
    const key = newKey();
    failOnce = true;
    expect((await call(key, { text: 'a' })).status).toBe(500);
    expect((await call(key, { text: 'a' })).status).toBe(201);
    expect(new Set(runs).size).toBe(1);
    expect((await call(newKey(), { text: 'a', how: 'refused' })).status).toBe(409);
  });

  test('whose process died is told to wait, and runs again once the lease has run out', async () => {
    const key = newKey();
    await call(key, { text: 'a' });
    await database.db.transaction((tx) => tx.run(sql`update http.idempotency set answer = null, lease_until = ${new Date(clock.now().getTime() + 60_000)} where answer is not null`));
    const waiting = await call(key, { text: 'a' });
    expect(waiting).toMatchObject({ status: 409, body: { code: 'general/in-progress' } });
    expect(waiting.headers.get('retry-after')).toBe('1');
    clock.advance(61_000);
    expect(await call(key, { text: 'a' })).toMatchObject({ status: 201 });
    expect(runs).toHaveLength(2);
    expect(new Set(runs).size).toBe(1);
  });

  test('leaves nothing readable, and nothing at all after a day', async () => {
    const key = newKey();
    await call(key, { text: 'mei@example.test' });
    const rows = await database.db.all<Record<string, unknown>>(sql`select * from http.idempotency`);
    for (const column of ['place', 'request', 'answer']) {
      for (const row of rows) expect(String(row[column])).not.toMatch(/mei@|0198c5d2/);
    }
    clock.advance(86_400_001);
    expect(await call(key, { text: 'b' })).toMatchObject({ status: 201 });
    await sweepRequests(database.db, clock);
    expect(await database.db.one(sql`select count(*) as n from http.idempotency`)).toEqual({ n: 1n });
  });

  test('has an id that keeps the time of its key', () => {
    const id = requestIdOf({ caller: 'traveller:a', operationId: 'pay', key: '0198c5d2-7a10-7c3e-9a44-3f1f0a6f2b11' });
    expect(id).toMatch(/^0198c5d2-7a10-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(requestIdOf({ caller: 'public', operationId: 'pay', key: 'x'.repeat(16) })).toMatch(/^[0-9a-f-]{36}$/);
  });
});

describe('attempts', () => {
  test('are counted over processes, refused beyond the limit, and free again after the window', async () => {
    const limit = { max: 5, windowMs: 60_000 };
    const [one, other] = [createAttempts({ db: database.db, blindIndex: testBlindIndex, clock }), createAttempts({ db: database.db, blindIndex: testBlindIndex, clock })];
    const tries = await Promise.allSettled(Array.from({ length: 12 }, (_, index) => (index % 2 === 0 ? one : other).count('pin', 'mei', limit)));
    expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(5);
    await expect(one.count('pin', 'mei', limit)).rejects.toMatchObject({ code: 'general/too-many-requests', details: { retryAfterSeconds: 60 } });
    await one.count('pin', 'li', limit);
    clock.advance(60_000);
    await other.count('pin', 'mei', limit);
    await one.clear('pin', 'mei');
    expect(await database.db.all(sql`select 1 from http.attempts where bucket = ${testBlindIndex.of('http.attempts.pin', 'mei')}`)).toEqual([]);
  });
});
