import { type Bundle, inclusionOf, parseBundle } from './bundle.ts';
import { fromBase64url, fromUtf8 } from './bytes.ts';
import { type Certificate, parseCertificate, verifyCertificate } from './certificate.ts';
import { type Checkpoint, parseCheckpoint } from './checkpoint.ts';
import { certificateLeaf, SALT_BYTES } from './commitment.ts';
import { ProofError, type ProofErrorCode } from './error.ts';
import { leafHash, verifyInclusion } from './merkle.ts';
import { isSameKey, type Note, parseNote, type VerifiedNote, type VerifierKey, verifyNote } from './note.ts';
import type { ClosureStatement } from './statement.ts';
import { type IssuerKey, logKey, type Trust, witnessKeys } from './trust.ts';

/** What is checked of a bundle, in this order. */
export type CheckName =
  | 'form'
  | 'certificate'
  | 'issuer-key'
  | 'signature'
  | 'checkpoint'
  | 'inclusion'
  | 'log-key'
  | 'log-signature'
  | 'witnesses'
  | 'time';

/** The finding of one check. A check that rests on one without a result is left out. */
export interface Check {
  readonly name: CheckName;
  readonly ok: boolean;
  /** One sentence without its full stop. */
  readonly reason: string;
  /** Absent when it is ok. `proof/unknown-key` and `proof/missing-evidence` ask for more; every other code refuses. */
  readonly code?: ProofErrorCode;
}

/**
 * What a verification found.
 *
 * - `valid`: every check is ok.
 * - `invalid`: at least one check failed.
 * - `needs-more`: nothing failed, but a key is not in the trust file, or the certificate came without its log evidence.
 */
export interface Verification {
  readonly ok: boolean;
  readonly outcome: 'valid' | 'invalid' | 'needs-more';
  readonly checks: readonly Check[];
  /** What the certificate says; believe it only when `ok`. Absent when it cannot be read. */
  readonly statement?: ClosureStatement;
}

/** How far a clock may be behind another before a time counts as in the future, in milliseconds. */
const CLOCK_TOLERANCE_MS = 5 * 60_000;

/**
 * Verifies a closure bundle offline. Never throws for what the file contains.
 *
 * @param file - the bundle's bytes as they were received; a bare certificate (compact JWS) is checked as far as it goes.
 * @param trust - from {@link parseTrust}; a bundle never supplies the keys it is verified with.
 * @param now - when given, times in the future are refused.
 */
export function verifyBundle(file: Uint8Array, trust: Trust, now?: Date): Verification {
  const checks = new Checks();
  const bundle = checks.run('form', () => found(parseBundle(file), 'the file is a closure bundle, byte for byte as one is written'));
  if (bundle === undefined) return verifyBareCertificate(file, trust) ?? checks.result(undefined);

  const certificate = checkCertificate(checks, bundle.certificate, trust);
  const log = checkTree(checks, bundle);
  const signed = log === undefined ? undefined : checkLog(checks, log, trust);
  if (now !== undefined && certificate !== undefined) checkTime(checks, certificate, signed, now);
  return checks.result(certificate?.statement);
}

/** A compact JWS alone shows who issued it, not that it is in the log. Undefined when the file is something else. */
function verifyBareCertificate(file: Uint8Array, trust: Trust): Verification | undefined {
  const checks = new Checks();
  let jws: string;
  try {
    jws = fromUtf8(file, 'the file').replace(/\n$/, '');
    parseCertificate(jws);
  } catch {
    return undefined;
  }
  const certificate = checkCertificate(checks, jws, trust);
  checks.run('inclusion', () => {
    throw new ProofError('proof/missing-evidence', 'the certificate alone does not show that it is in the log: verify its bundle');
  });
  return checks.result(certificate?.statement);
}

function checkCertificate(checks: Checks, jws: string, trust: Trust): Certificate | undefined {
  const certificate = checks.run('certificate', () => {
    const parsed = parseCertificate(jws);
    return found(parsed, `the certificate is well formed, case ${parsed.statement.credentialSubject.caseNumber}`);
  });
  if (certificate === undefined) return undefined;
  const key = checks.run('issuer-key', () => {
    const issuer = issuerKeyOf(certificate, trust);
    return found(issuer, `the trust file names the key ${issuer.kid} of ${issuer.issuer}, fingerprint ${issuer.fingerprint}`);
  });
  if (key !== undefined) {
    checks.run('signature', () => {
      verifyCertificate(certificate, key.jwk);
      return found(true, 'the certificate is signed with that key');
    });
  }
  return certificate;
}

function issuerKeyOf(certificate: Certificate, trust: Trust): IssuerKey {
  const key = trust.issuerKeys.find((candidate) => candidate.kid === certificate.header.kid);
  if (key === undefined) throw new ProofError('proof/unknown-key', 'the trust file does not name the key that signed the certificate');
  if (key.issuer !== certificate.statement.issuer.id) {
    throw new ProofError('proof/mismatch', 'the key belongs to another issuer than the certificate names');
  }
  if (key.retiredAt !== undefined && certificate.statement.validFrom > key.retiredAt) {
    throw new ProofError('proof/mismatch', 'the key was retired before the certificate was issued');
  }
  return key;
}

interface LogFinding {
  readonly note: Note;
  readonly checkpoint: Checkpoint;
}

function checkTree(checks: Checks, bundle: Bundle): LogFinding | undefined {
  const finding = checks.run('checkpoint', () => {
    const note = parseNote(bundle.log.checkpoint);
    const checkpoint = parseCheckpoint(note.text);
    if (checkpoint.origin !== bundle.log.origin) {
      throw new ProofError('proof/mismatch', 'the checkpoint is of another log than the bundle says');
    }
    if (checkpoint.size !== bundle.log.treeSize) {
      throw new ProofError('proof/mismatch', 'the checkpoint has another tree size than the bundle says');
    }
    return found({ note, checkpoint }, `the checkpoint is of ${checkpoint.origin} at ${checkpoint.size} leaves`);
  });
  if (finding === undefined) return undefined;
  checks.run('inclusion', () => {
    const entry = certificateLeaf(bundle.certificate, fromBase64url(bundle.salt, 'the salt', SALT_BYTES));
    verifyInclusion(leafHash(entry), bundle.log.index, finding.checkpoint.size, finding.checkpoint.root, inclusionOf(bundle.log));
    return found(true, `the certificate is leaf ${bundle.log.index} of that tree`);
  });
  return finding;
}

function checkLog(checks: Checks, log: LogFinding, trust: Trust): VerifiedNote | undefined {
  const key = checks.run('log-key', () => {
    const known = logKey(trust, log.checkpoint.origin);
    if (known === undefined) throw new ProofError('proof/unknown-key', 'the trust file does not name this log');
    return found(known, `the trust file names the key ${known.keyId} of that log`);
  });
  if (key === undefined) return undefined;
  const verified = checks.run('log-signature', () => {
    const signed = verifyNote(log.note, [key, ...witnessKeys(trust)]);
    if (!signed.verified.some((signature) => isSameKey(signature.key, key))) {
      throw new ProofError('proof/signature', 'the checkpoint is not signed with the key of its log');
    }
    return found(signed, 'the checkpoint is signed with that key');
  });
  if (verified !== undefined) checks.run('witnesses', () => found(true, witnessed(verified, key, trust)));
  return verified;
}

function witnessed(note: VerifiedNote, log: VerifierKey, trust: Trust): string {
  const witnesses = note.verified.filter((signature) => !isSameKey(signature.key, log));
  const threshold = trust.witnessPolicy?.threshold ?? 0;
  // A line that nothing checks could be changed unseen, so a bundle with one is not accepted as it is.
  if (note.unknown.length > 0) {
    throw new ProofError('proof/unknown-key', 'the checkpoint has a signature of a key that the trust file does not name');
  }
  if (witnesses.length < threshold) {
    throw new ProofError('proof/missing-evidence', `the checkpoint has ${witnesses.length} of the ${threshold} cosignatures asked for`);
  }
  return threshold === 0 ? 'the trust file asks for no witness' : `${witnesses.length} of the named witnesses cosigned the checkpoint`;
}

function checkTime(checks: Checks, certificate: Certificate, signed: VerifiedNote | undefined, now: Date): void {
  checks.run('time', () => {
    const latest = now.getTime() + CLOCK_TOLERANCE_MS;
    if (Date.parse(certificate.statement.validFrom) > latest) {
      throw new ProofError('proof/mismatch', 'the certificate is dated in the future');
    }
    if (signed?.verified.some(({ timestamp }) => timestamp !== undefined && timestamp * 1000 > latest) === true) {
      throw new ProofError('proof/mismatch', 'a cosignature is dated in the future');
    }
    return found(true, `the certificate was issued at ${certificate.statement.validFrom}`);
  });
}

interface Found<T> {
  readonly value: T;
  readonly reason: string;
}

function found<T>(value: T, reason: string): Found<T> {
  return { value, reason };
}

/** Collects the findings; a check that throws a ProofError is a finding too. */
class Checks {
  readonly #checks: Check[] = [];

  run<T>(name: CheckName, check: () => Found<T>): T | undefined {
    try {
      const { value, reason } = check();
      this.#checks.push({ name, ok: true, reason });
      return value;
    } catch (error) {
      if (!(error instanceof ProofError)) throw error;
      this.#checks.push({ name, ok: false, reason: error.message, code: error.code });
      return undefined;
    }
  }

  result(statement: ClosureStatement | undefined): Verification {
    const failed = this.#checks.filter((check) => !check.ok);
    const invalid = failed.some(({ code }) => code !== 'proof/unknown-key' && code !== 'proof/missing-evidence');
    const outcome = failed.length === 0 ? 'valid' : invalid ? 'invalid' : 'needs-more';
    const verification = { ok: outcome === 'valid', outcome, checks: this.#checks } as const;
    return statement === undefined ? verification : { ...verification, statement };
  }
}
