import { z } from 'zod';
import type { EventType } from '../platform/jobs/types.ts';

/** One axis of a line changed. */
export const lineChanged: EventType<{ lineId: string; accountId: string; axis: string; to: string }> = {
  name: 'lines.changed',
  body: z.object({ lineId: z.string(), accountId: z.string(), axis: z.string(), to: z.string() }),
};

/** A line was provisioned: the operator serves it and its profile can be downloaded. */
export const lineProvisioned: EventType<{ lineId: string; accountId: string }> = {
  name: 'lines.provisioned',
  body: z.object({ lineId: z.string(), accountId: z.string() }),
};

/** A line could not be provisioned; everything done for it was undone. */
export const lineFailed: EventType<{ lineId: string; accountId: string }> = {
  name: 'lines.failed',
  body: z.object({ lineId: z.string(), accountId: z.string() }),
};
