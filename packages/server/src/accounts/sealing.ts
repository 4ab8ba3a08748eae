import type { AccountsDeps } from './deps.ts';
import { comparable, comparableCode } from './model.ts';
import type { ContactDetails } from './model.ts';

type Keys = Pick<AccountsDeps, 'dataKeys' | 'blindIndex'>;

/** Everything personal of an account, sealed under the account's own key. One name for each kind of value. */
export function createSealing({ dataKeys, blindIndex }: Keys) {
  const contexts = {
    email: 'accounts.account.email', name: 'accounts.account.name', pending: 'accounts.verification.email', contact: 'accounts.contact.details',
    userAgent: 'accounts.session.user_agent', address: 'accounts.session.address', sessionName: 'accounts.session.name',
    oneTimeSecret: 'accounts.one_time_code.secret', passkey: 'accounts.passkey.details',
  } as const;
  type Kind = keyof typeof contexts;
  return {
    seal: (accountId: string, kind: Kind, plain: string) => dataKeys.seal(accountId, contexts[kind], plain),
    open: (accountId: string, kind: Kind, sealed: Buffer) => dataKeys.openText(accountId, contexts[kind], sealed),
    sealContact: (accountId: string, details: ContactDetails) => dataKeys.seal(accountId, contexts.contact, JSON.stringify(details)),
    openContact: async (accountId: string, sealed: Buffer) => JSON.parse(await dataKeys.openText(accountId, contexts.contact, sealed)) as ContactDetails,
    emailIndex: (email: string) => blindIndex.of('accounts.email', comparable(email)),
    guestIndex: (email: string) => blindIndex.of('accounts.guest-email', comparable(email)),
    credentialIndex: (credentialId: string) => blindIndex.of('accounts.passkey', credentialId),
    longCodeDigest: (purpose: string, accountId: string, code: string) => blindIndex.of(`accounts.${purpose}`, `${accountId}\n${comparableCode(code)}`),
    codeDigest: (accountId: string, code: string) => blindIndex.of('accounts.code', `${accountId}\n${code}`),
  };
}

export type Sealing = ReturnType<typeof createSealing>;
