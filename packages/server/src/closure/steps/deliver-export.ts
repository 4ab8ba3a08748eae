import { newId } from '../../platform/ids.ts';
import { envelopeSubject, requireEnvelope } from '../envelope.ts';
import { buildExport, sealExport, tokenHash } from '../export.ts';
import { exportMessage } from '../messages.ts';
import { daysAfter } from '../model.ts';
import type { ClosureDeps } from '../ports.ts';
import * as store from '../store.ts';
import { caseOf, done } from './step.ts';
import type { Step } from './step.ts';

/** 8. The account's data as one ZIP, sealed under a key that only the mailed link carries; the link outlives the account. */
export function deliverExport(deps: ClosureDeps): Step {
  return {
    name: 'deliver-export',
    async run({ input, sagaId, now, transaction }) {
      const theCase = await caseOf(deps.db, input.caseId);
      if (!theCase.choices.export || (await store.exportOfCase(deps.db, input.caseId)) !== undefined) return done;
      const { email, language, exportToken } = await requireEnvelope(deps, theCase);
      const zip = await buildExport(deps, input.accountId);
      const exportId = newId(now().getTime());
      const expiresAt = daysAfter(now(), deps.settings.exportLinkDays);
      const link = `${deps.settings.publicUrl}/v1/exports/${exportId}?token=${exportToken}`;
      const message = await deps.notifications.queue({
        subjectId: envelopeSubject(sagaId), to: { email }, language, kind: exportMessage,
        params: { caseNumber: theCase.caseNumber, link, until: expiresAt.toISOString() },
      });
      await transaction(async (tx) => {
        await deps.blobs.put(tx, { id: exportId, bytes: sealExport(zip, exportToken), deleteAfter: expiresAt, mediaType: 'application/octet-stream' });
        await store.insertExport(tx, { exportId, caseId: input.caseId, tokenHash: tokenHash(exportToken), messageId: message.messageId, blobId: exportId, madeAt: now(), expiresAt });
        await message.save(tx);
      });
      return done;
    },
  };
}
