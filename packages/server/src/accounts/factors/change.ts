import type { Tx } from '../../platform/db/types.ts';
import type { AccountsDeps } from '../deps.ts';
import { accountFactorsChanged } from '../events.ts';
import { factorsChanged } from '../messages.ts';
import type { AccountRow } from '../model.ts';
import type { Sealing } from '../sealing.ts';

/** What goes with every change of how an account is protected: a message, an event, an entry. Made outside the transaction, saved inside. */
export async function prepareChange(
  deps: AccountsDeps, sealing: Sealing, account: AccountRow, action: string,
  subject: { readonly kind: string; readonly id: string } = { kind: 'account', id: account.id },
): Promise<{ save(tx: Tx): Promise<void> }> {
  const email = await sealing.open(account.id, 'email', account.email);
  const message = await deps.notifications.queue({ subjectId: account.id, to: { email }, language: account.language, kind: factorsChanged, params: {} });
  return {
    async save(tx) {
      await message.save(tx);
      await deps.outbox.emit(tx, accountFactorsChanged, account.id, { accountId: account.id });
      await deps.audit.record(tx, {
        actor: { kind: 'account', id: account.id }, action, subjectKind: subject.kind, subjectId: subject.id, accountId: account.id,
      });
    },
  };
}
