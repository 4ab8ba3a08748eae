import { z } from 'zod';
import { id, instant, page, paging } from './core/ids.ts';
import { money } from './core/money.ts';
import { problems } from './core/problem.ts';
import { route } from './core/route.ts';

/** `paid`: the line is being provisioned. `fulfilled`: it is in service. `undone`: everything paid went back. */
export const orderState = z.enum(['paid', 'fulfilled', 'undone']);

/** A bought plan. `undone` means that it could not be fulfilled and that everything paid went back to the balance. */
export const order = z.object({
  orderId: id,
  planId: id,
  lineId: id,
  state: orderState,
  total: money,
  paidFromBalance: money,
  paidFromPromotionalCredit: money,
  orderedAt: instant,
}).meta({ id: 'Order' });

export const orderRoutes = {
  placeOrder: route({
    operationId: 'placeOrder', method: 'POST', path: '/v1/orders', tag: 'Orders', audience: 'traveller', idempotent: true,
    summary: 'Buys a plan from the balance; the line is provisioned at once',
    body: z.strictObject({
      planId: id,
      currency: z.string().regex(/^[A-Z]{3}$/),
      /** What the buyer was shown; the order is refused when the price has changed since. */
      expectedTotalMinor: z.int().nonnegative(),
      /** Whether promotional credit pays first. */
      usePromotionalCredit: z.boolean().default(true),
    }),
    responses: { 201: order },
    problems: ['catalogue/unknown-plan', 'orders/price-changed', 'orders/sold-out', 'ledger/overdraft'],
  }),
  listOrders: route({
    operationId: 'listOrders', method: 'GET', path: '/v1/orders', tag: 'Orders', audience: 'traveller', whileLeaving: true,
    summary: 'The account’s orders, newest first', query: paging, responses: { 200: page(order) },
  }),
  getOrder: route({
    operationId: 'getOrder', method: 'GET', path: '/v1/orders/:orderId', tag: 'Orders', audience: 'traveller', whileLeaving: true,
    summary: 'One order', params: z.object({ orderId: id }), responses: { 200: order }, problems: ['orders/unknown'],
  }),
  cancelOrder: route({
    operationId: 'cancelOrder', method: 'POST', path: '/v1/orders/:orderId/cancel', tag: 'Orders', audience: 'traveller', whileLeaving: true,
    summary: 'Gives up an order whose line still waits for its operator; everything paid goes back within moments',
    params: z.object({ orderId: id }), responses: { 202: order }, problems: ['orders/unknown', 'orders/not-waiting'],
  }),
} as const;

export const orderProblems = problems({
  'orders/unknown': { status: 404, title: { en: 'There is no such order.', 'zh-Hans': '没有这个订单。', 'zh-Hant': '沒有這筆訂單。' } },
  'orders/not-waiting': {
    status: 409,
    title: {
      en: 'This order does not wait for its operator now; only one that waits can be given up.',
      'zh-Hans': '该订单目前并未在等待运营商，只有等待中的订单可以放弃。', 'zh-Hant': '此訂單目前並未在等待電信商，只有等待中的訂單可以放棄。',
    },
  },
  'orders/price-changed': {
    status: 409,
    title: { en: 'The price has changed; please look again.', 'zh-Hans': '价格已变动，请重新确认。', 'zh-Hant': '價格已變動，請重新確認。' },
  },
  'orders/sold-out': {
    status: 409,
    title: { en: 'This plan is sold out for the moment; nothing was charged.', 'zh-Hans': '该套餐暂时售罄，未扣款。', 'zh-Hant': '此方案暫時售罄，未扣款。' },
  },
});
