import { ServiceError } from '../platform/errors.ts';
import type { PaymentsDeps } from './deps.ts';
import { payRefund } from './refund.ts';
import { settlePayment } from './settle.ts';
import * as store from './store.ts';

const lookAfterMs = 2 * 60_000;
const unpaidForMs = 24 * 3_600_000;
const eventsKeptMs = 90 * 86_400_000;
const batchSize = 50;

/** Asks the gateway about what has stood open for long, since an event may never have come. */
export async function reconcile(deps: PaymentsDeps): Promise<void> {
  const now = deps.clock.now();
  const before = new Date(now.getTime() - lookAfterMs);
  const payments = await deps.db.transaction((tx) => store.takeStalePayments(tx, before, now, batchSize));
  for (const payment of payments) await each(deps, { paymentId: payment.paymentId }, () => lookAt(deps, payment, now));
  const refunds = await deps.db.transaction((tx) => store.takeStaleRefunds(tx, before, now, batchSize));
  for (const { refundId } of refunds) await each(deps, { refundId }, () => payRefund(deps, refundId));
  await deps.db.transaction((tx) => store.dropEvents(tx, new Date(now.getTime() - eventsKeptMs), 5000));
}

async function lookAt(deps: PaymentsDeps, payment: store.PaymentRow, now: Date): Promise<void> {
  const forgotten = now.getTime() - payment.createdAt.getTime() > unpaidForMs;
  if (payment.intentId !== null) {
    const told = forgotten ? await deps.gateway.cancelPayment(payment.intentId) : await deps.gateway.payment(payment.intentId);
    await settlePayment(deps, told);
  } else if (forgotten) {
    await deps.db.transaction(async (tx) => {
      const locked = await store.lockPayment(tx, payment.paymentId);
      if (locked?.status === 'created') await store.setStatus(tx, payment.paymentId, 'canceled');
    });
  }
}

/** One that fails must not keep the others from being looked at. */
async function each(deps: PaymentsDeps, about: Readonly<Record<string, string>>, look: () => Promise<unknown>): Promise<void> {
  try {
    await look();
  } catch (error) {
    deps.log.warn({ ...about, code: error instanceof ServiceError ? error.code : 'unexpected' }, 'could not be reconciled');
  }
}
