/** The kinds of ledger account, and the side on which each normally stands. */
export const normalSide = {
  asset: 'debit',
  expense: 'debit',
  liability: 'credit',
  revenue: 'credit',
} as const;

export type LedgerAccountKind = keyof typeof normalSide;

/** One side of a transfer. Exactly one of the two amounts is given, in minor units, above zero. */
export type Entry =
  | { readonly account: string; readonly debitMinor: bigint }
  | { readonly account: string; readonly creditMinor: bigint };

/** A transfer as a caller asks for it; `id` is the idempotency key. */
export interface Transfer {
  readonly id: string;
  readonly kind: string;
  readonly at: Date;
  /** Ids of what it is about: order, payment, line, closure. */
  readonly refs: Readonly<Record<string, string>>;
  readonly entries: readonly Entry[];
}

/** Debit positive, credit negative: as the books store it. */
export function signedMinor(entry: Entry): bigint {
  return 'debitMinor' in entry ? entry.debitMinor : -entry.creditMinor;
}

/** A stored (signed) balance as people read it: positive on the account's normal side. */
export function onNormalSide(kind: LedgerAccountKind, signed: bigint): bigint {
  return normalSide[kind] === 'debit' ? signed : -signed;
}

/** Why a transfer cannot be posted whatever the balances are; undefined when it can. */
export function faultOf(transfer: Transfer): string | undefined {
  if (transfer.entries.length < 2) return 'fewer than two entries';
  let sum = 0n;
  for (const entry of transfer.entries) {
    const amount = 'debitMinor' in entry ? entry.debitMinor : entry.creditMinor;
    if (amount <= 0n) return 'an amount is not above zero';
    sum += signedMinor(entry);
  }
  return sum === 0n ? undefined : 'debits and credits differ';
}
