import { join } from 'node:path';
import { openJournal, readJournal, type Journal } from '../simulator/journal.ts';

export type IntentStatus = 'requires_payment_method' | 'processing' | 'succeeded' | 'canceled';
export type RefundStatus = 'pending' | 'succeeded' | 'failed';

export interface Intent {
  readonly id: string;
  readonly clientSecret: string;
  readonly amountMinor: number;
  readonly currency: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly created: number;
  readonly status: IntentStatus;
  readonly chargeId: string | null;
  readonly failure: string | null;
}

export interface Charge {
  readonly id: string;
  readonly intentId: string;
  readonly amountMinor: number;
  readonly currency: string;
  readonly brand: string;
  readonly last4: string;
  /** What a refund to this card does. */
  readonly refunds: 'at-once' | 'pending' | 'fail-later';
  readonly created: number;
}

export interface Refund {
  readonly id: string;
  readonly chargeId: string;
  readonly intentId: string;
  readonly amountMinor: number;
  readonly currency: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly status: RefundStatus;
  readonly failure: string | null;
  readonly created: number;
}

interface KeptAnswer { readonly key: string; readonly fingerprint: string; readonly status: number; readonly body: string; readonly at: number }

type Line =
  | { readonly intent: Intent }
  | { readonly charge: Charge }
  | { readonly refund: Refund }
  | { readonly answer: KeptAnswer };

/** What the gateway holds, as another process can read it from the folder. */
export interface GatewayBooks {
  readonly intents: readonly Intent[];
  readonly charges: readonly Charge[];
  readonly refunds: readonly Refund[];
}

export interface Books extends GatewayBooks {
  intent(id: string): Intent | undefined;
  charge(id: string): Charge | undefined;
  refund(id: string): Refund | undefined;
  save(line: Line): void;
  answer(key: string, notBefore: number): KeptAnswer | undefined;
  /** What was refunded or is being refunded of a charge. */
  refundedMinor(chargeId: string): number;
  close(): void;
}

const fileOf = (folder: string): string => join(folder, 'gateway-books.jsonl');

class Shelf {
  readonly intents = new Map<string, Intent>();
  readonly charges = new Map<string, Charge>();
  readonly refunds = new Map<string, Refund>();
  readonly answers = new Map<string, KeptAnswer>();

  put(line: Line): void {
    if ('intent' in line) this.intents.set(line.intent.id, line.intent);
    else if ('charge' in line) this.charges.set(line.charge.id, line.charge);
    else if ('refund' in line) this.refunds.set(line.refund.id, line.refund);
    else this.answers.set(line.answer.key, line.answer);
  }

  listed(): GatewayBooks {
    return { intents: [...this.intents.values()], charges: [...this.charges.values()], refunds: [...this.refunds.values()] };
  }
}

/** Reads the books from their folder, also while the simulator runs in another process. */
export function readGatewayBooks(folder: string): GatewayBooks {
  const shelf = new Shelf();
  for (const line of readJournal<Line>(fileOf(folder))) shelf.put(line);
  return shelf.listed();
}

export function openBooks(folder: string): Books {
  const shelf = new Shelf();
  const journal: Journal<Line> = openJournal<Line>(fileOf(folder), (line) => shelf.put(line));
  return {
    get intents() { return shelf.listed().intents; },
    get charges() { return shelf.listed().charges; },
    get refunds() { return shelf.listed().refunds; },
    intent: (id) => shelf.intents.get(id),
    charge: (id) => shelf.charges.get(id),
    refund: (id) => shelf.refunds.get(id),
    save(line) {
      journal.append(line);
      shelf.put(line);
    },
    answer(key, notBefore) {
      const kept = shelf.answers.get(key);
      return kept !== undefined && kept.at >= notBefore ? kept : undefined;
    },
    refundedMinor: (chargeId) => [...shelf.refunds.values()]
      .filter((refund) => refund.chargeId === chargeId && refund.status !== 'failed')
      .reduce((sum, refund) => sum + refund.amountMinor, 0),
    close: () => journal.close(),
  };
}
