import type { Charge } from './books.ts';

/** A card as the payer typed it, judged: the numbers are Stripe's published test numbers. */
export interface Card {
  readonly brand: string;
  readonly last4: string;
  readonly declined: string | null;
  readonly refunds: Charge['refunds'];
}

const declines: Readonly<Record<string, string>> = {
  '4000000000000002': 'card_declined',
  '4000000000009995': 'insufficient_funds',
  '4000000000000069': 'expired_card',
};

const refunding: Readonly<Record<string, Charge['refunds']>> = {
  '4000000000007726': 'pending',
  '4000000000005126': 'fail-later',
};

/** Stripe's names of test payment methods that the confirm call takes in place of a number. */
export const testMethods: Readonly<Record<string, string>> = {
  pm_card_visa: '4242424242424242',
  pm_card_mastercard: '5555555555554444',
  pm_card_unionpay: '6200000000000005',
  pm_card_visa_chargeDeclined: '4000000000000002',
  pm_card_pendingRefund: '4000000000007726',
  pm_card_refundFail: '4000000000005126',
};

const brands: readonly (readonly [RegExp, string])[] = [
  [/^4/, 'visa'], [/^(5[1-5]|2[2-7])/, 'mastercard'], [/^3[47]/, 'amex'], [/^35/, 'jcb'], [/^(62|81)/, 'unionpay'],
];

function luhnHolds(digits: string): boolean {
  const sum = [...digits].reverse().reduce((total, digit, index) => {
    const doubled = index % 2 === 1 ? Number(digit) * 2 : Number(digit);
    return total + (doubled > 9 ? doubled - 9 : doubled);
  }, 0);
  return sum % 10 === 0;
}

/** Undefined when it is no card number at all. */
export function readCard(number: string): Card | undefined {
  const digits = number.replaceAll(/[\s-]/g, '');
  if (!/^\d{12,19}$/.test(digits) || !luhnHolds(digits)) return undefined;
  return {
    brand: brands.find(([pattern]) => pattern.test(digits))?.[1] ?? 'unknown',
    last4: digits.slice(-4),
    declined: declines[digits] ?? null,
    refunds: refunding[digits] ?? 'at-once',
  };
}
