import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { drawDownAll, settlement } from './model.ts';
import type { Allowance } from './model.ts';

const at = (iso: string): Date => new Date(iso);
const bought = at('2026-11-01T00:00:00Z');

function allowance(given: Partial<Allowance> = {}): Allowance {
  return {
    lineId: 'l', allowanceId: 'a', accountId: 'acc', orderId: 'o', operatorId: 'op', state: 'active', totalBytes: 1000n, usedBytes: 0n, boughtAt: bought,
    validityDays: 15, validFrom: bought, validUntil: at('2026-11-16T00:00:00Z'), currency: 'EUR', paidCashMinor: 900n, paidPromoMinor: 0n, earnedMinor: 0n,
    refundRule: { kind: 'pro-rata', withinDays: 14 }, toldPercent: 0, cutoffAt: null, ...given,
  };
}

describe('drawing down', () => {
  it('takes what fits, earns in proportion and tells of 80 % once', () => {
    const first = drawDownAll([allowance()], 799n, bought).draws[0]!;
    expect(first).toMatchObject({ usedBytes: 799n, earnedMinor: 719n, threshold: null, state: 'active' });
    const second = drawDownAll([allowance({ usedBytes: 799n, earnedMinor: 719n })], 1n, bought).draws[0]!;
    expect(second).toMatchObject({ usedBytes: 800n, earnedMinor: 1n, threshold: 80 });
    expect(drawDownAll([allowance({ usedBytes: 800n, earnedMinor: 720n, toldPercent: 80 })], 1n, bought).draws[0]!.threshold).toBeNull();
  });

  it('spends the allowance that ends first, then the next, and says what nothing covered', () => {
    const soon = allowance({ allowanceId: 'soon', totalBytes: 10n, validUntil: at('2026-11-05T00:00:00Z') });
    const later = allowance({ allowanceId: 'later', totalBytes: 10n });
    const { draws, uncovered } = drawDownAll([later, soon], 25n, bought);
    expect(draws.map((d) => [d.allowance.allowanceId, d.coveredBytes, d.state])).toEqual([['soon', 10n, 'depleted'], ['later', 10n, 'depleted']]);
    expect(uncovered).toBe(5n);
  });

  it('begins a queued allowance with its first use', () => {
    const use = at('2026-11-20T12:00:00Z');
    const queued = allowance({ state: 'queued', validUntil: at('2027-05-01T00:00:00Z') });
    expect(drawDownAll([queued], 5n, use).draws[0]).toMatchObject({ state: 'active', validFrom: use, validUntil: at('2026-12-05T12:00:00Z') });
  });

  it('counts late use of an expired allowance for it, earns and tells nothing, and leaves the next allowance alone', () => {
    const expired = allowance({ state: 'expired', usedBytes: 700n, earnedMinor: 900n, toldPercent: 0 });
    const next = allowance({ allowanceId: 'next', validUntil: at('2026-12-16T00:00:00Z') });
    const { draws, uncovered } = drawDownAll([next, expired], 200n, at('2026-11-15T12:00:00Z'));
    expect(uncovered).toBe(0n);
    expect(draws).toMatchObject([{ allowance: expired, usedBytes: 900n, earnedMinor: 0n, state: 'expired', threshold: null, validUntil: expired.validUntil }]);
    expect(drawDownAll([next, expired], 1n, at('2026-11-16T00:00:00Z')).draws).toMatchObject([{ allowance: next }]);
  });

  it('draws on an active allowance before one that expired without ever being begun', () => {
    const unbegun = allowance({ state: 'expired', earnedMinor: 900n, validUntil: at('2026-11-10T00:00:00Z') });
    const active = allowance({ allowanceId: 'active' });
    expect(drawDownAll([unbegun, active], 1n, at('2026-11-05T00:00:00Z')).draws).toMatchObject([{ allowance: active }]);
    expect(drawDownAll([unbegun], 1n, at('2026-11-05T00:00:00Z')).draws).toMatchObject([{ allowance: unbegun, state: 'expired' }]);
  });

  it('draws nothing before, after or beyond the cutoff', () => {
    expect(drawDownAll([allowance()], 1n, at('2026-10-31T23:59:59Z')).uncovered).toBe(1n);
    expect(drawDownAll([allowance()], 1n, at('2026-11-16T00:00:00Z')).uncovered).toBe(1n);
    expect(drawDownAll([allowance({ cutoffAt: bought })], 1n, bought).uncovered).toBe(1n);
  });
});

describe('settling', () => {
  it('returns the unearned part within the days of the rule, to where it was paid from', () => {
    expect(settlement(allowance({ usedBytes: 850n, earnedMinor: 765n }), at('2026-11-10T00:00:00Z'))).toEqual({ cashMinor: 135n, promoMinor: 0n, earnedMinor: 0n });
    expect(settlement(allowance({ paidCashMinor: 600n, paidPromoMinor: 300n, earnedMinor: 450n }), bought)).toEqual({ cashMinor: 300n, promoMinor: 150n, earnedMinor: 0n });
  });

  it('returns nothing after these days, or where the rule is none', () => {
    expect(settlement(allowance({ earnedMinor: 100n }), at('2026-11-15T00:00:01Z'))).toEqual({ cashMinor: 0n, promoMinor: 0n, earnedMinor: 800n });
    expect(settlement(allowance({ refundRule: { kind: 'none' } }), bought).earnedMinor).toBe(900n);
  });

  it('never loses or makes a cent, whatever was used in whatever pieces', () => {
    fc.assert(fc.property(
      fc.array(fc.bigInt(1n, 400n), { maxLength: 12 }), fc.bigInt(0n, 1000n), fc.bigInt(0n, 1000n), fc.integer({ min: 0, max: 30 }),
      (uses, paidCashMinor, paidPromoMinor, day) => {
        let now = allowance({ paidCashMinor, paidPromoMinor });
        for (const bytes of uses) {
          for (const d of drawDownAll([now], bytes, bought).draws) {
            now = { ...now, usedBytes: d.usedBytes, earnedMinor: now.earnedMinor + d.earnedMinor, state: d.state };
          }
        }
        const { cashMinor, promoMinor, earnedMinor } = settlement(now, new Date(bought.getTime() + day * 86_400_000));
        expect(now.earnedMinor + cashMinor + promoMinor + earnedMinor).toBe(paidCashMinor + paidPromoMinor);
        expect(cashMinor <= paidCashMinor && promoMinor <= paidPromoMinor).toBe(true);
      }));
  });
});
