import { p256 } from '@noble/curves/nist.js';
import { base64url, concat, fromBase64url, fromUtf8, utf8 } from './bytes.ts';
import { ProofError } from './error.ts';
import { object, oneOf, parseJson, text } from './shape.ts';
import { type ClosureStatement, formatStatement, parseStatement, STATEMENT_LIMITS } from './statement.ts';

/** Protected header of a certificate: a JWS of type `vc+jwt` (VC-JOSE-COSE), signed with ES256 (RFC 7518 section 3.4). */
export interface CertificateHeader {
  readonly alg: 'ES256';
  readonly typ: 'vc+jwt';
  /** Names the issuer's key in a trust file. */
  readonly kid: string;
}

/** A certificate taken apart; its signature is not verified. */
export interface Certificate {
  readonly header: CertificateHeader;
  readonly statement: ClosureStatement;
  /** What was signed: ASCII bytes of header and payload. */
  readonly signingInput: Uint8Array;
  /** r || s, 64 bytes. */
  readonly signature: Uint8Array;
}

/** An elliptic-curve public key as a JWK (RFC 7517, RFC 7518 section 6.2), of the curve that ES256 uses. */
export interface IssuerJwk {
  readonly kty: 'EC';
  readonly crv: 'P-256';
  /** Coordinates, base64url of 32 bytes each. */
  readonly x: string;
  readonly y: string;
}

const KEY_ID = text(1, 120, /^[\x21-\x7e]+$/);

const header = object<CertificateHeader>({ alg: oneOf('ES256'), typ: oneOf('vc+jwt'), kid: KEY_ID });

/** Bounds a compact JWS: a statement at its largest in base64url, and room for header and signature. */
const MAX_JWS_LENGTH = Math.ceil(STATEMENT_LIMITS.bytes * 4 / 3) + 1024;

/**
 * The bytes that the issuer signs with ES256: `base64url(header).base64url(statement)` in ASCII (RFC 7515 section 5.1).
 *
 * @throws ProofError `proof/shape` or `proof/too-large` for a statement that no verifier would accept.
 */
export function signingInput(statement: ClosureStatement, protectedHeader: CertificateHeader): Uint8Array {
  const head = JSON.stringify(header(protectedHeader, 'header'));
  return utf8(`${base64url(utf8(head))}.${base64url(utf8(formatStatement(statement)))}`);
}

/**
 * The compact JWS from what was signed and its signature.
 *
 * @param signature - raw r || s, 64 bytes.
 * @throws ProofError `proof/jws` when the parts do not make a certificate.
 */
export function assemble(input: Uint8Array, signature: Uint8Array): string {
  const jws = `${fromUtf8(input, 'the signing input')}.${base64url(signature)}`;
  parseCertificate(jws);
  return jws;
}

/**
 * Takes a compact JWS apart, strictly: three canonical base64url parts, exactly our header fields, a canonical statement.
 *
 * @throws ProofError `proof/jws`, `proof/encoding`, `proof/too-large` or what {@link parseStatement} throws.
 */
export function parseCertificate(jws: string): Certificate {
  if (jws.length > MAX_JWS_LENGTH) throw new ProofError('proof/too-large', 'the certificate is too large');
  const parts = jws.split('.');
  if (parts.length !== 3) throw new ProofError('proof/jws', 'not a compact JWS');
  const [head, payload, signature] = parts as [string, string, string];
  const headJson = fromUtf8(fromBase64url(head, 'the header'), 'the header');
  const parsedHeader = header(parseJson(headJson, 'the header'), 'header');
  if (JSON.stringify(parsedHeader) !== headJson) throw new ProofError('proof/not-canonical', 'the header is not in its canonical form');
  return {
    header: parsedHeader,
    statement: parseStatement(fromUtf8(fromBase64url(payload, 'the statement'), 'the statement')),
    signingInput: utf8(`${head}.${payload}`),
    signature: fromBase64url(signature, 'the signature', 64),
  };
}

/**
 * Verifies a certificate's signature with the issuer's key (ES256: ECDSA on P-256 with SHA-256).
 *
 * A second valid signature (r, n - s) exists for each; it makes another JWS and so another leaf, which the log does not have.
 *
 * @throws ProofError `proof/signature`; `proof/shape` for a key that is no point of the curve.
 */
export function verifyCertificate(certificate: Certificate, jwk: IssuerJwk): void {
  const publicKey = pointOfJwk(jwk);
  let good = false;
  try {
    good = p256.verify(certificate.signature, certificate.signingInput, publicKey, { lowS: false, format: 'compact', prehash: true });
  } catch {
    good = false;
  }
  if (!good) throw new ProofError('proof/signature', 'the signature of the certificate does not verify');
}

const issuerJwk = object<IssuerJwk>({ kty: oneOf('EC'), crv: oneOf('P-256'), x: text(43, 43), y: text(43, 43) });

/**
 * Reads a JWK: exactly these four members, and a point of the curve.
 *
 * @throws ProofError `proof/shape` or `proof/encoding`.
 */
export function parseIssuerJwk(value: unknown, place: string): IssuerJwk {
  const jwk = issuerJwk(value, place);
  pointOfJwk(jwk);
  return jwk;
}

/** Uncompressed point (SEC 1 section 2.3.3), 65 bytes. */
function pointOfJwk(jwk: IssuerJwk): Uint8Array {
  const point = concat(Uint8Array.of(0x04), fromBase64url(jwk.x, 'x', 32), fromBase64url(jwk.y, 'y', 32));
  if (!p256.utils.isValidPublicKey(point, false)) throw new ProofError('proof/shape', 'the key is not a point of the curve');
  return point;
}

/** SubjectPublicKeyInfo of an uncompressed P-256 key up to the point itself (RFC 5480). */
const SPKI_PREFIX = Uint8Array.of(
  0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,
  0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
);

/**
 * The JWK of a P-256 key given as SubjectPublicKeyInfo in DER (91 bytes, RFC 5480), as key stores export it.
 *
 * @throws ProofError `proof/shape` for another algorithm, curve or form.
 */
export function jwkOfSpki(der: Uint8Array): IssuerJwk {
  if (der.length !== SPKI_PREFIX.length + 64 || SPKI_PREFIX.some((byte, at) => der[at] !== byte)) {
    throw new ProofError('proof/shape', 'not an uncompressed P-256 public key');
  }
  const at = SPKI_PREFIX.length;
  const jwk: IssuerJwk = { kty: 'EC', crv: 'P-256', x: base64url(der.subarray(at, at + 32)), y: base64url(der.subarray(at + 32)) };
  pointOfJwk(jwk);
  return jwk;
}

/** SubjectPublicKeyInfo of an Ed25519 key up to the key itself (RFC 8410). */
const ED25519_SPKI_PREFIX = Uint8Array.of(0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00);

/**
 * The 32 bytes of an Ed25519 key given as SubjectPublicKeyInfo in DER (44 bytes, RFC 8410), for {@link verifierKey}.
 *
 * @throws ProofError `proof/shape`.
 */
export function ed25519OfSpki(der: Uint8Array): Uint8Array {
  if (der.length !== ED25519_SPKI_PREFIX.length + 32 || ED25519_SPKI_PREFIX.some((byte, at) => der[at] !== byte)) {
    throw new ProofError('proof/shape', 'not an Ed25519 public key');
  }
  return der.slice(ED25519_SPKI_PREFIX.length);
}
