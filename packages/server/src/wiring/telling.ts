import type { Accounts } from '../accounts/index.ts';
import { ServiceError } from '../platform/errors.ts';
import type { ContactPoints } from '../usage/index.ts';
import { unlessGone } from './closing.ts';

/** Accounts as those need them who tell travellers of something. */
export function tellingAccounts(accounts: Accounts): ContactPoints {
  return {
    contactPoint: (accountId) => unlessGone(accounts.contactPoint(accountId)),
    async isActive(tx, accountId) {
      try {
        return (await unlessGone(accounts.requireActive(tx, accountId))) !== undefined;
      } catch (error) {
        if (error instanceof ServiceError && error.code === 'accounts/leaving') return false;
        throw error;
      }
    },
  };
}
