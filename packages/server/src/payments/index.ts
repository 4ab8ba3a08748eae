import type { Reader, Tx } from '../platform/db/index.ts';
import type { Endpoint } from '../platform/http/index.ts';
import type { SubjectHolder } from '../platform/subject/index.ts';
import type { PaymentsDeps } from './deps.ts';
import { gatewayTold } from './events.ts';
import { paymentsHolder } from './holder.ts';
import type { RefundPart } from './model.ts';
import { reconcile } from './reconcile.ts';
import { payRefund, refundPlan, requestRefund, withdrawRefund } from './refund.ts';
import { paymentsEndpoints } from './routes.ts';
import { lookInto, receiveEvent } from './settle.ts';
import * as store from './store.ts';
import { cancelOpenTopUps, cancelTopUp, startTopUp, type StartedTopUp, type TopUpRequest } from './topup.ts';
import { createBatch, redeemVoucher, type MadeBatch, type NewBatch } from './voucher.ts';

export type { PaymentsDeps } from './deps.ts';
export { paymentCaptured, refundSettled } from './events.ts';
export type { Gateway, GatewayEvent, GatewayPayment, GatewayRefund } from './gateway.ts';
export type { RefundPart } from './model.ts';
export type { PaymentRow, RefundRow } from './store.ts';
export { stripeGateway, type StripeOptions } from './stripe.ts';
export type { StartedTopUp, TopUpRequest } from './topup.ts';
export type { MadeBatch, NewBatch } from './voucher.ts';

/** What the payment processor was told of a closed account. */
export interface ProcessorReceipt {
  readonly recipient: string;
  /** The processor's number of the last call; null when it holds no payment of the account. */
  readonly reference: string | null;
  readonly payments: number;
  readonly at: Date;
}

export interface Payments {
  /** @throws ServiceError `payments/currency`, `payments/too-many-open`, `payments/id-reused`, `payments/gateway-unreachable` */
  startTopUp(request: TopUpRequest): Promise<StartedTopUp>;
  /** Closes an unpaid top-up; one that was paid meanwhile is captured. @throws ServiceError `payments/unknown-payment` */
  cancelTopUp(accountId: string, paymentId: string): Promise<store.PaymentRow>;
  /** Closes every unpaid top-up of an account, so that no money can arrive after a closure. */
  cancelOpenTopUps(accountId: string): Promise<{ readonly stillOpen: number }>;
  /** A signed event of the gateway. @throws ServiceError `payments/signature` */
  receiveEvent(rawBody: Buffer, signature: string): Promise<void>;
  /** @throws ServiceError `payments/voucher-unknown`, `payments/voucher-spent`, `payments/voucher-expired`, `general/too-many-requests` */
  redeemVoucher(asked: { readonly accountId: string; readonly code: string; readonly idempotencyKey: string }):
    Promise<{ readonly amountMinor: bigint; readonly currency: string }>;
  createVoucherBatch(batch: NewBatch): Promise<MadeBatch>;
  /** Newest first, never above what was captured less what was refunded; the sum falls short where the payments do not suffice. */
  refundPlan(db: Reader, accountId: string, amountMinor: bigint, currency: string): Promise<RefundPart[]>;
  /**
   * Sets the money aside on the payment and posts it from the traveller's balance to refunds payable. Idempotent by `refundId` (a UUID).
   * @throws ServiceError `payments/refund-exceeds`, `payments/unknown-payment`, `payments/id-reused`, `ledger/overdraft`
   */
  requestRefund(tx: Tx, asked: { readonly refundId: string; readonly paymentId: string; readonly amountMinor: bigint }): Promise<void>;
  /** The undo of `requestRefund`. @throws ServiceError `payments/refund-under-way` once `payRefund` was called for it */
  withdrawRefund(tx: Tx, refundId: string): Promise<void>;
  /**
   * Looks the refund up at the gateway by our id, makes it where there is none, and books the outcome.
   * @throws ServiceError `payments/gateway-unreachable` when the outcome is unknown: call again
   */
  payRefund(refundId: string): Promise<'succeeded' | 'pending' | 'failed'>;
  refund(db: Reader, refundId: string): Promise<store.RefundRow | undefined>;
  payment(db: Reader, paymentId: string): Promise<store.PaymentRow | undefined>;
  /** Tells the processor that the account was closed. Repeatable. */
  tellProcessor(accountId: string): Promise<ProcessorReceipt>;
  /** Asks the gateway about everything that has stood open for long; runs by itself every minute. */
  reconcile(): Promise<void>;
  readonly holder: SubjectHolder;
  readonly endpoints: readonly Endpoint[];
}

async function tellProcessor(deps: PaymentsDeps, accountId: string): Promise<ProcessorReceipt> {
  const at = deps.clock.now();
  let reference: string | null = null;
  let told = 0;
  let before: store.Place | null = null;
  for (;;) {
    const batch: store.PaymentRow[] = await store.paymentsOf(deps.db, accountId, before, 100);
    for (const { intentId } of batch) {
      if (intentId === null) continue;
      reference = await deps.gateway.tellClosed(intentId, at);
      told += 1;
    }
    const last = batch.at(-1);
    if (last === undefined || batch.length < 100) return { recipient: deps.gateway.name, reference, payments: told, at };
    before = { at: last.createdAt, id: last.paymentId };
  }
}

/** Money in and back: top-ups, refunds, vouchers. */
export function createPayments(deps: PaymentsDeps): Payments {
  deps.outbox.subscribe(gatewayTold, 'payments.settle', ({ body }) => lookInto(deps, body));
  deps.schedule.every('payments.reconcile', 60_000, () => reconcile(deps));
  const payments: Omit<Payments, 'endpoints'> = {
    startTopUp: (request) => startTopUp(deps, request),
    cancelTopUp: (accountId, paymentId) => cancelTopUp(deps, accountId, paymentId),
    cancelOpenTopUps: (accountId) => cancelOpenTopUps(deps, accountId),
    receiveEvent: (rawBody, signature) => receiveEvent(deps, rawBody, signature),
    redeemVoucher: (asked) => redeemVoucher(deps, asked),
    createVoucherBatch: (batch) => createBatch(deps, batch),
    refundPlan,
    requestRefund: (tx, asked) => requestRefund(deps, tx, asked),
    withdrawRefund: (tx, refundId) => withdrawRefund(deps, tx, refundId),
    payRefund: (refundId) => payRefund(deps, refundId),
    refund: store.findRefund,
    payment: store.findPayment,
    tellProcessor: (accountId) => tellProcessor(deps, accountId),
    reconcile: () => reconcile(deps),
    holder: paymentsHolder,
  };
  return { ...payments, endpoints: paymentsEndpoints(payments, deps.db) };
}
