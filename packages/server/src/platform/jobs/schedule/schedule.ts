import type { Clock } from '../../clock/index.ts';
import type { Transactor } from '../../db/index.ts';
import { pauseMs } from '../backoff.ts';
import { describeFailure } from '../failure.ts';
import { within } from '../limit.ts';
import type { JobsSettings } from '../settings.ts';
import type { JobsLog, Schedule } from '../types.ts';
import * as store from './store.ts';
import type { ClaimedTask } from './store.ts';

export interface SchedulerDeps {
  readonly db: Transactor;
  readonly clock: Clock;
  readonly log: JobsLog;
  readonly settings: JobsSettings;
}

export interface Scheduler extends Schedule {
  claim(limit: number): Promise<readonly ClaimedTask[]>;
  run(task: ClaimedTask): Promise<void>;
  heartbeat(): Promise<void>;
}

interface Task { readonly name: string; readonly everyMs: number; readonly run: () => Promise<void> }

export function createScheduler(deps: SchedulerDeps): Scheduler {
  const tasks = new Map<string, Task>();
  const held = new Set<ClaimedTask>();
  let stored = 0;
  const leaseUntil = (now: Date): Date => new Date(now.getTime() + deps.settings.leaseMs);
  return {
    every(name, everyMs, run) {
      if (tasks.has(name)) throw new Error(`task ${name} is scheduled twice`);
      if (!Number.isSafeInteger(everyMs) || everyMs < 1) throw new Error(`task ${name} needs a period of whole milliseconds`);
      tasks.set(name, { name, everyMs, run });
    },
    async claim(limit) {
      if (tasks.size === 0) return [];
      const now = deps.clock.now();
      const known = [...tasks.values()];
      if (stored !== known.length) await store.ensureTasks(deps.db, known, now);
      stored = known.length;
      return store.claimTasks(deps.db, known.map((task) => task.name), limit, now, leaseUntil(now));
    },
    async run(claimed) {
      held.add(claimed);
      try {
        await runTask(deps, tasks.get(claimed.name)!, claimed);
      } finally {
        held.delete(claimed);
      }
    },
    async heartbeat() {
      if (held.size > 0) await store.extendTasks(deps.db, [...held], leaseUntil(deps.clock.now()));
    },
  };
}

async function runTask(deps: SchedulerDeps, task: Task, claimed: ClaimedTask): Promise<void> {
  let error: string | null = null;
  try {
    await within(deps.settings.longestRunMs, (async () => task.run())());
  } catch (thrown) {
    error = describeFailure(thrown);
    deps.log.warn({ task: task.name, failure: error }, 'a scheduled task failed');
  }
  const now = deps.clock.now();
  const onTime = nextDue(claimed.dueAt, task.everyMs, now);
  // A daily task that failed is not left until tomorrow.
  const again = new Date(now.getTime() + pauseMs(deps.settings.backoff, claimed.failures + 1, Math.random()));
  const dueAt = error !== null && again < onTime ? again : onTime;
  await store.endTask(deps.db, claimed, { dueAt, error, now });
}

/** The first beat after `now` of the period that began at `dueAt`: beats missed are not made up for. */
export function nextDue(dueAt: Date, everyMs: number, now: Date): Date {
  const beats = Math.max(0, Math.floor((now.getTime() - dueAt.getTime()) / everyMs)) + 1;
  return new Date(dueAt.getTime() + beats * everyMs);
}
