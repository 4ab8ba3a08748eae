import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { plan } from '@yuanyou/contract';
import { demoPlans, demoStart } from './demo.ts';
import { priceOf, refundMinor, refundText } from './model.ts';

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

  it('is said in every language', () => {
    expect(refundText(proRata).en).toContain('14 days');
    expect(new Set(Object.values(refundText({ kind: 'none' }))).size).toBe(3);
  });
});

describe('the demo catalogue', () => {
  it('fits the contract, with an id and a slug of its own for each plan', () => {
    for (const { operator: _, ...one } of demoPlans) {
      const operatorId = '0198c5d2-0000-7000-8000-000000000099';
      expect(plan.safeParse({ ...one, operatorId, start: demoStart, refundText: refundText(one.refund) }).error).toBeUndefined();
    }
    expect(new Set(demoPlans.flatMap(({ planId, slug }) => [planId, slug])).size).toBe(demoPlans.length * 2);
    expect(demoPlans.length).toBeGreaterThanOrEqual(12);
  });

  it('has the plan of the demo', () => {
    const japan = demoPlans.find(({ slug }) => slug === 'japan-3gb-15d');
    expect(japan).toMatchObject({ countries: ['JP'], dataBytes: 3_000_000_000, validityDays: 15, refund: proRata });
    expect(priceOf(japan!, 'EUR')).toBe(900);
    expect(priceOf(japan!, 'GBP')).toBeUndefined();
  });
});
