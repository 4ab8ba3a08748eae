import {
  type Checkpoint, ed25519OfSpki, emptyRoot, formatCheckpoint, formatNote, formatVerifierKey, noteMessage, noteSignature, parseCheckpoint,
  ProofError, readerOfTiles, subtreesForRoot, tilePath, tilesOfSubtrees, treeRoot, type VerifierKey, verifierKey, verifyNote,
} from '@yuanyou/proof';
import type { Clock } from '../platform/clock/index.ts';
import type { Reader, Transactor } from '../platform/db/index.ts';
import { ServiceError } from '../platform/errors.ts';
import type { Signer } from '../platform/keys/types.ts';
import { type Fault, faultOf, sameBytes } from './model.ts';
import type { PublishedHeads } from './published.ts';
import * as store from './store.ts';

export interface HeadDeps {
  readonly db: Transactor;
  readonly clock: Clock;
  readonly signer: Signer;
  readonly origin: string;
  readonly published: PublishedHeads;
}

/** The log's head: how it is signed, compared with what was published, and published. */
export interface Head {
  readonly key: VerifierKey;
  /** A note over a tree of ours. */
  sign(size: number, root: Uint8Array): string;
  /**
   * Compares a head with what was published last. Nothing may be appended to a head that does not pass.
   * @throws `transparency/stopped`
   */
  check(db: Reader, row: store.LogRow): Promise<void>;
  /**
   * The present head, published: compared, and remembered outside the database, before anybody is told of it. Opens a new log.
   * @throws `transparency/stopped`, `transparency/bad-key`
   */
  publish(): Promise<store.LogRow>;
}

/** @throws `transparency/bad-key` for a signer that is not Ed25519 */
export function createHead(deps: HeadDeps): Head {
  if (deps.signer.algorithm !== 'Ed25519') throw new ServiceError('transparency/bad-key', { algorithm: deps.signer.algorithm });
  const key = verifierKey(deps.origin, 'ed25519', ed25519OfSpki(deps.signer.publicKeyDer));
  const sign = (size: number, root: Uint8Array): string => {
    const text = formatCheckpoint({ origin: deps.origin, size, root });
    return formatNote(text, [noteSignature(key, deps.signer.sign(noteMessage('ed25519', text)))]);
  };
  const check = async (db: Reader, row: store.LogRow): Promise<void> => {
    await compare(db, row, readPublished(await deps.published.latest(), key));
  };
  return {
    key, sign, check,
    async publish() {
      // What was published is read before the head: what was committed can only have grown since.
      const note = await deps.published.latest();
      const row = await store.readLog(deps.db, deps.origin) ?? await open(deps, key, sign);
      if (row.vkey !== formatVerifierKey(key)) throw new ServiceError('transparency/bad-key', { origin: deps.origin, keyId: key.keyId });
      // After that: with another key what was published could not be read either, and that would be the wrong thing to say.
      const last = readPublished(note, key);
      await compare(deps.db, row, last);
      if (last === undefined || row.size > last.size) {
        // Remembered outside the database before it leaves this process: after that, no older backup can pass for the log.
        const standing = readPublished(await deps.published.record(row.size, row.checkpoint), key);
        if (standing === undefined || !sameBytes(standing.root, row.root)) throw stopped('not-what-was-published', row.size, row.size);
      }
      return row;
    },
  };
}

function stopped(fault: Fault | 'published-unreadable', size: number, publishedSize: number | null): ServiceError {
  return new ServiceError('transparency/stopped', { fault, size, publishedSize });
}

async function open(deps: HeadDeps, key: VerifierKey, sign: Head['sign']): Promise<store.LogRow> {
  const root = Buffer.from(emptyRoot());
  const log = { origin: deps.origin, vkey: formatVerifierKey(key), root, checkpoint: sign(0, root), at: deps.clock.now() };
  return deps.db.transaction(async (tx) => {
    await store.openLog(tx, log);
    return store.lockLog(tx, deps.origin);
  });
}

function readPublished(note: string | undefined, key: VerifierKey): Checkpoint | undefined {
  if (note === undefined) return undefined;
  try {
    const { text, verified } = verifyNote(note, [key]);
    if (verified.length === 1) return parseCheckpoint(text);
  } catch (error) {
    if (!(error instanceof ProofError)) throw error;
  }
  throw stopped('published-unreadable', 0, null);
}

async function compare(db: Reader, row: store.LogRow, published: Checkpoint | undefined): Promise<void> {
  const rootThen = published === undefined || row.size < published.size ? undefined : await rootAt(db, row, published.size);
  const fault = faultOf(row, published, rootThen);
  if (fault !== undefined) throw stopped(fault, row.size, published?.size ?? null);
}

/** Root that the present tree had at `size` leaves; undefined when its tiles do not tell. */
async function rootAt(db: Reader, row: store.LogRow, size: number): Promise<Uint8Array | undefined> {
  if (size === row.size) return row.root;
  const tiles = await store.readTiles(db, row.logId, tilesOfSubtrees(subtreesForRoot(size), row.size));
  try {
    return treeRoot(size, readerOfTiles(row.size, (tile) => tiles.get(tilePath(tile)) ?? new Uint8Array(0)));
  } catch (error) {
    if (error instanceof ProofError) return undefined;
    throw error;
  }
}
