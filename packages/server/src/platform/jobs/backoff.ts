/** How attempts spread out: the first retry after about `firstMs`, each later one `factor` times as late, never beyond `longestMs`. */
export interface Backoff {
  readonly firstMs: number;
  readonly factor: number;
  readonly longestMs: number;
}

export const defaultBackoff: Backoff = { firstMs: 500, factor: 3, longestMs: 15 * 60_000 };

/**
 * The pause after the `failures`th failure in a row. `jitter` in [0, 1) spreads it over the upper half of its length,
 * so that what failed together does not come back together.
 */
export function pauseMs(backoff: Backoff, failures: number, jitter: number): number {
  const full = Math.min(backoff.longestMs, backoff.firstMs * backoff.factor ** Math.min(Math.max(failures, 1) - 1, 60));
  return Math.max(1, Math.round(full * (0.5 + jitter / 2)));
}
