import { locked } from '../move.ts';
import type { ErasureReport } from '../model.ts';
import type { ClosureDeps } from '../ports.ts';
import * as store from '../store.ts';
import { requireEnvelope } from '../envelope.ts';
import { daysAfter } from '../model.ts';
import { caseOf, done, messagesEnded, waitForMessage } from './step.ts';
import type { Step } from './step.ts';
import type { Tx } from '../../platform/db/index.ts';

const suppressionDays = 730;

async function eraseAll(deps: ClosureDeps, tx: Tx, accountId: string, sessions: number): Promise<ErasureReport> {
  const slices: ErasureReport['slices'][number][] = [{ slice: 'accounts', erased: { sessionsEnded: sessions }, kept: {} }];
  for (const holder of deps.holders()) slices.push({ slice: holder.slice, ...await holder.erase(tx, accountId) });
  return { erasedAt: deps.clock.now().toISOString(), slices };
}

/**
 * 10. Sessions end; every slice lets go of what it holds, in one transaction with the report of it; messages to the account stop.
 * Then the account's data key is destroyed, tombstone first: whatever a backup still holds opens no more.
 */
export function erase(deps: ClosureDeps): Step {
  return {
    name: 'erase',
    async run({ input, attempt, startedAt, now, transaction }) {
      const before = await caseOf(deps.db, input.caseId);
      if (before.erasure === null) {
        // The receipt is the traveller's proof of the application; erasing drops what has not left. An outage must not hold erasing up for days.
        const waited = now().getTime() - startedAt.getTime();
        if (waited < deps.settings.receiptWaitMs && !await messagesEnded(deps, [before.receiptId])) return waitForMessage(now(), attempt);
        const { email } = await requireEnvelope(deps, before);
        const until = daysAfter(deps.clock.now(), suppressionDays);
        await transaction(async (tx) => {
          const theCase = await locked(tx, input.caseId);
          if (theCase.erasure !== null) return;
          const sessions = await deps.accounts.endSessions(tx, input.accountId);
          await deps.notifications.suppress(tx, input.accountId, { email, until });
          await store.saveErasure(tx, input.caseId, await eraseAll(deps, tx, input.accountId, sessions));
        });
      }
      // The rows went first, committed with their report; a crash here is mended by the next run, which destroys the key.
      await deps.dataKeys.destroy(input.accountId, `closure:${input.caseId}`);
      return done;
    },
  };
}
