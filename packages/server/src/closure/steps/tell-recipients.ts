import type { ClosureDeps, Recipient } from '../ports.ts';
import * as store from '../store.ts';
import { done } from './step.ts';
import type { Step } from './step.ts';

/**
 * 9. Everyone who holds data of the traveller because of us is told, with one receipt each. One that does not answer keeps nobody else from
 * being told; it is on record as not told until it is.
 */
export function tellRecipients(deps: ClosureDeps): Step {
  return {
    name: 'tell-recipients',
    async run({ input, sagaId, now, transaction }) {
      const told = new Set((await store.receiptsOf(deps.db, input.caseId)).filter((r) => r.state !== 'failed').map((r) => r.recipient));
      const lastMessageBy = new Date(now().getTime() + deps.settings.envelopeLifeMs);
      const failures: unknown[] = [];
      for (const recipient of await deps.recipients()) {
        if (told.has(recipient.id)) continue;
        const receipt = await recipient.tell({ accountId: input.accountId, requestId: `${sagaId}:forget`, lastMessageBy }).catch((error: unknown) => {
          failures.push(error);
          return { state: 'failed', reference: null } as const;
        });
        if (receipt !== undefined) await transaction((tx) => store.saveReceipt(tx, input.caseId, { ...rowOf(recipient), ...receipt, toldAt: now() }));
      }
      if (failures.length > 0) throw failures[0];
      return done;
    },
  };
}

function rowOf({ id, name, kind }: Recipient): Pick<store.ReceiptRow, 'recipient' | 'name' | 'kind'> {
  return { recipient: id, name, kind };
}
