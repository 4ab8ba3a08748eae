import { z } from 'zod';
import type { EventType } from '../platform/jobs/types.ts';

/** A case moved to another state. */
export const closureMoved: EventType<{ caseId: string; accountId: string; state: string }> = {
  name: 'closure.moved',
  body: z.object({ caseId: z.string(), accountId: z.string(), state: z.string() }),
};

/** The time in which the application could be withdrawn has ended. */
export const coolingOffEnded: EventType<{ caseId: string }> = { name: 'closure.cooling-off-ended', body: z.object({ caseId: z.string() }) };
