import type { AccountsDeps } from './deps.ts';
import { comparable } from './model.ts';
import type { ContactDetails } from './model.ts';

type Keys = Pick<AccountsDeps, 'dataKeys' | 'blindIndex'>;

/** Everything personal of an account, sealed under the account's own key. One name for each kind of value. */
export function createSealing({ dataKeys, blindIndex }: Keys) {
  const contexts = {
    email: 'accounts.account.email', name: 'accounts.account.name', pending: 'accounts.verification.email', contact: 'accounts.contact.details',
    userAgent: 'accounts.session.user_agent', address: 'accounts.session.address',
  } as const;
  type Kind = keyof typeof contexts;
  return {
    seal: (accountId: string, kind: Kind, plain: string) => dataKeys.seal(accountId, contexts[kind], plain),
    open: (accountId: string, kind: Kind, sealed: Buffer) => dataKeys.openText(accountId, contexts[kind], sealed),
    sealContact: (accountId: string, details: ContactDetails) => dataKeys.seal(accountId, contexts.contact, JSON.stringify(details)),
    openContact: async (accountId: string, sealed: Buffer) => JSON.parse(await dataKeys.openText(accountId, contexts.contact, sealed)) as ContactDetails,
    emailIndex: (email: string) => blindIndex.of('accounts.email', comparable(email)),
    codeDigest: (accountId: string, code: string) => blindIndex.of('accounts.code', `${accountId}\n${code}`),
  };
}

export type Sealing = ReturnType<typeof createSealing>;
