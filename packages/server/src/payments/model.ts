import type { PaymentStatus, RefundStatus } from '@yuanyou/contract';

/** A payment of which something can still be paid back. */
export interface Refundable {
  readonly paymentId: string;
  readonly leftMinor: bigint;
}

/** One part of an amount on its way back to a payment. */
export interface RefundPart {
  readonly paymentId: string;
  readonly amountMinor: bigint;
}

/** Splits an amount over payments in the order given, never above what each has left. The sum falls short when they do not suffice. */
export function splitOver(payments: readonly Refundable[], amountMinor: bigint): RefundPart[] {
  const parts: RefundPart[] = [];
  let open = amountMinor;
  for (const { paymentId, leftMinor } of payments) {
    const part = leftMinor < open ? leftMinor : open;
    if (part > 0n) parts.push({ paymentId, amountMinor: part });
    open -= part;
  }
  return parts;
}

/** Where a payment goes when the gateway says so; undefined when it stays. A captured payment never goes back. */
export function paymentAfter(known: PaymentStatus, told: Exclude<PaymentStatus, 'created'>): PaymentStatus | undefined {
  if (known === told || known === 'captured') return undefined;
  if (known === 'canceled' && told !== 'captured') return undefined;
  return told;
}

/** What the books must do when the gateway tells of a refund. */
export type RefundMove =
  | 'nothing'
  | 'note-pending'
  | 'book-paid'
  | 'book-failed'
  /** The bank sent back what counted as paid. */
  | 'book-returned';

const refundMoves: Readonly<Record<RefundStatus, Readonly<Record<'pending' | 'succeeded' | 'failed', RefundMove>>>> = {
  requested: { pending: 'note-pending', succeeded: 'book-paid', failed: 'book-failed' },
  pending: { pending: 'nothing', succeeded: 'book-paid', failed: 'book-failed' },
  succeeded: { pending: 'nothing', succeeded: 'nothing', failed: 'book-returned' },
  failed: { pending: 'nothing', succeeded: 'nothing', failed: 'nothing' },
};

export function refundMove(known: RefundStatus, told: 'pending' | 'succeeded' | 'failed'): RefundMove {
  return refundMoves[known][told];
}

const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const voucherLength = 16;

/** 80 bits as sixteen symbols of Crockford's base 32, in groups of four. */
export function voucherCode(random: Uint8Array): string {
  return [...random.subarray(0, voucherLength)].map((byte) => alphabet[byte & 31]!).join('').match(/.{4}/g)!.join('-');
}

/** What a person typed, in its one form; undefined when it cannot be a code. */
export function readVoucherCode(typed: string): string | undefined {
  const code = typed.toUpperCase().replaceAll(/[\s-]/g, '').replaceAll('O', '0').replaceAll(/[IL]/g, '1');
  return code.length === voucherLength && [...code].every((symbol) => alphabet.includes(symbol)) ? code : undefined;
}
