import type { Tx } from '../platform/db/index.ts';
import type { DataKeys } from '../platform/keys/types.ts';
import type { ExportFile, SubjectHolder } from '../platform/subject/index.ts';
import { openAddress, openContent } from './content.ts';
import { shownCode } from './model.ts';
import * as store from './store.ts';

const batchSize = 200;

/** The messages a person was sent: theirs to take along, erased but for the register. */
export function messagesHolder(deps: { readonly dataKeys: DataKeys; readonly eraseTexts: (tx: Tx, subjectId: string) => Promise<number> }): SubjectHolder {
  return {
    slice: 'notifications',
    closureConcerns: async () => [],
    async exportData(db, subjectId): Promise<ExportFile[]> {
      const rows: ExportFile['rows'][number][] = [];
      let before: { at: Date; id: string } | null = null;
      for (;;) {
        const batch: store.MessageRow[] = await store.readableOf(db, subjectId, before, batchSize);
        for (const message of batch) {
          const { subject, text, attachments } = await openContent(deps.dataKeys, subjectId, message.content!);
          rows.push({
            queuedAt: message.queuedAt.toISOString(), sentAt: message.sentAt?.toISOString() ?? null, kind: message.kind, channel: message.channel,
            to: await openAddress(deps.dataKeys, subjectId, message.address!), code: shownCode(message.code), subject, text,
            attachments: attachments.map(({ fileName }) => fileName).join(', '),
          });
        }
        const last = batch.at(-1);
        if (last === undefined || batch.length < batchSize) return [{ name: 'messages', rows }];
        before = { at: last.queuedAt, id: last.id };
      }
    },
    async erase(tx, subjectId) {
      return { erased: { messageTexts: await deps.eraseTexts(tx, subjectId) }, kept: { messageRegister: await store.countOf(tx, subjectId) } };
    },
  };
}
