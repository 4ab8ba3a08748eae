import { recipes } from '../ledger/index.ts';
import type { Tx } from '../platform/db/index.ts';
import type { PaymentsDeps } from './deps.ts';
import { gatewayTold, paymentCaptured } from './events.ts';
import type { GatewayPayment } from './gateway.ts';
import { paymentAfter } from './model.ts';
import { settleRefund } from './refund.ts';
import * as store from './store.ts';

/** Takes a signed event in: noted once, looked into afterwards. */
export async function receiveEvent(deps: PaymentsDeps, rawBody: Buffer, signature: string): Promise<void> {
  const at = deps.clock.now();
  const event = deps.gateway.readEvent(rawBody, signature, at);
  if (event.about === null) return;
  const body = event.about;
  await deps.db.transaction(async (tx) => {
    if (!(await store.noteEvent(tx, event.eventId, event.type, at))) return;
    await deps.outbox.emit(tx, gatewayTold, 'intentId' in body ? body.intentId : body.gatewayRefundId, body);
  });
}

/** Looks up what the gateway told of: events come late, twice and out of order, its present word does not. */
export async function lookInto(deps: PaymentsDeps, about: { readonly intentId?: string | undefined; readonly gatewayRefundId?: string | undefined }): Promise<void> {
  if (about.intentId !== undefined) await settlePayment(deps, await deps.gateway.payment(about.intentId));
  if (about.gatewayRefundId !== undefined) await settleRefund(deps, await deps.gateway.refund(about.gatewayRefundId));
}

/** Brings a payment to where the gateway says it is. What was captured is booked in the same transaction, once. */
export async function settlePayment(deps: PaymentsDeps, told: GatewayPayment): Promise<void> {
  const { paymentId } = told;
  if (paymentId === null) return;
  await deps.db.transaction(async (tx) => {
    const payment = await store.lockPayment(tx, paymentId);
    if (payment === undefined || (payment.intentId !== null && payment.intentId !== told.intentId)) return;
    const next = paymentAfter(payment.status, told.status);
    if (next === undefined) return;
    if (next === 'captured') await capture(deps, tx, payment, told);
    else await store.setStatus(tx, paymentId, next);
  });
}

async function capture(deps: PaymentsDeps, tx: Tx, payment: store.PaymentRow, told: GatewayPayment): Promise<void> {
  const { paymentId, accountId } = payment;
  const at = deps.clock.now();
  const { capturedMinor: amountMinor, currency, card, intentId } = told;
  await store.setCaptured(tx, paymentId, { intentId, capturedMinor: amountMinor, card, at });
  await deps.ledger.openTraveller(tx, accountId, currency);
  await deps.ledger.post(tx, recipes.topUp({ id: `top-up:${paymentId}`, at, currency, amountMinor, accountId, refs: { paymentId } }));
  await deps.outbox.emit(tx, paymentCaptured, paymentId, { paymentId, accountId, amountMinor: Number(amountMinor), currency });
}
