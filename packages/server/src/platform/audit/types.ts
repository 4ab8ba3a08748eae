import type { Tx } from '../db/types.ts';
import type { Json } from '../jobs/types.ts';

/** Who did something. */
export type Actor =
  | { readonly kind: 'account'; readonly id: string }
  | { readonly kind: 'agent'; readonly id: string }
  | { readonly kind: 'operator'; readonly id: string }
  | { readonly kind: 'device'; readonly id: string }
  | { readonly kind: 'system'; readonly id: string };

export interface AuditEntry {
  readonly actor: Actor;
  /** `<slice>.<verb>`. */
  readonly action: string;
  readonly subjectKind: string;
  readonly subjectId: string;
  /** The account concerned, where there is one. */
  readonly accountId?: string;
  readonly reason?: string;
  /** Ids, states and counts only. */
  readonly details?: Json;
}

export interface Audit {
  record(tx: Tx, entry: AuditEntry): Promise<void>;
}
