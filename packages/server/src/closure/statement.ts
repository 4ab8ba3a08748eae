import { closureStatementOf, emailCommitment } from '@yuanyou/proof';
import type { ClosureStatement, ClosureSubject, StoppedLine } from '@yuanyou/proof';
import { isOnDevice } from '../lines/index.ts';
import type { Line } from '../lines/index.ts';
import { newId } from '../platform/ids.ts';
import type { Envelope } from './envelope.ts';
import { daysAfter } from './model.ts';
import type { Case } from './model.ts';
import type { ClosureDeps } from './ports.ts';
import { linesOf } from './steps/step.ts';
import * as store from './store.ts';

function deviceEvidence(line: Line): StoppedLine['device'] {
  if (line.delivery === 'deleted') return 'deleted';
  return isOnDevice(line) ? 'not-confirmed' : 'never-installed';
}

async function stopped(deps: ClosureDeps, theCase: Case): Promise<StoppedLine[]> {
  const found: StoppedLine[] = [];
  const requestedAt = theCase.executingAt ?? theCase.submittedAt;
  for (const line of await linesOf(deps, theCase.accountId)) {
    // What had ended before was not stopped by this closure.
    if (line.terminatedAt !== null && line.terminatedAt < requestedAt) continue;
    found.push({
      iccidTail: await deps.iccidTail(line.profileId), operator: await deps.operatorName(line.operatorId),
      requestedAt: requestedAt.toISOString(), effectiveAt: (line.terminatedAt ?? deps.clock.now()).toISOString(),
      service: line.service === 'terminated' ? 'terminated' : 'not-confirmed', device: deviceEvidence(line),
    });
  }
  return found;
}

async function paid(deps: ClosureDeps, theCase: Case): Promise<ClosureSubject['paid']> {
  const { refunds = [], givenUp = [], settledAt = '' } = theCase.settlement ?? {};
  const states = { requested: 'pending', pending: 'pending', succeeded: 'paid', failed: 'failed' } as const;
  const rows: ClosureSubject['paid'][number][] = [];
  for (const refund of refunds) {
    const status = await deps.payments.refundStatus(deps.db, refund.refundId);
    rows.push({
      kind: 'refund', credit: 'cash', amountMinor: Number(refund.amountMinor), currency: refund.currency, to: refund.method,
      state: states[status ?? 'failed'], at: settledAt,
    });
  }
  for (const given of givenUp) {
    rows.push({
      kind: 'given-up', credit: given.kind === 'balance' ? 'cash' : 'promotional', amountMinor: Number(given.amountMinor), currency: given.currency,
      to: 'nobody: given up by choice', state: 'not-due', at: settledAt,
    });
  }
  return rows;
}

function erased(theCase: Case): ClosureSubject['erased'] {
  return (theCase.erasure?.slices ?? []).flatMap(({ slice, erased: counts }) =>
    Object.entries(counts).filter(([, count]) => count > 0).map(([what, count]) => ({ what: `${slice}.${what}`, count })));
}

/** The statement over what was in fact done, read from what the steps recorded. */
export async function statementFor(deps: ClosureDeps, theCase: Case, envelope: Envelope, now: Date): Promise<ClosureStatement> {
  const { settings } = deps;
  const receipts = await store.receiptsOf(deps.db, theCase.caseId);
  return closureStatementOf({
    certificateId: newId(now.getTime()),
    issuer: settings.issuer,
    validFrom: now.toISOString(),
    subject: {
      caseNumber: theCase.caseNumber,
      requestedAt: theCase.submittedAt.toISOString(),
      closedAt: now.toISOString(),
      emailCommitment: Buffer.from(emailCommitment(envelope.email, Buffer.from(envelope.emailSalt, 'hex'))).toString('base64url'),
      stopped: await stopped(deps, theCase),
      paid: await paid(deps, theCase),
      erased: erased(theCase),
      kept: deps.retention.map(({ field, ground, basis, keepDays }) => ({
        field, ground, basis, jurisdiction: settings.jurisdiction, until: daysAfter(now, keepDays).toISOString(),
      })),
      told: receipts.map((receipt) => ({
        recipient: receipt.name, kind: receipt.kind, state: receipt.state === 'confirmed' ? 'acknowledged' : 'not-confirmed',
        at: receipt.toldAt.toISOString(), ...(receipt.reference === null ? {} : { receipt: receipt.reference }),
      })),
      envelopeDestroyedBy: new Date(now.getTime() + settings.envelopeLifeMs).toISOString(),
    },
  });
}
