import type { Plan, RefundRule, StartRule } from '@yuanyou/contract';
import { sql } from '../platform/db/index.ts';
import type { Reader, Tx } from '../platform/db/index.ts';
import type { PlanWording } from './model.ts';

/** A plan as it is stored, with its prices. */
export interface PlanRow {
  readonly planId: string;
  readonly slug: string;
  readonly operatorId: string;
  readonly countries: string[];
  readonly dataBytes: bigint;
  readonly validityDays: number;
  readonly start: StartRule;
  readonly refund: RefundRule;
  readonly wording: PlanWording;
  readonly onSale: boolean;
  readonly prices: Plan['prices'];
}

const shown = sql.raw(`
  p.id as "planId", p.slug, p.operator_id as "operatorId", p.countries, p.data_bytes as "dataBytes", p.validity_days as "validityDays",
  p.start_rule as start, p.refund_rule as refund, p.wording, p.on_sale as "onSale",
  (select jsonb_agg(jsonb_build_object('amountMinor', r.amount_minor, 'currency', r.currency) order by r.currency)
     from catalogue.price r where r.plan_id = p.id) as prices`);

export function planById(db: Reader, planId: string): Promise<PlanRow | undefined> {
  return db.maybe<PlanRow>(sql`select ${shown} from catalogue.plan p where p.id = ${planId}`);
}

/** Plans on sale, by slug. */
export function listPlans(db: Reader, country: string | null, afterSlug: string, limit: number): Promise<PlanRow[]> {
  if (country !== null) {
    return db.all<PlanRow>(sql`
      select ${shown} from catalogue.plan p
       where p.on_sale and p.countries @> array[${country}]::text[] and p.slug > ${afterSlug} order by p.slug limit ${limit}`);
  }
  return db.all<PlanRow>(sql`select ${shown} from catalogue.plan p where p.on_sale and p.slug > ${afterSlug} order by p.slug limit ${limit}`);
}

/** Adds a plan with its prices; a plan of the same slug stays as it is. */
export async function insertPlan(tx: Tx, plan: Omit<PlanRow, 'onSale'>, at: Date): Promise<boolean> {
  const added = await tx.run(sql`
    insert into catalogue.plan (id, slug, operator_id, countries, data_bytes, validity_days, start_rule, refund_rule, wording, added_at)
    values (${plan.planId}, ${plan.slug}, ${plan.operatorId}, ${plan.countries}::text[], ${plan.dataBytes}, ${plan.validityDays},
            ${JSON.stringify(plan.start)}::jsonb, ${JSON.stringify(plan.refund)}::jsonb, ${JSON.stringify(plan.wording)}::jsonb, ${at})
    on conflict do nothing`);
  if (added === 0) return false;
  await tx.run(sql`
    insert into catalogue.price (plan_id, currency, amount_minor)
    select ${plan.planId}::uuid, price.currency, price.amount_minor
      from unnest(${plan.prices.map((p) => p.currency)}::text[], ${plan.prices.map((p) => String(p.amountMinor))}::bigint[]) as price (currency, amount_minor)`);
  return true;
}
