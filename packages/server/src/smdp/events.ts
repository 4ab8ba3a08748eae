import { z } from 'zod';
import type { EventType } from '../platform/jobs/types.ts';

/** A profile changed its place: fetched from us, or reported by the eUICC's signed notification. */
export const profileReported: EventType<{
  profileId: string; iccid: string; eid: string; to: 'downloaded' | 'installed' | 'enabled' | 'disabled' | 'deleted';
}> = {
  name: 'smdp.profile-reported',
  body: z.object({
    profileId: z.string(), iccid: z.string(), eid: z.string(), to: z.enum(['downloaded', 'installed', 'enabled', 'disabled', 'deleted']),
  }),
};

/** An eUICC reported that a downloaded profile did not install; `state` is where that leaves the order. */
export const installFailed: EventType<{ profileId: string; eid: string; command: number; reason: number; state: string }> = {
  name: 'smdp.install-failed',
  body: z.object({ profileId: z.string(), eid: z.string(), command: z.number(), reason: z.number(), state: z.string() }),
};
