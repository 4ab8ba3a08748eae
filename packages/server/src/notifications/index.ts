import { randomBytes } from 'node:crypto';
import type { Language } from '@yuanyou/contract';
import type { Clock } from '../platform/clock/index.ts';
import type { Reader, Transactor, Tx } from '../platform/db/index.ts';
import { ServiceError } from '../platform/errors.ts';
import type { Attempts } from '../platform/http/index.ts';
import type { Endpoint } from '../platform/http/index.ts';
import { newId } from '../platform/ids.ts';
import type { JobsLog, Outbox, Schedule } from '../platform/jobs/types.ts';
import type { BlindIndex, DataKeys } from '../platform/keys/types.ts';
import type { SubjectHolder } from '../platform/subject/index.ts';
import { openAddress, sealAddress, sealContent } from './content.ts';
import { announceEnd } from './deliver.ts';
import { messageQueued } from './events.ts';
import { messagesHolder } from './holder.ts';
import type { Mailer } from './mailer.ts';
import { codeFrom, maskedEmail, readCode, rendered, shownCode, type Attachment, type MessageKind, type MessageStatus } from './model.ts';
import { notificationsEndpoints } from './routes.ts';
import * as store from './store.ts';
import { createSender } from './sweep.ts';

export { defineMessage, type Attachment, type MessageKind, type MessageStatus, type Words } from './model.ts';
export { messageEnded, messageQueued, type MessageEnded } from './events.ts';
export { smtpMailer, type Mail, type Mailer, type MailOutcome, type SmtpOptions } from './mailer.ts';

export interface MessageRequest<P> {
  /** Under whose data key it is sealed: an account, or a closure's case envelope. */
  readonly subjectId: string;
  readonly to: { readonly email: string };
  readonly language: Language;
  readonly kind: MessageKind<P>;
  readonly params: P;
  readonly attachments?: readonly Attachment[];
}

/** Rendered and sealed; queued when the caller's transaction commits. */
export interface PreparedMessage {
  readonly messageId: string;
  /** As shown in the message. */
  readonly code: string;
  save(tx: Tx): Promise<'queued' | 'suppressed'>;
}

export type Verdict =
  | { readonly ours: false }
  | { readonly ours: true; readonly kind: string; readonly channel: 'email'; readonly queuedAt: Date; readonly sentAt: Date | null; readonly to: string | null };

export interface Notifications {
  /** Renders and seals a message. Do it before the transaction that saves it. @throws ServiceError `notifications/too-large` */
  queue<P>(request: MessageRequest<P>): Promise<PreparedMessage>;
  /**
   * From the commit on no message of any kind is queued or sent for the subject; messages that wait are dropped.
   * With an address, a keyed hash of it keeps outreach away from it until then.
   * @throws ServiceError `notifications/sending` while one is on its way out: to be tried again within a minute
   */
  suppress(tx: Tx, subjectId: string, address?: { readonly email: string; readonly until: Date }): Promise<{ readonly dropped: number }>;
  /** Deletes address, text and the address's keyed hash of every message of a subject; code, kind and times stay. Answers how many. */
  eraseTexts(tx: Tx, subjectId: string): Promise<number>;
  /** How far a message has come; undefined when there is none of this id. */
  standing(db: Reader, messageId: string): Promise<{ readonly status: MessageStatus; readonly sentAt: Date | null } | undefined>;
  /** Whether a code that somebody read in a message is ours. */
  verify(code: string): Promise<Verdict>;
  readonly holder: SubjectHolder;
  readonly endpoints: readonly Endpoint[];
}

export interface NotificationsDeps {
  readonly db: Transactor;
  readonly clock: Clock;
  readonly dataKeys: DataKeys;
  readonly blindIndex: BlindIndex;
  readonly outbox: Outbox;
  readonly schedule: Schedule;
  readonly attempts: Attempts;
  readonly mailer: Mailer;
  readonly log: Pick<JobsLog, 'warn' | 'error'>;
  /** The page where people check a message's code, as shown in every message. */
  readonly verifyUrl: string;
}

const attachmentLimit = 5_000_000;
const sweepEveryMs = 5000;
const textsKeptMs = 396 * 86_400_000;

const addressHash = (index: BlindIndex, email: string): Buffer => index.of('notifications.address', email.trim().toLowerCase());

async function prepare<P>(deps: NotificationsDeps, request: MessageRequest<P>): Promise<PreparedMessage> {
  const { subjectId, kind, language, params } = request;
  const attachments = request.attachments ?? [];
  const total = attachments.reduce((sum, { bytes }) => sum + bytes.length, 0);
  if (total > attachmentLimit) throw new ServiceError('notifications/too-large', { kind: kind.kind, total });
  const code = codeFrom(randomBytes(12));
  const messageId = newId();
  const words = rendered(kind, language, params, shownCode(code), deps.verifyUrl);
  const address = await sealAddress(deps.dataKeys, subjectId, request.to.email);
  const content = await sealContent(deps.dataKeys, subjectId, { ...words, attachments });
  const hash = addressHash(deps.blindIndex, request.to.email);
  return {
    messageId,
    code: shownCode(code),
    async save(tx) {
      const now = deps.clock.now();
      if (await store.lockSubject(tx, subjectId)) return 'suppressed';
      if (kind.purpose === 'outreach' && await store.hasLeft(tx, hash, now)) return 'suppressed';
      await store.insertMessage(tx, { id: messageId, subjectId, code, kind: kind.kind, language, address, content, addressHash: hash, queuedAt: now });
      await deps.outbox.emit(tx, messageQueued, messageId, { messageId });
      return 'queued';
    },
  };
}

async function suppress(
  deps: NotificationsDeps, tx: Tx, subjectId: string, address: { readonly email: string; readonly until: Date } | undefined,
): Promise<{ dropped: number }> {
  const now = deps.clock.now();
  await store.suppressSubject(tx, subjectId, now);
  if (await store.isSending(tx, subjectId, now)) throw new ServiceError('notifications/sending', { subjectId });
  if (address !== undefined) await store.keepLeftAddress(tx, addressHash(deps.blindIndex, address.email), address.until);
  return { dropped: await endUnsent(deps, tx, subjectId, 'suppressed') };
}

async function endUnsent(deps: NotificationsDeps, tx: Tx, subjectId: string, reason: string): Promise<number> {
  const ended = await store.suppressUnsent(tx, subjectId, reason, deps.clock.now());
  for (const messageId of ended) await announceEnd(deps.outbox, tx, { messageId, subjectId, status: 'suppressed' });
  return ended.length;
}

async function eraseTexts(deps: NotificationsDeps, tx: Tx, subjectId: string): Promise<number> {
  // What was not sent yet cannot be sent without its text.
  await endUnsent(deps, tx, subjectId, 'erased');
  return store.eraseTexts(tx, subjectId);
}

async function verify(deps: NotificationsDeps, typed: string): Promise<Verdict> {
  const code = readCode(typed);
  const message = code === undefined ? undefined : await store.byCode(deps.db, code);
  if (message === undefined || message.status === 'suppressed') return { ours: false };
  const { subjectId, kind, channel, queuedAt, sentAt, address } = message;
  const readable = address !== null && !(await deps.dataKeys.isDestroyed(subjectId));
  const to = readable ? maskedEmail(await openAddress(deps.dataKeys, subjectId, address)) : null;
  return { ours: true, kind, channel, queuedAt, sentAt, to };
}

/** Messages to travellers: the register, the sender, the check whether one is ours. */
export function createNotifications(deps: NotificationsDeps): Notifications {
  const sender = createSender(deps);
  deps.outbox.subscribe(messageQueued, 'notifications.sender', ({ body }) => sender.wake(body.messageId));
  deps.schedule.every('notifications.send-due', sweepEveryMs, () => sender.sweep());
  deps.schedule.every('notifications.drop-expired', 3_600_000, async () => {
    const now = deps.clock.now();
    await deps.db.transaction((tx) => store.dropExpired(tx, new Date(now.getTime() - textsKeptMs), now, 5000));
  });
  return {
    queue: (request) => prepare(deps, request),
    suppress: (tx, subjectId, address) => suppress(deps, tx, subjectId, address),
    async standing(db, messageId) {
      const message = await store.byId(db, messageId);
      return message === undefined ? undefined : { status: message.status, sentAt: message.sentAt };
    },
    verify: (code) => verify(deps, code),
    eraseTexts: (tx, subjectId) => eraseTexts(deps, tx, subjectId),
    holder: messagesHolder({ dataKeys: deps.dataKeys, eraseTexts: (tx, subjectId) => eraseTexts(deps, tx, subjectId) }),
    endpoints: notificationsEndpoints({ db: deps.db, attempts: deps.attempts, verify: (code) => verify(deps, code) }),
  };
}
