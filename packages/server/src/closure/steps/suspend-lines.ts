import type { ClosureDeps } from '../ports.ts';
import { bySystem } from '../move.ts';
import { done, linesOf } from './step.ts';
import type { Step } from './step.ts';

/** 2. The operators stop serving the lines; nothing is lost yet, and undoing resumes them. */
export function suspendLines(deps: ClosureDeps): Step {
  return {
    name: 'suspend-lines',
    async run({ input, sagaId, transaction }) {
      for (const line of await linesOf(deps, input.accountId)) {
        if (line.service === 'active') await deps.lines.suspend(line, `${sagaId}:suspend:${line.lineId}`, bySystem, 'closure', transaction);
      }
      return done;
    },
    async undo({ input, sagaId, transaction }) {
      for (const line of await linesOf(deps, input.accountId)) {
        // Also one that we do not know to be suspended: the operator may have done it and its answer been lost.
        if (line.service === 'suspended' || line.service === 'active') await deps.lines.resume(line, `${sagaId}:resume:${line.lineId}`, bySystem, 'closure undone', transaction);
      }
    },
  };
}
