import { catalogueRoutes } from '@yuanyou/contract';
import type { Reader } from '../platform/db/index.ts';
import { ServiceError } from '../platform/errors.ts';
import { endpoint } from '../platform/http/types.ts';
import type { Endpoint } from '../platform/http/types.ts';
import type { Catalogue } from './index.ts';

/** The shop's window. */
export function catalogueEndpoints(catalogue: Omit<Catalogue, 'endpoints'>, db: Reader): Endpoint[] {
  return [
    endpoint(catalogueRoutes.listPlans, async ({ query }) => {
      const plans = await catalogue.list(db, query.country ?? null, query.cursor ?? '', query.limit + 1);
      const items = plans.slice(0, query.limit);
      return { status: 200, body: { items, nextCursor: plans.length > query.limit ? items.at(-1)!.slug : null } };
    }),
    endpoint(catalogueRoutes.getPlan, async ({ params }) => {
      const plan = await catalogue.plan(db, params.planId);
      if (plan === undefined) throw new ServiceError('catalogue/unknown-plan', { planId: params.planId });
      return { status: 200, body: plan };
    }),
  ];
}
