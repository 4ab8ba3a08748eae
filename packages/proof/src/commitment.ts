import { base64url, equalBytes, fromBase64url, sha256, utf8 } from './bytes.ts';
import { ProofError } from './error.ts';
import { bytes, list, object, oneOf, parseJson, text } from './shape.ts';
import type { ClosureStatement } from './statement.ts';

/** Bytes of a salt. It is random and its own for each commitment, so that nobody can try out what was committed to. */
export const SALT_BYTES = 32;

/** Domain of each commitment, so that none can pass for another. */
const DOMAINS = {
  certificate: 'yuanyou-closure-leaf/v1\n',
  revocation: 'yuanyou-closure-revocation/v1\n',
  email: 'yuanyou-email/v1\n',
} as const;

/**
 * The log entry of a certificate: SHA-256("yuanyou-closure-leaf/v1" || 0x0A || salt || JWS), 32 bytes. Without the salt it says nothing.
 * Its hash in the tree is {@link leafHash} of it.
 *
 * @param jws - the compact serialisation, in ASCII.
 * @throws ProofError `proof/encoding` for a salt that has not 32 bytes.
 */
export function certificateLeaf(jws: string, salt: Uint8Array): Uint8Array {
  return commitment('certificate', salt, jws);
}

/**
 * The log entry that revokes a certificate: as {@link certificateLeaf} with the domain `yuanyou-closure-revocation/v1`. Who holds the
 * certificate's bundle can look for it in the log; nobody else can tell what it is.
 *
 * @throws ProofError `proof/encoding` for a salt that has not 32 bytes.
 */
export function revocationLeaf(jws: string, salt: Uint8Array): Uint8Array {
  return commitment('revocation', salt, jws);
}

/**
 * Commitment to an email address, byte for byte: SHA-256("yuanyou-email/v1" || 0x0A || salt || UTF-8 of the address), 32 bytes.
 *
 * @throws ProofError `proof/encoding` for a salt that has not 32 bytes.
 */
export function emailCommitment(email: string, salt: Uint8Array): Uint8Array {
  return commitment('email', salt, email);
}

function commitment(domain: keyof typeof DOMAINS, salt: Uint8Array, value: string): Uint8Array {
  if (salt.length !== SALT_BYTES) throw new ProofError('proof/encoding', 'a salt has 32 bytes');
  return sha256(utf8(DOMAINS[domain]), salt, utf8(value));
}

/** What opens one commitment of a certificate. */
export interface Opening {
  readonly name: 'email';
  /** base64url of 32 bytes. */
  readonly salt: string;
  readonly value: string;
}

/** The holder's own file: with it they can show that a certificate is about their account. Whoever made it kept no copy. */
export interface Openings {
  readonly format: 'yuanyou-openings/v1';
  readonly caseNumber: string;
  readonly openings: readonly Opening[];
}

const openingsFile = object<Openings>({
  format: oneOf('yuanyou-openings/v1'),
  caseNumber: text(1, 40, /^[A-Za-z0-9-]+$/),
  openings: list(object<Opening>({ name: oneOf('email'), salt: bytes(SALT_BYTES), value: text(1, 320) }), 8),
});

/** The opening of an email commitment, for the holder's file. */
export function openingOfEmail(email: string, salt: Uint8Array): Opening {
  emailCommitment(email, salt);
  return { name: 'email', salt: base64url(salt), value: email };
}

/**
 * The holder's file as text: JSON with two spaces of indentation and a final newline.
 *
 * @throws ProofError `proof/shape`.
 */
export function formatOpenings(openings: Openings): string {
  return `${JSON.stringify(openingsFile(openings, 'openings'), null, 2)}\n`;
}

/**
 * Reads a holder's file of at most 16 KiB.
 *
 * @throws ProofError `proof/too-large`, `proof/json` or `proof/shape`.
 */
export function parseOpenings(source: string): Openings {
  if (source.length > 16_384) throw new ProofError('proof/too-large', 'the openings are too large');
  return openingsFile(parseJson(source, 'the openings'), 'openings');
}

/**
 * Verifies that a holder's file opens the commitments of a certificate. The certificate itself is verified by {@link verifyBundle}.
 *
 * @throws ProofError `proof/mismatch` when it is another case's file, opens nothing, or a value is not the one committed to.
 */
export function verifyOpenings(openings: Openings, statement: ClosureStatement): void {
  if (openings.caseNumber !== statement.credentialSubject.caseNumber) {
    throw new ProofError('proof/mismatch', 'the openings are of another case');
  }
  if (openings.openings.length === 0) throw new ProofError('proof/mismatch', 'the file opens nothing');
  const committed = fromBase64url(statement.credentialSubject.emailCommitment, 'the commitment', 32);
  for (const opening of openings.openings) {
    const computed = emailCommitment(opening.value, fromBase64url(opening.salt, 'the salt', SALT_BYTES));
    if (!equalBytes(computed, committed)) throw new ProofError('proof/mismatch', `the ${opening.name} is not the one committed to`);
  }
}
