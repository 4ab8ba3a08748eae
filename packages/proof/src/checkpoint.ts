import { base64, fromBase64 } from './bytes.ts';
import { ProofError } from './error.ts';
import { HASH_BYTES } from './merkle.ts';

/** A tree head as a checkpoint's text states it (C2SP tlog-checkpoint). */
export interface Checkpoint {
  /** The log's identity: a URL without its scheme, as a rule. */
  readonly origin: string;
  /** Number of leaves. */
  readonly size: number;
  /** Root hash, 32 bytes. */
  readonly root: Uint8Array;
}

/**
 * The text that a log signs: origin, tree size and root hash on a line each. We write no extension lines.
 *
 * @throws ProofError `proof/checkpoint` for an origin with spaces or line breaks, a size out of range, or a root that has not 32 bytes.
 */
export function formatCheckpoint(checkpoint: Checkpoint): string {
  const text = `${checkpoint.origin}\n${checkpoint.size}\n${base64(checkpoint.root)}\n`;
  parseCheckpoint(text);
  return text;
}

/**
 * Reads the text of a checkpoint. Extension lines are refused: nothing would check what they say.
 *
 * @throws ProofError `proof/checkpoint` or `proof/encoding`.
 */
export function parseCheckpoint(text: string): Checkpoint {
  const match = /^([^\s+]{1,255})\n(0|[1-9]\d{0,15})\n([A-Za-z0-9+/]{43}=)\n$/u.exec(text);
  if (match === null) throw new ProofError('proof/checkpoint', 'not the text of a checkpoint');
  const size = Number(match[2]);
  if (!Number.isSafeInteger(size)) throw new ProofError('proof/checkpoint', 'the tree size is out of range');
  return { origin: match[1]!, size, root: fromBase64(match[3]!, 'the root hash', HASH_BYTES) };
}
