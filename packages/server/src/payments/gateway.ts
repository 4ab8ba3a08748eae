/** What the gateway holds of a payment. */
export interface GatewayPayment {
  readonly intentId: string;
  /** Our id, as we gave it along. */
  readonly paymentId: string | null;
  readonly status: 'awaiting' | 'processing' | 'captured' | 'canceled';
  readonly capturedMinor: bigint;
  readonly currency: string;
  /** For the payer's form; a secret of this one payment. */
  readonly clientSecret: string | null;
  readonly card: { readonly brand: string; readonly last4: string } | null;
}

/** What the gateway holds of a refund. */
export interface GatewayRefund {
  readonly gatewayRefundId: string;
  /** Our id, as we gave it along. */
  readonly refundId: string | null;
  readonly amountMinor: bigint;
  readonly status: 'pending' | 'succeeded' | 'failed';
  readonly failure: string | null;
}

export interface GatewayEvent {
  readonly eventId: string;
  readonly type: string;
  /** What to look up; an event is a hint, the gateway's present word is what counts. */
  readonly about: { readonly intentId: string } | { readonly gatewayRefundId: string } | null;
}

/**
 * A payment gateway. Every call may fail with `payments/gateway-unreachable` (the outcome is then unknown) or
 * `payments/gateway-refused` (nothing was done and nothing will be).
 */
export interface Gateway {
  /** Shown in receipts of the closure. */
  readonly name: string;
  /** Repeatable under the same `paymentId` for a day. */
  createPayment(payment: { readonly paymentId: string; readonly amountMinor: bigint; readonly currency: string }): Promise<GatewayPayment>;
  payment(intentId: string): Promise<GatewayPayment>;
  /** Closes an unpaid payment; answers what then stands, also when it was paid already. */
  cancelPayment(intentId: string): Promise<GatewayPayment>;
  /** Finds the refund that carries our id among those of a payment. */
  findRefund(intentId: string, refundId: string): Promise<GatewayRefund | undefined>;
  createRefund(refund: { readonly refundId: string; readonly intentId: string; readonly amountMinor: bigint }): Promise<GatewayRefund>;
  refund(gatewayRefundId: string): Promise<GatewayRefund>;
  /** Tells the gateway that the payment's account was closed; answers its reference. */
  tellClosed(intentId: string, at: Date): Promise<string>;
  /** Checks the signature over the raw body. @throws `payments/signature` */
  readEvent(rawBody: Buffer, signature: string, at: Date): GatewayEvent;
}
