import type { Books, Charge, Intent, Refund } from './books.ts';

/** The objects of Stripe's API, in the fields that a client of ours may read. */
export function intentObject(intent: Intent, books: Books, expand: readonly string[]): Record<string, unknown> {
  const charge = intent.chargeId === null ? undefined : books.charge(intent.chargeId);
  return {
    id: intent.id, object: 'payment_intent', amount: intent.amountMinor, currency: intent.currency, created: intent.created,
    amount_received: intent.status === 'succeeded' ? intent.amountMinor : 0, client_secret: intent.clientSecret, livemode: false,
    status: intent.status, metadata: intent.metadata, capture_method: 'automatic', payment_method_types: ['card'],
    latest_charge: charge === undefined ? null : expand.includes('latest_charge') ? chargeObject(charge, books) : charge.id,
    last_payment_error: intent.failure === null ? null : { type: 'card_error', code: intent.failure, message: 'Your card was declined.' },
  };
}

export function chargeObject(charge: Charge, books: Books): Record<string, unknown> {
  const refunded = books.refundedMinor(charge.id);
  return {
    id: charge.id, object: 'charge', amount: charge.amountMinor, amount_captured: charge.amountMinor, amount_refunded: refunded,
    captured: true, paid: true, refunded: refunded === charge.amountMinor, status: 'succeeded', currency: charge.currency,
    created: charge.created, payment_intent: charge.intentId, livemode: false,
    payment_method_details: { type: 'card', card: { brand: charge.brand, last4: charge.last4 } },
  };
}

export function refundObject(refund: Refund): Record<string, unknown> {
  return {
    id: refund.id, object: 'refund', amount: refund.amountMinor, charge: refund.chargeId, payment_intent: refund.intentId,
    currency: refund.currency, created: refund.created, metadata: refund.metadata, status: refund.status, reason: null,
    ...(refund.failure === null ? {} : { failure_reason: refund.failure }),
  };
}

export class WireError extends Error {
  readonly status: number;
  readonly body: { readonly error: Readonly<Record<string, unknown>> };

  constructor(status: number, type: string, message: string, code?: string, extra: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.status = status;
    this.body = { error: { type, message, ...(code === undefined ? {} : { code }), ...extra } };
  }
}

export const invalid = (message: string, code?: string): WireError => new WireError(400, 'invalid_request_error', message, code);
export const missing = (what: string, id: string): WireError =>
  new WireError(404, 'invalid_request_error', `No such ${what}: '${id}'`, 'resource_missing');
