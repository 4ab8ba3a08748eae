import { createHash } from 'node:crypto';
import { cashAccount } from '../ledger/index.ts';
import type { ClosureDeps } from './ports.ts';
import * as store from './store.ts';

/** An id that is the same at every try, so that money that came in late goes back once. */
function refundIdFor(what: string): string {
  const hex = createHash('sha256').update(`closure late money ${what}`).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/**
 * Money that reached an account after its closure had settled goes back to the payment it came from: nobody is there to spend it. A repeat
 * does nothing more.
 * @throws ServiceError `payments/gateway-unreachable`: to be tried again
 */
export async function returnLateMoney(
  deps: Pick<ClosureDeps, 'db' | 'ledger' | 'payments' | 'audit'>, came: { readonly accountId: string; readonly paymentId: string; readonly currency: string },
): Promise<void> {
  const { accountId, paymentId, currency } = came;
  const refundId = refundIdFor(paymentId);
  const requested = await deps.db.transaction(async (tx) => {
    if ((await store.settledCaseOf(tx, accountId)) === undefined) return false;
    if ((await deps.payments.refundStatus(tx, refundId)) !== undefined) return true;
    const amountMinor = await deps.ledger.balance(tx, cashAccount(accountId, currency));
    const part = (await deps.payments.refundPlan(tx, accountId, amountMinor, currency)).find((one) => one.paymentId === paymentId);
    if (part === undefined) return false;
    await deps.payments.requestRefund(tx, { refundId, paymentId, amountMinor: part.amountMinor });
    await deps.audit.record(tx, {
      actor: { kind: 'system', id: 'closure' }, action: 'closure.return-late-money', subjectKind: 'payment', subjectId: paymentId, accountId,
    });
    return true;
  });
  if (requested) await deps.payments.payRefund(refundId);
}
