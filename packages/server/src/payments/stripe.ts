import Stripe from 'stripe';
import { ServiceError } from '../platform/errors.ts';
import type { Gateway, GatewayEvent, GatewayPayment, GatewayRefund } from './gateway.ts';

export interface StripeOptions {
  readonly secretKey: string;
  readonly webhookSecret: string;
  /** Where the API is; Stripe's own host when absent. */
  readonly url?: string;
  /** For one answer; default 20 s. */
  readonly timeoutMs?: number;
}

const statuses: Readonly<Record<string, GatewayPayment['status']>> = {
  requires_payment_method: 'awaiting', requires_confirmation: 'awaiting', requires_action: 'awaiting',
  processing: 'processing', requires_capture: 'processing', succeeded: 'captured', canceled: 'canceled',
};

const refundStatuses: Readonly<Record<string, GatewayRefund['status']>> = {
  pending: 'pending', requires_action: 'pending', succeeded: 'succeeded', failed: 'failed', canceled: 'failed',
};

/** Only a request that Stripe read and found impossible is refused for good; a wrong key or a full queue is not. */
function translated(error: unknown): unknown {
  if (error instanceof Stripe.errors.StripeInvalidRequestError || error instanceof Stripe.errors.StripeCardError) {
    return new ServiceError('payments/gateway-refused', { gatewayCode: error.code ?? error.type, status: error.statusCode ?? 0 }, { cause: error });
  }
  if (error instanceof Stripe.errors.StripeError) {
    return new ServiceError('payments/gateway-unreachable', { gatewayCode: error.code ?? error.type, status: error.statusCode ?? 0 }, { cause: error });
  }
  return error;
}

async function asked<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    throw translated(error);
  }
}

function paymentOf(intent: Stripe.PaymentIntent): GatewayPayment {
  const charge = typeof intent.latest_charge === 'object' ? intent.latest_charge : null;
  const card = charge?.payment_method_details?.card;
  return {
    intentId: intent.id, paymentId: intent.metadata['payment_id'] ?? null, status: statuses[intent.status] ?? 'processing',
    capturedMinor: BigInt(intent.amount_received), currency: intent.currency.toUpperCase(), clientSecret: intent.client_secret,
    card: card?.last4 === undefined || card.last4 === null ? null : { brand: card.brand ?? 'card', last4: card.last4 },
  };
}

function refundOf(refund: Stripe.Refund): GatewayRefund {
  return {
    gatewayRefundId: refund.id, refundId: refund.metadata?.['refund_id'] ?? null, amountMinor: BigInt(refund.amount),
    status: refundStatuses[refund.status ?? 'pending'] ?? 'pending', failure: refund.failure_reason ?? null,
  };
}

const about: readonly (readonly [RegExp, (id: string) => NonNullable<GatewayEvent['about']>])[] = [
  [/^payment_intent\./, (intentId) => ({ intentId })],
  [/^refund\./, (gatewayRefundId) => ({ gatewayRefundId })],
];

function eventOf(event: Stripe.Event): GatewayEvent {
  const object = event.data.object as { readonly id?: unknown };
  const read = about.find(([pattern]) => pattern.test(event.type))?.[1];
  return { eventId: event.id, type: event.type, about: read !== undefined && typeof object.id === 'string' ? read(object.id) : null };
}

function client(options: StripeOptions): Stripe {
  const url = options.url === undefined ? undefined : new URL(options.url);
  const protocol = url?.protocol === 'http:' ? 'http' as const : 'https' as const;
  return new Stripe(options.secretKey, {
    // Repeats are ours to make: after a look-up, also when the key of a first attempt is long forgotten. The SDK still repeats once, at
    // once and under the same key, when a kept connection turns out to be closed.
    maxNetworkRetries: 0, timeout: options.timeoutMs ?? 20_000, telemetry: false,
    ...(url === undefined ? {} : { host: url.hostname, protocol, port: url.port === '' ? (protocol === 'http' ? 80 : 443) : Number(url.port) }),
  });
}

/** Stripe, or what speaks its wire. Payments and refunds carry our ids as metadata `payment_id` and `refund_id`. */
export function stripeGateway(options: StripeOptions): Gateway {
  const stripe = client(options);
  const expand = ['latest_charge'];
  const payment = async (intentId: string): Promise<GatewayPayment> => paymentOf(await asked(stripe.paymentIntents.retrieve(intentId, { expand })));
  return {
    name: 'Stripe',
    createPayment: async ({ paymentId, amountMinor, currency }) => paymentOf(await asked(stripe.paymentIntents.create(
      { amount: Number(amountMinor), currency: currency.toLowerCase(), automatic_payment_methods: { enabled: true }, metadata: { payment_id: paymentId } },
      { idempotencyKey: `payment-${paymentId}` }))),
    payment,
    async cancelPayment(intentId) {
      try {
        return paymentOf(await asked(stripe.paymentIntents.cancel(intentId)));
      } catch (error) {
        // Refused because it was paid or canceled meanwhile: what stands is the answer.
        if (error instanceof ServiceError && error.code === 'payments/gateway-refused') return payment(intentId);
        throw error;
      }
    },
    async findRefund(intentId, refundId) {
      for await (const refund of listed(stripe, intentId)) if (refund.refundId === refundId) return refund;
      return undefined;
    },
    createRefund: async ({ refundId, intentId, amountMinor }) => refundOf(await asked(stripe.refunds.create(
      { payment_intent: intentId, amount: Number(amountMinor), metadata: { refund_id: refundId } }, { idempotencyKey: `refund-${refundId}` }))),
    refund: async (gatewayRefundId) => refundOf(await asked(stripe.refunds.retrieve(gatewayRefundId))),
    async tellClosed(intentId, at) {
      const updated = await asked(stripe.paymentIntents.update(intentId, { metadata: { account_closed_at: at.toISOString() } }));
      return updated.lastResponse.requestId;
    },
    readEvent(rawBody, signature, at) {
      try {
        return eventOf(stripe.webhooks.constructEvent(rawBody, signature, options.webhookSecret, 300, undefined, at.getTime()));
      } catch (error) {
        throw new ServiceError('payments/signature', {}, { cause: error });
      }
    },
  };
}

/** All refunds of a payment, page by page. */
async function* listed(stripe: Stripe, intentId: string): AsyncGenerator<GatewayRefund> {
  let after: string | undefined;
  for (;;) {
    const page: Stripe.ApiList<Stripe.Refund> = await asked(
      stripe.refunds.list({ payment_intent: intentId, limit: 100, ...(after === undefined ? {} : { starting_after: after }) }));
    yield* page.data.map(refundOf);
    after = page.data.at(-1)?.id;
    if (!page.has_more || after === undefined) return;
  }
}
