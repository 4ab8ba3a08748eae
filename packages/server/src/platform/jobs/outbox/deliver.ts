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
}

export interface Deliverer {
  claim(limit: number): Promise<readonly ClaimedDelivery[]>;
  run(delivery: ClaimedDelivery): Promise<void>;
  heartbeat(): Promise<void>;
}

const refreshLimit = 500;

export function createDeliverer(deps: DelivererDeps): Deliverer {
  const held = new Set<ClaimedDelivery>();
  const end = groupedEnds(deps);
  let idle = true;
  let refreshedAt = 0;
  const leaseUntil = (now: Date): Date => new Date(now.getTime() + deps.settings.leaseMs);
  return {
    async claim(limit) {
      if (deps.subscriptions.size === 0) return [];
      const now = deps.clock.now();
      if (idle || now.getTime() - refreshedAt >= deps.settings.idleMs) {
        refreshedAt = now.getTime();
        await deps.db.transaction((tx) => store.refreshDeliveries(tx, now, refreshLimit));
      }
      const known = [...deps.subscriptions.keys()];
      const claimed = await store.claimDeliveries(deps.db, { known, limit, now, leaseUntil: leaseUntil(now) });
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
      if (held.size > 0) await deps.db.transaction((tx) => store.extendDeliveries(tx, [...held], leaseUntil(deps.clock.now())));
    },
  };
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

/** Saves the ends that gather while one save is under way in one transaction: under load, one commit for many. */
function groupedEnds(deps: DelivererDeps): (ended: EndedDelivery) => Promise<void> {
  let gathered: EndedDelivery[] = [];
  let saving: Promise<void> = Promise.resolve();
  let next: Promise<void> | undefined;
  return (ended) => {
    gathered.push(ended);
    next ??= saving.then(() => {
      const batch = gathered;
      gathered = [];
      next = undefined;
      const saved = deps.db.transaction((tx) => store.endDeliveries(tx, batch, deps.clock.now()));
      // A failed save leaves its rows to their leases; it must not fail the saves after it.
      saving = saved.catch(() => undefined);
      return saved;
    });
    return next;
  };
}
