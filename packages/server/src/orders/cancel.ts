import type { Lines } from '../lines/index.ts';
import type { Audit } from '../platform/audit/types.ts';
import type { Transactor } from '../platform/db/index.ts';
import { ServiceError } from '../platform/errors.ts';
import * as store from './store.ts';
import type { Order } from './store.ts';

export interface CancelDeps {
  readonly db: Transactor;
  readonly audit: Audit;
  readonly lines: Pick<Lines, 'giveUp'>;
}

/**
 * Gives up an order that waits for the operator; what was paid goes back when the line says that it failed. One that was undone already is
 * answered as it is.
 * @throws ServiceError `orders/unknown`, `orders/not-waiting`
 */
export async function cancelOrder(deps: CancelDeps, accountId: string, orderId: string): Promise<Order> {
  return deps.db.transaction(async (tx) => {
    const order = await store.findOrder(tx, accountId, orderId);
    if (order === undefined) throw new ServiceError('orders/unknown', { orderId });
    if (order.state === 'undone') return order;
    const actor = { kind: 'account', id: accountId } as const;
    if (order.state !== 'paid' || !await deps.lines.giveUp(tx, order.lineId, actor)) throw new ServiceError('orders/not-waiting', { orderId });
    await deps.audit.record(tx, { actor, action: 'orders.cancel', subjectKind: 'order', subjectId: orderId, accountId });
    return order;
  });
}
