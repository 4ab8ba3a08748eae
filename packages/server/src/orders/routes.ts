import { orderRoutes } from '@yuanyou/contract';
import type { order as orderSchema } from '@yuanyou/contract';
import type { z } from 'zod';
import { ServiceError } from '../platform/errors.ts';
import { endpoint } from '../platform/http/types.ts';
import type { Endpoint } from '../platform/http/types.ts';
import { cancelOrder } from './cancel.ts';
import type { CancelDeps } from './cancel.ts';
import { placeOrder } from './place.ts';
import type { PlaceDeps } from './place.ts';
import * as store from './store.ts';
import type { Order } from './store.ts';

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

function shown(o: Order): z.input<typeof orderSchema> {
  const amount = (minor: bigint) => ({ amountMinor: Number(minor), currency: o.currency });
  return {
    orderId: o.orderId, planId: o.planId, lineId: o.lineId, state: o.state, total: amount(o.cashMinor + o.promoMinor),
    paidFromBalance: amount(o.cashMinor), paidFromPromotionalCredit: amount(o.promoMinor), orderedAt: o.orderedAt.toISOString(),
  };
}

export function orderEndpoints(deps: PlaceDeps & CancelDeps): Endpoint[] {
  return [
    endpoint(orderRoutes.placeOrder, async ({ principal, body, idempotencyKey }) => ({
      status: 201, body: shown(await placeOrder(deps, { ...body, accountId: principal.accountId, idempotencyKey })),
    })),
    endpoint(orderRoutes.listOrders, async ({ principal, query }) => {
      const before = query.cursor !== undefined && uuid.test(query.cursor) ? query.cursor : null;
      const rows = await store.ordersOf(deps.db, principal.accountId, before, query.limit + 1);
      const items = rows.slice(0, query.limit);
      return { status: 200, body: { items: items.map(shown), nextCursor: rows.length > query.limit ? items.at(-1)!.orderId : null } };
    }),
    endpoint(orderRoutes.getOrder, async ({ principal, params }) => {
      const order = await store.findOrder(deps.db, principal.accountId, params.orderId);
      if (order === undefined) throw new ServiceError('orders/unknown', { orderId: params.orderId });
      return { status: 200, body: shown(order) };
    }),
    endpoint(orderRoutes.cancelOrder, async ({ principal, params }) => ({
      status: 202, body: shown(await cancelOrder(deps, principal.accountId, params.orderId)),
    })),
  ];
}
