import type { ListedPlan, Plan } from '@yuanyou/contract';
import type { Audit } from '../platform/audit/types.ts';
import type { Transactor } from '../platform/db/index.ts';
import { ServiceError } from '../platform/errors.ts';
import { planOf } from './shop.ts';
import * as store from './store.ts';

export interface PlanChange {
  readonly onSale?: boolean | undefined;
  readonly position?: number | undefined;
  readonly prices?: Plan['prices'] | undefined;
}

/**
 * Changes how a plan is offered; what was bought keeps its terms.
 * @throws ServiceError `catalogue/unknown-plan`, `catalogue/repeated-currency`
 */
export async function changePlan(
  deps: { readonly db: Transactor; readonly audit: Audit }, agentId: string, planId: string, { onSale, position, prices }: PlanChange,
): Promise<ListedPlan> {
  if (prices !== undefined && new Set(prices.map(({ currency }) => currency)).size !== prices.length) throw new ServiceError('catalogue/repeated-currency');
  return deps.db.transaction(async (tx) => {
    const before = await store.lockPlan(tx, planId);
    if (before === undefined) throw new ServiceError('catalogue/unknown-plan', { planId });
    await store.setPlan(tx, planId, onSale ?? before.onSale, position ?? before.position, prices ?? null);
    await deps.audit.record(tx, {
      actor: { kind: 'agent', id: agentId }, action: 'catalogue.change-plan', subjectKind: 'plan', subjectId: planId,
      details: {
        from: { onSale: before.onSale, position: before.position, ...(prices === undefined ? {} : { prices: before.prices }) },
        to: { ...(onSale === undefined ? {} : { onSale }), ...(position === undefined ? {} : { position }), ...(prices === undefined ? {} : { prices }) },
      },
    });
    return planOf((await store.lockPlan(tx, planId))!);
  });
}
