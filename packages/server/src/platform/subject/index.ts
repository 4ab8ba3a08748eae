import type { Reader, Tx } from '../db/types.ts';

/** Something that stands between a person and leaving, or that they should know or choose first. */
export interface Concern {
  /** Stable code, `<slice>/<what>`. */
  readonly code: string;
  readonly severity: 'info' | 'choice' | 'blocker';
  readonly title: { readonly en: string; readonly 'zh-Hans': string; readonly 'zh-Hant': string };
  readonly amount?: { readonly amountMinor: number; readonly currency: string };
  /** For blockers: the law or contract it rests on. */
  readonly legalBasis?: string;
  /** What settles it: an operation of the API. */
  readonly fix?: { readonly operationId: string; readonly params?: Readonly<Record<string, string>> };
  /** Who must act. */
  readonly owner: 'traveller' | 'agent' | 'operator' | 'payment-processor' | 'system';
  /** ISO 8601 duration until it settles by itself or is settled by the owner. */
  readonly eta?: string;
  /** The things it is about: ids, counts, tails; never a sealed value. */
  readonly about?: Readonly<Record<string, string | number | boolean>>;
}

/** One file of a person's export: rows become JSON and CSV. */
export interface ExportFile {
  /** `contacts`, `orders`, ... without an ending. */
  readonly name: string;
  readonly rows: readonly Readonly<Record<string, string | number | boolean | null>>[];
}

/** What every slice that stores something of a person implements, so that nothing of them can be forgotten. */
export interface SubjectHolder {
  /** The slice's name. */
  readonly slice: string;
  closureConcerns(db: Reader, subjectId: string): Promise<Concern[]>;
  exportData(db: Reader, subjectId: string): Promise<ExportFile[]>;
  /** Deletes or reduces to the retention table's fields. Idempotent. Answers what was done, in counts. */
  erase(tx: Tx, subjectId: string): Promise<{ readonly erased: Readonly<Record<string, number>>; readonly kept: Readonly<Record<string, number>> }>;
}
