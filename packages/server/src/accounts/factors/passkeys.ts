import { randomBytes } from 'node:crypto';
import type { passkeyAssertion, passkeyCreated, passkeyCreation, passkeyRequest } from '@yuanyou/contract';
import type { z } from 'zod';
import type { Ceremonies, Credential } from '../../access/index.ts';
import type { Reader } from '../../platform/db/types.ts';
import { ServiceError } from '../../platform/errors.ts';
import { newId } from '../../platform/ids.ts';
import type { AccountsDeps } from '../deps.ts';
import { challengeLifeMs, mostPasskeys } from '../model.ts';
import type { AccountRow } from '../model.ts';
import type { Sealing } from '../sealing.ts';
import { lockAccount } from '../store.ts';
import { prepareChange } from './change.ts';
import * as store from './store.ts';

type PasskeyCreation = z.output<typeof passkeyCreation>;
type PasskeyRequest = z.output<typeof passkeyRequest>;
export type Assertion = { readonly challengeId: string; readonly assertion: z.output<typeof passkeyAssertion> };

/** What is sealed of a passkey. */
interface Details extends Credential {
  readonly name: string;
}

export interface Passkey {
  readonly id: string;
  readonly name: string;
  readonly backedUp: boolean;
  readonly createdAt: Date;
  readonly lastUsedAt: Date | null;
}

/** What passkeys need beside what accounts need. */
export interface PasskeyDeps extends AccountsDeps {
  readonly ceremonies: Ceremonies;
}

async function open(sealing: Sealing, row: store.PasskeyRow): Promise<Passkey & { readonly credential: Details }> {
  const credential = JSON.parse(await sealing.open(row.accountId, 'passkey', row.details)) as Details;
  return { id: row.id, name: credential.name, backedUp: row.backedUp, createdAt: row.createdAt, lastUsedAt: row.lastUsedAt, credential };
}

export async function listPasskeys(sealing: Sealing, db: Reader, accountId: string): Promise<(Passkey & { readonly credential: Details })[]> {
  return Promise.all((await store.listPasskeys(db, accountId)).map((row) => open(sealing, row)));
}

async function newChallenge(
  deps: PasskeyDeps, accountId: string | null, purpose: store.ChallengePurpose,
): Promise<{ id: string; challenge: Buffer; expiresAt: Date }> {
  const at = deps.clock.now().getTime();
  const row = { id: newId(at), accountId, purpose, challenge: randomBytes(32), expiresAt: new Date(at + challengeLifeMs) };
  await deps.db.transaction((tx) => store.insertChallenge(tx, row));
  return row;
}

/** A challenge to sign: by any passkey where nobody has signed in yet, by the account's own otherwise. */
export async function requestAssertion(deps: PasskeyDeps, sealing: Sealing, accountId: string | null): Promise<PasskeyRequest> {
  const known = accountId === null ? [] : (await listPasskeys(sealing, deps.db, accountId)).map(({ credential }) => credential);
  const { id, challenge, expiresAt } = await newChallenge(deps, accountId, accountId === null ? 'sign-in' : 'step-up');
  return { challengeId: id, expiresAt: expiresAt.toISOString(), options: await deps.ceremonies.requestOptions({ challenge, known }) };
}

/** Whose passkey signed the challenge; undefined when anything is not right. The challenge is spent either way. */
export async function takeAssertion(
  deps: PasskeyDeps, sealing: Sealing, given: Assertion, challenged: { readonly accountId: string | null },
): Promise<string | undefined> {
  const { accountId } = challenged;
  const challenge = await deps.db.transaction((tx) => (
    store.takeChallenge(tx, given.challengeId, accountId, accountId === null ? 'sign-in' : 'step-up', deps.clock.now())));
  const row = await store.findPasskeyByCredential(deps.db, sealing.credentialIndex(given.assertion.id));
  if (challenge === undefined || row === undefined || (accountId !== null && row.accountId !== accountId)) return undefined;
  const { credential } = await open(sealing, row);
  const used = await deps.ceremonies.verifyAssertion(given.assertion, challenge, { ...credential, holderId: row.accountId, signCount: Number(row.signCount) });
  if (used === undefined) return undefined;
  const advanced = await deps.db.transaction((tx) => store.advancePasskey(tx, row.id, { ...used, at: deps.clock.now() }));
  return advanced ? row.accountId : undefined;
}

/** A challenge for a new passkey. @throws `accounts/too-many-passkeys` */
export async function startPasskey(deps: PasskeyDeps, sealing: Sealing, account: AccountRow): Promise<PasskeyCreation> {
  const known = await listPasskeys(sealing, deps.db, account.id);
  if (known.length >= mostPasskeys) throw new ServiceError('accounts/too-many-passkeys', { most: mostPasskeys });
  const { id, challenge, expiresAt } = await newChallenge(deps, account.id, 'create');
  const options = await deps.ceremonies.creationOptions({
    holderId: account.id, challenge,
    name: await sealing.open(account.id, 'email', account.email), displayName: await sealing.open(account.id, 'name', account.name),
    known: known.map(({ credential }) => credential),
  });
  return { challengeId: id, expiresAt: expiresAt.toISOString(), options };
}

/** Keeps the passkey that was made for a challenge. @throws `accounts/wrong-proof`, `accounts/too-many-passkeys` */
export async function addPasskey(
  deps: PasskeyDeps, sealing: Sealing, account: AccountRow,
  given: { readonly challengeId: string; readonly name: string; readonly created: z.output<typeof passkeyCreated> },
): Promise<Passkey> {
  const accountId = account.id;
  const at = deps.clock.now();
  const challenge = await deps.db.transaction((tx) => store.takeChallenge(tx, given.challengeId, accountId, 'create', at));
  const created = challenge === undefined ? undefined : await deps.ceremonies.verifyCreated(given.created, challenge);
  if (created === undefined) throw new ServiceError('accounts/wrong-proof');
  const { signCount, backedUp, ...credential } = created;
  const id = newId(at.getTime());
  const details = await sealing.seal(accountId, 'passkey', JSON.stringify({ ...credential, name: given.name }));
  const change = await prepareChange(deps, sealing, account, 'accounts.add-passkey', { kind: 'passkey', id });
  await deps.db.transaction(async (tx) => {
    await lockAccount(tx, accountId);
    if ((await store.listPasskeys(tx, accountId)).length >= mostPasskeys) throw new ServiceError('accounts/too-many-passkeys', { most: mostPasskeys });
    const credentialIndex = sealing.credentialIndex(credential.credentialId);
    const row = { id, accountId, credentialIndex, details, signCount: BigInt(signCount), backedUp, createdAt: at };
    if (!await store.insertPasskey(tx, row)) throw new ServiceError('accounts/wrong-proof');
    await change.save(tx);
  });
  return { id, name: given.name, backedUp, createdAt: at, lastUsedAt: null };
}

/** @throws `general/not-found` */
export async function renamePasskey(deps: PasskeyDeps, sealing: Sealing, accountId: string, passkeyId: string, name: string): Promise<Passkey> {
  const row = await store.findPasskey(deps.db, accountId, passkeyId);
  if (row === undefined) throw new ServiceError('general/not-found');
  const known = await open(sealing, row);
  const details = await sealing.seal(accountId, 'passkey', JSON.stringify({ ...known.credential, name }));
  await deps.db.transaction(async (tx) => {
    if (await store.updatePasskey(tx, accountId, passkeyId, details) === 0) throw new ServiceError('general/not-found');
    await deps.audit.record(tx, {
      actor: { kind: 'account', id: accountId }, action: 'accounts.rename-passkey', subjectKind: 'passkey', subjectId: passkeyId, accountId,
    });
  });
  return { ...known, name };
}

/** @throws `general/not-found` */
export async function removePasskey(deps: PasskeyDeps, sealing: Sealing, account: AccountRow, passkeyId: string): Promise<void> {
  const change = await prepareChange(deps, sealing, account, 'accounts.remove-passkey', { kind: 'passkey', id: passkeyId });
  await deps.db.transaction(async (tx) => {
    if (await store.deletePasskey(tx, account.id, passkeyId) === 0) throw new ServiceError('general/not-found');
    await change.save(tx);
  });
}
