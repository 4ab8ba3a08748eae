import { afterAll, beforeAll, expect, test } from 'vitest';
import { manualClock, systemClock } from '../../clock/index.ts';
import { testDatabase, type TestDatabase } from '../../db/testing.ts';
import { createJobs } from '../index.ts';
import { silentLog } from '../testing/log.ts';
import { nextDue } from './schedule.ts';

const start = new Date('2026-11-22T08:00:00Z');
const at = (ms: number): Date => new Date(start.getTime() + ms);
let database: TestDatabase;
beforeAll(async () => { database = await testDatabase(); });
afterAll(() => database.drop());

test('the next beat keeps the period and makes up for none that was missed', () => {
  expect(nextDue(start, 1000, at(0))).toEqual(at(1000));
  expect(nextDue(start, 1000, at(999))).toEqual(at(1000));
  expect(nextDue(start, 1000, at(1000))).toEqual(at(2000));
  expect(nextDue(start, 1000, at(7300))).toEqual(at(8000));
  expect(nextDue(start, 1000, at(-50))).toEqual(at(1000));
});

test('a task runs once a period, on one of the processes', async () => {
  const clock = manualClock(start);
  let runs = 0;
  const processes = [1, 2, 3].map(() => {
    const jobs = createJobs({ db: database.db, clock, log: silentLog });
    jobs.schedule.every('test.hourly', 3_600_000, async () => { runs++; });
    return jobs;
  });
  const drain = async (): Promise<void> => { await Promise.all(processes.map((jobs) => jobs.drain())); };
  await drain();
  await drain();
  expect(runs).toBe(1);
  clock.advance(3_599_999);
  await drain();
  expect(runs).toBe(1);
  clock.advance(1);
  await drain();
  expect(runs).toBe(2);
  clock.advance(5 * 3_600_000);
  await drain();
  expect(runs).toBe(3);
});

test('a task that fails comes again soon, not a period later', async () => {
  const clock = manualClock(start);
  const jobs = createJobs({ db: database.db, clock, log: silentLog });
  let runs = 0;
  jobs.schedule.every('test.daily', 86_400_000, async () => { if (++runs === 1) throw new Error('x'); });
  await jobs.drain();
  clock.advance(1000);
  await jobs.drain();
  clock.advance(3_600_000);
  await jobs.drain();
  expect(runs).toBe(2);
});

test('a longer period becomes shorter with the release that says so; nonsense is refused', async () => {
  const clock = manualClock(start);
  const before = createJobs({ db: database.db, clock, log: silentLog });
  let runs = 0;
  before.schedule.every('test.changed', 86_400_000, async () => { runs++; });
  await before.drain();
  const after = createJobs({ db: database.db, clock, log: silentLog });
  after.schedule.every('test.changed', 1000, async () => { runs++; });
  await after.drain();
  clock.advance(1000);
  await after.drain();
  expect(runs).toBe(2);
  expect(() => after.schedule.every('test.changed', 5, async () => {})).toThrow('twice');
  expect(() => after.schedule.every('test.never', 0, async () => {})).toThrow('period');
});

test('a started worker runs due tasks and stops cleanly', async () => {
  const jobs = createJobs({ db: database.db, clock: systemClock, log: silentLog, settings: { idleMs: 10 } });
  let runs = 0;
  jobs.schedule.every('test.often', 20, async () => { runs++; });
  jobs.start();
  await expect.poll(() => runs, { timeout: 5000 }).toBeGreaterThan(2);
  await jobs.stop();
  const stopped = runs;
  await new Promise((resolve) => setTimeout(resolve, 60));
  expect(runs).toBe(stopped);
});
