import { ServiceError } from '../platform/errors.ts';
import { newId } from '../platform/ids.ts';
import type { PaymentsDeps } from './deps.ts';
import { settlePayment } from './settle.ts';
import * as store from './store.ts';

export interface TopUpRequest {
  readonly accountId: string;
  readonly amountMinor: bigint;
  readonly currency: string;
  readonly idempotencyKey: string;
}

export interface StartedTopUp {
  readonly payment: store.PaymentRow;
  /** For the gateway's form; null once the payment is closed. */
  readonly clientSecret: string | null;
  readonly payUrl: string | null;
}

const mostOpen = 20;

export function requestKey(deps: PaymentsDeps, purpose: string, whose: string, key: string): Buffer {
  return deps.blindIndex.of(`payments.request.${purpose}`, `${whose}|${key}`);
}

/** Begins a top-up: noted with us first, so that whatever the gateway takes can be matched. */
export async function startTopUp(deps: PaymentsDeps, request: TopUpRequest): Promise<StartedTopUp> {
  if (!deps.currencies.includes(request.currency)) throw new ServiceError('payments/currency', { currency: request.currency });
  const noted = await note(deps, request);
  if (noted.intentId !== null) return resume(deps, noted);
  const made = await deps.gateway.createPayment(noted);
  const joined = await deps.db.transaction((tx) => store.setIntent(tx, noted.paymentId, made.intentId));
  const payment = await required(deps, noted.paymentId);
  // Canceled, or begun by a repeat of this request, while the gateway was asked.
  if (!joined && payment.intentId !== made.intentId) await deps.gateway.cancelPayment(made.intentId);
  return payment.status === 'awaiting' ? shown(deps, payment, made.clientSecret) : shown(deps, payment, null);
}

async function note(deps: PaymentsDeps, request: TopUpRequest): Promise<store.PaymentRow> {
  const { accountId, amountMinor, currency, idempotencyKey } = request;
  const createdAt = deps.clock.now();
  const paymentId = newId(createdAt.getTime());
  const row = await deps.db.transaction(async (tx) => {
    await deps.requirePayer(tx, accountId);
    const inserted = await store.insertPayment(tx, {
      paymentId, accountId, amountMinor, currency, createdAt, requestKey: requestKey(deps, 'top-up', accountId, idempotencyKey),
    });
    if (inserted.paymentId === paymentId && await store.countOpen(tx, accountId) > mostOpen) {
      throw new ServiceError('payments/too-many-open', { most: mostOpen });
    }
    return inserted;
  });
  if (row.amountMinor !== amountMinor || row.currency !== currency) throw new ServiceError('payments/id-reused', { paymentId: row.paymentId });
  return row;
}

/** A repeat of a request whose payment the gateway already knows. */
async function resume(deps: PaymentsDeps, payment: store.PaymentRow): Promise<StartedTopUp> {
  if (payment.status !== 'awaiting' || payment.intentId === null) return shown(deps, payment, null);
  const { clientSecret } = await deps.gateway.payment(payment.intentId);
  return shown(deps, payment, clientSecret);
}

function shown(deps: PaymentsDeps, payment: store.PaymentRow, clientSecret: string | null): StartedTopUp {
  const open = payment.status === 'awaiting' && payment.intentId !== null;
  return {
    payment, clientSecret,
    payUrl: open && deps.payPageUrl !== undefined ? `${deps.payPageUrl.replace(/\/$/, '')}/${payment.intentId}` : null,
  };
}

async function required(deps: PaymentsDeps, paymentId: string): Promise<store.PaymentRow> {
  const payment = await store.findPayment(deps.db, paymentId);
  if (payment === undefined) throw new ServiceError('payments/unknown-payment', { paymentId });
  return payment;
}

/** Closes a top-up that was not paid; one that was paid meanwhile is captured. */
export async function cancelTopUp(deps: PaymentsDeps, accountId: string, paymentId: string): Promise<store.PaymentRow> {
  const payment = await required(deps, paymentId);
  if (payment.accountId !== accountId) throw new ServiceError('payments/unknown-payment', { paymentId });
  await close(deps, payment);
  return required(deps, paymentId);
}

async function close(deps: PaymentsDeps, payment: store.PaymentRow): Promise<void> {
  if (payment.status === 'created') {
    const intentId = await deps.db.transaction(async (tx) => {
      const locked = await store.lockPayment(tx, payment.paymentId);
      if (locked?.status === 'created') await store.setStatus(tx, payment.paymentId, 'canceled');
      return locked?.intentId ?? null;
    });
    if (intentId !== null) await settlePayment(deps, await deps.gateway.cancelPayment(intentId));
  } else if ((payment.status === 'awaiting' || payment.status === 'processing') && payment.intentId !== null) {
    await settlePayment(deps, await deps.gateway.cancelPayment(payment.intentId));
  }
}

/** Closes every unpaid top-up of an account; answers how many are still open because a bank is at them. */
export async function cancelOpenTopUps(deps: PaymentsDeps, accountId: string): Promise<{ readonly stillOpen: number }> {
  for (const payment of await store.openPaymentsOf(deps.db, accountId)) await close(deps, payment);
  return { stillOpen: await store.countOpen(deps.db, accountId) };
}
