import { cashAccount, recipes } from '../../ledger/index.ts';
import type { Transfer } from '../../ledger/index.ts';
import { ServiceError } from '../../platform/errors.ts';
import { newId } from '../../platform/ids.ts';
import type { Tx } from '../../platform/db/index.ts';
import { locked } from '../move.ts';
import { plansOf, settledOf } from '../model.ts';
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

type Given = Settlement['givenUp'][number];

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

/** The same facts give the same transfer, so that it can be taken back. */
function givenUpTransfer(theCase: Case, sagaId: string, given: Given, at: Date): Transfer {
  const recipe = given.kind === 'balance' ? recipes.giveUpCash : recipes.giveUpPromo;
  return recipe({
    id: `closure:${sagaId}:given-up:${given.kind}:${given.currency}`, at, accountId: theCase.accountId, currency: given.currency,
    amountMinor: BigInt(given.amountMinor), refs: { caseId: theCase.caseId },
  });
}

async function settleCase(deps: ClosureDeps, tx: Tx, theCase: Case, sagaId: string): Promise<Settlement> {
  const at = deps.clock.now();
  const plans = plansOf(await deps.usage.settle(tx, theCase.accountId, sagaId));
  const refunds: PlannedRefund[] = [];
  const givenUp: Given[] = [];
  const giveUp = async (kind: Given['kind'], owed: Owed): Promise<void> => {
    const given = { kind, amountMinor: String(owed.balanceMinor), currency: owed.currency };
    await deps.ledger.post(tx, givenUpTransfer(theCase, sagaId, given, at));
    givenUp.push(given);
  };
  for (const owed of await deps.ledger.balances(tx, theCase.accountId)) {
    if (owed.balanceMinor === 0n) continue;
    const cash = owed.code === cashAccount(theCase.accountId, owed.currency);
    if (!cash) await giveUp('promotionalCredit', owed);
    else if (theCase.choices.balance === 'giveUp') await giveUp('balance', owed);
    else refunds.push(...await refundAll(deps, tx, theCase, owed));
  }
  return { refunds, givenUp, plans, settledAt: at.toISOString() };
}

/** Everything goes back to where it was: refunds that were not sent, what was given up, what the plans returned. */
async function unsettleCase(deps: ClosureDeps, tx: Tx, theCase: Case, sagaId: string, { refunds, givenUp, plans }: Settlement): Promise<void> {
  const at = deps.clock.now();
  for (const { refundId } of refunds) await deps.payments.withdrawRefund(tx, refundId);
  for (const given of givenUp) {
    const transfer = givenUpTransfer(theCase, sagaId, given, at);
    await deps.ledger.post(tx, recipes.correction(transfer, `${transfer.id}:back`, at));
  }
  await deps.usage.unsettle(tx, theCase.accountId, sagaId, settledOf(plans));
  await store.saveSettlement(tx, theCase.caseId, null);
}

/**
 * 4. Unused value returns, promotional credit is given up as chosen, and the balance is set aside for its payments: one transaction, so
 * that a failure leaves the books as they were. It can be taken back as long as no refund was sent.
 */
export function settle(deps: ClosureDeps): Step {
  return {
    name: 'settle',
    async run({ input, sagaId, transaction }) {
      try {
        await transaction(async (tx) => {
          const theCase = await locked(tx, input.caseId);
          if (theCase.settlement === null) await store.saveSettlement(tx, input.caseId, await settleCase(deps, tx, theCase, sagaId));
        });
      } catch (error) {
        if (error instanceof ServiceError && error.code === 'closure/needs-payout') return { kind: 'refused', code: error.code };
        throw error;
      }
      return done;
    },
    async undo({ input, sagaId, transaction }) {
      await transaction(async (tx) => {
        const theCase = await locked(tx, input.caseId);
        if (theCase.settlement !== null) await unsettleCase(deps, tx, theCase, sagaId, theCase.settlement);
      });
    },
  };
}
