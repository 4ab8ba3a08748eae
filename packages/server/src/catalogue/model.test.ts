import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { priceOf, refundMinor, refundText, startText, validityOf } from './model.ts';

const bought = new Date('2026-11-01T00:00:00Z');
const after = (days: number): Date => new Date(bought.getTime() + days * 86_400_000);
const proRata = { kind: 'pro-rata', withinDays: 14 } as const;

describe('refund', () => {
  it('gives all back while nothing is used, and the unused part later', () => {
    expect(refundMinor(proRata, 900n, 3_000_000_000n, 3_000_000_000n, bought, after(1))).toBe(900n);
    expect(refundMinor(proRata, 900n, 3_000_000_000n, 600_000_000n, bought, after(14))).toBe(180n);
  });

  it('rounds to the traveller’s good', () => {
    expect(refundMinor(proRata, 900n, 3_000_000_000n, 1n, bought, after(1))).toBe(1n);
  });

  it('gives nothing after the period, when all is used, or by rule', () => {
    expect(refundMinor(proRata, 900n, 3_000_000_000n, 3_000_000_000n, bought, new Date(after(14).getTime() + 1))).toBe(0n);
    expect(refundMinor(proRata, 900n, 3_000_000_000n, 0n, bought, after(1))).toBe(0n);
    expect(refundMinor({ kind: 'none' }, 900n, 3_000_000_000n, 3_000_000_000n, bought, after(1))).toBe(0n);
  });

  it('is never below zero nor above what was paid', () => {
    fc.assert(fc.property(fc.bigInt(-10n, 10n ** 9n), fc.bigInt(-1n, 10n ** 13n), fc.bigInt(-1n, 10n ** 13n), (paid, total, unused) => {
      const back = refundMinor(proRata, paid, total, unused, bought, after(3));
      return back >= 0n && back <= (paid > 0n ? paid : 0n);
    }));
  });
});

describe('validity', () => {
  it('runs from the purchase, waits for the first use, or runs from the day named', () => {
    expect(validityOf({ kind: 'purchase' }, 7, bought, undefined)).toEqual({ kind: 'running', from: bought, until: after(7) });
    expect(validityOf({ kind: 'first-use', withinDays: 180 }, 7, bought, undefined)).toEqual({ kind: 'awaits-first-use', until: after(180) });
    expect(validityOf({ kind: 'date', withinDays: 30 }, 7, bought, after(30))).toEqual({ kind: 'running', from: after(30), until: after(37) });
  });

  it('refuses a day that is missing, not asked for, past or too far', () => {
    expect(validityOf({ kind: 'date', withinDays: 30 }, 7, bought, undefined)).toBeUndefined();
    expect(validityOf({ kind: 'purchase' }, 7, bought, after(1))).toBeUndefined();
    expect(validityOf({ kind: 'date', withinDays: 30 }, 7, bought, after(-1))).toBeUndefined();
    expect(validityOf({ kind: 'date', withinDays: 30 }, 7, bought, after(31))).toBeUndefined();
  });
});

describe('rules in words', () => {
  it('follow from the data in every language', () => {
    expect(refundText(proRata).en).toContain('14 days');
    expect(new Set(Object.values(refundText({ kind: 'none' }))).size).toBe(3);
    expect(startText({ kind: 'first-use', withinDays: 180 })['zh-Hans']).toContain('180 天');
    expect(startText({ kind: 'date', withinDays: 60 })['zh-Hant']).toContain('60 天');
    expect(startText({ kind: 'purchase' }).en).toContain('buy');
  });

  it('and a price in each currency it is sold in', () => {
    const plan = { prices: [{ amountMinor: 900, currency: 'EUR' }] };
    expect(priceOf(plan, 'EUR')).toBe(900);
    expect(priceOf(plan, 'GBP')).toBeUndefined();
  });
});
