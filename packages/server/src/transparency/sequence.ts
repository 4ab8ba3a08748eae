import { ProofError } from '@yuanyou/proof';
import type { Clock } from '../platform/clock/index.ts';
import type { Transactor, Tx } from '../platform/db/index.ts';
import { ServiceError } from '../platform/errors.ts';
import type { Outbox } from '../platform/jobs/types.ts';
import { leafSequenced } from './events.ts';
import type { Head } from './head.ts';
import { grow, rootOfEdge, sameBytes } from './model.ts';
import * as store from './store.ts';

export interface SequencerDeps {
  readonly db: Transactor;
  readonly clock: Clock;
  readonly outbox: Outbox;
  readonly origin: string;
  readonly head: Head;
  /** Leaves placed in one transaction at most. */
  readonly batch: number;
}

/** What one call did. */
export interface Sequenced {
  readonly placed: number;
  readonly size: number;
}

/** How many batches one call works through before it leaves the rest to the next. */
const mostBatches = 100;

/** Gives the pending leaves their places, batch by batch, and publishes the new head. */
export async function sequencePending(deps: SequencerDeps): Promise<Sequenced> {
  const before = await deps.head.publish();
  let placed = 0;
  for (let batch = 0; batch < mostBatches && await store.hasPending(deps.db); batch += 1) {
    const added = await deps.db.transaction((tx) => sequenceBatch(deps, tx));
    if (added === 0) break;
    placed += added;
  }
  // Only what is committed is published, and only from here on may anybody rely on it.
  const { size } = placed === 0 ? before : await deps.head.publish();
  return { placed, size };
}

async function sequenceBatch(deps: SequencerDeps, tx: Tx): Promise<number> {
  const row = await store.lockLog(tx, deps.origin);
  await deps.head.check(tx, row);
  const leaves = await store.readPending(tx, deps.batch);
  if (leaves.length === 0) return 0;

  const edge = await store.readEdge(tx, row.logId, row.size);
  requireWhole(row, () => rootOfEdge(row.size, edge));
  const grown = grow(row.size, edge, leaves.map((leaf) => leaf.entry));

  const placed = await store.placeLeaves(tx, row.logId, row.size, leaves.map((leaf) => leaf.leafId));
  await store.insertTiles(tx, row.logId, grown.tiles);
  const head = { size: grown.size, root: grown.root, checkpoint: deps.head.sign(grown.size, grown.root), at: deps.clock.now() };
  const advanced = await store.advance(tx, row.logId, row.size, head);
  if (placed !== leaves.length || advanced !== 1) throw new Error('the head moved although it was locked');
  for (const [at, leaf] of leaves.entries()) {
    await deps.outbox.emit(tx, leafSequenced, leaf.leafId, { leafId: leaf.leafId, index: row.size + at });
  }
  return leaves.length;
}

/** @throws `transparency/stopped` when the tiles do not lead to the head's root */
export function requireWhole(row: store.LogRow, root: () => Uint8Array): void {
  try {
    if (sameBytes(root(), row.root)) return;
  } catch (error) {
    if (!(error instanceof ProofError)) throw error;
  }
  throw new ServiceError('transparency/stopped', { fault: 'tiles-damaged', size: row.size });
}

/** Runs `work` one at a time; calls that come while it runs share one further run, which sees all that was there when they came. */
export function oneAtATime<T>(work: () => Promise<T>): () => Promise<T> {
  let running: Promise<unknown> | undefined;
  let next: Promise<T> | undefined;
  const begin = (): Promise<T> => {
    const run = work();
    const settled = run.then(() => undefined, () => undefined).then(() => {
      if (running === settled) running = undefined;
    });
    running = settled;
    return run;
  };
  return () => {
    if (running === undefined) return begin();
    next ??= running.then(() => {
      next = undefined;
      return begin();
    });
    return next;
  };
}
