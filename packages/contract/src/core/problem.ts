/** One row of the table of problems: what the HTTP edge answers for a code (RFC 9457). */
export interface ProblemRow {
  /** HTTP status. */
  readonly status: 400 | 401 | 403 | 404 | 409 | 410 | 413 | 415 | 422 | 423 | 429 | 500 | 502 | 503;
  /** Plain words for people, one sentence, per language. */
  readonly title: { readonly en: string; readonly 'zh-Hans': string; readonly 'zh-Hant': string };
}

/** Checks the shape of a slice's table of problems while keeping its codes literal. */
export function problems<const T extends Record<string, ProblemRow>>(table: T): T {
  return table;
}
