import type { Reader, Tx } from '../db/types.ts';
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

/** An entry as it stands. */
export interface AuditRecord extends AuditEntry {
  readonly id: string;
  readonly at: Date;
}

/** Which page: `cursor` is the previous page's `nextCursor`; at most 200 entries. */
export interface AuditPaging {
  readonly cursor?: string;
  readonly limit: number;
}

export interface AuditPage {
  readonly items: readonly AuditRecord[];
  readonly nextCursor: string | null;
}

export interface Audit {
  /** In the transaction of the act itself: no act without its entry. Entries are never changed or deleted. */
  record(tx: Tx, entry: AuditEntry): Promise<void>;
  /**
   * What happened to a thing, newest first.
   * @throws `audit/bad-cursor`
   */
  ofSubject(db: Reader, subject: { readonly kind: string; readonly id: string }, page: AuditPaging): Promise<AuditPage>;
  /** What happened that concerns an account, newest first. */
  ofAccount(db: Reader, accountId: string, page: AuditPaging): Promise<AuditPage>;
}
