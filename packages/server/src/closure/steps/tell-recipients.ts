import type { ClosureDeps } from '../ports.ts';
import * as store from '../store.ts';
import { done } from './step.ts';
import type { Step } from './step.ts';

/** 9. Everyone who holds data of the traveller because of us is told, with one receipt each. */
export function tellRecipients(deps: ClosureDeps): Step {
  return {
    name: 'tell-recipients',
    async run({ input, sagaId, now, transaction }) {
      const told = new Set((await store.receiptsOf(deps.db, input.caseId)).map((receipt) => receipt.recipient));
      for (const recipient of await deps.recipients()) {
        if (told.has(recipient.name)) continue;
        const receipt = await recipient.tell({ accountId: input.accountId, requestId: `${sagaId}:forget` });
        if (receipt === undefined) continue;
        await transaction((tx) => store.saveReceipt(tx, input.caseId, { recipient: recipient.name, ...receipt, toldAt: now() }));
      }
      return done;
    },
  };
}
