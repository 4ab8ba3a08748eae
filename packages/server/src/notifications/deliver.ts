import type { Clock } from '../platform/clock/index.ts';
import type { Transactor, Tx } from '../platform/db/index.ts';
import { ServiceError } from '../platform/errors.ts';
import type { DataKeys } from '../platform/keys/types.ts';
import { openAddress, openContent } from './content.ts';
import { sendLimitMs, type Mailer, type MailOutcome } from './mailer.ts';
import { nextMove, shownCode } from './model.ts';
import * as store from './store.ts';

export interface DeliverDeps {
  readonly db: Transactor;
  readonly clock: Clock;
  readonly dataKeys: DataKeys;
  readonly mailer: Mailer;
}

type Claim = { readonly message: store.MessageRow; readonly unknownOutcomes: number } | 'ended' | 'busy';

/**
 * Delivers one message. The attempt is on record before the mail goes out, so that a crash in between is seen as an attempt of
 * unknown outcome; such a message goes out once more under the same Message-ID, and then never again.
 * @throws ServiceError `notifications/undelivered` when it is worth another attempt
 */
export async function deliver(deps: DeliverDeps, messageId: string): Promise<void> {
  const claim = await deps.db.transaction((tx) => claimMessage(tx, messageId, deps.clock.now(), deps.mailer.limitMs ?? sendLimitMs));
  if (claim === 'ended') return;
  if (claim === 'busy') throw new ServiceError('notifications/undelivered', { messageId, reason: 'another worker is sending it' });
  const outcome = await handOver(deps, claim.message);
  const again = await deps.db.transaction((tx) => record(tx, messageId, outcome, claim.unknownOutcomes, deps.clock.now()));
  if (again) throw new ServiceError('notifications/undelivered', { messageId, reason: outcome.kind === 'sent' ? '' : outcome.reason });
}

async function claimMessage(tx: Tx, messageId: string, now: Date, limitMs: number): Promise<Claim> {
  const message = await store.lockForSending(tx, messageId);
  if (message === undefined) return 'ended';
  const move = nextMove(message, now);
  switch (move.kind) {
    case 'nothing-to-do': return 'ended';
    case 'busy': return 'busy';
    case 'suppress':
      await store.markEnded(tx, messageId, 'suppressed', 'suppressed', now);
      return 'ended';
    case 'give-up':
      await store.markEnded(tx, messageId, 'failed', 'outcome unknown', now);
      return 'ended';
    case 'send':
      await store.markSending(tx, messageId, move.unknownOutcomes, new Date(now.getTime() + limitMs));
      return { message, unknownOutcomes: move.unknownOutcomes };
  }
}

async function handOver(deps: DeliverDeps, message: store.MessageRow): Promise<MailOutcome> {
  const { id, subjectId, address, content, code, language } = message;
  if (address === null || content === null || await deps.dataKeys.isDestroyed(subjectId)) return { kind: 'refused', reason: 'erased' };
  const { subject, text, attachments } = await openContent(deps.dataKeys, subjectId, content);
  return deps.mailer.send({
    messageId: id, to: await openAddress(deps.dataKeys, subjectId, address), language, code: shownCode(code), subject, text, attachments,
  });
}

/** True when the message is to be tried again. */
async function record(tx: Tx, id: string, outcome: MailOutcome, unknownOutcomes: number, now: Date): Promise<boolean> {
  if (outcome.kind === 'sent') await store.markSent(tx, id, now);
  else if (outcome.kind === 'refused') await store.markEnded(tx, id, 'failed', outcome.reason, now);
  else await store.markQueued(tx, id, unknownOutcomes + (outcome.kind === 'unknown' ? 1 : 0), outcome.reason);
  return outcome.kind === 'later' || outcome.kind === 'unknown';
}
