import { createHash } from 'node:crypto';
import type { Logger } from 'pino';
import type { Blobs } from '../platform/blobs/types.ts';
import type { Clock } from '../platform/clock/index.ts';
import type { Transactor } from '../platform/db/index.ts';
import { newId } from '../platform/ids.ts';
import type { Outbox } from '../platform/jobs/types.ts';
import type { DataKeys } from '../platform/keys/types.ts';
import { batchReceived } from './events.ts';
import * as store from './store.ts';

/** Raw usage is kept this long, sealed, for replay and disputes with partners. */
const rawMs = 90 * 86_400_000;
/** The event comes first; only after this long does the sweep look after a batch as well. */
const eventFirstMs = 60_000;

export interface FeedDeps {
  readonly db: Transactor;
  readonly clock: Clock;
  readonly blobs: Blobs;
  readonly dataKeys: DataKeys;
  readonly outbox: Outbox;
  readonly log: Pick<Logger, 'error'>;
}

/** Raw usage is sealed under a key of the month it arrived in, so that a month can be destroyed at once. */
export function rawSubject(at: Date): string {
  return `usage-raw-${at.toISOString().slice(0, 7)}`;
}

/** Takes in raw bytes of usage: sealed and noted in one transaction before anything is read of them. Idempotent by content and name. */
export async function receive(deps: FeedDeps, operatorId: string, source: string, bytes: Uint8Array): Promise<void> {
  const receivedAt = deps.clock.now();
  const batchId = newId(receivedAt.getTime());
  const sealed = await deps.dataKeys.seal(rawSubject(receivedAt), 'usage.batch', bytes);
  await deps.db.transaction(async (tx) => {
    const digest = createHash('sha256').update(bytes).digest();
    const nextAttemptAt = new Date(receivedAt.getTime() + eventFirstMs);
    if (!(await store.insertBatch(tx, { batchId, operatorId, source, digest, blobId: batchId, receivedAt, nextAttemptAt }))) return;
    await deps.blobs.put(tx, { id: batchId, bytes: sealed, deleteAfter: new Date(receivedAt.getTime() + rawMs), mediaType: 'text/csv' });
    await deps.outbox.emit(tx, batchReceived, operatorId, { batchId });
  });
}

/** Notes what arrived and cannot be taken in: nothing of it is kept but its name, its digest (where it could be read) and the reason. */
export async function noteRefused(deps: FeedDeps, operatorId: string, source: string, digest: Buffer | null, reason: string): Promise<void> {
  const receivedAt = deps.clock.now();
  const batchId = newId(receivedAt.getTime());
  const noted = await deps.db.transaction((tx) => store.insertRefused(tx, { batchId, operatorId, source, digest, receivedAt, reason }));
  if (noted) deps.log.error({ operatorId, batchId, source, reason }, 'a usage file was refused unread');
}

/** The raw bytes of a batch; undefined when they have run out. */
export async function raw(deps: Pick<FeedDeps, 'db' | 'blobs' | 'dataKeys'>, batch: store.BatchRow): Promise<Buffer | undefined> {
  const subject = rawSubject(batch.receivedAt);
  const blob = batch.blobId === null ? undefined : await deps.blobs.get(deps.db, batch.blobId);
  if (blob === undefined || await deps.dataKeys.isDestroyed(subject)) return undefined;
  return deps.dataKeys.open(subject, 'usage.batch', blob.bytes);
}
