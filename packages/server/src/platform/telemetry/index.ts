import { Gauge, Registry, collectDefaultMetrics } from 'prom-client';
import type { Database } from '../db/index.ts';

/** What the process tells of itself: figures for /metrics and, for /readyz, what it cannot work without. */
export interface Telemetry {
  readonly registry: Registry;
  /** Each fails while what it names is missing. */
  readonly readiness: Readonly<Record<string, () => Promise<void>>>;
}

/** Figures of the process and of each database's pool; every database must answer for the process to be ready. */
export function createTelemetry(databases: Readonly<Record<string, Database>>): Telemetry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const pools = Object.entries(databases);
  const connections = new Gauge({
    name: 'database_connections', help: 'Connections of the pool, and callers that wait for one', labelNames: ['database', 'state'], registers: [],
    collect() {
      for (const [database, db] of pools) {
        const { total, idle, waiting } = db.connections();
        this.set({ database, state: 'busy' }, total - idle);
        this.set({ database, state: 'idle' }, idle);
        this.set({ database, state: 'waiting' }, waiting);
      }
    },
  });
  registry.registerMetric(connections);
  const readiness = Object.fromEntries(pools.map(([name, db]) => [`database-${name}`, async () => { await db.version(); }]));
  return { registry, readiness };
}
