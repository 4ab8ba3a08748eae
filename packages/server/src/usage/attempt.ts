import type { Audit } from '../platform/audit/types.ts';
import { ServiceError } from '../platform/errors.ts';
import { describeFailure, pauseMs, type JobsLog } from '../platform/jobs/index.ts';
import { applyBatch, type ApplyDeps } from './apply.ts';
import { batchReceived } from './events.ts';
import * as store from './store.ts';

export interface AttemptDeps extends ApplyDeps {
  readonly audit: Audit;
  readonly log: Pick<JobsLog, 'warn' | 'error'>;
}

const backoff = { firstMs: 5000, factor: 3, longestMs: 15 * 60_000 };
/** What keeps a batch from being applied may be an outage of ours; after this long it is the batch. */
const longestMs = 24 * 3_600_000;
const mostAtOnce = 20;

/** Faults of the batch itself: no repeat will do better. */
function finalReason(error: unknown): string | undefined {
  if (!(error instanceof ServiceError)) return undefined;
  if (error.code === 'usage/file-refused') return `row ${String(error.details['row'])}: ${String(error.details['why'])}`;
  return error.code === 'usage/raw-gone' ? 'the raw bytes are gone' : undefined;
}

async function noteFailure(deps: AttemptDeps, batchId: string, error: unknown): Promise<void> {
  await deps.db.transaction(async (tx) => {
    const batch = await store.lockBatch(tx, batchId);
    if (batch === undefined || batch.state !== 'received') return;
    const now = deps.clock.now();
    const failure = describeFailure(error);
    const givenUp = now.getTime() - batch.receivedAt.getTime() >= longestMs && batch.attempts > 0;
    const reason = finalReason(error) ?? (givenUp ? `could not be applied: ${failure}` : undefined);
    if (reason === undefined) {
      await store.putOffBatch(tx, batchId, new Date(now.getTime() + pauseMs(backoff, batch.attempts + 1, Math.random())), 1);
      deps.log.warn({ batchId, operatorId: batch.operatorId, attempts: batch.attempts + 1, failure }, 'a usage batch could not be applied');
      return;
    }
    await store.refuseBatch(tx, batchId, reason.slice(0, 300), now);
    deps.log.error({ batchId, operatorId: batch.operatorId, reason }, 'a usage batch was refused');
  });
}

/** Tries to apply a batch; one that fails is put off in its own row, so that it holds up no other, and refused when no repeat helps. */
export async function attempt(deps: AttemptDeps, batchId: string): Promise<void> {
  try {
    await applyBatch(deps, batchId);
  } catch (error) {
    await noteFailure(deps, batchId, error);
  }
}

/** Tries the batches whose time has come: those that failed, and those whose worker died. */
export async function attemptDue(deps: AttemptDeps): Promise<void> {
  for (const batchId of await store.dueBatches(deps.db, deps.clock.now(), mostAtOnce)) await attempt(deps, batchId);
}

/**
 * An agent has a refused batch applied again, from where it stopped.
 * @throws ServiceError `usage/unknown-batch`, `usage/batch-not-refused`
 */
export async function retryBatch(deps: AttemptDeps, batchId: string, agentId: string, reason: string): Promise<store.BatchRow> {
  return deps.db.transaction(async (tx) => {
    const batch = await store.lockBatch(tx, batchId);
    if (batch === undefined) throw new ServiceError('usage/unknown-batch', { batchId });
    if (batch.state !== 'refused' || batch.blobId === null) throw new ServiceError('usage/batch-not-refused', { batchId });
    await store.reopenBatch(tx, batchId, deps.clock.now());
    await deps.outbox.emit(tx, batchReceived, batch.operatorId, { batchId });
    await deps.audit.record(tx, { actor: { kind: 'agent', id: agentId }, action: 'usage.retry-batch', subjectKind: 'usage-batch', subjectId: batchId, reason });
    return (await store.findBatch(tx, batchId))!;
  });
}
