import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { manualClock, systemClock } from '../../clock/index.ts';
import { testDatabase, type TestDatabase } from '../../db/testing.ts';
import { ServiceError } from '../../errors.ts';
import { createJobs, type Event, type EventType, type Jobs, type JobsSettings } from '../index.ts';
import { silentLog } from '../testing/log.ts';
import * as store from './store.ts';

const counted: EventType<{ n: number }> = { name: 'test.counted', body: z.object({ n: z.number().int() }) };
const ended: EventType<{ n: number }> = { name: 'test.ended', body: z.object({ n: z.number().int() }) };
const start = new Date('2026-11-22T08:00:00Z');

let database: TestDatabase;
beforeAll(async () => { database = await testDatabase(); });
afterAll(() => database.drop());
beforeEach(() => database.db.script('truncate jobs.delivery; truncate jobs.schedule'));

interface Bench { readonly jobs: Jobs; readonly clock: ReturnType<typeof manualClock>; readonly seen: Event<{ n: number }>[] }

/** Jobs with one consumer that keeps what it saw, after `react`. */
function bench(react: (event: Event<{ n: number }>) => Promise<void> | void = () => {}, settings: Partial<JobsSettings> = {}): Bench {
  const clock = manualClock(start);
  const jobs = createJobs({ db: database.db, clock, log: silentLog, settings });
  const seen: Event<{ n: number }>[] = [];
  jobs.outbox.subscribe(counted, 'counter', async (event) => { await react(event); seen.push(event); });
  return { jobs, clock, seen };
}

function emit(jobs: Jobs, key: string, ...numbers: readonly number[]): Promise<void> {
  return database.db.transaction(async (tx) => {
    for (const n of numbers) await jobs.outbox.emit(tx, counted, key, { n });
  });
}

const numbers = (events: readonly Event<{ n: number }>[]): number[] => events.map((event) => event.body.n);
const turn = (ended: readonly store.EndedDelivery[], look: Partial<store.Turn>): Promise<store.ClaimedDelivery[]> => store.turnDeliveries(
  database.db, { ended, refresh: 0, known: ['counter test.counted'], limit: 0, now: start, leaseUntil: start, ...look });
const statuses = async (): Promise<string[]> => (await store.countByStatus(database.db)).map((row) => `${row.status} ${row.rows}`);

describe('emitting', () => {
  test('an event exists when its transaction commits, and not when it rolls back', async () => {
    const { jobs, seen } = bench();
    await emit(jobs, 'a', 1);
    await expect(database.db.transaction(async (tx) => {
      await jobs.outbox.emit(tx, counted, 'a', { n: 2 });
      throw new Error('no');
    })).rejects.toThrow('no');
    await jobs.drain();
    expect(seen).toEqual([{ id: expect.any(String), name: 'test.counted', key: 'a', body: { n: 1 }, emittedAt: start }]);
    expect(await statuses()).toEqual(['done 1']);
  });

  test('every consumer gets the event once; an event without consumers leaves nothing', async () => {
    const { jobs, seen } = bench();
    const other: number[] = [];
    jobs.outbox.subscribe(counted, 'other', async (event) => { other.push(event.body.n); });
    await emit(jobs, 'a', 7);
    await database.db.transaction((tx) => jobs.outbox.emit(tx, ended, 'a', { n: 1 }));
    await jobs.drain();
    await jobs.drain();
    expect([numbers(seen), other]).toEqual([[7], [7]]);
  });

  test('a body that its type refuses is not emitted', async () => {
    const { jobs } = bench();
    await expect(emit(jobs, 'a', 1.5)).rejects.toThrow();
    expect(await statuses()).toEqual([]);
  });

  test('a running worker delivers soon after the commit', async () => {
    const seen: number[] = [];
    const jobs = createJobs({ db: database.db, clock: systemClock, log: silentLog, settings: { idleMs: 60_000 } });
    jobs.outbox.subscribe(counted, 'counter', async (event) => { seen.push(event.body.n); });
    jobs.start();
    try {
      await emit(jobs, 'a', 1);
      await expect.poll(() => seen, { timeout: 3000 }).toEqual([1]);
    } finally {
      await jobs.stop();
    }
  });
});

describe('order', () => {
  test('events of one key arrive in the order they were emitted, across event types of one consumer', async () => {
    const clock = manualClock(start);
    const jobs = createJobs({ db: database.db, clock, log: silentLog });
    const seen: string[] = [];
    jobs.outbox.subscribe(counted, 'c', async (event) => { seen.push(`${event.name} ${event.body.n}`); });
    jobs.outbox.subscribe(ended, 'c', async (event) => { seen.push(`${event.name} ${event.body.n}`); });
    await database.db.transaction(async (tx) => {
      for (let n = 0; n < 6; n++) await jobs.outbox.emit(tx, n % 2 === 0 ? counted : ended, 'k', { n });
    });
    await jobs.drain();
    expect(seen).toEqual(['test.counted 0', 'test.ended 1', 'test.counted 2', 'test.ended 3', 'test.counted 4', 'test.ended 5']);
  });

  test('a failing event holds up its own key only', async () => {
    let failing = true;
    const { jobs, clock, seen } = bench((event) => { if (event.key === 'a' && failing) throw new Error('not yet'); });
    await emit(jobs, 'a', 1, 2);
    await emit(jobs, 'b', 3);
    await jobs.drain();
    expect(numbers(seen)).toEqual([3]);
    failing = false;
    clock.advance(2000);
    await jobs.drain();
    expect(numbers(seen)).toEqual([3, 1, 2]);
  });

  test('rows of a long lane stand behind and come forward one by one', async () => {
    const { jobs, seen } = bench();
    await emit(jobs, 'a', ...Array.from({ length: 40 }, (_, n) => n));
    const now = start;
    const leaseUntil = new Date(now.getTime() + 1);
    const claimed = await turn([], { limit: 20, now, leaseUntil });
    expect(claimed.map((one) => one.body)).toEqual([{ n: 0 }]);
    expect(await statuses()).toEqual(['behind 39', 'running 1']);
    await turn([{ delivery: claimed[0]!, end: 'done' }], { now });
    expect(await statuses()).toEqual(['behind 38', 'done 1', 'ready 1']);
    await jobs.drain();
    expect(numbers(seen)).toEqual(Array.from({ length: 39 }, (_, n) => n + 1));
  });

  test('an older row that commits late never runs beside a younger one of its key', async () => {
    let running = 0;
    let most = 0;
    const seen: number[] = [];
    const workers = [1, 2].map(() => {
      const jobs = createJobs({ db: database.db, clock: manualClock(start), log: silentLog });
      jobs.outbox.subscribe(counted, 'counter', async (event) => {
        most = Math.max(most, ++running);
        await new Promise((resolve) => setTimeout(resolve, 60));
        seen.push(event.body.n);
        running--;
      });
      return jobs;
    });
    let first = Promise.resolve();
    await database.db.transaction(async (late) => {
      await workers[0]!.outbox.emit(late, counted, 'k', { n: 1 });
      await emit(workers[0]!, 'k', 2, 3);
      first = workers[0]!.drain();
      await expect.poll(() => running).toBe(1);
    });
    await Promise.all([first, workers[1]!.drain()]);
    await workers[1]!.drain();
    expect(seen).toEqual([2, 1, 3]);
    expect(most).toBe(1);
  });

  test('a delayed event waits for its time without holding up its key, then takes its place', async () => {
    const { jobs, clock, seen } = bench();
    await database.db.transaction((tx) => jobs.outbox.emit(tx, counted, 'a', { n: 1 }, { notBefore: new Date(start.getTime() + 5000) }));
    await emit(jobs, 'a', 2);
    await jobs.drain();
    expect(numbers(seen)).toEqual([2]);
    clock.advance(5000);
    await emit(jobs, 'a', 3);
    await jobs.drain();
    expect(new Set(numbers(seen))).toEqual(new Set([1, 2, 3]));
  });
});

describe('failures', () => {
  test('a handler is retried with growing pauses; then the delivery is dead, visible, and no longer in the way', async () => {
    const attempts: number[] = [];
    const { jobs, clock, seen } = bench((event) => {
      if (event.body.n !== 1) return;
      attempts.push(clock.now().getTime() - start.getTime());
      throw new ServiceError('test/broken', { secret: 'mail@example.org' });
    }, { maxDeliveryAttempts: 4, backoff: { firstMs: 1000, factor: 4, longestMs: 10_000 } });
    await emit(jobs, 'a', 1, 2);
    for (let second = 0; second < 40; second++) {
      await jobs.drain();
      clock.advance(1000);
    }
    expect(attempts).toHaveLength(4);
    const pauses = attempts.slice(1).map((at, index) => at - attempts[index]!);
    expect(pauses[1]!).toBeGreaterThan(pauses[0]!);
    expect(pauses[2]!).toBeGreaterThanOrEqual(pauses[1]!);
    expect(numbers(seen)).toEqual([2]);
    const { items, nextCursor } = await jobs.deadLetters.list({ limit: 10 });
    expect(nextCursor).toBeNull();
    expect(items).toMatchObject([{ consumer: 'counter', event: 'test.counted', key: 'a', attempts: 4, lastError: 'test/broken' }]);
  });

  test('a dead letter that is requeued is delivered; the list is paged', async () => {
    let broken = true;
    const { jobs, seen } = bench(() => { if (broken) throw new Error('x'); }, { maxDeliveryAttempts: 1 });
    await emit(jobs, 'a', 1, 2, 3);
    await jobs.drain();
    const first = await jobs.deadLetters.list({ limit: 2 });
    const second = await jobs.deadLetters.list({ limit: 2, cursor: first.nextCursor! });
    expect([first.items.length, second.items.length, second.nextCursor]).toEqual([2, 1, null]);
    broken = false;
    const letter = first.items[1]!;
    expect(await database.db.transaction((tx) => jobs.deadLetters.requeue(tx, letter.eventId, letter.consumer))).toBe(true);
    expect(await database.db.transaction((tx) => jobs.deadLetters.requeue(tx, letter.eventId, letter.consumer))).toBe(false);
    await jobs.drain();
    expect(numbers(seen)).toEqual([2]);
    await expect(jobs.deadLetters.list({ limit: 1, cursor: 'x' })).rejects.toMatchObject({ code: 'jobs/bad-cursor' });
  });

  test('what a worker claimed before it died is delivered after its lease; its late end does not count', async () => {
    const { jobs, clock, seen } = bench();
    await emit(jobs, 'a', 1, 2);
    const leaseUntil = new Date(start.getTime() + 10_000);
    const [lost] = await turn([], { limit: 1, leaseUntil });
    await jobs.drain();
    expect(seen).toEqual([]);
    clock.advance(10_000);
    await jobs.drain();
    expect(numbers(seen)).toEqual([1, 2]);
    await turn([{ delivery: lost!, end: 'dead', error: 'late' }], {});
    expect(await statuses()).toEqual(['done 2']);
  });

  test('an event whose workers keep dying is dead in the end', async () => {
    const { jobs, clock, seen } = bench(() => {}, { maxDeliveryAttempts: 2 });
    await emit(jobs, 'a', 1);
    for (let life = 0; life < 2; life++) {
      await turn([], { refresh: 10, limit: 1, now: clock.now(), leaseUntil: new Date(clock.now().getTime() + 1000) });
      clock.advance(1000);
    }
    await jobs.drain();
    expect(seen).toEqual([]);
    expect((await jobs.deadLetters.list({ limit: 1 })).items).toMatchObject([{ lastError: 'jobs/workers-died' }]);
  });

  test('a handler that hangs is given up and tried again', async () => {
    let calls = 0;
    const { jobs, clock, seen } = bench(async () => { if (++calls === 1) await new Promise(() => {}); }, { longestRunMs: 30 });
    await emit(jobs, 'a', 1);
    await jobs.drain();
    clock.advance(1000);
    await jobs.drain();
    expect(numbers(seen)).toEqual([1]);
  });

  test('an event that this process does not know is left to one that does', async () => {
    const knowing = createJobs({ db: database.db, clock: manualClock(start), log: silentLog });
    const known: number[] = [];
    knowing.outbox.subscribe(ended, 'counter', async (event) => { known.push(event.body.n); });
    const { jobs, seen } = bench();
    await database.db.transaction((tx) => knowing.outbox.emit(tx, ended, 'a', { n: 1 }));
    await emit(jobs, 'a', 2);
    await emit(jobs, 'b', 3);
    await jobs.drain();
    expect(numbers(seen)).toEqual([3]);
    await knowing.drain();
    await jobs.drain();
    expect([known, numbers(seen)]).toEqual([[1], [3, 2]]);
  });
});

test('deliveries done long ago are pruned, dead ones later', async () => {
  const { jobs, clock } = bench((event) => { if (event.body.n === 2) throw new Error('x'); }, { maxDeliveryAttempts: 1 });
  await emit(jobs, 'a', 1, 2);
  await jobs.drain();
  clock.advance(25 * 3_600_000);
  await jobs.drain();
  expect(await statuses()).toEqual(['dead 1']);
  clock.advance(90 * 24 * 3_600_000);
  await jobs.drain();
  expect(await statuses()).toEqual([]);
});

test('three workers lose nothing, keep each key in order and never run one key twice at a time', async () => {
  const keys = 7;
  const perKey = 40;
  const running = new Map<string, number>();
  const seen = new Map<string, number[]>();
  const workers = Array.from({ length: 3 }, () => {
    const jobs = createJobs({
      db: database.db, clock: systemClock, log: silentLog,
      settings: { idleMs: 20, backoff: { firstMs: 2, factor: 1, longestMs: 2 }, maxDeliveryAttempts: 1000 },
    });
    jobs.outbox.subscribe(counted, 'counter', async (event) => {
      const beside = (running.get(event.key) ?? 0) + 1;
      running.set(event.key, beside);
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 2));
      running.set(event.key, beside - 1);
      if (beside !== 1) throw new Error('two at a time');
      if (Math.random() < 0.1) throw new Error('now and then');
      seen.set(event.key, [...(seen.get(event.key) ?? []), event.body.n]);
    });
    return jobs;
  });
  for (const jobs of workers) jobs.start();
  try {
    await Promise.all(Array.from({ length: keys }, async (_, key) => {
      for (let n = 0; n < perKey; n += 4) await emit(workers[key % 3]!, `k${key}`, n, n + 1, n + 2, n + 3);
    }));
    await expect.poll(() => [...seen.values()].reduce((sum, list) => sum + list.length, 0), { timeout: 15_000 }).toBe(keys * perKey);
  } finally {
    await Promise.all(workers.map((jobs) => jobs.stop()));
  }
  const inOrder = Array.from({ length: perKey }, (_, n) => n);
  for (let key = 0; key < keys; key++) expect(seen.get(`k${key}`)).toEqual(inOrder);
  expect(await statuses()).toEqual([`done ${keys * perKey}`]);
});
