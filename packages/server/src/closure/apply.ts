import { createHash, randomBytes } from 'node:crypto';
import type { Language, StepUpProof, closureReceipt } from '@yuanyou/contract';
import type { z } from 'zod';
import { isUniqueViolation } from '../platform/db/index.ts';
import type { Tx } from '../platform/db/index.ts';
import { ServiceError } from '../platform/errors.ts';
import { newId } from '../platform/ids.ts';
import { receiptMessage } from './messages.ts';
import { approves, blockers, daysAfter, normalCode, readableCode, review, weekday, workingDaysAfter } from './model.ts';
import type { Case, Choices, FiredRule } from './model.ts';
import { approve } from './decide.ts';
import { bySystem, locked, move } from './move.ts';
import type { ClosureDeps } from './ports.ts';
import { concernsOf } from './preflight.ts';
import * as store from './store.ts';

export interface Application {
  readonly accountId: string;
  readonly idempotencyKey: string;
  readonly email: string;
  readonly proof: StepUpProof;
  readonly reason?: string | undefined;
  readonly reasonText?: string | undefined;
  readonly choices: Choices;
}

export type Receipt = z.input<typeof closureReceipt>;

const reasonContext = 'closure.case.reason';
const codeContext = 'closure.case.access-code';

export const accessCodeHash = (code: string): Buffer => createHash('sha256').update(normalCode(code)).digest();

const proofLimit = { max: 10, windowMs: 15 * 60_000 };

/** Step-up: the address and a factor that the account already has; nothing more is ever asked for. Attempts are counted. */
async function prove(deps: ClosureDeps, application: Application): Promise<{ readonly email: string; readonly language: Language }> {
  await deps.attempts.count('closure.proof', application.accountId, proofLimit);
  const to = await deps.accounts.contactPoint(application.accountId);
  // The address first: a right proof is spent by being looked at.
  if (to === undefined || to.email.toLowerCase() !== application.email.trim().toLowerCase()) throw new ServiceError('closure/proof-refused');
  await deps.accounts.stepUp(application.accountId, application.proof);
  await deps.attempts.clear('closure.proof', application.accountId);
  return to;
}

async function refuseBlocked(deps: ClosureDeps, accountId: string): Promise<void> {
  const found = blockers(await concernsOf(deps, accountId));
  if (found.length > 0) throw new ServiceError('closure/blocked', { concerns: found.map((concern) => concern.code) });
}

/** What settling would have to pay back, by currency: the balance and what the plans return to it. */
async function owedAtSettling(deps: ClosureDeps, tx: Tx, accountId: string): Promise<Map<string, bigint>> {
  const owed = await deps.usage.wouldReturn(tx, accountId);
  for (const { code, currency, balanceMinor } of await deps.ledger.balances(tx, accountId)) {
    if (code.includes(':cash:')) owed.set(currency, (owed.get(currency) ?? 0n) + balanceMinor);
  }
  return owed;
}

async function rulesFor(deps: ClosureDeps, tx: Tx, accountId: string, choices: Choices): Promise<FiredRule[]> {
  const facts = await deps.accounts.facts(tx, accountId);
  let balanceMinor = 0n;
  let refundableMinor = 0n;
  for (const [currency, owed] of await owedAtSettling(deps, tx, accountId)) {
    if (owed === 0n) continue;
    balanceMinor += owed;
    if (choices.balance === 'giveUp') refundableMinor += owed;
    else for (const part of await deps.payments.refundPlan(tx, accountId, owed, currency)) refundableMinor += part.amountMinor;
  }
  return review({
    now: deps.clock.now(), balanceMinor, refundableMinor, automaticLimitMinor: deps.settings.automaticLimitMinor,
    passwordChangedAt: facts?.passwordChangedAt ?? null, emailChangedAt: facts?.emailChangedAt ?? null,
  });
}

/** The rules decide what needs no person, at once; the rest goes to the queue. What fired is kept in words either way. */
async function decideByRules(deps: ClosureDeps, tx: Tx, theCase: Case): Promise<Case> {
  const rules = await rulesFor(deps, tx, theCase.accountId, theCase.choices);
  await store.saveRules(tx, theCase.caseId, rules);
  const verifying = await move(deps, tx, theCase, 'verify', bySystem, null);
  if (!approves(rules)) return move(deps, tx, verifying, 'sendToReview', bySystem, 'a rule asks for a person');
  return approve(deps, tx, verifying, bySystem, 'every rule passed');
}

function receiptOf(deps: ClosureDeps, theCase: Case, accessCode: string): Receipt {
  return {
    caseNumber: theCase.caseNumber, accessCode, statusUrl: `${deps.settings.publicUrl}/v1/closure/status`, state: theCase.state,
    submittedAt: theCase.submittedAt.toISOString(), targetAt: theCase.targetAt.toISOString(), promisedAt: theCase.promisedAt.toISOString(),
    choices: theCase.choices, appeal: deps.settings.appeal,
  };
}

async function earlierReceipt(deps: ClosureDeps, application: Application): Promise<Receipt | undefined> {
  const earlier = await store.caseByKey(deps.db, application.accountId, application.idempotencyKey);
  if (earlier?.accessCodeSealed == null) return undefined;
  return receiptOf(deps, earlier, await deps.dataKeys.openText(application.accountId, codeContext, earlier.accessCodeSealed));
}

async function newCase(deps: ClosureDeps, application: Application, language: Language, accessCode: string): Promise<Omit<store.NewCase, 'receiptId'>> {
  const submittedAt = deps.clock.now();
  const { accountId, reasonText } = application;
  return {
    caseId: newId(submittedAt.getTime()), caseNumber: `YC-${readableCode(randomBytes(10))}`, accountId, idempotencyKey: application.idempotencyKey,
    language, choices: application.choices, reason: application.reason ?? null,
    reasonSealed: reasonText === undefined ? null : await deps.dataKeys.seal(accountId, reasonContext, reasonText),
    accessCodeHash: accessCodeHash(accessCode), accessCodeSealed: await deps.dataKeys.seal(accountId, codeContext, accessCode),
    submittedAt, targetAt: daysAfter(submittedAt, deps.settings.targetDays),
    promisedAt: workingDaysAfter(submittedAt, deps.settings.promiseWorkingDays, weekday),
  };
}

/** Two applications made at the same time meet at the index that allows one open case an account. */
async function onlyOne<T>(opening: Promise<T>): Promise<T> {
  try {
    return await opening;
  } catch (error) {
    throw isUniqueViolation(error) ? new ServiceError('closure/already-open', {}, { cause: error }) : error;
  }
}

/**
 * Applies to close an account: proof, no blocker, then in one transaction the case, the verdict of the rules and the receipt by mail.
 * The same key answers the same receipt.
 * @throws ServiceError `closure/proof-refused`, `closure/blocked`, `closure/already-open`
 */
export async function applyForClosure(deps: ClosureDeps, application: Application): Promise<Receipt> {
  const earlier = await earlierReceipt(deps, application);
  if (earlier !== undefined) return earlier;
  const { email, language } = await prove(deps, application);
  await refuseBlocked(deps, application.accountId);
  if ((await store.openCaseOf(deps.db, application.accountId)) !== undefined) throw new ServiceError('closure/already-open');
  const accessCode = readableCode(randomBytes(20));
  const fresh = await newCase(deps, application, language, accessCode);
  const message = await deps.notifications.queue({
    subjectId: application.accountId, to: { email }, language, kind: receiptMessage,
    params: {
      caseNumber: fresh.caseNumber, accessCode, submittedAt: fresh.submittedAt.toISOString(), promisedAt: fresh.promisedAt.toISOString(),
      statusUrl: `${deps.settings.publicUrl}/v1/closure/status`, choices: fresh.choices, appeal: deps.settings.appeal,
    },
  });
  const theCase = await onlyOne(deps.db.transaction(async (tx) => {
    await store.insertCase(tx, { ...fresh, receiptId: message.messageId });
    await deps.audit.record(tx, {
      actor: { kind: 'account', id: application.accountId }, action: 'closure.apply', subjectKind: 'closure', subjectId: fresh.caseId, accountId: application.accountId,
    });
    await message.save(tx);
    return decideByRules(deps, tx, await locked(tx, fresh.caseId));
  }));
  return receiptOf(deps, theCase, accessCode);
}
