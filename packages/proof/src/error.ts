/**
 * What went wrong, stable across releases.
 *
 * - `proof/too-large`: an input exceeds its bound in bytes, items or depth.
 * - `proof/encoding`: not UTF-8, not canonical base64 or base64url, or of a wrong length in bytes.
 * - `proof/json`: not JSON.
 * - `proof/shape`: JSON of another shape: a field is missing, unknown or out of its range.
 * - `proof/not-canonical`: the same content has one exact serialisation, and this is another one.
 * - `proof/format`: the text names another format or version.
 * - `proof/jws`, `proof/note`, `proof/checkpoint`, `proof/verifier-key`, `proof/tile`: malformed input of that kind.
 * - `proof/range`: an index or a tree size that does not exist.
 * - `proof/missing-hash`: a hash reader did not have a hash that was asked for.
 * - `proof/unknown-key`: no trusted key is named; what was signed may still be good.
 * - `proof/missing-evidence`: what is there is good as far as it goes, but does not suffice.
 * - `proof/signature`: a signature by a trusted key does not verify.
 * - `proof/mismatch`: a proof or a commitment does not lead where it should.
 */
export type ProofErrorCode =
  | 'proof/too-large'
  | 'proof/encoding'
  | 'proof/json'
  | 'proof/shape'
  | 'proof/not-canonical'
  | 'proof/format'
  | 'proof/jws'
  | 'proof/note'
  | 'proof/checkpoint'
  | 'proof/verifier-key'
  | 'proof/tile'
  | 'proof/range'
  | 'proof/missing-hash'
  | 'proof/unknown-key'
  | 'proof/missing-evidence'
  | 'proof/signature'
  | 'proof/mismatch';

/** The one error class of this package. The message is for people and names the place; it repeats no value of the input. */
export class ProofError extends Error {
  /** Stable, for programs. */
  readonly code: ProofErrorCode;

  constructor(code: ProofErrorCode, message: string) {
    super(message);
    this.name = 'ProofError';
    this.code = code;
  }
}
