import { formatOpenings, openingOfEmail } from '@yuanyou/proof';
import { ServiceError } from '../../platform/errors.ts';
import { envelopeSubject, openEnvelope } from '../envelope.ts';
import type { Envelope } from '../envelope.ts';
import { confirmationMessage } from '../messages.ts';
import type { Case } from '../model.ts';
import type { ClosureDeps } from '../ports.ts';
import * as store from '../store.ts';
import { caseOf } from './step.ts';
import type { Step } from './step.ts';

/** The word that a message has ended wakes the step; until it comes it looks by itself, at first soon, then seldom. */
const longestPauseMs = 60_000;

async function confirmation(
  deps: ClosureDeps, theCase: Case, sagaId: string, { email, emailSalt, language }: Envelope,
): Promise<Awaited<ReturnType<ClosureDeps['notifications']['queue']>>> {
  const certificate = await store.certificateOf(deps.db, theCase.caseId);
  if (certificate?.bundle == null) throw new ServiceError('closure/no-certificate', { caseId: theCase.caseId });
  const openings = formatOpenings({
    format: 'yuanyou-openings/v1', caseNumber: theCase.caseNumber, openings: [openingOfEmail(email, Buffer.from(emailSalt, 'hex'))],
  });
  return deps.notifications.queue({
    subjectId: envelopeSubject(sagaId), to: { email }, language, kind: confirmationMessage,
    params: { caseNumber: theCase.caseNumber, closedAt: certificate.issuedAt.toISOString(), trustUrl: `${deps.settings.publicUrl}/v1/trust` },
    attachments: [
      { fileName: `closure-${theCase.caseNumber}.json`, mediaType: 'application/json', bytes: Buffer.from(certificate.bundle) },
      { fileName: `opening-${theCase.caseNumber}.json`, mediaType: 'application/json', bytes: Buffer.from(openings) },
    ],
  });
}

/** Whether the last messages, export and confirmation, have ended one way or the other. */
async function ended(deps: ClosureDeps, messageIds: readonly string[]): Promise<boolean> {
  for (const messageId of messageIds) {
    const standing = await deps.notifications.standing(deps.db, messageId);
    if (standing?.status === 'queued' || standing?.status === 'sending') return false;
  }
  return true;
}

/**
 * 11c. The confirmation, with certificate and opening attached: the last message. Waits until it and the export's link have left, at most as
 * long as the envelope may live.
 */
export function confirm(deps: ClosureDeps): Step {
  return {
    name: 'confirm',
    async run({ input, sagaId, attempt, now, transaction }) {
      const theCase = await caseOf(deps.db, input.caseId);
      const envelope = await openEnvelope(deps, theCase);
      // The envelope was destroyed in time, whatever held this step up: nothing is left that a message could be sent to.
      if (envelope === undefined) return { kind: 'done', result: { delivered: false } };
      let messageId = theCase.confirmationId;
      if (messageId === null) {
        const message = await confirmation(deps, theCase, sagaId, envelope);
        await transaction(async (tx) => {
          await message.save(tx);
          await store.saveConfirmation(tx, input.caseId, message.messageId);
        });
        messageId = message.messageId;
      }
      const exported = await store.exportOfCase(deps.db, input.caseId);
      if (!await ended(deps, exported === undefined ? [messageId] : [messageId, exported.messageId])) {
        return { kind: 'waiting', on: 'message', until: new Date(now().getTime() + Math.min(longestPauseMs, 100 * 2 ** Math.min(attempt, 12))) };
      }
      return { kind: 'done', result: { delivered: (await deps.notifications.standing(deps.db, messageId))?.status === 'sent' } };
    },
  };
}
