import type { Reader } from '../platform/db/types.ts';
import { ServiceError } from '../platform/errors.ts';
import type { AccountsDeps } from './deps.ts';
import { mostContacts } from './model.ts';
import type { ContactDetails } from './model.ts';
import type { Sealing } from './sealing.ts';
import * as store from './store.ts';

export interface Contact extends ContactDetails {
  readonly id: string;
  readonly createdAt: Date;
}

async function open(sealing: Sealing, accountId: string, row: store.ContactRow): Promise<Contact> {
  return { ...await sealing.openContact(accountId, row.details), id: row.id, createdAt: row.createdAt };
}

/** Adds a contact under the given id; the same id again answers the same contact. @throws `accounts/too-many-contacts` */
export async function addContact(deps: AccountsDeps, sealing: Sealing, accountId: string, contactId: string, details: ContactDetails): Promise<Contact> {
  const row = { id: contactId, details: await sealing.sealContact(accountId, details), createdAt: deps.clock.now() };
  await deps.db.transaction(async (tx) => {
    await store.lockAccount(tx, accountId);
    if (await store.countContacts(tx, accountId) >= mostContacts) throw new ServiceError('accounts/too-many-contacts', { most: mostContacts });
    if (!await store.insertContact(tx, accountId, row)) throw new ServiceError('general/conflict');
    await record(deps, tx, accountId, 'accounts.add-contact', contactId);
  });
  return getContact(deps, sealing, accountId, contactId);
}

/** @throws `general/not-found` */
export async function getContact(deps: AccountsDeps, sealing: Sealing, accountId: string, contactId: string): Promise<Contact> {
  const row = await store.findContact(deps.db, accountId, contactId);
  if (row === undefined) throw new ServiceError('general/not-found');
  return open(sealing, accountId, row);
}

export async function listContacts(
  sealing: Sealing, db: Reader, accountId: string, after: { at: Date; id: string } | null, limit: number,
): Promise<Contact[]> {
  return Promise.all((await store.listContacts(db, accountId, after, limit)).map((row) => open(sealing, accountId, row)));
}

export async function replaceContact(deps: AccountsDeps, sealing: Sealing, accountId: string, contactId: string, details: ContactDetails): Promise<Contact> {
  const sealed = await sealing.sealContact(accountId, details);
  await deps.db.transaction(async (tx) => {
    if (await store.updateContact(tx, accountId, contactId, sealed) === 0) throw new ServiceError('general/not-found');
    await record(deps, tx, accountId, 'accounts.replace-contact', contactId);
  });
  return getContact(deps, sealing, accountId, contactId);
}

export async function removeContact(deps: AccountsDeps, accountId: string, contactId: string): Promise<void> {
  await deps.db.transaction(async (tx) => {
    if (await store.deleteContact(tx, accountId, contactId) === 0) throw new ServiceError('general/not-found');
    await record(deps, tx, accountId, 'accounts.remove-contact', contactId);
  });
}

function record(deps: AccountsDeps, tx: Parameters<AccountsDeps['audit']['record']>[0], accountId: string, action: string, contactId: string): Promise<void> {
  return deps.audit.record(tx, { actor: { kind: 'account', id: accountId }, action, subjectKind: 'contact', subjectId: contactId, accountId });
}
