import { z } from 'zod';
import type { EventType } from '../platform/jobs/types.ts';

/** A leaf waits for its place. */
export const leafAppended: EventType<{ leafId: string }> = {
  name: 'transparency.appended', body: z.object({ leafId: z.uuid() }),
};

/** A leaf has its place; `evidence` gives the proof. */
export const leafSequenced: EventType<{ leafId: string; index: number }> = {
  name: 'transparency.sequenced', body: z.object({ leafId: z.uuid(), index: z.int() }),
};
