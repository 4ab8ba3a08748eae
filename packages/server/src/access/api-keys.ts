import type { Permission } from '@yuanyou/contract';
import { ServiceError } from '../platform/errors.ts';
import type { Principal } from '../platform/http/index.ts';
import { newSecret, secretHash } from '../platform/secrets/index.ts';
import type { AccessDeps } from './deps.ts';
import { beyond, keyLifeMs, prefixes } from './model.ts';
import type { ApiKeyRow } from './model.ts';
import * as store from './store.ts';

type Agent = Extract<Principal, { kind: 'agent' }>;

/** Makes an API key under the given id; its secret is shown once. @throws `access/scope-beyond-role` */
export async function createApiKey(
  deps: AccessDeps, maker: Agent, given: { readonly apiKeyId: string; readonly name: string; readonly scopes: readonly Permission[]; readonly expiresAt?: Date | undefined },
): Promise<{ readonly apiKey: ApiKeyRow; readonly secret: string }> {
  const excess = beyond(given.scopes, maker.permissions);
  if (excess.length > 0) throw new ServiceError('access/scope-beyond-role', { scopes: excess });
  const createdAt = deps.clock.now();
  const latest = new Date(createdAt.getTime() + keyLifeMs);
  const expiresAt = given.expiresAt ?? latest;
  if (expiresAt <= createdAt || expiresAt > latest) throw new ServiceError('general/bad-request', { field: 'expiresAt', latest: latest.toISOString() });
  const secret = newSecret(prefixes.apiKey);
  const row = {
    id: given.apiKeyId, agentId: maker.agentId, name: given.name, scopes: [...new Set(given.scopes)], createdAt, expiresAt, secretHash: secretHash(secret),
  };
  await deps.db.transaction(async (tx) => {
    if (!await store.putApiKey(tx, row)) throw new ServiceError('general/conflict');
    await deps.audit.record(tx, {
      actor: { kind: 'agent', id: maker.agentId }, action: 'access.create-api-key', subjectKind: 'api-key', subjectId: row.id, details: { scopes: row.scopes },
    });
  });
  return { apiKey: (await store.findApiKey(deps.db, row.id))!, secret };
}

/** Repeatable. @throws `access/unknown` */
export async function revokeApiKey(deps: AccessDeps, agentId: string, apiKeyId: string): Promise<void> {
  await deps.db.transaction(async (tx) => {
    if (await store.revokeApiKey(tx, apiKeyId, deps.clock.now()) === 0) throw new ServiceError('access/unknown');
    await deps.audit.record(tx, { actor: { kind: 'agent', id: agentId }, action: 'access.revoke-api-key', subjectKind: 'api-key', subjectId: apiKeyId });
  });
}
