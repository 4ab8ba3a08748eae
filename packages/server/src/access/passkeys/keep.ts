import { randomBytes } from 'node:crypto';
import type { passkeyAssertion, passkeyCreated, passkeyCreation, passkeyRequest } from '@yuanyou/contract';
import type { z } from 'zod';
import type { Actor } from '../../platform/audit/types.ts';
import type { Reader } from '../../platform/db/types.ts';
import { ServiceError } from '../../platform/errors.ts';
import { newId } from '../../platform/ids.ts';
import { getAgent } from '../agents.ts';
import type { AccessDeps } from '../deps.ts';
import { challengeLifeMs, limits, mostPasskeys } from '../model.ts';
import { findAgent, lockAgents } from '../store.ts';
import type { Ceremonies, Credential } from './ceremonies.ts';
import * as store from './store.ts';

export interface PasskeyDeps extends AccessDeps {
  readonly ceremonies: Ceremonies;
}

export interface Passkey {
  readonly id: string;
  readonly name: string;
  readonly backedUp: boolean;
  readonly createdAt: Date;
  readonly lastUsedAt: Date | null;
}

/** What is sealed of a passkey. */
interface Details extends Credential {
  readonly name: string;
}

const context = 'access.passkey.details';
const credentialIndex = (deps: AccessDeps, credentialId: string) => deps.blindIndex.of('access.passkey', credentialId);

async function open(deps: AccessDeps, row: store.PasskeyRow): Promise<Passkey & { readonly credential: Details }> {
  const credential = JSON.parse(await deps.dataKeys.openText(row.agentId, context, row.details)) as Details;
  return { id: row.id, name: credential.name, backedUp: row.backedUp, createdAt: row.createdAt, lastUsedAt: row.lastUsedAt, credential };
}

export async function listPasskeys(deps: AccessDeps, db: Reader, agentId: string): Promise<(Passkey & { readonly credential: Details })[]> {
  return Promise.all((await store.listPasskeys(db, agentId)).map((row) => open(deps, row)));
}

/** The holder proves the password once more. @throws `access/wrong-credentials`, `general/too-many-requests` */
export async function provePassword(deps: AccessDeps, agentId: string, password: string): Promise<void> {
  await deps.attempts.count('access.password', agentId, limits.signInOfAgent);
  if (!await deps.passwords.verify((await findAgent(deps.db, agentId))?.passwordHash, password)) throw new ServiceError('access/wrong-credentials');
  await deps.attempts.clear('access.password', agentId);
}

async function newChallenge(deps: AccessDeps, agentId: string | null): Promise<{ id: string; challenge: Buffer; expiresAt: Date }> {
  const at = deps.clock.now().getTime();
  const row = { id: newId(at), agentId, challenge: randomBytes(32), expiresAt: new Date(at + challengeLifeMs) };
  await deps.db.transaction((tx) => store.insertChallenge(tx, row));
  return row;
}

/** A challenge for a new passkey. @throws `access/too-many-passkeys` */
export async function startPasskey(deps: PasskeyDeps, agentId: string): Promise<z.output<typeof passkeyCreation>> {
  const known = await listPasskeys(deps, deps.db, agentId);
  if (known.length >= mostPasskeys) throw new ServiceError('access/too-many-passkeys', { most: mostPasskeys });
  const { email, name } = await getAgent(deps, deps.db, agentId);
  const { id, challenge, expiresAt } = await newChallenge(deps, agentId);
  const options = await deps.ceremonies.creationOptions({
    holderId: agentId, name: email, displayName: name, challenge, known: known.map(({ credential }) => credential),
  });
  return { challengeId: id, expiresAt: expiresAt.toISOString(), options };
}

/** Keeps the passkey that was made for a challenge; from now on the password alone does not sign in. @throws `access/wrong-proof` */
export async function addPasskey(
  deps: PasskeyDeps, agentId: string, given: { readonly challengeId: string; readonly name: string; readonly created: z.output<typeof passkeyCreated> },
): Promise<Passkey> {
  const at = deps.clock.now();
  const challenge = await deps.db.transaction((tx) => store.takeChallenge(tx, given.challengeId, agentId, at));
  const created = challenge === undefined ? undefined : await deps.ceremonies.verifyCreated(given.created, challenge);
  if (created === undefined) throw new ServiceError('access/wrong-proof');
  const { signCount, backedUp, ...credential } = created;
  const id = newId(at.getTime());
  const details = await deps.dataKeys.seal(agentId, context, JSON.stringify({ ...credential, name: given.name }));
  await deps.db.transaction(async (tx) => {
    await lockAgents(tx);
    if ((await store.listPasskeys(tx, agentId)).length >= mostPasskeys) throw new ServiceError('access/too-many-passkeys', { most: mostPasskeys });
    const row = { id, agentId, credentialIndex: credentialIndex(deps, credential.credentialId), details, signCount: BigInt(signCount), backedUp, createdAt: at };
    if (!await store.insertPasskey(tx, row)) throw new ServiceError('access/wrong-proof');
    await deps.audit.record(tx, { actor: { kind: 'agent', id: agentId }, action: 'access.add-passkey', subjectKind: 'passkey', subjectId: id });
  });
  return { id, name: given.name, backedUp, createdAt: at, lastUsedAt: null };
}

/** @throws `access/unknown` */
export async function removePasskey(deps: AccessDeps, agentId: string, passkeyId: string): Promise<void> {
  await deps.db.transaction(async (tx) => {
    if (await store.deletePasskey(tx, agentId, passkeyId) === 0) throw new ServiceError('access/unknown');
    await deps.audit.record(tx, { actor: { kind: 'agent', id: agentId }, action: 'access.remove-passkey', subjectKind: 'passkey', subjectId: passkeyId });
  });
}

/** For an agent who lost them: the password alone signs in again. Repeatable. @throws `access/unknown` */
export async function removePasskeysOf(deps: AccessDeps, actor: Actor, agentId: string): Promise<void> {
  await deps.db.transaction(async (tx) => {
    if (await findAgent(tx, agentId) === undefined) throw new ServiceError('access/unknown');
    const removed = await store.deletePasskeys(tx, agentId);
    await deps.audit.record(tx, { actor, action: 'access.remove-passkeys', subjectKind: 'agent', subjectId: agentId, details: { removed } });
  });
}

/** A challenge for whoever is about to sign in. */
export async function requestSignIn(deps: PasskeyDeps, address: string): Promise<z.output<typeof passkeyRequest>> {
  await deps.attempts.count('access.challenge.address', address, limits.challengeFromAddress);
  const { id, challenge, expiresAt } = await newChallenge(deps, null);
  return { challengeId: id, expiresAt: expiresAt.toISOString(), options: await deps.ceremonies.requestOptions({ challenge, known: [] }) };
}

/** Whose passkey signed the challenge; undefined when anything is not right. The challenge is spent either way. */
export async function takeAssertion(
  deps: PasskeyDeps, given: { readonly challengeId: string; readonly assertion: z.output<typeof passkeyAssertion> },
): Promise<string | undefined> {
  const challenge = await deps.db.transaction((tx) => store.takeChallenge(tx, given.challengeId, null, deps.clock.now()));
  const row = await store.findPasskeyByCredential(deps.db, credentialIndex(deps, given.assertion.id));
  if (challenge === undefined || row === undefined) return undefined;
  const { credential } = await open(deps, row);
  const used = await deps.ceremonies.verifyAssertion(given.assertion, challenge, { ...credential, holderId: row.agentId, signCount: Number(row.signCount) });
  if (used === undefined) return undefined;
  return await deps.db.transaction((tx) => store.advancePasskey(tx, row.id, { ...used, at: deps.clock.now() })) ? row.agentId : undefined;
}
