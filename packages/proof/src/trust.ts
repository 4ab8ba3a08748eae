import { base64url, fromUtf8, hex, sha256, utf8 } from './bytes.ts';
import { type IssuerJwk, parseIssuerJwk } from './certificate.ts';
import { ProofError } from './error.ts';
import { parseVerifierKey, type VerifierKey } from './note.ts';
import { instant, integer, list, object, oneOf, optional, parseJson, text } from './shape.ts';

/** A key that signs certificates, and the issuer that it signs for. */
export interface IssuerKey {
  readonly kid: string;
  /** The `issuer.id` of the certificates that this key may sign. */
  readonly issuer: string;
  readonly jwk: IssuerJwk;
  /** RFC 7638 thumbprint of the JWK with SHA-256, base64url. */
  readonly fingerprint: string;
  /** Certificates issued after this instant are refused. */
  readonly retiredAt?: string;
}

/** A log whose checkpoints are believed. */
export interface TrustedLog {
  readonly origin: string;
  /** Verifier key of type Ed25519, named like the origin. */
  readonly vkey: string;
}

/** How many of these witnesses must have cosigned a checkpoint. */
export interface WitnessPolicy {
  readonly threshold: number;
  /** Verifier keys of type cosignature/v1. */
  readonly witnesses: readonly string[];
}

/** What a verifier believes in: the file given to `--trust`. */
export interface Trust {
  readonly format: 'yuanyou-trust/v1';
  readonly issuerKeys: readonly IssuerKey[];
  readonly logs: readonly TrustedLog[];
  readonly witnessPolicy?: WitnessPolicy;
}

const issuerKey = object<IssuerKey>({
  kid: text(1, 120, /^[\x21-\x7e]+$/),
  issuer: text(9, 240, /^https?:\/\/[^\s#?]+$/),
  jwk: parseIssuerJwk,
  fingerprint: text(43, 43),
  retiredAt: optional(instant),
});

const trust = object<Trust>({
  format: oneOf('yuanyou-trust/v1'),
  issuerKeys: list(issuerKey, 64),
  logs: list(object<TrustedLog>({ origin: text(1, 255), vkey: text(1, 512) }), 64),
  witnessPolicy: optional(object<WitnessPolicy>({ threshold: integer(0, 32), witnesses: list(text(1, 512), 32) })),
});

/** RFC 7638 thumbprint of a P-256 JWK with SHA-256, base64url: what to compare by eye. */
export function issuerFingerprint(jwk: IssuerJwk): string {
  return base64url(sha256(utf8(`{"crv":"${jwk.crv}","kty":"${jwk.kty}","x":"${jwk.x}","y":"${jwk.y}"}`)));
}

/** An entry of a trust file for a key, its fingerprint computed. */
export function issuerKeyOf(kid: string, issuer: string, jwk: IssuerJwk, retiredAt?: string): IssuerKey {
  const fingerprint = issuerFingerprint(jwk);
  return retiredAt === undefined ? { kid, issuer, jwk, fingerprint } : { kid, issuer, jwk, fingerprint, retiredAt };
}

/** The keys of a trust file's logs by origin. */
export function logKey(source: Trust, origin: string): VerifierKey | undefined {
  const log = source.logs.find((candidate) => candidate.origin === origin);
  return log === undefined ? undefined : parseVerifierKey(log.vkey);
}

/** The keys of a trust file's witnesses; empty without a policy. */
export function witnessKeys(source: Trust): VerifierKey[] {
  return (source.witnessPolicy?.witnesses ?? []).map(parseVerifierKey);
}

/**
 * Reads a trust file of at most 256 KiB. Unlike a bundle it may be laid out freely, for people write it.
 *
 * @throws ProofError `proof/shape` also when a fingerprint is not that of its key, a key or log is named twice, or a threshold cannot be
 * reached.
 */
export function parseTrust(file: string | Uint8Array): Trust {
  if (file.length > 262_144) throw new ProofError('proof/too-large', 'the trust file is too large');
  const source = typeof file === 'string' ? file : fromUtf8(file, 'the trust file');
  return checkTrust(trust(parseJson(source, 'the trust file'), 'trust'));
}

/**
 * A trust file as text: JSON with two spaces of indentation and a final newline.
 *
 * @throws ProofError as {@link parseTrust}.
 */
export function formatTrust(value: Trust): string {
  return `${JSON.stringify(checkTrust(trust(value, 'trust')), null, 2)}\n`;
}

/** Fingerprint of a trust file's bytes: SHA-256 in hexadecimal. */
export function trustFingerprint(file: Uint8Array): string {
  return hex(sha256(file));
}

function checkTrust(value: Trust): Trust {
  const kids = value.issuerKeys.map((key) => key.kid);
  const origins = value.logs.map((log) => log.origin);
  if (new Set(kids).size !== kids.length) throw new ProofError('proof/shape', 'the trust file names an issuer key twice');
  if (new Set(origins).size !== origins.length) throw new ProofError('proof/shape', 'the trust file names a log twice');
  for (const key of value.issuerKeys) {
    if (issuerFingerprint(key.jwk) !== key.fingerprint) {
      throw new ProofError('proof/shape', `the fingerprint of the issuer key ${key.kid} is not that of its key`);
    }
  }
  for (const log of value.logs) {
    const key = parseVerifierKey(log.vkey);
    if (key.type !== 'ed25519' || key.name !== log.origin) {
      throw new ProofError('proof/shape', `the key of the log ${log.origin} is not its own`);
    }
  }
  checkWitnesses(value.witnessPolicy);
  return value;
}

function checkWitnesses(policy: WitnessPolicy | undefined): void {
  if (policy === undefined) return;
  const keys = policy.witnesses.map(parseVerifierKey);
  if (keys.some((key) => key.type !== 'cosignature/v1')) {
    throw new ProofError('proof/shape', 'a witness key is not of the cosignature type');
  }
  // By key, not by name: one witness under two names must not count twice.
  const distinct = new Set(keys.map((key) => hex(key.publicKey))).size;
  if (distinct !== keys.length) throw new ProofError('proof/shape', 'the trust file names a witness twice');
  if (policy.threshold > keys.length) throw new ProofError('proof/shape', 'more witnesses are asked for than are named');
}
