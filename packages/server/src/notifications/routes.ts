import { notificationsRoutes } from '@yuanyou/contract';
import type { Attempts } from '../platform/http/index.ts';
import { endpoint, type Endpoint } from '../platform/http/index.ts';
import type { Verdict } from './index.ts';

/** Enough for a person with a pile of letters, far too few to find one of 2^60 codes. */
const verifyLimit = { max: 60, windowMs: 3_600_000 };

export function notificationsEndpoints(deps: { readonly attempts: Attempts; readonly verify: (code: string) => Promise<Verdict> }): Endpoint[] {
  return [
    endpoint(notificationsRoutes.verifyMessage, async ({ params, remoteAddress }) => {
      await deps.attempts.count('notifications.verify', remoteAddress, verifyLimit);
      const verdict = await deps.verify(params.code);
      if (!verdict.ours) return { status: 200, body: verdict };
      return { status: 200, body: { ...verdict, queuedAt: verdict.queuedAt.toISOString(), sentAt: verdict.sentAt?.toISOString() ?? null } };
    }),
  ];
}
