import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { advance, hasEnded, newSaga, resultsOf, settle, skip, turnBack, wake, type SagaRules, type SagaState, type StepEnd } from './model.ts';

const start = new Date('2026-11-22T08:00:00Z');
const names = ['a', 'b', 'c', 'd'] as const;
const rules = (undoable: readonly string[] = names, maxAttempts = 3): SagaRules =>
  ({ maxAttempts, backoff: { firstMs: 1000, factor: 2, longestMs: 8000 }, undoable: new Set(undoable) });
const saga = (pivot?: string): SagaState => newSaga(names.map((name) => ({ name, pivot: name === pivot })), start);
const at = (seconds: number): Date => new Date(start.getTime() + seconds * 1000);
const statuses = (state: SagaState): string => state.steps.map((step) => step.status).join(' ');

/** Advances and settles with one end after another, an hour apart. */
function play(from: SagaState, given: SagaRules, ends: readonly StepEnd[]): SagaState {
  let state = from;
  let now = start;
  for (const end of ends) {
    now = new Date(now.getTime() + 3_600_000);
    const { saga: begun, next } = advance(state, given, now);
    if (next.kind !== 'run') return begun;
    state = settle(begun, next.position, end, given, now, false, 0.5);
  }
  return advance(state, given, new Date(now.getTime() + 3_600_000)).saga;
}

const done: StepEnd = { kind: 'done', result: null };
const broken: StepEnd = { kind: 'failed', error: 'x', final: false };
const refused: StepEnd = { kind: 'failed', error: 'no', final: true };
const times = <T>(count: number, value: T): T[] => Array.from({ length: count }, () => value);

describe('forward', () => {
  test('steps run in order and their results are kept', () => {
    const ends = names.map((name): StepEnd => ({ kind: 'done', result: `${name}!` }));
    const end = play(saga(), rules(), ends);
    expect(end.status).toBe('completed');
    expect(resultsOf(end)).toEqual({ a: 'a!', b: 'b!', c: 'c!', d: 'd!' });
  });

  test('a failure pauses longer each time and rests until then', () => {
    let state = saga('a');
    const pauses: number[] = [];
    let now = start;
    for (let attempt = 0; attempt < 2; attempt++) {
      const begun = advance(state, rules(), now);
      state = settle(begun.saga, 0, broken, rules(), now, false, 0);
      pauses.push(state.dueAt!.getTime() - now.getTime());
      expect(advance(state, rules(), now).next).toEqual({ kind: 'rest' });
      now = state.dueAt!;
    }
    expect(pauses).toEqual([500, 1000]);
    expect(state.steps[0]).toMatchObject({ status: 'retrying', attempts: 2, failures: 2, lastError: 'x' });
  });

  test('waiting without a time pauses longer at each look, up to the longest pause, and never fails', () => {
    let state = saga('a');
    const pauses: number[] = [];
    let now = start;
    for (let look = 0; look < 6; look++) {
      const begun = advance(state, rules(), now);
      state = settle(begun.saga, 0, { kind: 'waiting', on: 'operator' }, rules(), now, false, 0);
      pauses.push(state.dueAt!.getTime() - now.getTime());
      now = state.dueAt!;
    }
    expect(pauses).toEqual([500, 1000, 2000, 4000, 4000, 4000]);
    expect(state.steps[0]).toMatchObject({ status: 'waiting', failures: 0 });
  });

  test('waiting does not count as failing, and a wake during the step makes it due at once', () => {
    const begun = advance(saga(), rules(), start).saga;
    const end: StepEnd = { kind: 'waiting', on: 'phone', until: at(60) };
    const waiting = settle(begun, 0, end, rules(), start, false, 0);
    expect(waiting.dueAt).toEqual(at(60));
    expect(waiting.steps[0]).toMatchObject({ status: 'waiting', waitingOn: 'phone', failures: 0 });
    expect(settle(begun, 0, end, rules(), start, true, 0).dueAt).toEqual(start);
    const past = settle(begun, 0, { ...end, until: at(-60) }, rules(), start, false, 0);
    expect(past.dueAt!.getTime()).toBeGreaterThan(start.getTime());
  });

  test('a step found running is run again', () => {
    const crashed = advance(saga(), rules(), start).saga;
    const again = advance(crashed, rules(), at(20));
    expect(again.next).toEqual({ kind: 'run', position: 0, direction: 'forward' });
    expect(again.saga.steps[0]).toMatchObject({ attempts: 2, startedAt: start });
  });
});

describe('before the pivot', () => {
  test('failing for good undoes in reverse order, the failing step first; steps without an undo are passed', () => {
    const given = rules(['a', 'c']);
    let state = play(saga('d'), given, [done, done, ...times(2, broken)]);
    const now = at(1e6);
    const begun = advance(state, given, now);
    state = settle(begun.saga, 2, broken, given, now, false, 0);
    expect(state).toMatchObject({ status: 'undoing', direction: 'backward' });
    const order: number[] = [];
    for (let next = advance(state, given, now); ; next = advance(state, given, now)) {
      state = next.saga;
      if (next.next.kind !== 'run') break;
      order.push(next.next.position);
      state = settle(state, next.next.position, done, given, now, false, 0);
    }
    expect(order).toEqual([2, 0]);
    expect([state.status, statuses(state)]).toEqual(['undone', 'undone undone undone pending']);
  });

  test('a refusal undoes at once', () => {
    expect(play(saga('c'), rules(), [done, refused])).toMatchObject({ status: 'undoing', direction: 'backward' });
  });

  test('an undo that fails for good is stuck; a wake tries it again, a skip passes it', () => {
    const stuck = play(saga('c'), rules(), [done, refused, ...times(3, broken)]);
    expect([stuck.status, statuses(stuck)]).toEqual(['stuck', 'done stuck pending pending']);
    expect(play(wake(stuck, start), rules(), [done, done])).toMatchObject({ status: 'undone' });
    const skipped = skip(stuck, 'b', 'seen to by hand', start)!;
    const end = play(skipped, rules(), [done]);
    expect([end.status, statuses(end), end.steps[1]!.skipReason]).toEqual(['undone', 'undone skipped pending pending', 'seen to by hand']);
  });
});

describe('from the pivot on', () => {
  test.each([
    ['b', [done, ...times(3, broken)], 'done stuck pending pending'],
    ['b', [done, done, refused], 'done done stuck pending'],
  ] as const)(
    'failing for good waits for an agent (pivot %s)', (pivot, ends, expected) => {
      const stuck = play(saga(pivot), rules(), ends);
      expect([stuck.status, stuck.dueAt, statuses(stuck)]).toEqual(['stuck', null, expected]);
      expect(advance(stuck, rules(), at(1e7)).next).toEqual({ kind: 'rest' });
    });

  test('a wake grants all attempts again; a skip goes on without a result', () => {
    const stuck = play(saga('a'), rules(), times(3, broken));
    expect(play(wake(stuck, start), rules(), [broken, broken, done, done, done, done])).toMatchObject({ status: 'completed' });
    const skipped = skip(stuck, 'a', 'paid by hand', start)!;
    expect(skip(stuck, 'b', 'no', start)).toBeUndefined();
    const end = play(skipped, rules(), [done, done, done]);
    expect([end.status, Object.keys(resultsOf(end))]).toEqual(['completed', ['b', 'c', 'd']]);
  });
});

type Act =
  | { readonly kind: 'step'; readonly end: StepEnd; readonly woken: boolean }
  | { readonly kind: 'crash' } | { readonly kind: 'wake' } | { readonly kind: 'skip' };

const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('step' as const), woken: fc.boolean(), end: fc.constantFrom<StepEnd>(
    done, done, done, broken, broken, refused, { kind: 'waiting', on: 'x', until: at(10) }) }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'crash' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'wake' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'skip' as const }) },
);

const all = (steps: SagaState['steps'], ...allowed: readonly string[]): boolean => steps.every((step) => allowed.includes(step.status));

test('whatever happens, the order of steps, the pivot and the ends hold', () => {
  const pivots = fc.integer({ min: -1, max: 3 });
  fc.assert(fc.property(fc.array(act, { maxLength: 60 }), pivots, fc.subarray([...names]), (acts, pivot, undoable) => {
    const given = rules(undoable, 2);
    let state = saga(names[pivot]);
    let now = start;
    let turned = false;
    let passedPivot = false;
    for (const one of acts) {
      now = new Date(now.getTime() + 60_000);
      if (one.kind === 'wake') state = wake(state, now);
      if (one.kind === 'skip') state = skip(state, state.steps.find((step) => step.status === 'stuck')?.name ?? 'a', 'r', now) ?? state;
      if (one.kind === 'step' || one.kind === 'crash') {
        const { saga: begun, next } = advance(state, given, now);
        if (next.kind === 'run') {
          expect(next.direction === 'backward').toBe(turned);
          expect(all(begun.steps.slice(0, next.position), 'done', 'skipped')).toBe(true);
          if (turned) expect(all(begun.steps.slice(next.position + 1), 'pending', 'undone', 'skipped')).toBe(true);
          passedPivot ||= !turned && pivot >= 0 && next.position >= pivot;
        }
        state = next.kind === 'run' && one.kind === 'step' ? settle(begun, next.position, one.end, given, now, one.woken, 0.3) : begun;
      }
      turned ||= state.direction === 'backward';
      if (passedPivot) expect(state.direction).toBe('forward');
      expect(state.dueAt !== null).toBe(state.status === 'running' || state.status === 'undoing');
      expect(state.steps.some((step) => step.status === 'stuck')).toBe(state.status === 'stuck');
      if (state.status === 'completed') expect(all(state.steps, 'done', 'skipped')).toBe(true);
      if (state.status === 'undone') expect(all(state.steps, 'pending', 'undone', 'skipped')).toBe(true);
    }
    // Whatever was left, an hour of successes and a wake end it.
    state = wake(state, now);
    for (let turn = 0; turn < 10 && !hasEnded(state); turn++) {
      now = new Date(now.getTime() + 3_600_000);
      const { saga: begun, next } = advance(state, given, now);
      state = next.kind === 'run' ? settle(begun, next.position, done, given, now, false, 0) : begun;
    }
    expect(hasEnded(state)).toBe(true);
  }), { numRuns: 1500 });
});

describe('turning back', () => {
  const waitingOn = (position: number, pivot?: string): SagaState =>
    play(saga(pivot), rules(), [...times(position, done), { kind: 'waiting', on: 'operator', until: at(1e9) }]);

  test('undoes what was begun and done, the waiting step first', () => {
    const turned = turnBack(waitingOn(1), at(7200))!;
    expect(turned).toMatchObject({ status: 'undoing', direction: 'backward' });
    expect(statuses(turned)).toBe('done undoing pending pending');
    expect(statuses(play(turned, rules(), times(2, done)))).toBe('undone undone pending pending');
    expect(turnBack(turned, at(7200))).toBe(turned);
  });

  test('is refused before anything was begun, while a step runs, from the pivot on and at the end', () => {
    expect(turnBack(saga(), start)).toBeUndefined();
    expect(turnBack(advance(saga(), rules(), start).saga, start)).toBeUndefined();
    expect(turnBack(waitingOn(1, 'b'), start)).toBeUndefined();
    expect(turnBack(waitingOn(2, 'b'), start)).toBeUndefined();
    expect(turnBack(play(saga(), rules(), times(4, done)), start)).toBeUndefined();
  });

  test('waits for the way back as well, and a refusal there is for an agent', () => {
    const turned = turnBack(waitingOn(1), at(7200))!;
    const waiting = play(turned, rules(), [{ kind: 'waiting', on: 'operator', until: at(1e9) }]);
    expect(waiting).toMatchObject({ status: 'undoing', direction: 'backward' });
    expect(statuses(waiting)).toBe('done waiting pending pending');
    expect(play(waiting, rules(), [])).toMatchObject({ status: 'undoing' });
    expect(play(turned, rules(), [refused]).status).toBe('stuck');
  });
});
