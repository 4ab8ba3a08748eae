import { bySystem } from '../move.ts';
import type { ClosureDeps } from '../ports.ts';
import { done, linesOf } from './step.ts';
import type { Step } from './step.ts';

/** 6. Service ends at the operators for good; the profiles leave the stock. A download that has not happened is cancelled; only a phone deletes what it holds. */
export function terminateLines(deps: ClosureDeps): Step {
  return {
    name: 'terminate-lines',
    async run({ input, sagaId, transaction }) {
      for (const line of await linesOf(deps, input.accountId)) {
        await deps.lines.terminate(line, `${sagaId}:terminate:${line.lineId}`, bySystem, 'closure', transaction);
        await transaction((tx) => deps.lines.retireProfile(tx, line.lineId, bySystem, 'closure'));
      }
      return done;
    },
  };
}
