import type { closureSteps } from '@yuanyou/contract';
import { ServiceError } from '../../platform/errors.ts';
import type { Reader } from '../../platform/db/index.ts';
import type { Json, SagaStep, StepOutcome } from '../../platform/jobs/types.ts';
import type { Line } from '../../lines/index.ts';
import type { Case } from '../model.ts';
import type { ClosureDeps } from '../ports.ts';
import * as store from '../store.ts';

export type Input = { readonly caseId: string; readonly accountId: string } & { [key: string]: Json };
export type Step = SagaStep<Input> & { readonly name: (typeof closureSteps)[number] };

/** The case a step works on. */
export async function caseOf(db: Reader, caseId: string): Promise<Case> {
  const theCase = await store.findCase(db, caseId);
  if (theCase === undefined) throw new ServiceError('closure/no-such-case', { caseId });
  return theCase;
}

/** Every line of the account, in batches. */
export async function linesOf(deps: Pick<ClosureDeps, 'db' | 'lines'>, accountId: string): Promise<Line[]> {
  const found: Line[] = [];
  for (let before: string | null = null; ;) {
    const batch: Line[] = await deps.lines.ofAccount(deps.db, accountId, before, 200);
    found.push(...batch);
    before = batch.at(-1)?.lineId ?? null;
    if (batch.length < 200) return found;
  }
}

export const done = { kind: 'done' } as const;

/** Whether these messages have ended one way or the other. */
export async function messagesEnded(deps: Pick<ClosureDeps, 'db' | 'notifications'>, messageIds: readonly string[]): Promise<boolean> {
  for (const messageId of messageIds) {
    const standing = await deps.notifications.standing(deps.db, messageId);
    if (standing?.status === 'queued' || standing?.status === 'sending') return false;
  }
  return true;
}

/** The word that a message has ended may wake the step; until it comes it looks by itself, at first soon, then seldom. */
const longestPauseMs = 60_000;

/** Waits for a message that is on its way out. */
export function waitForMessage(now: Date, attempt: number): StepOutcome {
  return { kind: 'waiting', on: 'message', until: new Date(now.getTime() + Math.min(longestPauseMs, 100 * 2 ** Math.min(attempt, 12))) };
}
