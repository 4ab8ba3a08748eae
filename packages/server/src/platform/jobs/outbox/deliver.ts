import type { Clock } from '../../clock/index.ts';
import type { Transactor } from '../../db/index.ts';
import { pauseMs } from '../backoff.ts';
import { describeFailure } from '../failure.ts';
import { within } from '../limit.ts';
import type { JobsSettings } from '../settings.ts';
import type { JobsLog } from '../types.ts';
import { subscriptionName, type Subscription } from './emit.ts';
import * as store from './store.ts';
import type { ClaimedDelivery, EndedDelivery } from './store.ts';

export interface DelivererDeps {
  readonly db: Transactor;
  readonly clock: Clock;
  readonly log: JobsLog;
  readonly settings: JobsSettings;
  readonly subscriptions: ReadonlyMap<string, Subscription>;
  readonly stopping: () => boolean;
}

export interface Deliverer {
  claim(limit: number): Promise<readonly ClaimedDelivery[]>;
  run(delivery: ClaimedDelivery): Promise<void>;
  heartbeat(): Promise<void>;
  /** There is a new event: the next claim looks. */
  announce(): void;
  /** Gives back what was claimed and is not to run any more. */
  letGo(): Promise<void>;
}

const refreshLimit = 500;

/** What was claimed with the end of another delivery, and whether a look since then could find more. */
interface Ahead {
  claimed: ClaimedDelivery[];
  looked: boolean;
  announced: number;
}

export function createDeliverer(deps: DelivererDeps): Deliverer {
  const held = new Set<ClaimedDelivery>();
  const ahead: Ahead = { claimed: [], looked: false, announced: 0 };
  const end = groupedEnds((ended) => endAndClaim(deps, ahead, ended));
  let idle = true;
  let refreshedAt = 0;
  return {
    async claim(limit) {
      if (deps.subscriptions.size === 0) return [];
      if (ahead.claimed.length > 0) return ahead.claimed.splice(0, limit);
      if (ahead.looked) {
        ahead.looked = false;
        return [];
      }
      const now = deps.clock.now();
      const stale = idle || now.getTime() - refreshedAt >= deps.settings.idleMs;
      if (stale) refreshedAt = now.getTime();
      const claimed = await turn(deps, [], limit, stale ? refreshLimit : 0);
      idle = claimed.length === 0;
      return claimed;
    },
    async run(delivery) {
      held.add(delivery);
      try {
        await end(await deliver(deps, delivery));
      } finally {
        held.delete(delivery);
      }
    },
    async heartbeat() {
      const leased = [...held, ...ahead.claimed];
      if (leased.length > 0) await store.extendDeliveries(deps.db, leased, leaseUntil(deps, deps.clock.now()));
    },
    announce() {
      ahead.announced += 1;
      ahead.looked = false;
    },
    async letGo() {
      const dueAt = deps.clock.now();
      const left = ahead.claimed.splice(0).map((delivery) => ({ delivery, end: 'retry', error: 'jobs/stopped', dueAt }) as const);
      ahead.looked = false;
      if (left.length > 0) await turn(deps, left, 0, 0);
    },
  };
}

function leaseUntil(deps: DelivererDeps, now: Date): Date {
  return new Date(now.getTime() + deps.settings.leaseMs);
}

function turn(deps: DelivererDeps, ended: readonly EndedDelivery[], limit: number, refresh: number): Promise<ClaimedDelivery[]> {
  const now = deps.clock.now();
  return store.turnDeliveries(deps.db, { ended, refresh, known: [...deps.subscriptions.keys()], limit, now, leaseUntil: leaseUntil(deps, now) });
}

/** The places that become free are filled by the same statement; the look that the pump asks for next then has its answer. */
async function endAndClaim(deps: DelivererDeps, ahead: Ahead, ended: readonly EndedDelivery[]): Promise<void> {
  const limit = deps.stopping() ? 0 : ended.length;
  const { announced } = ahead;
  const claimed = await turn(deps, ended, limit, 0);
  ahead.claimed.push(...claimed);
  ahead.looked = limit > 0 && claimed.length < limit && announced === ahead.announced;
}

async function deliver(deps: DelivererDeps, delivery: ClaimedDelivery): Promise<EndedDelivery> {
  const { maxDeliveryAttempts, longestRunMs, backoff } = deps.settings;
  // Attempts that end with the worker's own death come back here without ever having failed.
  if (delivery.attempt > maxDeliveryAttempts) {
    deps.log.error({ eventId: delivery.eventId, event: delivery.event, consumer: delivery.consumer, failure: 'jobs/workers-died' }, 'a delivery is dead');
    return { delivery, end: 'dead', error: 'jobs/workers-died' };
  }
  try {
    const { type, handler } = deps.subscriptions.get(subscriptionName(delivery.consumer, delivery.event))!;
    await within(longestRunMs, (async () => handler({
      id: delivery.eventId, name: delivery.event, key: delivery.key, body: type.body.parse(delivery.body), emittedAt: delivery.emittedAt,
    }))());
    return { delivery, end: 'done' };
  } catch (error) {
    const failure = describeFailure(error);
    const seen = { eventId: delivery.eventId, event: delivery.event, consumer: delivery.consumer, attempt: delivery.attempt, failure };
    if (delivery.attempt >= maxDeliveryAttempts) {
      deps.log.error(seen, 'a delivery is dead');
      return { delivery, end: 'dead', error: failure };
    }
    deps.log.warn(seen, 'a delivery failed');
    const dueAt = new Date(deps.clock.now().getTime() + pauseMs(backoff, delivery.attempt, Math.random()));
    return { delivery, end: 'retry', error: failure, dueAt };
  }
}

/** Saves the ends that gather while one save is under way in one statement: under load, one commit for many. */
function groupedEnds(save: (ended: readonly EndedDelivery[]) => Promise<void>): (ended: EndedDelivery) => Promise<void> {
  let gathered: EndedDelivery[] = [];
  let saving: Promise<void> = Promise.resolve();
  let next: Promise<void> | undefined;
  return (ended) => {
    gathered.push(ended);
    next ??= saving.then(() => {
      const batch = gathered;
      gathered = [];
      next = undefined;
      const saved = save(batch);
      // A failed save leaves its rows to their leases; it must not fail the saves after it.
      saving = saved.catch(() => undefined);
      return saved;
    });
    return next;
  };
}
