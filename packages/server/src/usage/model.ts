import type { AllowanceState, RefundRule } from '@yuanyou/contract';

/** What a line may still use, and what was paid for it. Bytes are decimal; amounts in minor units. */
export interface Allowance {
  readonly lineId: string;
  readonly allowanceId: string;
  readonly accountId: string;
  readonly orderId: string;
  readonly operatorId: string;
  readonly state: AllowanceState;
  readonly totalBytes: bigint;
  readonly usedBytes: bigint;
  readonly boughtAt: Date;
  readonly validityDays: number;
  /** Of a queued allowance: the time within which its first use must come. */
  readonly validFrom: Date;
  readonly validUntil: Date;
  readonly currency: string;
  readonly paidCashMinor: bigint;
  readonly paidPromoMinor: bigint;
  readonly earnedMinor: bigint;
  readonly refundRule: RefundRule;
  /** The highest threshold the traveller was told of, in percent. */
  readonly toldPercent: number;
  /** Use after this instant is never the traveller's. */
  readonly cutoffAt: Date | null;
}

/** One normalised usage record (a CDR on the wire). */
export interface UsageRecord {
  readonly rowNo: number;
  readonly recordId: string;
  readonly startedAt: Date;
  readonly stoppedAt: Date;
  readonly iccid: string;
  readonly bytes: bigint;
  readonly plmn: string | null;
}

/** The thresholds a traveller is told of, in percent of the allowance. */
export const thresholds = [80, 100] as const;

export interface Drawdown {
  readonly allowance: Allowance;
  /** Bytes the allowance covered. */
  readonly coveredBytes: bigint;
  /** What these bytes earned, in minor units. */
  readonly earnedMinor: bigint;
  readonly usedBytes: bigint;
  readonly state: AllowanceState;
  readonly validFrom: Date;
  readonly validUntil: Date;
  /** The threshold newly reached, if any. */
  readonly threshold: number | null;
}

const paid = (a: Allowance): bigint => a.paidCashMinor + a.paidPromoMinor;

/** What has been earned once `usedBytes` are used: in proportion, rounded down, everything at depletion. */
function earnedAt(a: Allowance, usedBytes: bigint): bigint {
  return usedBytes >= a.totalBytes ? paid(a) : (paid(a) * usedBytes) / a.totalBytes;
}

const dayMs = 86_400_000;

/** Late use of an allowance that has expired counts for it, so that no other is drawn on; its whole price is earned already, and nobody is told. */
function drawLate(a: Allowance, usedBytes: bigint): Drawdown {
  return {
    allowance: a, coveredBytes: usedBytes - a.usedBytes, earnedMinor: 0n, usedBytes, state: 'expired', validFrom: a.validFrom, validUntil: a.validUntil, threshold: null,
  };
}

/** Draws `bytes` used at `at` from one allowance; what does not fit is left for the next one. A queued allowance begins with its first use. */
export function drawDown(a: Allowance, bytes: bigint, at: Date): Drawdown {
  const left = a.totalBytes - a.usedBytes;
  const coveredBytes = bytes < left ? bytes : left;
  const usedBytes = a.usedBytes + coveredBytes;
  if (a.state === 'expired') return drawLate(a, usedBytes);
  const percent = Number((usedBytes * 100n) / a.totalBytes);
  const reached = thresholds.filter((t) => percent >= t && t > a.toldPercent).at(-1) ?? null;
  return {
    allowance: a,
    coveredBytes,
    earnedMinor: earnedAt(a, usedBytes) - a.earnedMinor,
    usedBytes,
    state: usedBytes >= a.totalBytes ? 'depleted' : 'active',
    validFrom: a.state === 'queued' ? at : a.validFrom,
    validUntil: a.state === 'queued' ? new Date(at.getTime() + a.validityDays * dayMs) : a.validUntil,
    threshold: reached,
  };
}

/** What an allowance is at a time: one whose validity is over has expired, also while late records of it are still awaited. */
export function stateAt(a: Allowance, at: Date): AllowanceState {
  return (a.state === 'active' || a.state === 'queued') && a.validUntil <= at ? 'expired' : a.state;
}

const drawable: readonly AllowanceState[] = ['active', 'queued', 'expired'];

/** Whether an allowance pays for use at `at`: also one that has expired since, for use before its end. */
export function covers(a: Allowance, at: Date): boolean {
  return drawable.includes(a.state) && a.validFrom <= at && at < a.validUntil && (a.cutoffAt === null || at < a.cutoffAt);
}

/** Whether an allowance was never begun; an expired one shows it by its use. */
function isUnbegun(a: Allowance): boolean {
  return a.state === 'queued' || (a.state === 'expired' && a.usedBytes === 0n);
}

/** Those begun before those queued, the one that ends first, first. */
function inOrder(x: Allowance, y: Allowance): number {
  if (isUnbegun(x) !== isUnbegun(y)) return isUnbegun(x) ? 1 : -1;
  return x.validUntil.getTime() - y.validUntil.getTime();
}

/** Draws the use of one line from its allowances in their order. */
export function drawDownAll(allowances: readonly Allowance[], bytes: bigint, at: Date): { readonly draws: readonly Drawdown[]; readonly uncovered: bigint } {
  const draws: Drawdown[] = [];
  let rest = bytes;
  const ordered = allowances.filter((a) => covers(a, at)).sort(inOrder);
  for (const allowance of ordered) {
    if (rest === 0n) break;
    const draw = drawDown(allowance, rest, at);
    if (draw.coveredBytes > 0n) draws.push(draw);
    rest -= draw.coveredBytes;
  }
  return { draws, uncovered: rest };
}

/** What comes back of an allowance that ends at `at`, by the plan's published rule; the rest is earned. */
export function settlement(a: Allowance, at: Date): { readonly cashMinor: bigint; readonly promoMinor: bigint; readonly earnedMinor: bigint } {
  const unearned = paid(a) - a.earnedMinor;
  const within = a.refundRule.kind === 'pro-rata' && at.getTime() - a.boughtAt.getTime() <= a.refundRule.withinDays * dayMs;
  if (!within || stateAt(a, at) === 'expired' || unearned === 0n) return { cashMinor: 0n, promoMinor: 0n, earnedMinor: unearned };
  const cashMinor = (unearned * a.paidCashMinor) / paid(a);
  return { cashMinor, promoMinor: unearned - cashMinor, earnedMinor: 0n };
}
