import { randomUUID } from 'node:crypto';
import type { Clock } from '../clock/index.ts';
import type { JobsLog, DeadLetters, Outbox, Sagas, Schedule } from './types.ts';
import type { Transactor } from '../db/index.ts';
import { describeFailure } from './failure.ts';
import { createDeadLetters } from './outbox/dead.ts';
import { createDeliverer } from './outbox/deliver.ts';
import { createOutbox, type Subscription } from './outbox/emit.ts';
import { pruneDeliveries } from './outbox/store.ts';
import { within } from './limit.ts';
import { createPump, type Pump } from './pump.ts';
import type { SagaFaults } from './sagas/faults.ts';
import { createSagas } from './sagas/sagas.ts';
import { createRunner, type AnySaga } from './sagas/runner.ts';
import { createScheduler } from './schedule/schedule.ts';
import { defaultSettings, type JobsSettings } from './settings.ts';

export * from './types.ts';
export { orderedFaults, type FaultOrder, type FaultPoint, type SagaFaults } from './sagas/faults.ts';
export { pauseMs, type Backoff } from './backoff.ts';
export { describeFailure } from './failure.ts';
export { addJobFigures } from './figures.ts';
export { defaultSettings, type JobsSettings } from './settings.ts';

export interface JobsDeps {
  readonly db: Transactor;
  readonly clock: Clock;
  readonly log: JobsLog;
  /** Names this process in its logs. */
  readonly workerId?: string;
  /** Breaks sagas where told to; tests and development mode only. */
  readonly faults?: SagaFaults;
  readonly settings?: Partial<JobsSettings>;
}

export interface Jobs {
  readonly outbox: Outbox;
  readonly deadLetters: DeadLetters;
  readonly sagas: Sagas;
  readonly schedule: Schedule;
  /** Begins to claim and run; call after all slices have subscribed and registered. */
  start(): void;
  /** Claims no more and waits for what runs, at most `longestStopMs`; a saga stops after its current step. */
  stop(): Promise<void>;
  /** Runs until nothing is due by the clock: events, sagas and scheduled tasks. For tests; `start` is not needed for it. */
  drain(): Promise<void>;
}

const pruneEveryMs = 10 * 60_000;
const pruneBatch = 2000;
const mostDrainRounds = 10_000;

/** Outbox, sagas and scheduled tasks over one database, shared by any number of processes. */
export function createJobs(deps: JobsDeps): Jobs {
  const settings: JobsSettings = { ...defaultSettings, ...deps.settings };
  const log = deps.log;
  const { db, clock } = deps;
  const subscriptions = new Map<string, Subscription>();
  const kinds = new Map<string, AnySaga>();
  let stopping = false;
  let started = false;

  const deliverer = createDeliverer({ db, clock, log, settings, subscriptions, stopping: () => stopping });
  const runner = createRunner({ db, clock, log, settings, kinds, faults: deps.faults ?? { at() {} }, stopping: () => stopping });
  const scheduler = createScheduler({ db, clock, log, settings });
  const { idleMs } = settings;
  const deliveries = createPump({ name: 'outbox', concurrency: settings.concurrentDeliveries, idleMs, log, ...deliverer });
  const sagaRuns = createPump({ name: 'sagas', concurrency: settings.concurrentSagas, idleMs, log, ...runner });
  const tasks = createPump({ name: 'schedule', concurrency: 4, idleMs: idleMs * 4, log, ...scheduler });
  const pumps: readonly Pump[] = [deliveries, sagaRuns, tasks];
  const eventCame = (): void => { deliverer.announce(); deliveries.poke(); };
  const hearts = createHearts([deliverer, runner, scheduler], settings.leaseMs / 3, log);

  scheduler.every('jobs.prune', pruneEveryMs, () => prune(db, clock, settings));
  return {
    outbox: createOutbox({ clock, subscriptions, hint: eventCame }),
    deadLetters: createDeadLetters({ db, clock, hint: eventCame }),
    sagas: createSagas({ db, clock, kinds, hint: sagaRuns.poke }),
    schedule: { every: (name, everyMs, run) => { scheduler.every(name, everyMs, run); } },
    start() {
      log.info({ workerId: deps.workerId ?? randomUUID() }, 'jobs start');
      started = true;
      hearts.start();
      for (const pump of pumps) pump.start();
    },
    async stop() {
      stopping = true;
      started = false;
      try {
        await within(settings.longestStopMs, Promise.all(pumps.map((pump) => pump.stop())));
        await deliverer.letGo();
        stopping = false;
      } catch (error) {
        log.warn({ failure: describeFailure(error) }, 'stopped with work under way; its leases will run out');
      } finally {
        hearts.stop();
      }
    },
    async drain() {
      hearts.start();
      try {
        await drainAll(pumps);
      } finally {
        if (!started) hearts.stop();
      }
    },
  };
}

async function drainAll(pumps: readonly Pump[]): Promise<void> {
  for (let round = 0; round < mostDrainRounds; round++) {
    let ran = 0;
    for (const pump of pumps) ran += await pump.drain();
    if (ran === 0) return;
  }
  throw new Error('work keeps making work that is due at once');
}

async function prune(db: Transactor, clock: Clock, settings: JobsSettings): Promise<void> {
  const now = clock.now().getTime();
  const doneBefore = new Date(now - settings.keepDoneMs);
  const deadBefore = new Date(now - settings.keepDeadMs);
  let pruned = pruneBatch;
  while (pruned >= pruneBatch) pruned = await db.transaction((tx) => pruneDeliveries(tx, doneBefore, deadBefore, pruneBatch));
}

function createHearts(
  hearts: readonly { readonly heartbeat: () => Promise<void> }[], everyMs: number, log: JobsLog,
): { start(): void; stop(): void } {
  let timer: NodeJS.Timeout | undefined;
  const beat = async (): Promise<void> => {
    const beats = await Promise.allSettled(hearts.map((one) => one.heartbeat()));
    for (const failed of beats.filter((one) => one.status === 'rejected')) {
      log.warn({ failure: describeFailure(failed.reason) }, 'a lease could not be renewed');
    }
  };
  return {
    start() { timer ??= setInterval(() => { void beat(); }, everyMs).unref(); },
    stop() { clearInterval(timer); timer = undefined; },
  };
}

