import type { Plan } from '@yuanyou/contract';
import type { Clock } from '../platform/clock/index.ts';
import type { Reader, Transactor, Tx } from '../platform/db/index.ts';
import type { Endpoint } from '../platform/http/types.ts';
import { demoPlans, demoStart } from './demo.ts';
import { refundText } from './model.ts';
import { catalogueEndpoints } from './routes.ts';
import * as store from './store.ts';

export { priceOf, refundMinor } from './model.ts';
export type { LocalText, Plan, RefundRule, StartRule } from './model.ts';

/** What is sold. */
export interface Catalogue {
  /** A plan by id, also one no longer on sale: lines outlive offers. */
  plan(db: Reader, planId: string): Promise<(Plan & { readonly onSale: boolean }) | undefined>;
  /** Plans on sale, by slug, after a slug (empty: from the first). */
  list(db: Reader, country: string | null, afterSlug: string, limit: number): Promise<Plan[]>;
  /** Adds the demo catalogue, shared out among these operators; answers how many plans were new. */
  seedDemo(tx: Tx, operatorIds: readonly string[]): Promise<number>;
  readonly endpoints: Endpoint[];
}

function planOf({ wording, dataBytes, onSale, ...row }: store.PlanRow): Plan & { readonly onSale: boolean } {
  return { ...row, ...wording, dataBytes: Number(dataBytes), refundText: refundText(row.refund), onSale };
}

async function seedDemo(clock: Clock, tx: Tx, operatorIds: readonly string[]): Promise<number> {
  let added = 0;
  for (const { operator, name, description, dataBytes, countries, ...plan } of demoPlans) {
    const operatorId = operatorIds[operator % operatorIds.length];
    if (operatorId === undefined) return 0;
    const row = { ...plan, operatorId, countries: [...countries], dataBytes: BigInt(dataBytes), start: demoStart, wording: { name, description } };
    if (await store.insertPlan(tx, row, clock.now())) added += 1;
  }
  return added;
}

/** Wires the catalogue. */
export function createCatalogue(deps: { readonly db: Transactor; readonly clock: Clock }): Catalogue {
  const catalogue: Omit<Catalogue, 'endpoints'> = {
    plan: async (db, planId) => {
      const row = await store.planById(db, planId);
      return row === undefined ? undefined : planOf(row);
    },
    list: async (db, country, afterSlug, limit) =>
      (await store.listPlans(db, country, afterSlug, limit)).map((row) => {
        const { onSale: _, ...plan } = planOf(row);
        return plan;
      }),
    seedDemo: (tx, operatorIds) => seedDemo(deps.clock, tx, operatorIds),
  };
  return { ...catalogue, endpoints: catalogueEndpoints(catalogue, deps.db) };
}
