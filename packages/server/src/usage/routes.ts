import { usageRoutes } from '@yuanyou/contract';
import type { Line } from '../lines/index.ts';
import type { Reader } from '../platform/db/index.ts';
import { ServiceError } from '../platform/errors.ts';
import { endpoint } from '../platform/http/types.ts';
import type { Endpoint } from '../platform/http/types.ts';
import type { ApplyDeps } from './apply.ts';
import { retryBatch } from './attempt.ts';
import type { AttemptDeps } from './attempt.ts';
import { stateAt } from './model.ts';
import * as store from './store.ts';
import type { BatchRow } from './store.ts';

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const isoDay = /^\d{4}-\d\d-\d\d$/;

function batchShown(row: BatchRow) {
  const { batchId, operatorId, source, state, records, duplicates, suspended, reason } = row;
  return { batchId, operatorId, source, state, receivedAt: row.receivedAt.toISOString(), records, duplicates, suspended, reason };
}

export interface UsageRouteDeps extends AttemptDeps {
  readonly lines: ApplyDeps['lines'] & { find(db: Reader, lineId: string): Promise<Line | undefined> };
}

async function ownLine(deps: UsageRouteDeps, lineId: string, accountId: string): Promise<void> {
  const line = await deps.lines.find(deps.db, lineId);
  if (line === undefined || line.accountId !== accountId) throw new ServiceError('lines/unknown', { lineId });
}

/** Allowances and use, as the traveller sees them; arrivals, as agents do. */
export function usageEndpoints(deps: UsageRouteDeps): Endpoint[] {
  const { db } = deps;
  return [
    endpoint(usageRoutes.listAllowances, async ({ principal, params }) => {
      await ownLine(deps, params.lineId, principal.accountId);
      const allowances = await store.allowancesOfLine(db, params.lineId);
      return {
        status: 200,
        body: {
          allowances: allowances.map((a) => ({
            allowanceId: a.allowanceId, lineId: a.lineId, state: stateAt(a, deps.clock.now()), totalBytes: Number(a.totalBytes), usedBytes: Number(a.usedBytes),
            validFrom: a.validFrom.toISOString(), validUntil: a.validUntil.toISOString(),
          })),
        },
      };
    }),
    endpoint(usageRoutes.listUsage, async ({ principal, params, query }) => {
      await ownLine(deps, params.lineId, principal.accountId);
      const before = query.cursor !== undefined && isoDay.test(query.cursor) ? query.cursor : null;
      // A page holds whole days, so that a day with several networks is never split.
      const rows = await store.usageByDay(db, params.lineId, before, query.limit + 1);
      const days = [...new Set(rows.map((row) => row.day))];
      const shown = new Set(days.slice(0, query.limit));
      return {
        status: 200,
        body: {
          items: rows.filter((row) => shown.has(row.day)).map((row) => ({ day: row.day, plmn: row.plmn, bytes: Number(row.bytes) })),
          nextCursor: days.length > query.limit ? days[query.limit - 1]! : null,
        },
      };
    }),
    endpoint(usageRoutes.listUsageBatches, async ({ query }) => {
      const before = query.cursor !== undefined && uuid.test(query.cursor) ? query.cursor : null;
      const rows = await store.batches(db, before, query.limit + 1);
      const shown = rows.slice(0, query.limit);
      return {
        status: 200,
        body: {
          items: shown.map(batchShown),
          nextCursor: rows.length > query.limit ? shown.at(-1)!.batchId : null,
        },
      };
    }),
    endpoint(usageRoutes.retryUsageBatch, async ({ params, body, principal }) => ({
      status: 202, body: batchShown(await retryBatch(deps, params.batchId, principal.agentId, body.reason)),
    })),
  ];
}
