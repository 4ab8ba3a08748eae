import { accessRoutes as routes, id } from '@yuanyou/contract';
import type { Permission } from '@yuanyou/contract';
import { z } from 'zod';
import { endpoint, pageOf, readCursor } from '../platform/http/index.ts';
import type { Endpoint } from '../platform/http/index.ts';
import { changeAgent, getAgent, inviteAgent, openAgent } from './agents.ts';
import type { AgentView } from './agents.ts';
import { createApiKey, revokeApiKey } from './api-keys.ts';
import type { AccessDeps } from './deps.ts';
import type { ApiKeyRow } from './model.ts';
import { approvalEndpoints } from './approvals/routes.ts';
import type { ApprovalBook } from './approvals/approvals.ts';
import type { PasskeyDeps } from './passkeys/keep.ts';
import { passkeyEndpoints } from './passkeys/routes.ts';
import { acceptInvitation, signIn, signInWithPasskey, signOut } from './sessions.ts';
import type { BegunSession } from './sessions.ts';
import * as store from './store.ts';

export function accessEndpoints(deps: PasskeyDeps, approvals: ApprovalBook): Endpoint[] {
  return [...sessionEndpoints(deps), ...passkeyEndpoints(deps), ...agentEndpoints(deps), ...keyEndpoints(deps), ...approvalEndpoints(deps, approvals)];
}

function sessionEndpoints(deps: PasskeyDeps): Endpoint[] {
  const begun = async (session: BegunSession, transport: 'bearer' | 'cookie', setSession: (secret: string) => void) => {
    if (transport === 'cookie') setSession(session.secret);
    return {
      agent: shownAgent(await getAgent(deps, deps.db, session.agentId)),
      session: { id: session.sessionId, secret: transport === 'cookie' ? null : session.secret, expiresAt: session.expiresAt.toISOString() },
    };
  };
  return [
    endpoint(routes.signInAgent, async ({ body, remoteAddress, setSession }) => {
      const session = await signIn(deps, { email: body.email, password: body.password, address: remoteAddress });
      return { status: 201, body: await begun(session, body.transport, setSession) };
    }),
    endpoint(routes.signInAgentWithPasskey, async ({ body, remoteAddress, setSession }) => {
      const { challengeId, assertion, transport } = body;
      const session = await signInWithPasskey(deps, { challengeId, assertion, address: remoteAddress });
      return { status: 201, body: await begun(session, transport, setSession) };
    }),
    endpoint(routes.acceptInvitation, async ({ body, remoteAddress, setSession }) => {
      const session = await acceptInvitation(deps, { code: body.code, password: body.password, address: remoteAddress });
      return { status: 201, body: await begun(session, body.transport, setSession) };
    }),
    endpoint(routes.signOutAgent, async ({ principal, setSession }) => {
      await signOut(deps, principal.agentId, principal.credentialId ?? principal.agentId);
      setSession(null);
      return { status: 204 };
    }),
  ];
}

function agentEndpoints(deps: AccessDeps): Endpoint[] {
  return [
    endpoint(routes.getAgent, async ({ principal }) => ({
      status: 200,
      body: { agent: shownAgent(await getAgent(deps, deps.db, principal.agentId)), permissions: [...principal.permissions] as Permission[] },
    })),
    endpoint(routes.listAgents, async ({ query }) => {
      const after = readCursor(query.cursor, z.tuple([id]))?.[0] ?? null;
      const page = pageOf(await store.listAgents(deps.db, after, query.limit + 1), query.limit, (row) => [row.id]);
      const items = await Promise.all(page.items.map(async (row) => shownAgent(await openAgent(deps, row))));
      return { status: 200, body: { items, nextCursor: page.nextCursor } };
    }),
    endpoint(routes.inviteAgent, async ({ principal, body, idempotencyKey }) => {
      const invitation = await inviteAgent(deps, { kind: 'agent', id: principal.agentId }, { agentId: idempotencyKey, ...body });
      const agent = shownAgent(await getAgent(deps, deps.db, invitation.agentId));
      return { status: 201, body: { agent, invitation: { code: invitation.code, expiresAt: invitation.expiresAt.toISOString() } } };
    }),
    endpoint(routes.changeAgent, async ({ principal, params, body }) => (
      { status: 200, body: shownAgent(await changeAgent(deps, { kind: 'agent', id: principal.agentId }, params.agentId, body)) })),
  ];
}

function keyEndpoints(deps: AccessDeps): Endpoint[] {
  return [
    endpoint(routes.listApiKeys, async ({ query }) => {
      const cursor = readCursor(query.cursor, z.tuple([z.iso.datetime(), id]));
      const after = cursor === undefined ? null : { at: new Date(cursor[0]), id: cursor[1] };
      const page = pageOf(await store.listApiKeys(deps.db, after, query.limit + 1), query.limit, (row) => [row.createdAt.toISOString(), row.id]);
      return { status: 200, body: { items: page.items.map(shownKey), nextCursor: page.nextCursor } };
    }),
    endpoint(routes.createApiKey, async ({ principal, body, idempotencyKey }) => {
      const { apiKey, secret } = await createApiKey(deps, principal, {
        apiKeyId: idempotencyKey, name: body.name, scopes: body.scopes, expiresAt: body.expiresAt === undefined ? undefined : new Date(body.expiresAt),
      });
      return { status: 201, body: { apiKey: shownKey(apiKey), secret } };
    }),
    endpoint(routes.revokeApiKey, async ({ principal, params }) => {
      await revokeApiKey(deps, principal.agentId, params.apiKeyId);
      return { status: 204 };
    }),
  ];
}

function shownAgent(agent: AgentView) {
  return { ...agent, roles: [...agent.roles], createdAt: agent.createdAt.toISOString() };
}

function shownKey(key: ApiKeyRow) {
  return {
    ...key, scopes: [...key.scopes], createdAt: key.createdAt.toISOString(), expiresAt: key.expiresAt.toISOString(),
    revokedAt: key.revokedAt?.toISOString() ?? null,
  };
}
