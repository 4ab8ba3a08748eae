import { z } from 'zod';
import { id, instant, page, paging } from './core/ids.ts';
import { problems } from './core/problem.ts';
import { route } from './core/route.ts';

/** The code that every message of ours shows, for example `7KQM-2XRD-9TFA`: Crockford's base 32, dashes and case do not matter. */
export const messageCode = z.string().min(12).max(20).meta({ example: '7KQM-2XRD-9TFA' });

/** The message exists and is ours. */
export const ourMessage = z.object({
  ours: z.literal(true),
  /** What it was about: the kind's stable name. */
  kind: z.string(),
  channel: z.enum(['email']),
  queuedAt: instant,
  /** Null while it has not been handed to the recipient's provider. */
  sentAt: instant.nullable(),
  /** Masked, for example `m***@e***.org`; null once the recipient's data was erased. */
  to: z.string().nullable(),
}).meta({ id: 'OurMessage' });

/** No message of ours carries this code: it is a forgery, or the code was misread. */
export const foreignMessage = z.object({ ours: z.literal(false) }).meta({ id: 'ForeignMessage' });

/** A message that was refused or given up; its recipient is not shown. */
export const failedMessage = z.object({
  messageId: id,
  kind: z.string(),
  /** Why, in a few words: a code of ours or of the provider. */
  failure: z.string(),
  attempts: z.int().nonnegative(),
  queuedAt: instant,
  endedAt: instant,
}).meta({ id: 'FailedMessage' });

export const notificationsRoutes = {
  listFailedMessages: route({
    operationId: 'listFailedMessages', method: 'GET', path: '/v1/operations/failed-messages', tag: 'Operations', audience: 'agent',
    permission: 'operations:read', summary: 'Messages that were not delivered, the latest first', query: paging, responses: { 200: page(failedMessage) },
  }),
  verifyMessage: route({
    operationId: 'verifyMessage', method: 'GET', path: '/v1/messages/verify/:code', tag: 'Messages', audience: 'public',
    summary: 'Whether a message with this code came from us, when, and to whom (masked)',
    params: z.object({ code: messageCode }),
    responses: { 200: z.discriminatedUnion('ours', [ourMessage, foreignMessage]) },
    problems: ['general/too-many-requests'],
  }),
} as const;

export const notificationsProblems = problems({
  'notifications/sending': {
    status: 409,
    title: {
      en: 'A message is being sent at this moment; please try again shortly.',
      'zh-Hans': '有消息正在发送，请稍后再试。', 'zh-Hant': '有訊息正在傳送，請稍後再試。',
    },
  },
  'notifications/too-large': {
    status: 500,
    title: { en: 'The message is too large to send.', 'zh-Hans': '消息过大，无法发送。', 'zh-Hant': '訊息過大，無法傳送。' },
  },
});
