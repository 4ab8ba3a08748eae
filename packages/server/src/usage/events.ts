import { z } from 'zod';
import type { EventType } from '../platform/jobs/types.ts';

/** Raw usage arrived and lies sealed; it is to be applied. */
export const batchReceived: EventType<{ batchId: string }> = { name: 'usage.batch-received', body: z.object({ batchId: z.string() }) };

/** An allowance reached a threshold that its traveller is to be told of. */
export const thresholdReached: EventType<{ lineId: string; accountId: string; allowanceId: string; percent: number }> = {
  name: 'usage.threshold-reached',
  body: z.object({ lineId: z.string(), accountId: z.string(), allowanceId: z.string(), percent: z.number() }),
};
