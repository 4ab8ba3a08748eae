import { formatOpenings, openingOfEmail } from '@yuanyou/proof';
import { ServiceError } from '../../platform/errors.ts';
import { envelopeSubject, openEnvelope } from '../envelope.ts';
import type { Envelope } from '../envelope.ts';
import { confirmationMessage } from '../messages.ts';
import type { Case } from '../model.ts';
import type { ClosureDeps } from '../ports.ts';
import * as store from '../store.ts';
import { caseOf, messagesEnded, waitForMessage } from './step.ts';
import type { Step } from './step.ts';

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

/**
 * 11c. The confirmation, with certificate and opening attached: the last message, so it waits until the export's link has left, and then
 * until it has left itself, at most as long as the envelope may live.
 */
export function confirm(deps: ClosureDeps): Step {
  return {
    name: 'confirm',
    async run({ input, sagaId, attempt, now, transaction }) {
      const theCase = await caseOf(deps.db, input.caseId);
      const envelope = await openEnvelope(deps, theCase);
      // The envelope was destroyed in time, whatever held this step up: nothing is left that a message could be sent to.
      if (envelope === undefined) return { kind: 'done', result: { delivered: false } };
      const exported = await store.exportOfCase(deps.db, input.caseId);
      if (exported !== undefined && !await messagesEnded(deps, [exported.messageId])) return waitForMessage(now(), attempt);
      let messageId = theCase.confirmationId;
      if (messageId === null) {
        const message = await confirmation(deps, theCase, sagaId, envelope);
        await transaction(async (tx) => {
          await message.save(tx);
          await store.saveConfirmation(tx, input.caseId, message.messageId);
        });
        messageId = message.messageId;
      }
      if (!await messagesEnded(deps, [messageId])) return waitForMessage(now(), attempt);
      return { kind: 'done', result: { delivered: (await deps.notifications.standing(deps.db, messageId))?.status === 'sent' } };
    },
  };
}
