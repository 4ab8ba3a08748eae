import { createHash } from 'node:crypto';

/**
 * The first digest of a confirmation code, which an SM-DP+ may store in its place: SHA-256 over the code's ASCII characters.
 * Codes are short, so the digest is no less secret than the code.
 */
export function digestConfirmationCode(code: string): Uint8Array {
  return createHash('sha256').update(code, 'ascii').digest();
}

/** hashCc as it goes over ES10b and is signed by the eUICC: SHA-256 over that digest and the transactionId's bytes. */
export function hashConfirmationCode(digest: Uint8Array, transactionId: Uint8Array): Uint8Array {
  return createHash('sha256').update(digest).update(transactionId).digest();
}
