import { randomBytes } from 'node:crypto';
import type { Language } from '@yuanyou/contract';
import { ServiceError } from '../platform/errors.ts';
import type { Case } from './model.ts';
import type { ClosureDeps } from './ports.ts';

/** What must outlive the account's erasure for a little while: where the confirmation goes, and the secrets of certificate and export. */
export interface Envelope {
  readonly email: string;
  readonly language: Language;
  /** Hex. */
  readonly emailSalt: string;
  /** Hex. */
  readonly leafSalt: string;
  readonly exportToken: string;
}

const context = 'closure.case.envelope';

/** The envelope's key is its own, so that destroying it leaves nothing of the address. */
export const envelopeSubject = (caseId: string): string => `case:${caseId}`;

/** Seals a new envelope for a case. */
export async function sealEnvelope(deps: Pick<ClosureDeps, 'dataKeys' | 'accounts'>, theCase: Case): Promise<Buffer> {
  const to = await deps.accounts.contactPoint(theCase.accountId);
  if (to === undefined) throw new ServiceError('closure/no-such-case', { caseNumber: theCase.caseNumber });
  const envelope: Envelope = {
    email: to.email, language: to.language, emailSalt: randomBytes(32).toString('hex'), leafSalt: randomBytes(32).toString('hex'),
    exportToken: randomBytes(32).toString('base64url'),
  };
  return deps.dataKeys.seal(envelopeSubject(theCase.caseId), context, JSON.stringify(envelope));
}

/** Opens the envelope; undefined once it was destroyed. */
export async function openEnvelope(deps: Pick<ClosureDeps, 'dataKeys'>, theCase: Case): Promise<Envelope | undefined> {
  if (theCase.envelope === null) return undefined;
  return JSON.parse(await deps.dataKeys.openText(envelopeSubject(theCase.caseId), context, theCase.envelope)) as Envelope;
}

/** Opens an envelope that a step cannot do without. */
export async function requireEnvelope(deps: Pick<ClosureDeps, 'dataKeys'>, theCase: Case): Promise<Envelope> {
  const envelope = await openEnvelope(deps, theCase);
  if (envelope === undefined) throw new ServiceError('closure/no-such-case', { caseNumber: theCase.caseNumber, envelope: 'destroyed' });
  return envelope;
}
