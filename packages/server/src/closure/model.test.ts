import { closureActions } from '@yuanyou/contract';
import type { ClosureAction, ClosureState } from '@yuanyou/contract';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { approves, nextState, normalCode, plansOf, readableCode, review, settledOf, tryRefundsAgain, weekday, workingDaysAfter } from './model.ts';
import type { Evidence, Settlement } from './model.ts';

const now = new Date('2026-11-22T10:00:00Z');
const evidence: Evidence = { now, balanceMinor: 100n, refundableMinor: 100n, automaticLimitMinor: 20_000n, passwordChangedAt: null, emailChangedAt: null };
const held = (change: Partial<Evidence>): string[] => review({ ...evidence, ...change }).filter(({ outcome }) => outcome === 'review').map(({ code }) => code);
const daysAgo = (days: number): Date => new Date(now.getTime() - days * 86_400_000);

describe('the rules', () => {
  it('pass what needs no person, and hold the rest with words', () => {
    expect(approves(review(evidence))).toBe(true);
    expect(held({ passwordChangedAt: daysAgo(6.99) })).toEqual(['credential-change']);
    expect(held({ emailChangedAt: daysAgo(0) })).toEqual(['credential-change']);
    expect(held({ passwordChangedAt: daysAgo(7), emailChangedAt: daysAgo(30) })).toEqual([]);
    expect(held({ balanceMinor: 20_000n, refundableMinor: 20_000n })).toEqual([]);
    expect(held({ balanceMinor: 20_001n, refundableMinor: 20_001n })).toEqual(['amount']);
    expect(held({ refundableMinor: 99n })).toEqual(['original-method']);
    expect(review(evidence).every(({ words }) => words.length > 20)).toBe(true);
  });
});

describe('the promise', () => {
  it('is the end of the n-th working day', () => {
    // A Friday evening: fifteen working days are three weeks.
    expect(workingDaysAfter(new Date('2026-11-20T23:30:00Z'), 15, weekday).toISOString()).toBe('2026-12-11T23:59:59.999Z');
    expect(workingDaysAfter(new Date('2026-11-22T10:00:00Z'), 1, weekday).toISOString()).toBe('2026-11-23T23:59:59.999Z');
    const holiday = new Date('2026-12-25T00:00:00Z').getTime();
    const open = (day: Date): boolean => weekday(day) && day.getTime() !== holiday;
    expect(workingDaysAfter(new Date('2026-12-24T08:00:00Z'), 1, open).toISOString()).toBe('2026-12-28T23:59:59.999Z');
  });

  it('never falls on a day without work', () => {
    fc.assert(fc.property(fc.date({ min: new Date('2024-01-01'), max: new Date('2040-01-01'), noInvalidDate: true }), fc.integer({ min: 1, max: 60 }), (start, n) => {
      const end = workingDaysAfter(start, n, weekday);
      expect(weekday(end)).toBe(true);
      expect(end.getTime() - start.getTime()).toBeGreaterThan((n - 1) * 86_400_000);
    }));
  });
});

describe('the codes', () => {
  it('are read however they are typed, and hold no letters that are mistaken for others', () => {
    fc.assert(fc.property(fc.uint8Array({ minLength: 20, maxLength: 20 }), (random) => {
      const code = readableCode(random);
      expect(code).toMatch(/^[2-9A-HJKMNP-Z]{5}(-[2-9A-HJKMNP-Z]{5}){3}$/);
      expect(normalCode(` ${code.toLowerCase().replaceAll('-', ' ')}\n`)).toBe(normalCode(code));
    }));
  });
});

describe('the table of actions', () => {
  const states = [...new Set(Object.values(closureActions).flatMap(({ from, to }): ClosureState[] => [...from, to]))];
  const actions = Object.keys(closureActions) as ClosureAction[];

  it('lets nothing happen to a case that has ended', () => {
    for (const state of ['withdrawn', 'refused', 'completed'] as const) {
      expect(actions.filter((action) => nextState({ state }, action) !== undefined), state).toEqual([]);
    }
  });

  it('lets nobody withdraw or refuse what is executed, and leads from every other state to an end', () => {
    for (const action of ['withdraw', 'refuse'] as const) {
      for (const state of ['executing', 'completed', 'partiallyCompleted'] as const) expect(nextState({ state }, action)).toBeUndefined();
    }
    const ends = (state: ClosureState, seen: readonly ClosureState[] = []): boolean => {
      if (['withdrawn', 'refused', 'completed', 'partiallyCompleted'].includes(state)) return true;
      return actions.some((action) => {
        const to = nextState({ state }, action);
        return to !== undefined && !seen.includes(to) && ends(to, [...seen, state]);
      });
    };
    expect(states.filter((state) => !ends(state))).toEqual([]);
  });
});

describe('a settlement', () => {
  it('is kept as text and read back whole', () => {
    fc.assert(fc.property(fc.bigInt({ min: 0n, max: 2n ** 60n }), fc.bigInt({ min: 0n, max: 2n ** 60n }), (a, b) => {
      const settled = [{
        allowanceId: 'a', lineId: 'l', orderId: 'o', currency: 'EUR', returnedCashMinor: a, returnedPromoMinor: b, forfeitedMinor: 0n, usedBytes: a, totalBytes: b,
        before: 'active' as const,
      }];
      expect(settledOf(JSON.parse(JSON.stringify(plansOf(settled))) as Settlement['plans'])).toEqual(settled);
    }));
  });

  it('has only those refunds tried again that were refused', () => {
    const refund = (refundId: string) => ({ refundId, paymentId: 'p', amountMinor: '1', currency: 'EUR', method: 'visa …4242' });
    const settlement: Settlement = { refunds: [{ ...refund('a'), refused: 'held' }, refund('b')], givenUp: [], plans: [], settledAt: now.toISOString() };
    expect(tryRefundsAgain(settlement).refunds.map(({ refused }) => refused)).toEqual(['again', undefined]);
  });
});
