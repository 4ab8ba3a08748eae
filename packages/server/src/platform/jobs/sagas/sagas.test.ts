import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { testDatabase, type TestDatabase } from '../../db/testing.ts';
import { ServiceError } from '../../errors.ts';
import { newId } from '../../ids.ts';
import { orderedFaults } from '../index.ts';
import type { Jobs, Json, Saga, SagaStep, SagaView } from '../index.ts';
import { beginOn, benchOn, pass, see, start, type Bench } from '../testing/bench.ts';
import { createEffects, effectsOf } from '../testing/store.ts';
import { travelSaga, travelSteps } from '../testing/worker.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
  await createEffects(database.db);
});
afterAll(() => database.drop());

const bench = (sagas: readonly Saga<never>[], options?: Parameters<typeof benchOn>[2]): Bench => benchOn(database.db, sagas, options);
const begin = (jobs: Jobs, kind: string, input?: Json): Promise<string> => beginOn(database.db, jobs, kind, input);

const wake = (jobs: Jobs, sagaId: string): Promise<void> => database.db.transaction((tx) => jobs.sagas.wake(tx, sagaId));
const statuses = (view: SagaView): string => view.steps.map((step) => step.status).join(' ');
const once = (name: string): { name: string; run: () => Promise<{ kind: 'done' }> } => ({ name, run: async () => ({ kind: 'done' }) });

describe('a saga', () => {
  test('runs its steps, keeps results and ends in one drain; a second start does nothing', async () => {
    const seen: unknown[] = [];
    const ends: string[] = [];
    const { jobs } = bench([{
      kind: 'plain',
      steps: [
        { name: 'one', run: async (context) => ({ kind: 'done', result: { got: context.input } }) },
        {
          name: 'two',
          async run(context) {
            seen.push(context.results, context.attempt, context.startedAt);
            return { kind: 'done' };
          },
        },
      ],
      async onEnd(_tx, sagaId, _input, end) { ends.push(`${sagaId} ${end}`); },
    } as Saga<never>]);
    const sagaId = await begin(jobs, 'plain', 5);
    await database.db.transaction((tx) => jobs.sagas.start(tx, 'plain', sagaId, 6));
    await jobs.drain();
    expect(seen).toEqual([{ one: { got: 5 } }, 1, start]);
    expect(ends).toEqual([`${sagaId} completed`]);
    expect(await see(jobs, sagaId)).toMatchObject({
      status: 'completed', kind: 'plain', steps: [{ status: 'done', endedAt: start }, { status: 'done' }],
    });
    expect(await jobs.sagas.view(newId())).toBeUndefined();
  });

  test('whose onEnd fails does not end', async () => {
    let failing = true;
    const on = bench([{ kind: 'ending', steps: [once('one')], async onEnd() { if (failing) throw new Error('x'); } }]);
    const sagaId = await begin(on.jobs, 'ending');
    await on.jobs.drain();
    expect((await see(on.jobs, sagaId)).status).toBe('running');
    failing = false;
    await pass(on, 1);
    expect((await see(on.jobs, sagaId)).status).toBe('completed');
  });

  test('is not begun with an unknown kind, and not registered twice or with two pivots', async () => {
    const { jobs } = bench([{ kind: 'plain', steps: [once('one')] }]);
    await expect(begin(jobs, 'unheard')).rejects.toThrow('unheard');
    expect(() => jobs.sagas.register({ kind: 'plain', steps: [once('one')] })).toThrow('twice');
    expect(() => jobs.sagas.register({ kind: 'x', steps: [once('one'), once('one')] })).toThrow('distinct');
    const pivots = ['a', 'b'].map((name) => ({ ...once(name), pivot: true as const }));
    expect(() => jobs.sagas.register({ kind: 'x', steps: pivots })).toThrow('pivot');
  });
});

describe('broken at every step', () => {
  const points = travelSteps.flatMap((step) => [`travel:${step}:before`, `travel:${step}:after`]);

  test.each(points)('%s: an error once: the step is repeated and everything stands once', async (at) => {
    const on = bench([travelSaga('w') as unknown as Saga<never>], { faults: orderedFaults([{ at, kind: 'throw' }]) });
    const sagaId = await begin(on.jobs, 'travel', { to: 'Kyoto' });
    await pass(on, 1);
    expect((await see(on.jobs, sagaId)).status).toBe('completed');
    const effects = await effectsOf(database.db, sagaId);
    expect(effects.map((effect) => effect.step)).toEqual([...travelSteps].toSorted());
    const repeated = at.endsWith(':after') ? at.split(':')[1] : undefined;
    for (const effect of effects) expect(effect.times).toBe(effect.step === repeated ? 2 : 1);
  });

  test.each(points)('%s: an error for good: undone before the pivot, an agent from it on', async (at) => {
    const on = bench([travelSaga('w') as unknown as Saga<never>], { faults: orderedFaults([{ at, kind: 'throw', times: 8 }]) });
    const sagaId = await begin(on.jobs, 'travel', { to: 'Kyoto' });
    for (let quarter = 0; quarter < 10; quarter++) { await on.jobs.drain(); on.clock.advance(15 * 60_000); }
    const view = await see(on.jobs, sagaId);
    if (at.includes(':pack:')) {
      expect([view.status, statuses(view)]).toEqual(['undone', 'undone pending pending pending']);
      expect(await effectsOf(database.db, sagaId)).toEqual([]);
      return;
    }
    expect(view.status).toBe('stuck');
    expect(view.steps.find((step) => step.status === 'stuck')).toMatchObject({ attempts: 8, lastError: 'jobs/ordered-fault' });
    const { items } = await on.jobs.sagas.stuck({ limit: 100 });
    expect(items).toContainEqual(expect.objectContaining({ sagaId, kind: 'travel', step: at.split(':')[1] }));
    await wake(on.jobs, sagaId);
    await on.jobs.drain();
    expect((await see(on.jobs, sagaId)).status).toBe('completed');
    expect(await effectsOf(database.db, sagaId)).toHaveLength(4);
  });

  test('undo runs backwards, is retried, and is stuck when it fails for good', async () => {
    const order: string[] = [];
    const step = (name: string) => ({
      ...once(name), async undo() { order.push(name); if (name === 'b') throw new ServiceError('test/no-undo'); },
    });
    const full: SagaStep<Json> = { name: 'd', run: async () => ({ kind: 'refused', code: 'test/full' }) };
    const on = bench([{ kind: 'back', maxAttempts: 2, steps: [step('a'), step('b'), step('c'), full] }]);
    const sagaId = await begin(on.jobs, 'back');
    await pass(on, 10);
    expect(order).toEqual(['c', 'b', 'b']);
    const view = await see(on.jobs, sagaId);
    expect([view.status, statuses(view), view.steps[1]!.lastError]).toEqual(['stuck', 'done stuck undone undone', 'test/no-undo']);
    await database.db.transaction((tx) => on.jobs.sagas.skip(tx, sagaId, 'b', 'undone by hand'));
    await on.jobs.drain();
    expect(order).toEqual(['c', 'b', 'b', 'a']);
    expect(await see(on.jobs, sagaId)).toMatchObject({
      status: 'undone', steps: [{}, { status: 'skipped', skipReason: 'undone by hand' }, {}, {}],
    });
  });
});

describe('agents', () => {
  test('skip a stuck step with a reason, and only that', async () => {
    const broken: SagaStep<Json> = { name: 'a', pivot: true, run: async () => { throw new TypeError('mail@example.org'); } };
    const on = bench([{ kind: 'skipping', maxAttempts: 1, steps: [broken, once('b')] }]);
    const sagaId = await begin(on.jobs, 'skipping');
    await on.jobs.drain();
    const skip = (step: string, reason: string, id = sagaId): Promise<void> =>
      database.db.transaction((tx) => on.jobs.sagas.skip(tx, id, step, reason));
    const { lastError } = (await see(on.jobs, sagaId)).steps[0]!;
    expect(lastError).toMatch(/^TypeError at \S+:\d+$/);
    await expect(skip('b', 'no')).rejects.toMatchObject({ code: 'jobs/step-not-stuck' });
    await expect(skip('a', ' ')).rejects.toMatchObject({ code: 'jobs/no-reason' });
    await expect(skip('a', 'x', newId())).rejects.toMatchObject({ code: 'jobs/unknown-saga' });
    await skip('a', 'paid by hand');
    await on.jobs.drain();
    expect(await see(on.jobs, sagaId)).toMatchObject({
      status: 'completed', steps: [{ status: 'skipped', skipReason: 'paid by hand' }, { status: 'done' }],
    });
    await expect(skip('a', 'again')).rejects.toMatchObject({ code: 'jobs/step-not-stuck' });
  });

  test('list stuck sagas page by page', async () => {
    const on = bench([{ kind: 'heap', maxAttempts: 1, steps: [{ name: 'a', pivot: true, run: async () => { throw new Error('x'); } }] }]);
    const ids: string[] = [];
    for (let n = 0; n < 3; n++) ids.push(await begin(on.jobs, 'heap'));
    await on.jobs.drain();
    const found: string[] = [];
    for (let cursor: string | undefined; ;) {
      const page = await on.jobs.sagas.stuck({ limit: 2, ...(cursor === undefined ? {} : { cursor }) });
      found.push(...page.items.map((item) => item.sagaId));
      if (page.nextCursor === null) break;
      cursor = page.nextCursor;
    }
    expect(found).toEqual(expect.arrayContaining(ids));
    expect(new Set(found).size).toBe(found.length);
    await expect(on.jobs.sagas.stuck({ limit: 2, cursor: 'nonsense' })).rejects.toMatchObject({ code: 'jobs/bad-cursor' });
  });
});

describe('waiting', () => {
  function phone(): { saga: Saga<never>; arrive(): void; looks: Date[] } {
    let there = false;
    const looks: Date[] = [];
    return {
      looks, arrive: () => { there = true; },
      saga: {
        kind: 'phone',
        steps: [{
          name: 'unbind',
          async run(context) {
            looks.push(context.now());
            const until = new Date(context.startedAt.getTime() + 72 * 3_600_000);
            if (!there && context.now() < until) return { kind: 'waiting', on: 'delete notification', until };
            return { kind: 'done', result: there ? 'confirmed' : 'not confirmed' };
          },
        }, { name: 'after', run: async (context) => ({ kind: 'done', result: context.results['unbind']! }) }],
      },
    };
  }

  test('looks again when its time comes, and goes on', async () => {
    const { saga, looks } = phone();
    const on = bench([saga]);
    const sagaId = await begin(on.jobs, 'phone');
    await on.jobs.drain();
    expect(await see(on.jobs, sagaId)).toMatchObject({
      status: 'running', steps: [{ status: 'waiting', waitingOn: 'delete notification' }, { status: 'pending' }],
    });
    on.clock.advance(71 * 3_600_000);
    await on.jobs.drain();
    expect(looks).toHaveLength(1);
    on.clock.advance(3_600_000);
    await on.jobs.drain();
    expect((await see(on.jobs, sagaId)).status).toBe('completed');
    expect(looks).toHaveLength(2);
  });

  test('a wake makes it look at once', async () => {
    const { saga, looks, arrive } = phone();
    const on = bench([saga]);
    const sagaId = await begin(on.jobs, 'phone');
    await on.jobs.drain();
    await wake(on.jobs, sagaId);
    await on.jobs.drain();
    expect([(await see(on.jobs, sagaId)).status, looks.length]).toEqual(['running', 2]);
    arrive();
    await wake(on.jobs, sagaId);
    await on.jobs.drain();
    expect((await see(on.jobs, sagaId)).status).toBe('completed');
    await wake(on.jobs, sagaId);
    await wake(on.jobs, newId());
  });

  test('a wake that comes while the step looks is not lost', async () => {
    let looks = 0;
    const on: Bench = bench([{
      kind: 'racing',
      steps: [{
        name: 'a',
        async run(context) {
          if (++looks > 1) return { kind: 'done' };
          await wake(on.jobs, context.sagaId);
          return { kind: 'waiting', on: 'x', until: new Date(start.getTime() + 1e9) };
        },
      }],
    }]);
    const sagaId = await begin(on.jobs, 'racing');
    await on.jobs.drain();
    expect([(await see(on.jobs, sagaId)).status, looks]).toEqual(['completed', 2]);
  });
});

describe('the way back', () => {
  test('may wait; it ends when what it waits for is there', async () => {
    let away = true;
    const on = bench([{
      kind: 'waiting-undo',
      steps: [
        { ...once('one'), undo: async () => (away ? { kind: 'waiting', on: 'operator' } : { kind: 'done' }) },
        { name: 'two', run: async () => ({ kind: 'refused', code: 'test/no' }) },
      ],
    }]);
    const sagaId = await begin(on.jobs, 'waiting-undo');
    for (let look = 0; look < 20; look++) {
      await on.jobs.drain();
      on.clock.advance(3_600_000);
    }
    expect(await see(on.jobs, sagaId)).toMatchObject({ status: 'undoing', steps: [{ status: 'waiting', waitingOn: 'operator' }, { status: 'undone' }] });
    away = false;
    await on.jobs.drain();
    expect(await see(on.jobs, sagaId)).toMatchObject({ status: 'undone', steps: [{ status: 'undone' }, { status: 'undone' }] });
  });

  test('is begun from outside while a step waits, and not while it runs', async () => {
    const turn = (jobs: Jobs, sagaId: string): Promise<boolean> => database.db.transaction((tx) => jobs.sagas.turnBack(tx, sagaId));
    const ends: string[] = [];
    let whileRunning: boolean | undefined;
    const on = bench([{
      kind: 'turning',
      steps: [{
        name: 'one',
        async run(context) {
          whileRunning = await turn(on.jobs, context.sagaId);
          return { kind: 'waiting', on: 'operator' };
        },
        async undo() { ends.push('undo'); },
      }],
      async onEnd(_tx, _sagaId, _input, end) { ends.push(end); },
    }]);
    const sagaId = await begin(on.jobs, 'turning');
    expect(await turn(on.jobs, sagaId)).toBe(false);
    await on.jobs.drain();
    expect(whileRunning).toBe(false);
    expect(await turn(on.jobs, sagaId)).toBe(true);
    expect(await turn(on.jobs, sagaId)).toBe(true);
    await on.jobs.drain();
    expect(ends).toEqual(['undo', 'undone']);
    expect(await turn(on.jobs, newId())).toBe(false);
  });
});
