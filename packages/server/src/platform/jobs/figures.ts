import { Gauge, type Registry } from 'prom-client';
import type { Reader } from '../db/index.ts';
import { countDead } from './outbox/store.ts';
import { countStuck } from './sagas/store.ts';

/** Beyond this the figure says no more than "far too many". */
const mostCounted = 10_000;

/** What has come to a stop, read from the tables at each look: the same figure from every process. */
export function addJobFigures(registry: Registry, db: Reader): void {
  gauge(registry, 'jobs_dead_deliveries', 'Deliveries that failed too often and wait for an agent', () => countDead(db, mostCounted));
  gauge(registry, 'jobs_stuck_sagas', 'Sagas with a step that failed too often and waits for an agent', () => countStuck(db, mostCounted));
}

function gauge(registry: Registry, name: string, help: string, count: () => Promise<number>): void {
  registry.registerMetric(new Gauge({
    name, help, registers: [],
    async collect() {
      // One figure that cannot be had must not take the others with it.
      this.set(await count().catch(() => Number.NaN));
    },
  }));
}
