import { z } from 'zod';
import type { EventType } from '../platform/jobs/types.ts';

/** A message waits to be sent. */
export const messageQueued: EventType<{ messageId: string }> = { name: 'notifications.queued', body: z.object({ messageId: z.uuid() }) };

export interface MessageEnded {
  readonly messageId: string;
  /** Under whose data key it was sealed: an account, or a closure's case envelope. */
  readonly subjectId: string;
  readonly status: 'sent' | 'failed' | 'suppressed';
}

/** Nothing more will be done with a message. */
export const messageEnded: EventType<MessageEnded> = {
  name: 'notifications.ended',
  body: z.object({ messageId: z.uuid(), subjectId: z.string(), status: z.enum(['sent', 'failed', 'suppressed']) }),
};
