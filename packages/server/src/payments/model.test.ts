import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { paymentAfter, readVoucherCode, refundMove, splitOver, voucherCode } from './model.ts';

describe('splitting a refund', () => {
  const payments = fc.array(fc.bigInt({ min: 0n, max: 100_000n }), { maxLength: 8 })
    .map((lefts) => lefts.map((leftMinor, index) => ({ paymentId: String(index), leftMinor })));

  it('never takes more than a payment has left, and takes in the order given', () => {
    fc.assert(fc.property(payments, fc.bigInt({ min: 1n, max: 500_000n }), (given, amount) => {
      const parts = splitOver(given, amount);
      const left = new Map(given.map(({ paymentId, leftMinor }) => [paymentId, leftMinor]));
      const total = given.reduce((sum, { leftMinor }) => sum + leftMinor, 0n);
      const taken = parts.reduce((sum, { amountMinor }) => sum + amountMinor, 0n);
      expect(taken).toBe(amount < total ? amount : total);
      expect(parts.every(({ paymentId, amountMinor }) => amountMinor > 0n && amountMinor <= left.get(paymentId)!)).toBe(true);
      expect(parts.slice(0, -1).every(({ paymentId, amountMinor }) => amountMinor === left.get(paymentId)!)).toBe(true);
    }));
  });
});

describe('what the gateway says', () => {
  it('never takes a captured payment back', () => {
    for (const told of ['awaiting', 'processing', 'canceled', 'captured'] as const) expect(paymentAfter('captured', told)).toBeUndefined();
  });
  it('captures what was paid in spite of a cancellation', () => { expect(paymentAfter('canceled', 'captured')).toBe('captured'); });
  it('books each end of a refund once', () => {
    expect(refundMove('requested', 'succeeded')).toBe('book-paid');
    expect(refundMove('succeeded', 'succeeded')).toBe('nothing');
    expect(refundMove('succeeded', 'failed')).toBe('book-returned');
    expect(refundMove('failed', 'failed')).toBe('nothing');
  });
});

describe('a voucher code', () => {
  it('survives how people type it', () => {
    fc.assert(fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (random) => {
      const code = voucherCode(random);
      expect(readVoucherCode(code.toLowerCase().replaceAll('-', ' ').replaceAll('0', 'o').replaceAll('1', 'l'))).toBe(code.replaceAll('-', ''));
    }));
  });
  it('is refused when it cannot be one', () => { expect(readVoucherCode('UUUU-0000-0000-0000')).toBeUndefined(); });
});
