import type { IssuerKey, WitnessPolicy } from '@yuanyou/proof';
import { formatVerifierKey } from '@yuanyou/proof';
import type { Logger } from 'pino';
import type { Clock } from '../platform/clock/index.ts';
import type { Transactor, Tx } from '../platform/db/index.ts';
import { ServiceError } from '../platform/errors.ts';
import type { Endpoint } from '../platform/http/types.ts';
import type { Outbox, Schedule } from '../platform/jobs/types.ts';
import type { Signer } from '../platform/keys/types.ts';
import { leafAppended } from './events.ts';
import { type Evidence, evidenceAt } from './evidence.ts';
import { createHead } from './head.ts';
import { ENTRY_BYTES, rootOfEdge } from './model.ts';
import { type PublishedHeads, publishedFolder } from './published.ts';
import { transparencyEndpoints } from './routes.ts';
import { oneAtATime, requireWhole, type Sequenced, sequencePending } from './sequence.ts';
import * as store from './store.ts';

export { leafAppended, leafSequenced } from './events.ts';
export type { Evidence } from './evidence.ts';
export type { PublishedHeads } from './published.ts';
export type { Sequenced } from './sequence.ts';

export interface TransparencyDeps {
  readonly db: Transactor;
  readonly clock: Clock;
  readonly outbox: Outbox;
  readonly schedule: Schedule;
  readonly log: Pick<Logger, 'info' | 'error'>;
  /** Ed25519; signs checkpoints. */
  readonly signer: Signer;
  /** The log's identity: its public URL without the scheme, for example `yuanyou.example/log`. Another origin is another, empty log. */
  readonly origin: string;
  /** Where the published heads are remembered: a folder outside the database and its backups, shared by the processes of a machine. */
  readonly published: string | PublishedHeads;
  readonly issuerKeys: () => readonly IssuerKey[];
  readonly witnessPolicy?: WitnessPolicy;
  /** Leaves placed in one transaction at most. Default 512. */
  readonly batch?: number;
  /** How often a process looks for leaves that nobody announced. Default 5000. */
  readonly sweepMs?: number;
}

/** The transparency log. */
export interface Transparency {
  /** The key that checkpoints are verified with, as a vkey. */
  readonly vkey: string;
  /**
   * Opens the log where it is new, and compares what is there with what was published. A log that does not pass stays stopped, with the
   * reason in the log file, until it is mended or another origin is configured; everything else of the server can run.
   * @throws `transparency/bad-key` when the key is not the one of this origin
   */
  start(): Promise<'running' | 'stopped'>;
  /** @throws `transparency/stopped`; for the readiness check */
  requireRunning(): Promise<void>;
  /**
   * Appends a leaf in the caller's transaction: it is in the log exactly when that commits. A repeat with the same entry does nothing.
   * @throws `transparency/stopped`, `transparency/leaf-differs`, `transparency/bad-entry`
   */
  append(tx: Tx, leaf: { readonly leafId: string; readonly entry: Uint8Array }): Promise<void>;
  /** Gives all pending leaves a place and publishes the new head. @throws `transparency/stopped` */
  sequence(): Promise<Sequenced>;
  /** The proof of a leaf against the newest published head; undefined while it waits for its place. @throws `transparency/stopped` */
  evidence(leafId: string): Promise<Evidence | undefined>;
  /** The newest head, published: a signed note. @throws `transparency/stopped` */
  checkpoint(): Promise<string>;
  readonly endpoints: Endpoint[];
}

/** @throws `transparency/bad-key` for a signer that is not Ed25519 */
export function createTransparency(deps: TransparencyDeps): Transparency {
  const { db, clock, origin, outbox, log } = deps;
  const published = typeof deps.published === 'string' ? publishedFolder(deps.published, origin) : deps.published;
  const head = createHead({ db, clock, signer: deps.signer, origin, published });
  const sequence = oneAtATime(() => sequencePending({ db, clock, outbox, origin, head, batch: deps.batch ?? 512 }));
  const gate = createGate(log);
  const checked = oneAtATime(async () => {
    const row = await head.publish();
    const edge = await store.readEdge(db, row.logId, row.size);
    requireWhole(row, () => rootOfEdge(row.size, edge));
  });
  const sweep = async (): Promise<void> => {
    // A stopped log is told once by the gate; failing the task over and over would tell nothing more.
    await gate.judge(sequence).catch((error: unknown) => { if (!isStopped(error)) throw error; });
  };
  outbox.subscribe(leafAppended, 'transparency.sequencer', sweep);
  deps.schedule.every('transparency.sequence', deps.sweepMs ?? 5000, sweep);

  return {
    vkey: formatVerifierKey(head.key),
    async start() {
      try {
        await gate.judge(checked);
        return 'running';
      } catch (error) {
        if (!isStopped(error)) throw error;
        return 'stopped';
      }
    },
    requireRunning: () => gate.judge(checked),
    async append(tx, { leafId, entry }) {
      if (entry.length !== ENTRY_BYTES) throw new ServiceError('transparency/bad-entry', { bytes: entry.length });
      await gate.require(checked);
      if (await store.insertLeaf(tx, leafId, entry, clock.now())) {
        await outbox.emit(tx, leafAppended, leafId, { leafId });
      } else {
        const before = await store.readLeaf(tx, leafId);
        if (before === undefined || !before.entry.equals(entry)) throw new ServiceError('transparency/leaf-differs', { leafId });
      }
    },
    sequence: () => gate.judge(sequence),
    async evidence(leafId) {
      const leaf = await store.readLeaf(db, leafId);
      if (leaf?.place === undefined) return undefined;
      const now = await gate.watch(() => head.publish());
      const row = now.logId === leaf.place.logId ? now : await store.readLogById(db, leaf.place.logId);
      return evidenceAt(db, row, leaf.place.index);
    },
    checkpoint: async () => (await gate.watch(() => head.publish())).checkpoint,
    endpoints: transparencyEndpoints({
      db, head: { ...head, publish: () => gate.watch(() => head.publish()) },
      trust: { issuerKeys: deps.issuerKeys, ...(deps.witnessPolicy === undefined ? {} : { witnessPolicy: deps.witnessPolicy }) },
    }),
  };
}

function isStopped(error: unknown): error is ServiceError {
  return error instanceof ServiceError && error.code === 'transparency/stopped';
}

interface Gate {
  /** Runs work that may find that the log must stop, and remembers it. */
  watch<T>(work: () => Promise<T>): Promise<T>;
  /** The same for work that looks at all that could stop the log: its success lets the log go on. */
  judge<T>(work: () => Promise<T>): Promise<T>;
  /** Passes while the log may go on; looks first where nobody has looked yet. */
  require(look: () => Promise<void>): Promise<void>;
}

function createGate(log: TransparencyDeps['log']): Gate {
  let state: 'unknown' | 'running' | ServiceError = 'unknown';
  const watch = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      if (isStopped(error)) {
        if (typeof state === 'string') log.error({ code: error.code, ...error.details }, 'the transparency log is stopped');
        state = error;
      }
      throw error;
    }
  };
  const judge = async <T>(work: () => Promise<T>): Promise<T> => {
    const result = await watch(work);
    if (typeof state !== 'string') log.info({}, 'the transparency log goes on');
    state = 'running';
    return result;
  };
  return {
    watch, judge,
    async require(look) {
      // The sweep looks again and again, so that a mended log goes on by itself.
      if (typeof state !== 'string') throw new ServiceError(state.code, state.details);
      if (state === 'unknown') await judge(look);
    },
  };
}
