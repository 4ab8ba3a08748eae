import { accessRoutes as routes } from '@yuanyou/contract';
import { ServiceError } from '../../platform/errors.ts';
import { endpoint } from '../../platform/http/index.ts';
import type { Endpoint, Principal } from '../../platform/http/index.ts';
import { isSession } from '../store.ts';
import * as keep from './keep.ts';
import type { PasskeyDeps } from './keep.ts';

type Agent = Extract<Principal, { kind: 'agent' }>;

/** A person in front of a screen, not a program with a key. @throws `access/session-needed` */
export async function requirePerson(deps: PasskeyDeps, principal: Agent): Promise<string> {
  const { credentialId } = principal;
  if (credentialId === undefined || !await isSession(deps.db, credentialId)) throw new ServiceError('access/session-needed');
  return principal.agentId;
}

export function passkeyEndpoints(deps: PasskeyDeps): Endpoint[] {
  return [
    endpoint(routes.requestAgentPasskeySignIn, async ({ remoteAddress }) => ({ status: 201, body: await keep.requestSignIn(deps, remoteAddress) })),
    endpoint(routes.listAgentPasskeys, async ({ principal }) => (
      { status: 200, body: { items: (await keep.listPasskeys(deps, deps.db, principal.agentId)).map(shown) } })),
    endpoint(routes.startAgentPasskey, async ({ principal, body }) => {
      const agentId = await requirePerson(deps, principal);
      await keep.provePassword(deps, agentId, body.password);
      return { status: 201, body: await keep.startPasskey(deps, agentId) };
    }),
    endpoint(routes.addAgentPasskey, async ({ principal, body }) => (
      { status: 201, body: shown(await keep.addPasskey(deps, await requirePerson(deps, principal), body)) })),
    endpoint(routes.removeAgentPasskey, async ({ principal, params, body }) => {
      const agentId = await requirePerson(deps, principal);
      await keep.provePassword(deps, agentId, body.password);
      await keep.removePasskey(deps, agentId, params.passkeyId);
      return { status: 204 };
    }),
    endpoint(routes.removePasskeysOfAgent, async ({ principal, params }) => {
      await keep.removePasskeysOf(deps, { kind: 'agent', id: principal.agentId }, params.agentId);
      return { status: 204 };
    }),
  ];
}

function shown({ id, name, backedUp, createdAt, lastUsedAt }: keep.Passkey) {
  return { id, name, backedUp, createdAt: createdAt.toISOString(), lastUsedAt: lastUsedAt?.toISOString() ?? null };
}
