import { z } from 'zod';
import { paymentsRoutes, type payment } from '@yuanyou/contract';
import type { Reader } from '../platform/db/index.ts';
import { ServiceError } from '../platform/errors.ts';
import { endpoint, pageOf, readCursor, type Endpoint } from '../platform/http/index.ts';
import type { Payments } from './index.ts';
import * as store from './store.ts';

const place = z.tuple([z.iso.datetime(), z.uuid()]);

function shown(p: store.PaymentRow): z.input<typeof payment> {
  return {
    id: p.paymentId, status: p.status, amount: { amountMinor: Number(p.amountMinor), currency: p.currency },
    refunded: { amountMinor: Number(p.refundedMinor), currency: p.currency },
    method: p.cardLast4 === null ? null : { brand: p.cardBrand ?? 'card', last4: p.cardLast4 },
    createdAt: p.createdAt.toISOString(), capturedAt: p.capturedAt?.toISOString() ?? null,
  };
}

export function paymentsEndpoints(payments: Omit<Payments, 'endpoints'>, db: Reader): Endpoint[] {
  return [
    endpoint(paymentsRoutes.startTopUp, async ({ principal, body, idempotencyKey }) => {
      const { amountMinor, currency } = body.amount;
      const started = await payments.startTopUp({ accountId: principal.accountId, amountMinor: BigInt(amountMinor), currency, idempotencyKey });
      return { status: 201, body: { ...started, payment: shown(started.payment) } };
    }),
    endpoint(paymentsRoutes.cancelTopUp, async ({ principal, params }) => ({
      status: 200, body: shown(await payments.cancelTopUp(principal.accountId, params.paymentId)),
    })),
    endpoint(paymentsRoutes.listPayments, async ({ principal, query }) => {
      const before = readCursor(query.cursor, place);
      const rows = await store.paymentsOf(
        db, principal.accountId, before === undefined ? null : { at: new Date(before[0]), id: before[1] }, query.limit + 1);
      const { items, nextCursor } = pageOf(rows, query.limit, ({ createdAt, paymentId }) => [createdAt.toISOString(), paymentId]);
      return { status: 200, body: { items: items.map(shown), nextCursor } };
    }),
    endpoint(paymentsRoutes.getPayment, async ({ principal, params }) => {
      const found = await store.findPayment(db, params.paymentId);
      if (found?.accountId !== principal.accountId) throw new ServiceError('payments/unknown-payment', { paymentId: params.paymentId });
      return { status: 200, body: shown(found) };
    }),
    endpoint(paymentsRoutes.redeemVoucher, async ({ principal, body, idempotencyKey }) => {
      const { amountMinor, currency } = await payments.redeemVoucher({ accountId: principal.accountId, code: body.code, idempotencyKey });
      return { status: 200, body: { promotionalCredit: { amountMinor: Number(amountMinor), currency } } };
    }),
    endpoint(paymentsRoutes.receiveGatewayEvent, async ({ rawBody, headers }) => {
      const signature = headers['stripe-signature'];
      await payments.receiveEvent(rawBody, typeof signature === 'string' ? signature : '');
      return { status: 204 };
    }),
    endpoint(paymentsRoutes.createVoucherBatch, async ({ principal, body, idempotencyKey }) => {
      const { batchId, name, amountMinor, currency, count, validUntil, codes } = await payments.createVoucherBatch({
        agentId: principal.agentId, idempotencyKey, name: body.name, amountMinor: BigInt(body.amount.amountMinor), currency: body.amount.currency,
        count: body.count, validUntil: new Date(body.validUntil),
      });
      return {
        status: 201,
        body: {
          id: batchId, name, amount: { amountMinor: Number(amountMinor), currency }, count, validUntil: validUntil.toISOString(), codes: codes.slice(),
        },
      };
    }),
  ];
}
