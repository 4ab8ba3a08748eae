import { createHash } from 'node:crypto';
import { readFile, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import type { Blobs } from '../platform/blobs/types.ts';
import type { Clock } from '../platform/clock/index.ts';
import type { Transactor } from '../platform/db/index.ts';
import { ServiceError } from '../platform/errors.ts';
import { newId } from '../platform/ids.ts';
import type { Outbox } from '../platform/jobs/types.ts';
import type { DataKeys } from '../platform/keys/types.ts';
import { maxFileBytes } from './csv.ts';
import { batchReceived } from './events.ts';
import * as store from './store.ts';

/** Raw usage is kept this long, sealed, for replay and disputes with partners. */
const rawMs = 90 * 86_400_000;

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
    if (!(await store.insertBatch(tx, { batchId, operatorId, source, digest, blobId: batchId, receivedAt }))) return;
    await deps.blobs.put(tx, { id: batchId, bytes: sealed, deleteAfter: new Date(receivedAt.getTime() + rawMs), mediaType: 'text/csv' });
    await deps.outbox.emit(tx, batchReceived, operatorId, { batchId });
  });
}

/** The raw bytes of a batch. */
export async function raw(deps: FeedDeps, batchId: string): Promise<Buffer> {
  const batch = await store.findBatch(deps.db, batchId);
  const blob = batch === undefined ? undefined : await deps.blobs.get(deps.db, batch.blobId);
  if (batch === undefined || blob === undefined) throw new ServiceError('general/not-found', { batchId });
  return deps.dataKeys.open(rawSubject(batch.receivedAt), 'usage.batch', blob.bytes);
}

/** Undefined where there is nothing of this name: an operator may not have left anything yet, another process may have taken a file in. */
async function unlessGone<T>(looking: Promise<T>): Promise<T | undefined> {
  try {
    return await looking;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** A file that nobody may read is set aside under another name, so that it does not hold up those behind it. */
async function setAside(deps: FeedDeps, operatorId: string, folder: string, name: string): Promise<void> {
  await rename(join(folder, name), join(folder, `${name}.refused`));
  deps.log.error({ operatorId, file: name, most: maxFileBytes }, 'a usage file is too large; it was set aside');
}

/**
 * Takes in the files an operator has put into its folder, oldest name first, at most `limit` a round. A file goes only after
 * its batch is committed; a crash between the two is mended by the next round, which finds the same content again.
 */
export async function sweepFeed(deps: FeedDeps, operatorId: string, folder: string, limit = 50): Promise<number> {
  const names = (await unlessGone(readdir(folder)) ?? []).filter((name) => /^[\w.-]{1,120}\.csv$/.test(name)).sort().slice(0, limit);
  for (const name of names) {
    const path = join(folder, name);
    const size = (await unlessGone(stat(path)))?.size;
    if (size !== undefined && size > maxFileBytes) {
      await unlessGone(setAside(deps, operatorId, folder, name));
      continue;
    }
    const bytes = await unlessGone(readFile(path));
    if (bytes === undefined) continue;
    await receive(deps, operatorId, name, bytes);
    await rm(path, { force: true });
  }
  return names.length;
}
