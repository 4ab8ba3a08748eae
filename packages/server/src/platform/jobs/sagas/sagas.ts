import type { Clock } from '../../clock/index.ts';
import type { Transactor, Tx } from '../../db/index.ts';
import { ServiceError } from '../../errors.ts';
import type { Json, Page, PageOf, Saga, Sagas, SagaView, StuckSaga } from '../types.ts';
import { newSaga, skip, turnBack, wake, type SagaState } from './model.ts';
import type { AnySaga } from './runner.ts';
import * as store from './store.ts';

export interface SagasDeps {
  readonly db: Transactor;
  readonly clock: Clock;
  readonly kinds: Map<string, AnySaga>;
  /** Called once a saga may have become ready. */
  readonly hint: () => void;
}

const largestInput = 64 * 1024;

/** What slices do with sagas; running them is the runner's part. */
export function createSagas(deps: SagasDeps): Sagas {
  return {
    register: (saga) => { register(deps.kinds, saga); },
    start: (tx, kind, sagaId, input) => start(deps, tx, kind, sagaId, input),
    async wake(tx, sagaId, { alsoStuck = true } = {}) {
      const loaded = await store.loadLocked(tx, sagaId);
      if (loaded !== undefined && (alsoStuck || loaded.state.status !== 'stuck')) await save(deps, tx, sagaId, loaded.state, wake(loaded.state, deps.clock.now()));
    },
    turnBack: (tx, sagaId) => turnSagaBack(deps, tx, sagaId),
    retry: (tx, sagaId) => retryStuck(deps, tx, sagaId),
    skip: (tx, sagaId, step, reason) => skipStep(deps, tx, sagaId, step, reason),
    view: (sagaId) => view(deps, sagaId),
    stuck: (page) => stuck(deps, page),
  };
}

function register<I extends Json>(kinds: Map<string, AnySaga>, saga: Saga<I>): void {
  if (kinds.has(saga.kind)) throw new Error(`saga ${saga.kind} is registered twice`);
  const names = new Set(saga.steps.map((step) => step.name));
  if (saga.steps.length === 0 || names.size !== saga.steps.length) throw new Error(`saga ${saga.kind} needs steps of distinct names`);
  if (saga.steps.filter((step) => step.pivot).length > 1) throw new Error(`saga ${saga.kind} has more than one pivot`);
  // The input comes back from the table as JSON; only this kind's own steps read it.
  kinds.set(saga.kind, saga as unknown as AnySaga);
}

async function start(deps: SagasDeps, tx: Tx, kind: string, sagaId: string, input: Json): Promise<void> {
  const saga = deps.kinds.get(kind);
  if (saga === undefined) throw new Error(`no saga of kind ${kind} is registered`);
  if (JSON.stringify(input).length > largestInput) throw new ServiceError('jobs/input-too-large', { kind, sagaId });
  const now = deps.clock.now();
  if (await store.insertSaga(tx, sagaId, kind, input, newSaga(saga.steps, now), now)) tx.onCommit(deps.hint);
}

async function turnSagaBack(deps: SagasDeps, tx: Tx, sagaId: string): Promise<boolean> {
  const loaded = await store.loadLocked(tx, sagaId);
  if (loaded === undefined) return false;
  const turned = turnBack(loaded.state, deps.clock.now());
  if (turned !== undefined) await save(deps, tx, sagaId, loaded.state, turned);
  return turned !== undefined;
}

async function retryStuck(deps: SagasDeps, tx: Tx, sagaId: string): Promise<{ readonly step: string }> {
  const loaded = await store.loadLocked(tx, sagaId);
  if (loaded === undefined) throw new ServiceError('jobs/unknown-saga', { sagaId });
  const stuckStep = loaded.state.steps.find((step) => step.status === 'stuck');
  if (stuckStep === undefined) throw new ServiceError('jobs/step-not-stuck', { sagaId });
  await save(deps, tx, sagaId, loaded.state, wake(loaded.state, deps.clock.now()));
  return { step: stuckStep.name };
}

async function skipStep(deps: SagasDeps, tx: Tx, sagaId: string, step: string, reason: string): Promise<void> {
  if (reason.trim() === '') throw new ServiceError('jobs/no-reason', { sagaId, step });
  const loaded = await store.loadLocked(tx, sagaId);
  if (loaded === undefined) throw new ServiceError('jobs/unknown-saga', { sagaId });
  const skipped = skip(loaded.state, step, reason.slice(0, 500), deps.clock.now());
  if (skipped === undefined) throw new ServiceError('jobs/step-not-stuck', { sagaId, step });
  await save(deps, tx, sagaId, loaded.state, skipped);
}

/** Saves a change made outside the saga's lease; counted as a wake, so that a step under way cannot miss it. */
async function save(deps: SagasDeps, tx: Tx, sagaId: string, before: SagaState, after: SagaState): Promise<void> {
  if (after === before) return;
  await store.saveSaga(tx, sagaId, before, after, { keepLease: true, woken: true, now: deps.clock.now() });
  tx.onCommit(deps.hint);
}

async function view(deps: SagasDeps, sagaId: string): Promise<SagaView | undefined> {
  const loaded = await store.loadSaga(deps.db, sagaId);
  if (loaded === undefined) return undefined;
  const { kind, state } = loaded;
  return {
    sagaId, kind, status: state.status,
    steps: state.steps.map((step) => ({
      name: step.name, status: step.status, attempts: step.attempts, waitingOn: step.waitingOn, dueAt: step.dueAt,
      startedAt: step.startedAt, endedAt: step.endedAt, lastError: step.lastError, skipReason: step.skipReason,
    })),
  };
}

async function stuck(deps: SagasDeps, page: PageOf): Promise<Page<StuckSaga>> {
  const items = await store.listStuck(deps.db, readCursor(page.cursor), page.limit + 1);
  const last = items[page.limit - 1];
  const nextCursor = items.length > page.limit && last !== undefined ? `${last.createdAt.toISOString()} ${last.sagaId}` : null;
  return { items: items.slice(0, page.limit), nextCursor };
}

function readCursor(cursor: string | undefined): { readonly createdAt: Date; readonly sagaId: string } | undefined {
  if (cursor === undefined) return undefined;
  const parts = /^(2\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) ([\x21-\x7e]{1,120})$/.exec(cursor);
  const createdAt = new Date(parts?.[1] ?? Number.NaN);
  if (parts === null || Number.isNaN(createdAt.getTime())) throw new ServiceError('jobs/bad-cursor');
  return { createdAt, sagaId: parts[2]! };
}
