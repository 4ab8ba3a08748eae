import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../clock/index.ts';
import { testDatabase, type TestDatabase } from '../../db/testing.ts';
import type { ServiceError } from '../../errors.ts';
import { createJobs } from '../index.ts';
import type { Jobs, Json, Saga, SagaStep } from '../index.ts';
import { beginOn, benchOn, pass, see, start, type Bench } from '../testing/bench.ts';
import { silentLog } from '../testing/log.ts';
import { createEffects, effectsOf } from '../testing/store.ts';
import { travelSaga } from '../testing/worker.ts';
import * as store from './store.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
  await createEffects(database.db);
});
afterAll(() => database.drop());

const bench = (sagas: readonly Saga<never>[], options?: Parameters<typeof benchOn>[2]): Bench => benchOn(database.db, sagas, options);
const begin = (jobs: Jobs, kind: string, input?: Json): Promise<string> => beginOn(database.db, jobs, kind, input);

describe('leases', () => {
  const lease = (): { kinds: string[]; except: string[]; limit: number; now: Date; leaseUntil: Date } =>
    ({ kinds: ['travel'], except: [], limit: 10, now: start, leaseUntil: new Date(start.getTime() + 10_000) });

  test('a saga that is held is not taken; after its lease it is, under a higher fencing number, and the old one cannot write', async () => {
    const on = bench([travelSaga('second') as unknown as Saga<never>]);
    const sagaId = await begin(on.jobs, 'travel', { to: 'Kyoto' });
    const first = (await database.db.transaction((tx) => store.claimSagas(tx, lease()))).find((claim) => claim.sagaId === sagaId)!;
    await on.jobs.drain();
    expect(await effectsOf(database.db, sagaId)).toEqual([]);
    on.clock.advance(10_000);
    await on.jobs.drain();
    expect((await see(on.jobs, sagaId)).status).toBe('completed');
    const stale = database.db.transaction((tx) => store.lockFenced(tx, first, new Date()));
    await expect(stale).rejects.toMatchObject({ code: 'jobs/lease-lost' });
  });

  test('a run that lost its lease meanwhile cannot write and does not spoil what its successor did', async () => {
    const slow = bench([]);
    let entered = (): void => {};
    const inside = new Promise<void>((resolve) => { entered = resolve; });
    let letGo = (): void => {};
    const held = new Promise<void>((resolve) => { letGo = resolve; });
    const late: unknown[] = [];
    slow.jobs.sagas.register({
      kind: 'slow',
      steps: [{
        name: 'a',
        async run(context) {
          entered();
          await held;
          await context.transaction(async () => { late.push('wrote'); }).catch((error: unknown) => {
            late.push((error as ServiceError).code);
            throw error;
          });
          return { kind: 'done', result: 'old' };
        },
      }],
    });
    const quick = bench([{ kind: 'slow', steps: [{ name: 'a', run: async () => ({ kind: 'done', result: 'new' }) }] }]);
    const sagaId = await begin(slow.jobs, 'slow');
    const first = slow.jobs.drain();
    await inside;
    quick.clock.advance(11_000);
    await quick.jobs.drain();
    letGo();
    await first;
    expect(late).toEqual(['jobs/lease-lost']);
    expect((await see(quick.jobs, sagaId)).status).toBe('completed');
    expect((await store.loadSaga(database.db, sagaId))!.state.steps[0]).toMatchObject({ result: 'new', attempts: 2 });
  });

  test('a long step keeps its lease by its heartbeat', async () => {
    let runs = 0;
    const settings = { leaseMs: 150, idleMs: 10 };
    const workers = [1, 2].map(() => {
      const jobs = createJobs({ db: database.db, clock: systemClock, log: silentLog, settings });
      jobs.sagas.register({
        kind: 'long',
        steps: [{ name: 'a', async run() { runs++; await new Promise((resolve) => setTimeout(resolve, 700)); return { kind: 'done' }; } }],
      });
      jobs.start();
      return jobs;
    });
    try {
      const sagaId = await begin(workers[0]!, 'long');
      await expect.poll(async () => (await see(workers[0]!, sagaId)).status, { timeout: 5000 }).toBe('completed');
    } finally {
      await Promise.all(workers.map((jobs) => jobs.stop()));
    }
    expect(runs).toBe(1);
  });

  test('a stop waits for the current step and leaves the rest to the next start; a step without end does not hold it up', async () => {
    const ran: string[] = [];
    const steps = ['a', 'b'].map((name): SagaStep<Json> => ({
      name,
      async run() {
        ran.push(name);
        await new Promise((resolve) => setTimeout(resolve, 150));
        return { kind: 'done' };
      },
    }));
    const stopped = createJobs({ db: database.db, clock: systemClock, log: silentLog, settings: { idleMs: 10 } });
    stopped.sagas.register({ kind: 'stopping', steps });
    const sagaId = await begin(stopped, 'stopping');
    stopped.start();
    await expect.poll(() => ran).toEqual(['a']);
    await stopped.stop();
    expect([(await see(stopped, sagaId)).status, ran]).toEqual(['running', ['a']]);
    await stopped.drain();
    expect([(await see(stopped, sagaId)).status, ran]).toEqual(['completed', ['a', 'b']]);

    const settings = { idleMs: 10, longestStopMs: 50 };
    const endless = createJobs({ db: database.db, clock: systemClock, log: silentLog, settings });
    endless.sagas.register({ kind: 'endless', steps: [{ name: 'a', async run() { ran.push('endless'); return new Promise(() => {}); } }] });
    await begin(endless, 'endless');
    endless.start();
    await expect.poll(() => ran).toContain('endless');
    await endless.stop();
  });

  test('a step that hangs counts as failed and is run again under a new fencing number', async () => {
    let runs = 0;
    const hanging: SagaStep<Json> = {
      name: 'a',
      async run() {
        if (++runs === 1) await new Promise(() => {});
        return { kind: 'done' };
      },
    };
    const on = bench([{ kind: 'hanging', steps: [hanging] }], { settings: { longestStepMs: 30 } });
    const sagaId = await begin(on.jobs, 'hanging');
    await pass(on, 1);
    expect((await see(on.jobs, sagaId)).status).toBe('completed');
    expect(runs).toBe(2);
  });
});

test('two runners share many sagas and never run one step twice at a time', async () => {
  const running = new Set<string>();
  const problems: string[] = [];
  const settings = { idleMs: 15, backoff: { firstMs: 2, factor: 1, longestMs: 2 }, maxStepAttempts: 100 };
  const workers = [1, 2].map(() => {
    const jobs = createJobs({ db: database.db, clock: systemClock, log: silentLog, settings });
    jobs.sagas.register({
      kind: 'shared',
      steps: ['a', 'b', 'c'].map((name) => ({
        name,
        async run(context) {
          if (running.has(context.sagaId)) problems.push(`${context.sagaId} ${name}`);
          running.add(context.sagaId);
          await new Promise((resolve) => setTimeout(resolve, Math.random() * 3));
          running.delete(context.sagaId);
          if (Math.random() < 0.2) throw new Error('now and then');
          return { kind: 'done', result: name };
        },
      })),
    });
    jobs.start();
    return jobs;
  });
  try {
    const ids: string[] = [];
    for (let n = 0; n < 30; n++) ids.push(await begin(workers[n % 2]!, 'shared'));
    await expect.poll(async () => {
      const views = await Promise.all(ids.map((id) => see(workers[0]!, id)));
      return views.filter((view) => view.status === 'completed').length;
    }, { timeout: 15_000, interval: 100 }).toBe(30);
  } finally {
    await Promise.all(workers.map((jobs) => jobs.stop()));
  }
  expect(problems).toEqual([]);
});
