import type { ListedPlan } from '@yuanyou/contract';
import type { Audit } from '../platform/audit/types.ts';
import type { Clock } from '../platform/clock/index.ts';
import type { Reader, Transactor, Tx } from '../platform/db/index.ts';
import type { Endpoint } from '../platform/http/types.ts';
import { agentEndpoints, shopEndpoints } from './routes.ts';
import { planOf, servingOperators } from './shop.ts';
import type { ServingOperator } from './shop.ts';
import * as store from './store.ts';

export { priceOf, refundMinor, validityOf } from './model.ts';
export type { LocalText, Plan, RefundRule, StartRule, Validity } from './model.ts';
export type { ServingOperator } from './shop.ts';

/** What is sold. */
export interface Catalogue {
  /** A plan by id, also one no longer on sale: lines outlive offers. */
  plan(db: Reader, planId: string): Promise<ListedPlan | undefined>;
  /** The operators that serve a country, the best first, with known quality and lowest prices. */
  serving(db: Reader, country: string): Promise<ServingOperator[]>;
  /** Adds what is missing of the demo catalogue for these operators, ids by code; answers how many plans were new. */
  seedDemo(tx: Tx, operatorIds: ReadonlyMap<string, string>): Promise<number>;
  readonly endpoints: Endpoint[];
}

export interface CatalogueDeps {
  readonly db: Transactor;
  readonly clock: Clock;
  readonly audit: Audit;
}

/** Wires the catalogue. */
export function createCatalogue(deps: CatalogueDeps): Catalogue {
  return {
    plan: async (db, planId) => {
      const row = await store.planById(db, planId);
      return row === undefined ? undefined : planOf(row);
    },
    serving: servingOperators,
    // The demo's rows are read only where they are wanted.
    seedDemo: async (tx, operatorIds) => (await import('./seed.ts')).seedDemo(tx, operatorIds, deps.clock.now()),
    endpoints: [...shopEndpoints(deps.db), ...agentEndpoints(deps)],
  };
}
