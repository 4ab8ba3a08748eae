import { base64url, fromBase64url, fromUtf8 } from './bytes.ts';
import { ProofError } from './error.ts';
import { HASH_BYTES } from './merkle.ts';
import { NOTE_LIMITS } from './note.ts';
import { bytes, integer, lines, list, object, oneOf, parseJson, text } from './shape.ts';
import { SALT_BYTES } from './commitment.ts';

/** The largest bundle that is read, in bytes. */
export const BUNDLE_LIMIT_BYTES = 1_048_576;

/** Where a leaf lies in a log, and what shows it. */
export interface LogEvidence {
  /** The log's identity, as its checkpoints name it. */
  readonly origin: string;
  /** Index of the leaf, from 0. */
  readonly index: number;
  /** Leaves of the tree that the checkpoint signs. */
  readonly treeSize: number;
  /** Audit path from the leaf upwards, base64url of 32 bytes each. */
  readonly inclusion: readonly string[];
  /** The signed checkpoint, a note of several lines. */
  readonly checkpoint: string;
}

/** A certificate with all that is needed to verify it offline, but for the keys: those come from a trust file. */
export interface Bundle {
  readonly format: 'yuanyou-closure-bundle/v1';
  /** Compact JWS. */
  readonly certificate: string;
  /** Salt of the leaf, base64url of 32 bytes. */
  readonly salt: string;
  readonly log: LogEvidence;
}

const bundle = object<Bundle>({
  format: oneOf('yuanyou-closure-bundle/v1'),
  certificate: text(1, 400_000, /^[A-Za-z0-9_.-]+$/),
  salt: bytes(SALT_BYTES),
  log: object<LogEvidence>({
    origin: text(1, 255, /^[^\s+]+$/),
    index: integer(0, Number.MAX_SAFE_INTEGER - 1),
    treeSize: integer(1, Number.MAX_SAFE_INTEGER),
    inclusion: list(bytes(HASH_BYTES), 53),
    checkpoint: lines(NOTE_LIMITS.bytes),
  }),
});

/** The parts of a bundle as the log and the signer give them. */
export interface BundleParts {
  readonly certificate: string;
  /** 32 bytes. */
  readonly salt: Uint8Array;
  readonly log: Omit<LogEvidence, 'inclusion'> & { readonly inclusion: readonly Uint8Array[] };
}

/** A bundle from its parts. */
export function bundleOf(parts: BundleParts): Bundle {
  return bundle({
    format: 'yuanyou-closure-bundle/v1',
    certificate: parts.certificate,
    salt: base64url(parts.salt),
    log: { ...parts.log, inclusion: parts.log.inclusion.map(base64url) },
  }, 'bundle');
}

/**
 * The one serialisation of a bundle: JSON with two spaces of indentation, fields in the order of {@link Bundle}, a final newline.
 *
 * @throws ProofError `proof/shape`.
 */
export function formatBundle(value: Bundle): string {
  return `${JSON.stringify(bundle(value, 'bundle'), null, 2)}\n`;
}

/**
 * Reads a bundle file; only the bytes that {@link formatBundle} writes are accepted, so that no byte of a file can change unseen.
 *
 * @throws ProofError `proof/too-large`, `proof/encoding`, `proof/json`, `proof/format`, `proof/shape` or `proof/not-canonical`.
 */
export function parseBundle(file: Uint8Array): Bundle {
  if (file.length > BUNDLE_LIMIT_BYTES) throw new ProofError('proof/too-large', 'the bundle is too large');
  const source = fromUtf8(file, 'the bundle');
  const json = parseJson(source, 'the bundle');
  if (formatOf(json) !== 'yuanyou-closure-bundle/v1') throw new ProofError('proof/format', 'not a closure bundle of version 1');
  const parsed = bundle(json, 'bundle');
  if (formatBundle(parsed) !== source) throw new ProofError('proof/not-canonical', 'the bundle is not written as a bundle is written');
  return parsed;
}

/** The audit path of a bundle as hashes. */
export function inclusionOf(log: LogEvidence): Uint8Array[] {
  return log.inclusion.map((hash) => fromBase64url(hash, 'an inclusion hash', HASH_BYTES));
}

function formatOf(json: unknown): unknown {
  return typeof json === 'object' && json !== null && 'format' in json ? json.format : undefined;
}
