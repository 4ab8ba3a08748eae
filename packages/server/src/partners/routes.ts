import { z } from 'zod';
import { partnersRoutes } from '@yuanyou/contract';
import type { Reader } from '../platform/db/index.ts';
import { endpoint, pageOf, readCursor, type Endpoint } from '../platform/http/index.ts';
import * as store from './store.ts';

export function partnersEndpoints(db: Reader): Endpoint[] {
  return [
    endpoint(partnersRoutes.listOperators, async ({ query }) => {
      const after = readCursor(query.cursor, z.tuple([z.string().max(40)]));
      const { items, nextCursor } = pageOf(await store.operators(db, after?.[0] ?? null, query.limit + 1), query.limit, ({ code }) => [code]);
      return {
        status: 200,
        body: {
          nextCursor,
          items: items.map(({ operatorId, code, name, plmns, restUrl, costPerGigabyteMinor, currency, createdAt }) => ({
            id: operatorId, code, name, plmns: [...plmns], restUrl, createdAt: createdAt.toISOString(),
            costPerGigabyte: { amountMinor: Number(costPerGigabyteMinor), currency },
          })),
        },
      };
    }),
  ];
}
