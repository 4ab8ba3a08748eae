import { notificationsRoutes } from '@yuanyou/contract';
import { z } from 'zod';
import type { Reader } from '../platform/db/index.ts';
import { endpoint, pageOf, readCursor, type Attempts, type Endpoint } from '../platform/http/index.ts';
import type { Verdict } from './index.ts';
import * as store from './store.ts';

/** Enough for a person with a pile of letters, far too few to find one of 2^60 codes. */
const verifyLimit = { max: 60, windowMs: 3_600_000 };

export interface NotificationsRouteDeps {
  readonly db: Reader;
  readonly attempts: Attempts;
  readonly verify: (code: string) => Promise<Verdict>;
}

export function notificationsEndpoints(deps: NotificationsRouteDeps): Endpoint[] {
  return [
    endpoint(notificationsRoutes.listFailedMessages, async ({ query }) => {
      const after = readCursor(query.cursor, z.tuple([z.iso.datetime(), z.uuid()]));
      const rows = await store.failedMessages(deps.db, after === undefined ? null : { at: new Date(after[0]), id: after[1] }, query.limit + 1);
      const { items, nextCursor } = pageOf(rows, query.limit, ({ endedAt, id }) => [endedAt.toISOString(), id]);
      return {
        status: 200,
        body: {
          nextCursor,
          items: items.map(({ id, kind, failure, attempts, queuedAt, endedAt }) => ({
            messageId: id, kind, failure, attempts, queuedAt: queuedAt.toISOString(), endedAt: endedAt.toISOString(),
          })),
        },
      };
    }),
    endpoint(notificationsRoutes.verifyMessage, async ({ params, remoteAddress }) => {
      await deps.attempts.count('notifications.verify', remoteAddress, verifyLimit);
      const verdict = await deps.verify(params.code);
      if (!verdict.ours) return { status: 200, body: verdict };
      return { status: 200, body: { ...verdict, queuedAt: verdict.queuedAt.toISOString(), sentAt: verdict.sentAt?.toISOString() ?? null } };
    }),
  ];
}
