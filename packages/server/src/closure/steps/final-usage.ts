import type { ClosureDeps } from '../ports.ts';
import { done } from './step.ts';
import type { Step } from './step.ts';

/** 3. The cutoff: use from here on is never the traveller's. What has arrived by now is taken in and applied first. */
export function finalUsage(deps: ClosureDeps): Step {
  return {
    name: 'final-usage',
    async run({ input, startedAt, now, transaction }) {
      await transaction((tx) => deps.usage.cutOff(tx, input.accountId, startedAt));
      await deps.usage.sweepFeeds();
      const waited = now().getTime() - startedAt.getTime();
      if (waited < deps.settings.usageWaitMs && (await deps.usage.pendingBatches(deps.db, now())) > 0) {
        return { kind: 'waiting', on: 'system', until: new Date(now().getTime() + 250) };
      }
      return done;
    },
    async undo({ input, transaction }) {
      await transaction((tx) => deps.usage.liftCutoff(tx, input.accountId));
    },
  };
}
