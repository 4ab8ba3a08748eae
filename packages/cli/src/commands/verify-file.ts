import {
  BUNDLE_LIMIT_BYTES, type ClosureStatement, type PaidAmount, parseOpenings, parseTrust, ProofError, type Trust, trustFingerprint,
  type Verification, verifyBundle, verifyOpenings,
} from '@yuanyou/proof';
import { readBounded } from '../files.ts';
import { type ExitCode, exitCodes, paint, type Terminal, UsageError } from '../terminal.ts';

const SMALL_FILE_BYTES = 262_144;

const CODE_OF = { valid: exitCodes.valid, invalid: exitCodes.invalid, 'needs-more': exitCodes.needsMore } as const;

const LAST_LINE = {
  valid: 'VALID: the certificate is genuine, unchanged, and in the log.',
  invalid: 'INVALID: do not rely on this file.',
  'needs-more': 'NEEDS MORE: nothing is wrong so far, but something is missing that would tell.',
} as const;

interface Finding {
  readonly name: string;
  readonly ok: boolean;
  readonly reason: string;
  readonly code?: string;
}

interface Findings {
  readonly outcome: Verification['outcome'];
  readonly checks: readonly Finding[];
  readonly statement?: ClosureStatement;
}

/** Verifies a bundle file and says so; answers the exit code. */
export function verifyFile(
  file: string, options: { readonly trust: string; readonly openings?: string; readonly json?: true }, terminal: Terminal, now: Date,
): ExitCode {
  const trustBytes = readBounded(options.trust, SMALL_FILE_BYTES);
  const trust = readTrust(options.trust, trustBytes);
  const bundle = readBounded(file, BUNDLE_LIMIT_BYTES);
  const verification = verifyBundle(bundle, trust, now);
  const openings = options.openings === undefined ? undefined : readBounded(options.openings, SMALL_FILE_BYTES);
  const findings = openings === undefined ? verification : withOpenings(verification, openings);
  const trustSha256 = trustFingerprint(trustBytes);
  if (options.json === true) terminal.out(`${JSON.stringify({ ok: findings.outcome === 'valid', ...findings, trustSha256 })}\n`);
  else show(findings, trustSha256, terminal);
  return CODE_OF[findings.outcome];
}

function readTrust(path: string, bytes: Uint8Array): Trust {
  try {
    return parseTrust(bytes);
  } catch (error) {
    if (!(error instanceof ProofError)) throw error;
    throw new UsageError(`${path} is not a trust file: ${error.message}`);
  }
}

function withOpenings(verification: Verification, bytes: Uint8Array): Findings {
  const { statement } = verification;
  if (statement === undefined) return verification;
  let finding: Finding;
  try {
    verifyOpenings(parseOpenings(Buffer.from(bytes).toString('utf8')), statement);
    finding = { name: 'openings', ok: true, reason: 'the openings fit the certificate: it is about the account they name' };
  } catch (error) {
    if (!(error instanceof ProofError)) throw error;
    finding = { name: 'openings', ok: false, reason: error.message, code: error.code };
  }
  return { outcome: finding.ok ? verification.outcome : 'invalid', checks: [...verification.checks, finding], statement };
}

function show(findings: Findings, trustSha256: string, terminal: Terminal): void {
  terminal.out(`trust file  sha256 ${trustSha256}\n\n`);
  for (const check of findings.checks) terminal.out(`  ${markOf(check, terminal)}  ${check.name.padEnd(14)} ${check.reason}\n`);
  terminal.out('\n');
  if (findings.outcome === 'valid' && findings.statement !== undefined) terminal.out(`${summaryOf(findings.statement)}\n`);
  const colour = findings.outcome === 'valid' ? 'green' : findings.outcome === 'invalid' ? 'red' : 'yellow';
  terminal.out(`${paint(terminal, colour, LAST_LINE[findings.outcome])}\n`);
}

function markOf(check: Finding, terminal: Terminal): string {
  if (check.ok) return paint(terminal, 'green', 'ok  ');
  const needsMore = check.code === 'proof/unknown-key' || check.code === 'proof/missing-evidence';
  return needsMore ? paint(terminal, 'yellow', 'more') : paint(terminal, 'red', 'FAIL');
}

function summaryOf(statement: ClosureStatement): string {
  const { issuer, credentialSubject: subject } = statement;
  return [
    `Case ${subject.caseNumber}, closed ${subject.closedAt}, certified by ${issuer.name} (${issuer.id})`,
    ...subject.stopped.map((line) => `  stopped  line …${line.iccidTail} at ${line.operator}: ${line.service}, profile ${line.device}`),
    ...subject.paid.map((paid) => `  paid     ${amountOf(paid)} ${paid.credit}, ${paid.kind} to ${paid.to}: ${paid.state}`),
    ...subject.erased.map((erased) => `  erased   ${erased.what}: ${erased.count}`),
    ...subject.kept.map((kept) => `  kept     ${kept.field} until ${kept.until}: ${kept.basis} (${kept.jurisdiction})`),
    ...subject.told.map((told) => `  told     ${told.recipient}: ${told.state}`),
    '',
  ].join('\n');
}

function amountOf(paid: PaidAmount): string {
  const { maximumFractionDigits: digits } = new Intl.NumberFormat('en', { style: 'currency', currency: paid.currency }).resolvedOptions();
  return `${(paid.amountMinor / 10 ** (digits ?? 2)).toFixed(digits ?? 2)} ${paid.currency}`;
}
