import type { Clock } from '../../clock/index.ts';
import type { Reader } from '../../db/index.ts';
import { ServiceError } from '../../errors.ts';
import type { DeadLetters } from '../types.ts';
import * as store from './store.ts';

/** What an agent sees of deliveries that failed too often. */
export function createDeadLetters(deps: { readonly db: Reader; readonly clock: Clock; readonly hint: () => void }): DeadLetters {
  return {
    async list(page) {
      const rows = await store.listDead(deps.db, readCursor(page.cursor), page.limit + 1);
      const items = rows.slice(0, page.limit);
      const last = items.at(-1);
      return {
        items: items.map(({ seq: _, ...letter }) => letter),
        nextCursor: rows.length > page.limit && last !== undefined ? String(last.seq) : null,
      };
    },
    async requeue(tx, eventId, consumer) {
      const requeued = await store.requeueDead(tx, eventId, consumer, deps.clock.now());
      if (requeued) tx.onCommit(deps.hint);
      return requeued;
    },
  };
}

function readCursor(cursor: string | undefined): bigint {
  if (cursor === undefined) return 0n;
  if (!/^\d{1,18}$/.test(cursor)) throw new ServiceError('jobs/bad-cursor');
  return BigInt(cursor);
}
