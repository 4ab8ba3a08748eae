import { randomBytes } from 'node:crypto';
import type { Language } from '@yuanyou/contract';
import { ServiceError } from '../platform/errors.ts';
import type { Tx } from '../platform/db/index.ts';
import type { Case } from './model.ts';
import type { ClosureDeps } from './ports.ts';
import * as store from './store.ts';

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

/**
 * The envelope's key is its own, so that destroying it leaves nothing of the address; and it is each execution's own, because a key that
 * was destroyed when an execution was undone never comes back.
 */
export const envelopeSubject = (executionId: string): string => `case:${executionId}`;

/** The execution whose envelope has this subject. */
export function executionOfSubject(subjectId: string): string | undefined {
  return subjectId.startsWith('case:') ? subjectId.slice('case:'.length) : undefined;
}

/** Seals a new envelope for a case. */
export async function sealEnvelope(deps: Pick<ClosureDeps, 'dataKeys' | 'accounts'>, theCase: Case, executionId: string): Promise<Buffer> {
  const to = await deps.accounts.contactPoint(theCase.accountId);
  if (to === undefined) throw new ServiceError('closure/no-such-case', { caseNumber: theCase.caseNumber });
  const envelope: Envelope = {
    email: to.email, language: to.language, emailSalt: randomBytes(32).toString('hex'), leafSalt: randomBytes(32).toString('hex'),
    exportToken: randomBytes(32).toString('base64url'),
  };
  return deps.dataKeys.seal(envelopeSubject(executionId), context, JSON.stringify(envelope));
}

/** Opens the envelope; undefined once it was destroyed. */
export async function openEnvelope(deps: Pick<ClosureDeps, 'dataKeys'>, theCase: Case): Promise<Envelope | undefined> {
  if (theCase.envelope === null || theCase.executionId === null) return undefined;
  return JSON.parse(await deps.dataKeys.openText(envelopeSubject(theCase.executionId), context, theCase.envelope)) as Envelope;
}

/** Opens an envelope that a step cannot do without. */
export async function requireEnvelope(deps: Pick<ClosureDeps, 'dataKeys'>, theCase: Case): Promise<Envelope> {
  const envelope = await openEnvelope(deps, theCase);
  if (envelope === undefined) throw new ServiceError('closure/no-such-case', { caseNumber: theCase.caseNumber, envelope: 'destroyed' });
  return envelope;
}

/** Ends an envelope for good: its messages are erased, it leaves the case, its key is destroyed. Repeatable. */
export async function destroyEnvelopeOf(
  deps: Pick<ClosureDeps, 'dataKeys' | 'notifications' | 'clock'>, transaction: <T>(work: (tx: Tx) => Promise<T>) => Promise<T>,
  of: { readonly caseId: string; readonly executionId: string },
): Promise<void> {
  const subject = envelopeSubject(of.executionId);
  await transaction(async (tx) => {
    await deps.notifications.suppress(tx, subject);
    await deps.notifications.eraseTexts(tx, subject);
    await store.dropEnvelope(tx, of.caseId, deps.clock.now());
  });
  await deps.dataKeys.destroy(subject, `closure:${of.caseId}`);
}

/** Envelopes whose certificate promised an earlier end: whatever holds their closure up, the promise is kept. */
export async function destroyOverdue(deps: Pick<ClosureDeps, 'db' | 'dataKeys' | 'notifications' | 'clock' | 'settings'>): Promise<number> {
  const overdue = await store.overdueEnvelopes(deps.db, new Date(deps.clock.now().getTime() - deps.settings.envelopeLifeMs), 100);
  for (const of of overdue) await destroyEnvelopeOf(deps, (work) => deps.db.transaction(work), of);
  return overdue.length;
}
