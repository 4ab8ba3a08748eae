import { ServiceError } from '../../errors.ts';
import type { Clock } from '../../clock/index.ts';
import type { Transactor, Tx } from '../../db/index.ts';
import { describeFailure } from '../failure.ts';
import { within } from '../limit.ts';
import type { JobsSettings } from '../settings.ts';
import type { JobsLog, Json, Saga, SagaStep, StepContext, StepOutcome } from '../types.ts';
import type { FaultPoint, SagaFaults } from './faults.ts';
import { advance, resultsOf, settle, type Next, type SagaRules, type SagaState, type StepEnd } from './model.ts';
import * as store from './store.ts';
import type { Claim } from './store.ts';

export type AnySaga = Saga<Json>;

export interface RunnerDeps {
  readonly db: Transactor;
  readonly clock: Clock;
  readonly log: JobsLog;
  readonly settings: JobsSettings;
  readonly faults: SagaFaults;
  readonly kinds: ReadonlyMap<string, AnySaga>;
  readonly stopping: () => boolean;
}

export interface Runner {
  claim(limit: number): Promise<readonly Claim[]>;
  run(claim: Claim): Promise<void>;
  /** Renews the leases of all that runs here. */
  heartbeat(): Promise<void>;
}

/** A step that was begun: what to run, and the state it was begun in. */
interface Begun {
  readonly position: number;
  readonly direction: 'forward' | 'backward';
  readonly state: SagaState;
  readonly wakes: bigint;
}

/** How long a saga with a step unknown to this process is left to others. */
const unknownStepPauseMs = 30_000;

export function createRunner(deps: RunnerDeps): Runner {
  const held = new Map<string, Claim>();
  return {
    claim: (limit) => claimDue(deps, held, limit),
    async run(claim) {
      held.set(claim.sagaId, claim);
      try {
        await runClaimed(deps, claim);
      } catch (error) {
        // Nothing is lost: the lease runs out and the table says where to go on.
        deps.log.warn({ sagaId: claim.sagaId, fence: String(claim.fence), failure: describeFailure(error) }, 'let go of a saga');
      } finally {
        held.delete(claim.sagaId);
      }
    },
    async heartbeat() {
      if (held.size === 0) return;
      const claims = [...held.values()];
      await deps.db.transaction((tx) => store.extendLeases(tx, claims, leaseUntil(deps)));
    },
  };
}

function leaseUntil(deps: RunnerDeps): Date {
  return new Date(deps.clock.now().getTime() + deps.settings.leaseMs);
}

async function claimDue(deps: RunnerDeps, held: ReadonlyMap<string, Claim>, limit: number): Promise<readonly Claim[]> {
  const kinds = [...deps.kinds.keys()];
  if (kinds.length === 0 || deps.stopping()) return [];
  return store.claimSagas(deps.db, { kinds, except: [...held.keys()], limit, now: deps.clock.now(), leaseUntil: leaseUntil(deps) });
}

async function runClaimed(deps: RunnerDeps, claim: Claim): Promise<void> {
  const saga = deps.kinds.get(claim.kind)!;
  const rules = rulesOf(saga, deps.settings);
  let begun = await fenced(deps, claim, (tx) => beginNext(deps, tx, claim, saga, rules));
  while (begun !== undefined) {
    const running = begun;
    const ended = await runStep(deps, claim, saga, running);
    begun = await fenced(deps, claim, (tx) => settleAndGoOn(deps, tx, claim, saga, rules, running, ended));
  }
}

function rulesOf(saga: AnySaga, settings: JobsSettings): SagaRules {
  return {
    maxAttempts: saga.maxAttempts ?? settings.maxStepAttempts,
    backoff: settings.backoff,
    undoable: new Set(saga.steps.filter((step) => step.undo !== undefined).map((step) => step.name)),
  };
}

/** A transaction that holds the saga's row and fails when the saga is no longer ours. */
function fenced<T>(deps: RunnerDeps, claim: Claim, work: (tx: Tx) => Promise<T>): Promise<T> {
  return deps.db.transaction(async (tx) => {
    await store.lockFenced(tx, claim, leaseUntil(deps));
    return work(tx);
  });
}

async function beginNext(deps: RunnerDeps, tx: Tx, claim: Claim, saga: AnySaga, rules: SagaRules): Promise<Begun | undefined> {
  const { state, wakes } = (await store.loadSaga(tx, claim.sagaId))!;
  return goOn(deps, tx, claim, saga, rules, { before: state, state, wakes, letGo: deps.stopping() });
}

/** Saves how the step ended and begins the next one, in one transaction: a ready step waits for nobody. */
async function settleAndGoOn(
  deps: RunnerDeps, tx: Tx, claim: Claim, saga: AnySaga, rules: SagaRules, begun: Begun, ended: EndedStep,
): Promise<Begun | undefined> {
  const { state, wakes } = (await store.loadSaga(tx, claim.sagaId))!;
  const settled = settle(state, begun.position, ended.end, rules, deps.clock.now(), wakes !== begun.wakes, Math.random());
  // A run that went over its time may still be under way: only a new fencing number keeps its late writes out.
  return goOn(deps, tx, claim, saga, rules, { before: state, state: settled, wakes, letGo: deps.stopping() || ended.overtime });
}

async function goOn(
  deps: RunnerDeps, tx: Tx, claim: Claim, saga: AnySaga, rules: SagaRules,
  at: { readonly before: SagaState; readonly state: SagaState; readonly wakes: bigint; readonly letGo: boolean },
): Promise<Begun | undefined> {
  const now = deps.clock.now();
  const decided = at.letGo ? { saga: at.state, next: { kind: 'rest' } satisfies Next } : advance(at.state, rules, now);
  const next: Next = decided.next;
  if (next.kind === 'run' && !saga.steps.some((step) => step.name === decided.saga.steps[next.position]!.name)) {
    await store.postponeSaga(tx, claim, next.position, 'jobs/unknown-step', new Date(now.getTime() + unknownStepPauseMs));
    deps.log.error({ sagaId: claim.sagaId, kind: claim.kind }, 'a saga has a step that this release does not know');
    return undefined;
  }
  await store.saveSaga(tx, claim.sagaId, at.before, decided.saga, { keepLease: next.kind === 'run', woken: false, now });
  if (next.kind === 'end') await saga.onEnd?.(tx, claim.sagaId, claim.input, next.end);
  if (decided.saga.status === 'stuck') deps.log.error({ sagaId: claim.sagaId, kind: claim.kind }, 'a saga waits for an agent');
  return next.kind === 'run' ? { position: next.position, direction: next.direction, state: decided.saga, wakes: at.wakes } : undefined;
}

interface EndedStep { readonly end: StepEnd; readonly overtime: boolean }

async function runStep(deps: RunnerDeps, claim: Claim, saga: AnySaga, begun: Begun): Promise<EndedStep> {
  const state = begun.state.steps[begun.position]!;
  const step = saga.steps.find((candidate) => candidate.name === state.name)!;
  const context = contextOf(deps, claim, begun);
  try {
    const end = await within(deps.settings.longestStepMs, attemptStep(deps, claim, step, begun.direction, context));
    return { end, overtime: false };
  } catch (error) {
    const overtime = error instanceof ServiceError && error.code === 'jobs/timeout';
    const failure = describeFailure(error);
    deps.log.warn({ sagaId: claim.sagaId, kind: claim.kind, step: step.name, attempt: context.attempt, failure }, 'a step failed');
    return { end: { kind: 'failed', error: failure, final: false }, overtime };
  }
}

async function attemptStep(
  deps: RunnerDeps, claim: Claim, step: SagaStep<Json>, direction: 'forward' | 'backward', context: StepContext<Json>,
): Promise<StepEnd> {
  const point = (moment: FaultPoint['moment']): FaultPoint => ({
    sagaId: claim.sagaId, kind: claim.kind, step: step.name, moment, attempt: context.attempt,
  });
  if (direction === 'backward') {
    await deps.faults.at(point('undo-before'));
    const undone = await step.undo?.(context);
    await deps.faults.at(point('undo-after'));
    return undone === undefined ? { kind: 'done', result: null } : endOf(undone);
  }
  await deps.faults.at(point('before'));
  const outcome = await step.run(context);
  await deps.faults.at(point('after'));
  return endOf(outcome);
}

function endOf(outcome: StepOutcome): StepEnd {
  switch (outcome.kind) {
    case 'done': return { kind: 'done', result: outcome.result ?? null };
    case 'waiting': return { ...outcome, on: outcome.on.slice(0, 200) };
    case 'refused': return { kind: 'failed', error: outcome.code.slice(0, 300), final: true };
  }
}

function contextOf(deps: RunnerDeps, claim: Claim, begun: Begun): StepContext<Json> {
  const step = begun.state.steps[begun.position]!;
  return {
    sagaId: claim.sagaId, input: claim.input, results: resultsOf(begun.state), attempt: step.attempts, startedAt: step.startedAt!,
    now: () => deps.clock.now(),
    transaction: (work) => fenced(deps, claim, work),
  };
}
