import { pauseMs, type Backoff } from '../backoff.ts';
import type { Json, SagaStatus, StepStatus } from '../types.ts';

export interface StepState {
  readonly name: string;
  readonly pivot: boolean;
  readonly status: StepStatus;
  /** Runs begun in all. */
  readonly attempts: number;
  /** Failures since the last success, wait or wake. */
  readonly failures: number;
  readonly dueAt: Date | null;
  readonly waitingOn: string | null;
  readonly startedAt: Date | null;
  readonly endedAt: Date | null;
  readonly lastError: string | null;
  readonly result: Json;
  readonly skipReason: string | null;
}

export interface SagaState {
  readonly status: SagaStatus;
  /** Kept apart from the status, so that a stuck saga remembers which way it was going. */
  readonly direction: 'forward' | 'backward';
  readonly dueAt: Date | null;
  readonly steps: readonly StepState[];
}

/** What a saga's kind prescribes. */
export interface SagaRules {
  readonly maxAttempts: number;
  readonly backoff: Backoff;
  /** Steps that have something to undo. */
  readonly undoable: ReadonlySet<string>;
}

/** How a run of a step (or of its undo) ended. */
export type StepEnd =
  | { readonly kind: 'done'; readonly result: Json }
  | { readonly kind: 'waiting'; readonly on: string; readonly until?: Date }
  /** `final`: another attempt would fail as well. */
  | { readonly kind: 'failed'; readonly error: string; readonly final: boolean };

/** What to do next with a saga, decided from its state alone. */
export type Next =
  | { readonly kind: 'run'; readonly position: number; readonly direction: 'forward' | 'backward' }
  | { readonly kind: 'rest' }
  | { readonly kind: 'end'; readonly end: 'completed' | 'undone' };

/** A saga moved on, and what is to be done with it. */
export interface Advanced { readonly saga: SagaState; readonly next: Next }

/** A step that asks to wait until a time already past must not spin. */
const shortestWaitMs = 250;

export function newSaga(steps: readonly { readonly name: string; readonly pivot?: boolean }[], now: Date): SagaState {
  return {
    status: 'running', direction: 'forward', dueAt: now,
    steps: steps.map((step) => ({
      name: step.name, pivot: step.pivot === true, status: 'pending', attempts: 0, failures: 0, dueAt: null, waitingOn: null,
      startedAt: null, endedAt: null, lastError: null, result: null, skipReason: null,
    })),
  };
}

/** Chooses the next step and marks it begun; rests when it is not due, ends when none is left. */
export function advance(saga: SagaState, rules: SagaRules, now: Date): Advanced {
  if (saga.status === 'stuck' || hasEnded(saga)) return { saga, next: { kind: 'rest' } };
  return saga.direction === 'forward' ? forward(saga, now) : backward(saga, rules, now);
}

function forward(saga: SagaState, now: Date): Advanced {
  const position = saga.steps.findIndex((step) => step.status !== 'done' && step.status !== 'skipped');
  if (position < 0) return { saga: { ...saga, status: 'completed', dueAt: null }, next: { kind: 'end', end: 'completed' } };
  return begin(saga, position, 'running', now);
}

function backward(saga: SagaState, rules: SagaRules, now: Date): Advanced {
  let undoing = saga;
  for (let position = saga.steps.length - 1; position >= 0; position--) {
    const step = saga.steps[position]!;
    if (step.status === 'pending' || step.status === 'undone' || step.status === 'skipped') continue;
    if (rules.undoable.has(step.name)) return begin(undoing, position, 'undoing', now);
    undoing = withStep(undoing, position, { ...step, status: 'undone', dueAt: null, waitingOn: null, endedAt: now });
  }
  return { saga: { ...undoing, status: 'undone', dueAt: null }, next: { kind: 'end', end: 'undone' } };
}

function begin(saga: SagaState, position: number, status: 'running' | 'undoing', now: Date): Advanced {
  const step = saga.steps[position]!;
  if (step.dueAt !== null && step.dueAt > now) return { saga: { ...saga, dueAt: step.dueAt }, next: { kind: 'rest' } };
  const begun: StepState = {
    ...step, status, attempts: step.attempts + 1, startedAt: step.startedAt ?? now, dueAt: null, waitingOn: null, endedAt: null,
  };
  return { saga: { ...withStep(saga, position, begun), dueAt: now }, next: { kind: 'run', position, direction: saga.direction } };
}

/** Takes in how the step that was begun ended. `woken`: a wake came while it ran; `jitter` in [0, 1). */
export function settle(
  saga: SagaState, position: number, end: StepEnd, rules: SagaRules, now: Date, woken: boolean, jitter: number,
): SagaState {
  const step = saga.steps[position]!;
  if (end.kind === 'done') {
    const settled = saga.direction === 'forward'
      ? { ...step, status: 'done' as const, result: end.result } : { ...step, status: 'undone' as const };
    const cleared = { failures: 0, dueAt: null, waitingOn: null, endedAt: now, lastError: null };
    return { ...withStep(saga, position, { ...settled, ...cleared }), dueAt: now };
  }
  if (end.kind === 'waiting') {
    const until = end.until ?? new Date(now.getTime() + pauseMs(rules.backoff, step.attempts, jitter));
    const dueAt = woken ? now : new Date(Math.max(until.getTime(), now.getTime() + shortestWaitMs));
    return {
      ...withStep(saga, position, { ...step, status: 'waiting', failures: 0, dueAt, waitingOn: end.on, lastError: null }), dueAt,
    };
  }
  return failed(saga, position, { ...step, failures: step.failures + 1, lastError: end.error }, end.final, rules, now, jitter);
}

function failed(
  saga: SagaState, position: number, step: StepState, final: boolean, rules: SagaRules, now: Date, jitter: number,
): SagaState {
  if (!final && step.failures < rules.maxAttempts) {
    const dueAt = new Date(now.getTime() + pauseMs(rules.backoff, step.failures, jitter));
    const status = saga.direction === 'forward' ? 'retrying' : 'undoing';
    return { ...withStep(saga, position, { ...step, status, dueAt }), dueAt };
  }
  if (saga.direction === 'forward' && !reachedPivot(saga, position)) {
    // The failing step itself may have done half of its work, so the way back begins with it.
    const turned = withStep(saga, position, { ...step, status: 'undoing', failures: 0, dueAt: null });
    return { ...turned, status: 'undoing', direction: 'backward', dueAt: now };
  }
  return { ...withStep(saga, position, { ...step, status: 'stuck', dueAt: null }), status: 'stuck', dueAt: null };
}

function reachedPivot(saga: SagaState, position: number): boolean {
  return saga.steps.slice(0, position + 1).some((step) => step.pivot);
}

/** Makes a waiting, retrying or stuck step due at once. Answers the same state when there is nothing to wake. */
export function wake(saga: SagaState, now: Date): SagaState {
  if (hasEnded(saga)) return saga;
  const status: SagaStatus = saga.direction === 'forward' ? 'running' : 'undoing';
  const steps = saga.steps.map((step): StepState => {
    if (step.status === 'stuck') return { ...step, status: saga.direction === 'forward' ? 'retrying' : 'undoing', failures: 0, dueAt: now };
    return step.dueAt !== null ? { ...step, dueAt: now } : step;
  });
  return { ...saga, status, dueAt: now, steps };
}

/**
 * Begins the way back from a step that waits or is to be tried again; a saga on its way back stays as it is. Undefined where there is no such
 * step or no way back.
 */
export function turnBack(saga: SagaState, now: Date): SagaState | undefined {
  if (saga.direction === 'backward') return saga;
  const position = saga.steps.findIndex((step) => step.status !== 'done' && step.status !== 'skipped');
  const step = saga.steps[position];
  if (hasEnded(saga) || step === undefined || reachedPivot(saga, position)) return undefined;
  if (step.status !== 'waiting' && step.status !== 'retrying') return undefined;
  const turned = withStep(saga, position, { ...step, status: 'undoing', failures: 0, dueAt: null, waitingOn: null });
  return { ...turned, status: 'undoing', direction: 'backward', dueAt: now };
}

/** An agent passes over the step that is stuck. Undefined when that step is not stuck. */
export function skip(saga: SagaState, name: string, reason: string, now: Date): SagaState | undefined {
  const position = saga.steps.findIndex((step) => step.name === name && step.status === 'stuck');
  if (position < 0) return undefined;
  const step = saga.steps[position]!;
  const skipped: StepState = { ...step, status: 'skipped', failures: 0, endedAt: now, skipReason: reason };
  return { ...withStep(saga, position, skipped), status: saga.direction === 'forward' ? 'running' : 'undoing', dueAt: now };
}

export function hasEnded(saga: SagaState): boolean {
  return saga.status === 'completed' || saga.status === 'undone';
}

/** Results of the steps done, by name. */
export function resultsOf(saga: SagaState): Record<string, Json> {
  return Object.fromEntries(saga.steps.filter((step) => step.status === 'done').map((step) => [step.name, step.result]));
}

function withStep(saga: SagaState, position: number, step: StepState): SagaState {
  return { ...saga, steps: saga.steps.map((other, at) => (at === position ? step : other)) };
}
