import type { Tx } from '../platform/db/types.ts';
import type { MessageKind } from '../notifications/index.ts';
import type { AccountsDeps } from './deps.ts';
import { newLongCode } from './long-code.ts';
import { claimAccount, proveGuest, resetPassword } from './messages.ts';
import { codeLifeMs } from './model.ts';
import type { AccountRow } from './model.ts';
import type { Sealing } from './sealing.ts';
import * as store from './store.ts';

const kinds: Readonly<Record<store.MailedPurpose, MessageKind<{ readonly code: string }>>> = {
  reset: resetPassword, claim: claimAccount, 'step-up': proveGuest,
};

/** A code for one purpose, with the message that carries it to the account's address: made outside the transaction, saved inside. */
export async function prepareMailedCode(
  deps: AccountsDeps, sealing: Sealing, purpose: store.MailedPurpose, to: Pick<AccountRow, 'id' | 'language'> & { readonly address: string },
): Promise<{ save(tx: Tx): Promise<void> }> {
  const code = newLongCode();
  const message = await deps.notifications.queue({ subjectId: to.id, to: { email: to.address }, language: to.language, kind: kinds[purpose], params: { code } });
  return {
    async save(tx) {
      await store.putMailedCode(tx, to.id, purpose, sealing.longCodeDigest(purpose, to.id, code), new Date(deps.clock.now().getTime() + codeLifeMs));
      await message.save(tx);
    },
  };
}

/** Sends a code to the address of an account. */
export async function mailCode(deps: AccountsDeps, sealing: Sealing, purpose: store.MailedPurpose, account: AccountRow): Promise<void> {
  const address = await sealing.open(account.id, 'email', account.email);
  const code = await prepareMailedCode(deps, sealing, purpose, { id: account.id, language: account.language, address });
  await deps.db.transaction(async (tx) => {
    await code.save(tx);
    await deps.audit.record(tx, {
      actor: { kind: 'system', id: 'accounts' }, action: 'accounts.mail-code', subjectKind: 'account', subjectId: account.id, accountId: account.id,
      details: { purpose },
    });
  });
}
