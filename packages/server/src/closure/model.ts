import { closureActions, closureCan } from '@yuanyou/contract';
import type { ClosureAction, ClosureState, closureChoices } from '@yuanyou/contract';
import type { z } from 'zod';
import type { Settled } from '../usage/index.ts';
import type { Concern } from '../platform/subject/index.ts';

export type Choices = z.infer<typeof closureChoices>;

/** A rule that looked at an application, and what it found, in words. */
export interface FiredRule {
  readonly code: string;
  readonly outcome: 'passed' | 'review';
  readonly words: string;
}

export interface Refusal {
  readonly reason: string;
  readonly legalGround: string;
  readonly complaintBody: string;
}

/** A refund that settling asked for. */
export interface PlannedRefund {
  readonly refundId: string;
  readonly paymentId: string;
  readonly amountMinor: string;
  readonly currency: string;
  /** Masked: brand and last four digits. */
  readonly method: string;
  /** The payment processor refused it for good: it waits for an agent, who may have it tried again. */
  readonly refused?: 'held' | 'again';
}

type Text<T> = { readonly [K in keyof T]: T[K] extends bigint ? string : T[K] };

/** What settling did, as kept for the certificate. Amounts are decimal strings of minor units. */
export interface Settlement {
  readonly refunds: readonly PlannedRefund[];
  readonly givenUp: readonly { readonly kind: 'balance' | 'promotionalCredit'; readonly amountMinor: string; readonly currency: string }[];
  readonly plans: readonly Text<Settled>[];
  readonly settledAt: string;
}

/** What erasing did, in counts by slice. */
export interface ErasureReport {
  readonly erasedAt: string;
  readonly slices: readonly { readonly slice: string; readonly erased: Readonly<Record<string, number>>; readonly kept: Readonly<Record<string, number>> }[];
}

export interface Case {
  readonly caseId: string;
  readonly caseNumber: string;
  readonly accountId: string;
  readonly state: ClosureState;
  readonly language: 'en' | 'zh-Hans' | 'zh-Hant';
  readonly choices: Choices;
  readonly reason: string | null;
  readonly rules: readonly FiredRule[];
  readonly refusal: Refusal | null;
  /** The message that acknowledges the application. */
  readonly receiptId: string;
  readonly submittedAt: Date;
  readonly targetAt: Date;
  readonly promisedAt: Date;
  readonly coolingOffUntil: Date | null;
  readonly executingAt: Date | null;
  /** The saga that executes it. */
  readonly executionId: string | null;
  readonly completedAt: Date | null;
  readonly envelope: Buffer | null;
  readonly envelopeDestroyedAt: Date | null;
  /** The message that confirms the closure. */
  readonly confirmationId: string | null;
  readonly settlement: Settlement | null;
  readonly erasure: ErasureReport | null;
}

/** Where an action leads, or undefined when the table does not allow it. */
export function nextState(theCase: Pick<Case, 'state'>, action: ClosureAction): ClosureState | undefined {
  return closureCan(action, theCase) ? closureActions[action].to : undefined;
}

/** What the rules look at. */
export interface Evidence {
  readonly now: Date;
  readonly balanceMinor: bigint;
  readonly refundableMinor: bigint;
  readonly automaticLimitMinor: bigint;
  readonly passwordChangedAt: Date | null;
  readonly emailChangedAt: Date | null;
}

const dayMs = 86_400_000;
const riskDays = 7;

function recent(at: Date | null, now: Date): boolean {
  return at !== null && now.getTime() - at.getTime() < riskDays * dayMs;
}

/** The rules of review, each with its verdict in words: what they pass needs no person. */
export function review(e: Evidence): FiredRule[] {
  const rule = (code: string, good: boolean, passed: string, held: string): FiredRule =>
    ({ code, outcome: good ? 'passed' : 'review', words: good ? passed : held });
  return [
    rule('credential-change', !recent(e.passwordChangedAt, e.now) && !recent(e.emailChangedAt, e.now),
      'Neither password nor email address was changed in the last 7 days.',
      'The password or the email address was changed in the last 7 days; an agent makes sure that it was the traveller.'),
    rule('amount', e.balanceMinor <= e.automaticLimitMinor,
      'The balance lies within what is paid back without a person.', 'The balance is above what is paid back without a person; an agent looks at it.'),
    rule('original-method', e.refundableMinor >= e.balanceMinor,
      'The whole balance can go back to the payments it came from.', 'Part of the balance cannot go back to the payments it came from; an agent arranges another payout.'),
  ];
}

export const approves = (rules: readonly FiredRule[]): boolean => rules.every((rule) => rule.outcome === 'passed');

export const blockers = (concerns: readonly Concern[]): Concern[] => concerns.filter((concern) => concern.severity === 'blocker');

/** The end of the n-th working day after `start`; `isWorkingDay` tells of a UTC day at midnight. */
export function workingDaysAfter(start: Date, n: number, isWorkingDay: (day: Date) => boolean): Date {
  let day = new Date(Date.UTC(start.getUTCFullYear(), start.getUTCMonth(), start.getUTCDate()));
  for (let left = n; left > 0;) {
    day = new Date(day.getTime() + dayMs);
    if (isWorkingDay(day)) left -= 1;
  }
  return new Date(day.getTime() + dayMs - 1);
}

/** Monday to Friday; calendars of holidays refine it by jurisdiction. */
export const weekday = (day: Date): boolean => day.getUTCDay() !== 0 && day.getUTCDay() !== 6;

export const daysAfter = (start: Date, days: number): Date => new Date(start.getTime() + days * dayMs);

/** What settling did with the plans, as kept in the settlement. */
export function plansOf(settled: readonly Settled[]): Settlement['plans'] {
  return settled.map((s) => ({
    ...s, usedBytes: String(s.usedBytes), totalBytes: String(s.totalBytes), returnedCashMinor: String(s.returnedCashMinor),
    returnedPromoMinor: String(s.returnedPromoMinor), forfeitedMinor: String(s.forfeitedMinor),
  }));
}

/** An agent wants refused refunds tried again. */
export function tryRefundsAgain(settlement: Settlement): Settlement {
  return { ...settlement, refunds: settlement.refunds.map((refund) => (refund.refused === 'held' ? { ...refund, refused: 'again' } : refund)) };
}

/** The plans of a settlement, as usage told of them. */
export function settledOf(plans: Settlement['plans']): Settled[] {
  return plans.map((p) => ({
    ...p, usedBytes: BigInt(p.usedBytes), totalBytes: BigInt(p.totalBytes), returnedCashMinor: BigInt(p.returnedCashMinor),
    returnedPromoMinor: BigInt(p.returnedPromoMinor), forfeitedMinor: BigInt(p.forfeitedMinor),
  }));
}

const caseAlphabet = '23456789ABCDEFGHJKMNPQRSTVWXYZ';

/** Letters and digits that are not mistaken for each other, in groups of five, from random bytes (one a character). */
export function readableCode(random: Uint8Array): string {
  const letters = [...random].map((byte) => caseAlphabet[byte % caseAlphabet.length]);
  return letters.map((letter, index) => (index > 0 && index % 5 === 0 ? `-${letter}` : letter)).join('');
}

/** A code as typed: case and separators do not matter. */
export const normalCode = (code: string): string => code.toUpperCase().replace(/[^0-9A-Z]/g, '');
