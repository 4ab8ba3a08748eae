import { isOnDevice } from '../../lines/index.ts';
import type { ClosureDeps } from '../ports.ts';
import { linesOf } from './step.ts';
import type { Step } from './step.ts';

/**
 * 7. Waits, for a limited time, for the phones' signed delete notifications. What has not come by then is recorded as not confirmed and
 * the closure goes on; a notification that comes later is verified and updates the inventory only.
 */
export function unbindDevices(deps: ClosureDeps): Step {
  return {
    name: 'unbind-devices',
    async run({ input, startedAt, now }) {
      const held = (await linesOf(deps, input.accountId)).filter(isOnDevice);
      const until = new Date(startedAt.getTime() + deps.settings.unbindWaitMs);
      if (held.length > 0 && now() < until) return { kind: 'waiting', on: 'traveller', until };
      return { kind: 'done', result: { notConfirmed: held.map((line) => line.lineId) } };
    },
  };
}
