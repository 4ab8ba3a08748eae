import type { Clock } from '../platform/clock/index.ts';
import type { Transactor, Tx } from '../platform/db/index.ts';
import { describeFailure, pauseMs, type JobsLog, type Outbox } from '../platform/jobs/index.ts';
import type { DataKeys } from '../platform/keys/types.ts';
import { openAddress, openContent } from './content.ts';
import { messageEnded, type MessageEnded } from './events.ts';
import { sendLimitMs, type Mail, type Mailer, type MailOutcome } from './mailer.ts';
import { isGivenUp, lostAnswerWeighs, nextMove, retryBackoff, shownCode } from './model.ts';
import * as store from './store.ts';

export interface DeliverDeps {
  readonly db: Transactor;
  readonly clock: Clock;
  readonly dataKeys: DataKeys;
  readonly outbox: Outbox;
  readonly mailer: Mailer;
  readonly log: Pick<JobsLog, 'warn' | 'error'>;
}

interface Claim { readonly message: store.MessageRow; readonly unknownOutcomes: number }

/**
 * Delivers one message if it is due. The attempt is on record before the mail goes out, so that a crash in between is seen as an attempt of
 * unknown outcome; such a message goes out again under the same Message-ID, a few times at most. An attempt that may be repeated
 * leaves the time of the next one in the message's row: no caller needs to come back for it. Undefined when there was nothing to send.
 */
export async function deliver(deps: DeliverDeps, messageId: string): Promise<MailOutcome | undefined> {
  const claim = await deps.db.transaction((tx) => claimMessage(deps, tx, messageId, deps.clock.now()));
  if (claim === undefined) return undefined;
  const outcome = await handOver(deps, claim.message);
  await deps.db.transaction((tx) => record(deps, tx, claim, outcome, deps.clock.now()));
  return outcome;
}

/** Says that a message has come to its end; with the write that ends it. */
export async function announceEnd(outbox: Outbox, tx: Tx, ended: MessageEnded): Promise<void> {
  await outbox.emit(tx, messageEnded, ended.subjectId, ended);
}

async function claimMessage(deps: DeliverDeps, tx: Tx, messageId: string, now: Date): Promise<Claim | undefined> {
  const message = await store.lockForSending(tx, messageId);
  if (message === undefined) return undefined;
  const move = nextMove(message, now);
  switch (move.kind) {
    case 'nothing-to-do':
    case 'not-due':
    case 'busy': return undefined;
    case 'suppress':
      await end(deps, tx, message, 'suppressed', 'suppressed', now);
      return undefined;
    case 'give-up':
      await end(deps, tx, message, 'failed', 'outcome unknown', now);
      return undefined;
    case 'send':
      await store.markSending(tx, messageId, move.unknownOutcomes, new Date(now.getTime() + (deps.mailer.limitMs ?? sendLimitMs)));
      return { message, unknownOutcomes: move.unknownOutcomes };
  }
}

async function end(deps: DeliverDeps, tx: Tx, message: store.MessageRow, status: 'failed' | 'suppressed', reason: string, now: Date): Promise<void> {
  const { id, subjectId, kind, attempts } = message;
  if (!await store.markEnded(tx, id, status, reason.slice(0, 100), now)) return;
  await announceEnd(deps.outbox, tx, { messageId: id, subjectId, status });
  if (status === 'failed') deps.log.error({ messageId: id, kind, attempts, reason }, 'a message will not be delivered');
}

async function handOver(deps: DeliverDeps, message: store.MessageRow): Promise<MailOutcome> {
  let mail: Mail | undefined;
  try {
    mail = await opened(deps, message);
  } catch (error) {
    // Nothing has left the house, so the attempt's outcome is known: whatever keeps it from being opened may pass.
    const failure = describeFailure(error);
    deps.log.warn({ messageId: message.id, failure }, 'a message could not be opened');
    return { kind: 'later', reason: failure };
  }
  return mail === undefined ? { kind: 'refused', reason: 'erased' } : deps.mailer.send(mail);
}

async function opened(deps: DeliverDeps, message: store.MessageRow): Promise<Mail | undefined> {
  const { id, subjectId, address, content, code, language } = message;
  if (address === null || content === null || await deps.dataKeys.isDestroyed(subjectId)) return undefined;
  const { subject, text, attachments } = await openContent(deps.dataKeys, subjectId, content);
  return { messageId: id, to: await openAddress(deps.dataKeys, subjectId, address), language, code: shownCode(code), subject, text, attachments };
}

async function record(deps: DeliverDeps, tx: Tx, { message, unknownOutcomes }: Claim, outcome: MailOutcome, now: Date): Promise<void> {
  const { id, subjectId, attempts, queuedAt } = message;
  if (outcome.kind === 'sent') {
    if (await store.markSent(tx, id, now)) await announceEnd(deps.outbox, tx, { messageId: id, subjectId, status: 'sent' });
  } else if (outcome.kind === 'refused' || isGivenUp(queuedAt, now)) {
    await end(deps, tx, message, 'failed', outcome.reason, now);
  } else {
    const again = new Date(now.getTime() + pauseMs(retryBackoff, attempts + 1, Math.random()));
    await store.markQueued(tx, id, unknownOutcomes + (outcome.kind === 'unknown' ? lostAnswerWeighs : 0), outcome.reason.slice(0, 100), again);
  }
}
