import { formatOpenings, openingOfEmail } from '@yuanyou/proof';
import { ServiceError } from '../../platform/errors.ts';
import { envelopeSubject, requireEnvelope } from '../envelope.ts';
import { confirmationMessage } from '../messages.ts';
import type { Case } from '../model.ts';
import type { ClosureDeps } from '../ports.ts';
import * as store from '../store.ts';
import { caseOf } from './step.ts';
import type { Step } from './step.ts';

async function confirmation(deps: ClosureDeps, theCase: Case): Promise<Awaited<ReturnType<ClosureDeps['notifications']['queue']>>> {
  const { email, emailSalt, language } = await requireEnvelope(deps, theCase);
  const certificate = await store.certificateOf(deps.db, theCase.caseId);
  if (certificate?.bundle == null) throw new ServiceError('closure/no-certificate', { caseId: theCase.caseId });
  const openings = formatOpenings({
    format: 'yuanyou-openings/v1', caseNumber: theCase.caseNumber, openings: [openingOfEmail(email, Buffer.from(emailSalt, 'hex'))],
  });
  return deps.notifications.queue({
    subjectId: envelopeSubject(theCase.caseId), to: { email }, language, kind: confirmationMessage,
    params: { caseNumber: theCase.caseNumber, closedAt: certificate.issuedAt.toISOString(), trustUrl: `${deps.settings.publicUrl}/v1/trust` },
    attachments: [
      { fileName: `closure-${theCase.caseNumber}.json`, mediaType: 'application/json', bytes: Buffer.from(certificate.bundle) },
      { fileName: `opening-${theCase.caseNumber}.json`, mediaType: 'application/json', bytes: Buffer.from(openings) },
    ],
  });
}

/** 11c. The confirmation, with certificate and opening attached: the last message. Waits until it has left, at most as long as the envelope may live. */
export function confirm(deps: ClosureDeps): Step {
  return {
    name: 'confirm',
    async run({ input, now, transaction }) {
      const theCase = await caseOf(deps.db, input.caseId);
      if (theCase.confirmationId === null) {
        const message = await confirmation(deps, theCase);
        await transaction(async (tx) => {
          await message.save(tx);
          await store.saveConfirmation(tx, input.caseId, message.messageId);
        });
        return { kind: 'waiting', on: 'message', until: new Date(now().getTime() + 100) };
      }
      const standing = await deps.notifications.standing(deps.db, theCase.confirmationId);
      const delivered = standing?.status === 'sent';
      const issuedAt = (await store.certificateOf(deps.db, input.caseId))?.issuedAt ?? now();
      const givenUp = standing === undefined || standing.status === 'failed' || now().getTime() - issuedAt.getTime() > deps.settings.envelopeLifeMs;
      if (!delivered && !givenUp) return { kind: 'waiting', on: 'message', until: new Date(now().getTime() + 250) };
      return { kind: 'done', result: { delivered } };
    },
  };
}
