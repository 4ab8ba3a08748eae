import { inventoryRoutes, profileState } from '@yuanyou/contract';
import type { Reader } from '../platform/db/index.ts';
import { endpoint } from '../platform/http/types.ts';
import type { Endpoint } from '../platform/http/types.ts';
import type { Inventory } from './index.ts';

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The stock as agents see it. */
export function inventoryEndpoints(inventory: Omit<Inventory, 'endpoints'>, db: Reader): Endpoint[] {
  return [
    endpoint(inventoryRoutes.listStock, async ({ query }) => {
      const after = query.cursor !== undefined && uuid.test(query.cursor) ? query.cursor : null;
      const rows = await inventory.list(db, query.operatorId ?? null, query.state ?? null, after, query.limit + 1);
      const items = rows.slice(0, query.limit).map((row) => ({ ...row, changedAt: row.changedAt.toISOString() }));
      return { status: 200, body: { items, nextCursor: rows.length > query.limit ? items.at(-1)!.profileId : null } };
    }),
    endpoint(inventoryRoutes.countStock, async () => {
      const counts = await inventory.counts(db);
      return {
        status: 200,
        body: {
          counts: counts.map(({ operatorId, byState, low }) => ({
            operatorId,
            low,
            counts: Object.fromEntries(profileState.options.map((state) => [state, byState[state] ?? 0])) as Record<typeof profileState.options[number], number>,
          })),
        },
      };
    }),
    endpoint(inventoryRoutes.importStock, async ({ body, principal }) => ({
      status: 200,
      body: await inventory.import({ kind: 'agent', id: principal.agentId }, body.operatorId, body.csv, body.dryRun),
    })),
  ];
}
