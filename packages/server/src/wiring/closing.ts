import type { Accounts, ContactPoint } from '../accounts/index.ts';
import type { ClosingAccounts, ClosingPayments } from '../closure/index.ts';
import type { Payments } from '../payments/index.ts';
import { ServiceError } from '../platform/errors.ts';

const gone: readonly string[] = ['accounts/unknown', 'accounts/closed'];

/** Undefined once the account has left, where accounts throws. */
export async function unlessGone<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof ServiceError && gone.includes(error.code)) return undefined;
    throw error;
  }
}

/** Accounts as closure and usage need them. */
export function closingAccounts(accounts: Accounts): ClosingAccounts {
  return {
    contactPoint: (accountId): Promise<ContactPoint | undefined> => unlessGone(accounts.contactPoint(accountId)),
    stepUp: accounts.stepUp,
    facts: (db, accountId) => unlessGone(accounts.require(db, accountId)),
    freeze: accounts.freeze,
    unfreeze: accounts.unfreeze,
    endSessions: accounts.endSessions,
  };
}

/** Payments as closure needs them. */
export function closingPayments(payments: Payments): ClosingPayments {
  return {
    async refundPlan(db, accountId, amountMinor, currency) {
      const parts = [];
      for (const part of await payments.refundPlan(db, accountId, amountMinor, currency)) {
        const payment = await payments.payment(db, part.paymentId);
        parts.push({ ...part, method: `${payment?.cardBrand ?? 'card'} …${payment?.cardLast4 ?? ''}` });
      }
      return parts;
    },
    requestRefund: payments.requestRefund,
    withdrawRefund: payments.withdrawRefund,
    payRefund: payments.payRefund,
    refundStatus: async (db, refundId) => (await payments.refund(db, refundId))?.status,
    cancelOpenTopUps: payments.cancelOpenTopUps,
  };
}
