import { cashAccount, houseAccount, recipes } from '../ledger/index.ts';
import type { Transfer } from '../ledger/index.ts';
import type { Reader, Tx } from '../platform/db/index.ts';
import { ServiceError } from '../platform/errors.ts';
import type { PaymentsDeps } from './deps.ts';
import { refundSettled } from './events.ts';
import type { GatewayRefund } from './gateway.ts';
import { refundMove, splitOver, type RefundPart, type Refundable } from './model.ts';
import * as store from './store.ts';

const batchSize = 100;

/** How an amount goes back to the payments it came from: newest first, never above what each has left. */
export async function refundPlan(db: Reader, accountId: string, amountMinor: bigint, currency: string): Promise<RefundPart[]> {
  const found: Refundable[] = [];
  let left = 0n;
  let before: store.Place | null = null;
  while (left < amountMinor) {
    const batch: store.PaymentRow[] = await store.paymentsOf(db, accountId, before, batchSize);
    for (const payment of batch) {
      if (payment.currency !== currency) continue;
      found.push({ paymentId: payment.paymentId, leftMinor: payment.capturedMinor - payment.refundedMinor });
      left += payment.capturedMinor - payment.refundedMinor;
    }
    const last = batch.at(-1);
    if (last === undefined || batch.length < batchSize) break;
    before = { at: last.createdAt, id: last.paymentId };
  }
  return splitOver(found, amountMinor);
}

/**
 * Asks for a refund: set aside on the payment and in the books at once, paid by `payRefund`.
 * A repeat with the same values does nothing.
 */
export async function requestRefund(
  deps: PaymentsDeps, tx: Tx, asked: { readonly refundId: string; readonly paymentId: string; readonly amountMinor: bigint },
): Promise<void> {
  const { refundId, paymentId, amountMinor } = asked;
  const payment = await store.lockPayment(tx, paymentId);
  if (payment === undefined) throw new ServiceError('payments/unknown-payment', { paymentId });
  const known = await store.findRefund(tx, refundId);
  if (known !== undefined) {
    if (known.paymentId !== paymentId || known.amountMinor !== amountMinor) throw new ServiceError('payments/id-reused', { refundId });
    return;
  }
  if (amountMinor <= 0n || !(await store.reserveRefund(tx, paymentId, amountMinor))) throw new ServiceError('payments/refund-exceeds', { paymentId });
  const at = deps.clock.now();
  const { accountId, currency } = payment;
  await store.insertRefund(tx, { refundId, paymentId, accountId, amountMinor, currency, requestedAt: at });
  await deps.ledger.post(tx, recipes.requestRefund({ id: `refund-requested:${refundId}`, at, currency, amountMinor, accountId, refs: { refundId, paymentId } }));
}

/** Takes back a refund that was never sent to the gateway. @throws ServiceError `payments/refund-under-way` */
export async function withdrawRefund(deps: PaymentsDeps, tx: Tx, refundId: string): Promise<void> {
  const refund = await store.lockRefund(tx, refundId);
  if (refund === undefined || refund.status === 'failed') return;
  if (refund.sentAt !== null) throw new ServiceError('payments/refund-under-way', { refundId });
  await fail(deps, tx, refund, null, 'withdrawn');
}

/**
 * Pays a refund out, once, however often it is called and whatever became of earlier attempts: the gateway is asked for a refund
 * that carries our id before one is made, since it forgets idempotency keys after a day.
 */
export async function payRefund(deps: PaymentsDeps, refundId: string): Promise<'succeeded' | 'pending' | 'failed'> {
  const begun = await deps.db.transaction((tx) => begin(deps, tx, refundId));
  if (begun.kind === 'ended') return begun.outcome;
  const { refund, intentId } = begun;
  const known = refund.gatewayRefundId === null
    ? await deps.gateway.findRefund(intentId, refundId)
    : await deps.gateway.refund(refund.gatewayRefundId);
  return known === undefined ? create(deps, refund, intentId) : settleRefund(deps, { ...known, refundId });
}

type Begun =
  | { readonly kind: 'ended'; readonly outcome: 'succeeded' | 'failed' }
  | { readonly kind: 'open'; readonly refund: store.RefundRow; readonly intentId: string };

async function begin(deps: PaymentsDeps, tx: Tx, refundId: string): Promise<Begun> {
  const refund = await store.lockRefund(tx, refundId);
  if (refund === undefined) throw new ServiceError('payments/unknown-refund', { refundId });
  if (refund.status === 'succeeded' || refund.status === 'failed') return { kind: 'ended', outcome: refund.status };
  const payment = await store.findPayment(tx, refund.paymentId);
  if (payment?.intentId == null) throw new ServiceError('payments/unknown-payment', { paymentId: refund.paymentId });
  // Committed before the gateway hears of it: from here on the refund can no longer be withdrawn.
  await store.setSent(tx, refundId, deps.clock.now());
  return { kind: 'open', refund, intentId: payment.intentId };
}

async function create(deps: PaymentsDeps, refund: store.RefundRow, intentId: string): Promise<'succeeded' | 'pending' | 'failed'> {
  const { refundId, amountMinor } = refund;
  try {
    return await settleRefund(deps, { ...await deps.gateway.createRefund({ refundId, intentId, amountMinor }), refundId });
  } catch (error) {
    if (!(error instanceof ServiceError) || error.code !== 'payments/gateway-refused') throw error;
    const code = error.details['gatewayCode'];
    const failure = typeof code === 'string' ? code : 'refused';
    return deps.db.transaction(async (tx) => {
      const locked = await store.lockRefund(tx, refundId);
      if (locked?.status === 'requested') await fail(deps, tx, locked, null, failure);
      return locked?.status === 'succeeded' ? 'succeeded' : 'failed';
    });
  }
}

/** Books what the gateway says of a refund of ours, each outcome once. */
export async function settleRefund(deps: PaymentsDeps, told: GatewayRefund): Promise<'succeeded' | 'pending' | 'failed'> {
  const { refundId, gatewayRefundId } = told;
  if (refundId === null) return told.status;
  return deps.db.transaction(async (tx) => {
    const refund = await store.lockRefund(tx, refundId);
    if (refund === undefined) return told.status;
    const at = deps.clock.now();
    switch (refundMove(refund.status, told.status)) {
      case 'nothing': return refund.status === 'requested' ? 'pending' : refund.status;
      case 'note-pending':
        await store.setRefund(tx, refundId, { status: 'pending', gatewayRefundId, failure: null, settledAt: null });
        return 'pending';
      case 'book-paid':
        await store.setRefund(tx, refundId, { status: 'succeeded', gatewayRefundId, failure: null, settledAt: at });
        await deps.ledger.post(tx, recipes.refundPaid({
          id: `refund-paid:${refundId}`, at, currency: refund.currency, amountMinor: refund.amountMinor, refs: { refundId, paymentId: refund.paymentId },
        }));
        await tell(deps, tx, refund, 'succeeded');
        return 'succeeded';
      case 'book-failed':
        await fail(deps, tx, refund, gatewayRefundId, told.failure ?? 'failed');
        return 'failed';
      case 'book-returned':
        await deps.ledger.post(tx, returned(refund, at));
        await store.setRefund(tx, refundId, { status: 'failed', gatewayRefundId, failure: told.failure ?? 'returned', settledAt: at });
        await store.releaseRefund(tx, refund.paymentId, refund.amountMinor);
        await tell(deps, tx, refund, 'failed');
        return 'failed';
    }
  });
}

async function fail(deps: PaymentsDeps, tx: Tx, refund: store.RefundRow, gatewayRefundId: string | null, failure: string): Promise<void> {
  const { refundId, paymentId, accountId, amountMinor, currency } = refund;
  const at = deps.clock.now();
  await store.setRefund(tx, refundId, { status: 'failed', gatewayRefundId, failure: failure.slice(0, 100), settledAt: at });
  await store.releaseRefund(tx, paymentId, amountMinor);
  await deps.ledger.post(tx, recipes.refundFailed({ id: `refund-failed:${refundId}`, at, currency, amountMinor, accountId, refs: { refundId, paymentId } }));
  await tell(deps, tx, refund, 'failed');
}

/** The gateway has the money again, so we owe it to the traveller again. */
function returned(refund: store.RefundRow, at: Date): Transfer {
  const { refundId, paymentId, accountId, amountMinor, currency } = refund;
  return {
    id: `refund-returned:${refundId}`, kind: 'refund-returned', at, refs: { refundId, paymentId },
    entries: [{ account: houseAccount('gateway', currency), debitMinor: amountMinor }, { account: cashAccount(accountId, currency), creditMinor: amountMinor }],
  };
}

async function tell(deps: PaymentsDeps, tx: Tx, { refundId, paymentId, accountId }: store.RefundRow, outcome: 'succeeded' | 'failed'): Promise<void> {
  await deps.outbox.emit(tx, refundSettled, refundId, { refundId, paymentId, accountId, outcome });
}
