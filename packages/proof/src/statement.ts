import { ProofError } from './error.ts';
import { bytes, exactly, instant, integer, list, object, oneOf, optional, parseJson, type Shape, text } from './shape.ts';

/** Bounds of a statement: bytes of its JSON, and rows of each list. */
export const STATEMENT_LIMITS = { bytes: 262_144, rows: 500 } as const;

const CONTEXT = ['https://www.w3.org/ns/credentials/v2', 'https://www.w3.org/ns/credentials/undefined-terms/v2'] as const;
const TYPE = ['VerifiableCredential', 'ClosureCertificate'] as const;

/** A service that was stopped: one line of the account. */
export interface StoppedLine {
  /** Last four digits of the profile's ICCID. */
  readonly iccidTail: string;
  /** The operator at which the service ended. */
  readonly operator: string;
  /** When ending was asked for, and when it took effect: RFC 3339 in UTC with milliseconds. */
  readonly requestedAt: string;
  readonly effectiveAt: string;
  /** Whether the operator confirmed the end. */
  readonly service: 'terminated' | 'not-confirmed';
  /** What is known of the profile on the device: its signed delete notification came, the traveller says so, neither, or it never was. */
  readonly device: 'deleted' | 'reported-deleted' | 'not-confirmed' | 'never-installed';
}

/** An amount that left the account, or that the traveller gave up. */
export interface PaidAmount {
  readonly kind: 'refund' | 'payout' | 'transfer' | 'donation' | 'given-up';
  readonly credit: 'cash' | 'promotional';
  /** Integer, in minor units of the currency. */
  readonly amountMinor: number;
  /** ISO 4217. */
  readonly currency: string;
  /** Where to, masked: no `@`, no five digits in a row. */
  readonly to: string;
  readonly state: 'paid' | 'pending' | 'failed' | 'not-due';
  readonly at: string;
}

/** What was erased, as the service names its stores, and how many rows or files that was. */
export interface ErasedRows {
  readonly what: string;
  readonly count: number;
}

/** What is kept, why, and until when. */
export interface KeptField {
  readonly field: string;
  readonly ground: 'legal-obligation' | 'contract' | 'legitimate-interest' | 'consent';
  /** The law or contract, in words. */
  readonly basis: string;
  /** ISO 3166-1 alpha-2, or `EU`. */
  readonly jurisdiction: string;
  readonly until: string;
}

/** Someone who had received data of the account and was told of the closure. */
export interface ToldRecipient {
  readonly recipient: string;
  readonly kind: 'operator' | 'payment-processor' | 'message-gateway' | 'other';
  readonly state: 'acknowledged' | 'not-confirmed';
  readonly at: string;
  /** The recipient's receipt, where it gave one. */
  readonly receipt?: string;
}

/** What a closure certificate says of an account; it names nobody. */
export interface ClosureSubject {
  readonly type: 'AccountClosure';
  readonly caseNumber: string;
  /** When the application was made, and when its execution ended. */
  readonly requestedAt: string;
  readonly closedAt: string;
  /** Salted commitment to the account's email ({@link emailCommitment}), base64url of 32 bytes. */
  readonly emailCommitment: string;
  readonly stopped: readonly StoppedLine[];
  readonly paid: readonly PaidAmount[];
  readonly erased: readonly ErasedRows[];
  readonly kept: readonly KeptField[];
  readonly told: readonly ToldRecipient[];
  /** The latest time at which the key of the sealed case envelope is destroyed. */
  readonly envelopeDestroyedBy: string;
}

/** A closure certificate: a W3C Verifiable Credential (data model 2.0). */
export interface ClosureStatement {
  readonly '@context': typeof CONTEXT;
  /** `urn:uuid:` and the certificate's id. */
  readonly id: string;
  readonly type: typeof TYPE;
  readonly issuer: { readonly id: string; readonly name: string };
  /** When it was issued. */
  readonly validFrom: string;
  readonly credentialSubject: ClosureSubject;
}

/** The parts of a statement that are not always the same. */
export interface ClosureFacts {
  /** UUID of the certificate. */
  readonly certificateId: string;
  /** The service: an https URL, and its name. */
  readonly issuer: { readonly id: string; readonly name: string };
  readonly validFrom: string;
  readonly subject: Omit<ClosureSubject, 'type'>;
}

const name = text(1, 120);
const code = text(1, 120, /^[a-z0-9][a-z0-9._:/-]*$/i);
const masked = text(1, 80, /^(?!.*@)(?!.*(?:\d[ -]?){5}).*$/);

const stoppedLine = object<StoppedLine>({
  iccidTail: text(4, 4, /^\d{4}$/),
  operator: name,
  requestedAt: instant,
  effectiveAt: instant,
  service: oneOf('terminated', 'not-confirmed'),
  device: oneOf('deleted', 'reported-deleted', 'not-confirmed', 'never-installed'),
});

const paidAmount = object<PaidAmount>({
  kind: oneOf('refund', 'payout', 'transfer', 'donation', 'given-up'),
  credit: oneOf('cash', 'promotional'),
  amountMinor: integer(0, Number.MAX_SAFE_INTEGER),
  currency: text(3, 3, /^[A-Z]{3}$/),
  to: masked,
  state: oneOf('paid', 'pending', 'failed', 'not-due'),
  at: instant,
});

const keptField = object<KeptField>({
  field: code,
  ground: oneOf('legal-obligation', 'contract', 'legitimate-interest', 'consent'),
  basis: text(1, 240),
  jurisdiction: text(2, 2, /^[A-Z]{2}$/),
  until: instant,
});

const toldRecipient = object<ToldRecipient>({
  recipient: name,
  kind: oneOf('operator', 'payment-processor', 'message-gateway', 'other'),
  state: oneOf('acknowledged', 'not-confirmed'),
  at: instant,
  receipt: optional(text(1, 120)),
});

const closureSubject = object<ClosureSubject>({
  type: oneOf('AccountClosure'),
  caseNumber: text(1, 40, /^[A-Za-z0-9-]+$/),
  requestedAt: instant,
  closedAt: instant,
  emailCommitment: bytes(32),
  stopped: list(stoppedLine, STATEMENT_LIMITS.rows),
  paid: list(paidAmount, STATEMENT_LIMITS.rows),
  erased: list(object<ErasedRows>({ what: code, count: integer(0, Number.MAX_SAFE_INTEGER) }), STATEMENT_LIMITS.rows),
  kept: list(keptField, STATEMENT_LIMITS.rows),
  told: list(toldRecipient, STATEMENT_LIMITS.rows),
  envelopeDestroyedBy: instant,
});

/** Takes an untrusted statement apart; the fields of its answer are in canonical order. */
const closureStatement: Shape<ClosureStatement> = object<ClosureStatement>({
  '@context': exactly(...CONTEXT),
  id: text(45, 45, /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/),
  type: exactly(...TYPE),
  issuer: object<ClosureStatement['issuer']>({ id: text(9, 240, /^https?:\/\/[^\s#?]+$/), name }),
  validFrom: instant,
  credentialSubject: closureSubject,
});

/**
 * The statement over these facts, in canonical order.
 *
 * @throws ProofError `proof/shape` for facts that a certificate may not carry, for example an unmasked address.
 */
export function closureStatementOf(facts: ClosureFacts): ClosureStatement {
  return closureStatement({
    '@context': CONTEXT,
    id: `urn:uuid:${facts.certificateId}`,
    type: TYPE,
    issuer: facts.issuer,
    validFrom: facts.validFrom,
    credentialSubject: { ...facts.subject, type: 'AccountClosure' },
  }, 'statement');
}

/**
 * The one serialisation of a statement: JSON without white space, fields in the order of {@link ClosureStatement}.
 *
 * @throws ProofError `proof/shape` or `proof/too-large`.
 */
export function formatStatement(statement: ClosureStatement): string {
  const json = JSON.stringify(closureStatement(statement, 'statement'));
  if (json.length > STATEMENT_LIMITS.bytes) throw new ProofError('proof/too-large', 'the statement is too large');
  return json;
}

/**
 * Reads a statement; only the text that {@link formatStatement} writes is accepted.
 *
 * @throws ProofError `proof/too-large`, `proof/json`, `proof/shape` or `proof/not-canonical`.
 */
export function parseStatement(json: string): ClosureStatement {
  if (json.length > STATEMENT_LIMITS.bytes) throw new ProofError('proof/too-large', 'the statement is too large');
  const statement = closureStatement(parseJson(json, 'the statement'), 'statement');
  if (JSON.stringify(statement) !== json) throw new ProofError('proof/not-canonical', 'the statement is not in its canonical form');
  return statement;
}
