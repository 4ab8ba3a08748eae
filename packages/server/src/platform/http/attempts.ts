import type { Clock } from '../clock/index.ts';
import type { Transactor } from '../db/types.ts';
import { ServiceError } from '../errors.ts';
import type { BlindIndex } from '../keys/types.ts';
import { clearAttempts, countAttempt, deleteExpired } from './store.ts';

export interface AttemptLimit {
  readonly max: number;
  readonly windowMs: number;
}

/** Counts attempts at secrets (passwords, codes, vouchers) in the database, so that the limit holds over all processes. */
export interface Attempts {
  /**
   * Counts one attempt, in a transaction of its own: it stays counted whatever the caller does next.
   * @throws `general/too-many-requests` once `max` attempts were made within the window.
   */
  count(purpose: string, value: string, limit: AttemptLimit): Promise<void>;
  /** Forgets the attempts, after a success. */
  clear(purpose: string, value: string): Promise<void>;
}

export function createAttempts(deps: { readonly db: Transactor; readonly blindIndex: BlindIndex; readonly clock: Clock }): Attempts {
  const bucketOf = (purpose: string, value: string) => deps.blindIndex.of(`http.attempts.${purpose}`, value);
  return {
    async count(purpose, value, limit) {
      const now = deps.clock.now();
      const windowEnd = new Date(now.getTime() + limit.windowMs);
      const { count, expiresAt } = await deps.db.transaction((tx) => countAttempt(tx, bucketOf(purpose, value), now, windowEnd));
      if (count > limit.max) {
        throw new ServiceError('general/too-many-requests', { retryAfterSeconds: Math.max(1, Math.ceil((expiresAt.getTime() - now.getTime()) / 1000)) });
      }
    },
    clear: (purpose, value) => deps.db.transaction((tx) => clearAttempts(tx, bucketOf(purpose, value))),
  };
}

/** Deletes answers and attempts that have run out; for the schedule. */
export async function sweepRequests(db: Transactor, clock: Clock): Promise<number> {
  const most = 1000;
  let deleted = 0;
  for (let round = 0; round < 100; round++) {
    const now = await db.transaction((tx) => deleteExpired(tx, clock.now(), most));
    deleted += now;
    if (now === 0) break;
  }
  return deleted;
}
