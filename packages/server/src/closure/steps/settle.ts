import { cashAccount, recipes } from '../../ledger/index.ts';
import { ServiceError } from '../../platform/errors.ts';
import { newId } from '../../platform/ids.ts';
import type { Tx } from '../../platform/db/index.ts';
import { locked } from '../move.ts';
import { plansOf } from '../model.ts';
import type { Case, PlannedRefund, Settlement } from '../model.ts';
import type { ClosureDeps } from '../ports.ts';
import * as store from '../store.ts';
import { done } from './step.ts';
import type { Step } from './step.ts';

interface Owed {
  readonly code: string;
  readonly currency: string;
  readonly balanceMinor: bigint;
}

/** Sets the balance aside for refunds to the payments it came from. */
async function refundAll(deps: ClosureDeps, tx: Tx, theCase: Case, owed: Owed): Promise<PlannedRefund[]> {
  const plan = await deps.payments.refundPlan(tx, theCase.accountId, owed.balanceMinor, owed.currency);
  const covered = plan.reduce((sum, part) => sum + part.amountMinor, 0n);
  if (covered !== owed.balanceMinor) throw new ServiceError('closure/needs-payout', { caseNumber: theCase.caseNumber });
  const refunds: PlannedRefund[] = [];
  for (const { paymentId, amountMinor, method } of plan) {
    const refundId = newId(deps.clock.now().getTime());
    await deps.payments.requestRefund(tx, { refundId, paymentId, amountMinor });
    refunds.push({ refundId, paymentId, amountMinor: String(amountMinor), currency: owed.currency, method });
  }
  return refunds;
}

async function giveUp(deps: ClosureDeps, tx: Tx, theCase: Case, owed: Owed, kind: 'balance' | 'promotionalCredit'): Promise<Settlement['givenUp'][number]> {
  const recipe = kind === 'balance' ? recipes.giveUpCash : recipes.giveUpPromo;
  await deps.ledger.post(tx, recipe({
    id: `closure:${theCase.caseId}:given-up:${kind}:${owed.currency}`, at: deps.clock.now(), accountId: theCase.accountId, currency: owed.currency,
    amountMinor: owed.balanceMinor, refs: { caseId: theCase.caseId },
  }));
  return { kind, amountMinor: String(owed.balanceMinor), currency: owed.currency };
}

async function settleCase(deps: ClosureDeps, tx: Tx, theCase: Case): Promise<Settlement> {
  const plans = plansOf(await deps.usage.settle(tx, theCase.accountId, theCase.caseId));
  const refunds: PlannedRefund[] = [];
  const givenUp: Settlement['givenUp'][number][] = [];
  for (const owed of await deps.ledger.balances(tx, theCase.accountId)) {
    if (owed.balanceMinor === 0n) continue;
    const cash = owed.code === cashAccount(theCase.accountId, owed.currency);
    if (!cash) givenUp.push(await giveUp(deps, tx, theCase, owed, 'promotionalCredit'));
    else if (theCase.choices.balance === 'giveUp') givenUp.push(await giveUp(deps, tx, theCase, owed, 'balance'));
    else refunds.push(...await refundAll(deps, tx, theCase, owed));
  }
  return { refunds, givenUp, plans, settledAt: deps.clock.now().toISOString() };
}

/**
 * 4. Unused value returns, promotional credit is given up as chosen, and the balance is set aside for its payments: one transaction, so
 * that a failure leaves the books as they were. Nothing of it needs undoing: what follows only goes forward.
 */
export function settle(deps: ClosureDeps): Step {
  return {
    name: 'settle',
    async run({ input, transaction }) {
      await transaction(async (tx) => {
        const theCase = await locked(tx, input.caseId);
        if (theCase.settlement === null) await store.saveSettlement(tx, input.caseId, await settleCase(deps, tx, theCase));
      });
      return done;
    },
  };
}
