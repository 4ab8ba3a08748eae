import type { preflight as preflightSchema } from '@yuanyou/contract';
import type { z } from 'zod';
import type { Concern } from '../platform/subject/index.ts';
import { blockers } from './model.ts';
import type { ClosureDeps, ClosureSettings } from './ports.ts';

/** What every slice has to say before an account closes. */
export async function concernsOf(deps: Pick<ClosureDeps, 'db' | 'holders'>, accountId: string): Promise<Concern[]> {
  const found: Concern[] = [];
  for (const holder of deps.holders()) found.push(...await holder.closureConcerns(deps.db, accountId));
  return found;
}

function conditions(s: ClosureSettings) {
  return {
    coolingOffDays: { default: s.defaultCoolingOffDays, least: 0, most: 14 },
    targetDays: s.targetDays,
    promiseWorkingDays: s.promiseWorkingDays,
    refundWithinDays: 14,
    exportLinkDays: s.exportLinkDays,
    unbindWaitHours: Math.ceil(s.unbindWaitMs / 3_600_000),
  };
}

/** The checklist before leaving: all conditions and concerns are shown before anything starts. */
export async function preflight(deps: Pick<ClosureDeps, 'db' | 'holders' | 'settings'>, accountId: string): Promise<z.input<typeof preflightSchema>> {
  const concerns = await concernsOf(deps, accountId);
  return { ready: blockers(concerns).length === 0, concerns, conditions: conditions(deps.settings) };
}
