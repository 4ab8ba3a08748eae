import { randomBytes } from 'node:crypto';
import type { Books, Charge, Intent, Refund } from './books.ts';
import type { Card } from './cards.ts';
import { intentObject, invalid, missing, refundObject, WireError } from './wire.ts';
import type { Webhooks } from './webhooks.ts';

export interface ActDeps {
  readonly books: Books;
  readonly webhooks: Webhooks;
  readonly now: () => Date;
  /** Lets the bank's word on a refund come later, where the card makes it so. */
  readonly settleLater: (refundId: string, status: 'succeeded' | 'failed') => void;
}

const newId = (prefix: string): string => `${prefix}_${randomBytes(12).toString('hex')}`;
const seconds = (at: Date): number => Math.floor(at.getTime() / 1000);

function amountOf(given: string | undefined): number {
  if (given === undefined || !/^\d{1,9}$/.test(given) || Number(given) < 1) throw invalid('Invalid integer: amount', 'parameter_invalid_integer');
  return Number(given);
}

export function findIntent(books: Books, id: string): Intent {
  const intent = books.intent(id);
  if (intent === undefined) throw missing('payment_intent', id);
  return intent;
}

export function createIntent(deps: ActDeps, amount: string | undefined, currency: string | undefined, metadata: Record<string, string>): Intent {
  if (currency === undefined || !/^[a-z]{3}$/.test(currency)) throw invalid('Invalid currency', 'parameter_missing');
  const id = newId('pi');
  const intent: Intent = {
    id, clientSecret: `${id}_secret_${randomBytes(12).toString('hex')}`, amountMinor: amountOf(amount), currency, metadata,
    created: seconds(deps.now()), status: 'requires_payment_method', chargeId: null, failure: null,
  };
  deps.books.save({ intent });
  return intent;
}

/** Takes the card. With `hold` the payer's bank thinks it over until `settleIntent`. */
export function confirmIntent(deps: ActDeps, id: string, card: Card, hold = false): Intent {
  const intent = findIntent(deps.books, id);
  if (intent.status !== 'requires_payment_method') {
    throw invalid(`This PaymentIntent's status is ${intent.status}`, 'payment_intent_unexpected_state');
  }
  if (card.declined !== null) {
    const refused: Intent = { ...intent, failure: card.declined };
    deps.books.save({ intent: refused });
    deps.webhooks.send('payment_intent.payment_failed', intentObject(refused, deps.books, []));
    throw new WireError(402, 'card_error', 'Your card was declined.', card.declined, { payment_intent: intentObject(refused, deps.books, []) });
  }
  if (hold) {
    const held: Intent = { ...intent, status: 'processing', failure: null };
    deps.books.save({ intent: held });
    deps.webhooks.send('payment_intent.processing', intentObject(held, deps.books, []));
    return held;
  }
  return pay(deps, intent, card);
}

/** The payer's bank has thought it over. */
export function settleIntent(deps: ActDeps, id: string, card: Card): Intent {
  const intent = findIntent(deps.books, id);
  if (intent.status !== 'processing') throw invalid(`This PaymentIntent's status is ${intent.status}`, 'payment_intent_unexpected_state');
  return pay(deps, intent, card);
}

/** The charge first, then the intent, then the word to the merchant. */
function pay(deps: ActDeps, intent: Intent, card: Card): Intent {
  const charge: Charge = {
    id: newId('ch'), intentId: intent.id, amountMinor: intent.amountMinor, currency: intent.currency, brand: card.brand, last4: card.last4,
    refunds: card.refunds, created: seconds(deps.now()),
  };
  deps.books.save({ charge });
  const paid: Intent = { ...intent, status: 'succeeded', chargeId: charge.id, failure: null };
  deps.books.save({ intent: paid });
  deps.webhooks.send('payment_intent.succeeded', intentObject(paid, deps.books, []));
  return paid;
}

export function cancelIntent(deps: ActDeps, id: string): Intent {
  const intent = findIntent(deps.books, id);
  if (intent.status !== 'requires_payment_method') {
    throw invalid(`You cannot cancel this PaymentIntent because it has a status of ${intent.status}.`, 'payment_intent_unexpected_state');
  }
  const canceled: Intent = { ...intent, status: 'canceled' };
  deps.books.save({ intent: canceled });
  deps.webhooks.send('payment_intent.canceled', intentObject(canceled, deps.books, []));
  return canceled;
}

export function createRefund(
  deps: ActDeps, asked: { intentId: string | undefined; chargeId: string | undefined; amount: string | undefined; metadata: Record<string, string> },
): Refund {
  const chargeId = asked.chargeId ?? (asked.intentId === undefined ? undefined : findIntent(deps.books, asked.intentId).chargeId) ?? undefined;
  if (chargeId === undefined) throw invalid('This PaymentIntent does not have a successful charge to refund.');
  const charge = deps.books.charge(chargeId);
  if (charge === undefined) throw missing('charge', chargeId);
  const left = charge.amountMinor - deps.books.refundedMinor(charge.id);
  if (left === 0) throw invalid(`Charge ${charge.id} has already been refunded.`, 'charge_already_refunded');
  const amountMinor = asked.amount === undefined ? left : amountOf(asked.amount);
  if (amountMinor > left) throw invalid(`Refund amount (${amountMinor}) is greater than unrefunded amount on charge (${left})`);
  const refund: Refund = {
    id: newId('re'), chargeId: charge.id, intentId: charge.intentId, amountMinor, currency: charge.currency, metadata: asked.metadata,
    status: charge.refunds === 'pending' ? 'pending' : 'succeeded', failure: null, created: seconds(deps.now()),
  };
  deps.books.save({ refund });
  deps.webhooks.send('refund.created', refundObject(refund));
  if (charge.refunds !== 'at-once') deps.settleLater(refund.id, charge.refunds === 'pending' ? 'succeeded' : 'failed');
  return refund;
}

/** The bank's later word on a refund. */
export function settleRefund(deps: ActDeps, id: string, status: 'succeeded' | 'failed'): Refund {
  const refund = deps.books.refund(id);
  if (refund === undefined) throw missing('refund', id);
  if (refund.status === status || refund.status === 'failed') return refund;
  const settled: Refund = { ...refund, status, failure: status === 'failed' ? 'expired_or_canceled_card' : null };
  deps.books.save({ refund: settled });
  deps.webhooks.send(status === 'failed' ? 'refund.failed' : 'refund.updated', refundObject(settled));
  return settled;
}
