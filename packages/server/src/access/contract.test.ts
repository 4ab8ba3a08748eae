import { randomUUID } from 'node:crypto';
import { accessRoutes as routes, problem } from '@yuanyou/contract';
import type { Route } from '@yuanyou/contract';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { cursorOf } from '../platform/http/index.ts';
import { drive } from '../platform/http/testing.ts';
import type { RawCall } from '../platform/http/testing.ts';
import { accessForTest } from './testing.ts';

let world: Awaited<ReturnType<typeof accessForTest>>;
let secret: string;
const password = 'correct horse battery';

beforeAll(async () => {
  world = await accessForTest();
  const { code } = await world.access.createFirstAdmin({ email: 'admin@example.test', name: 'Ann' });
  await world.accept(code, password);
});
afterAll(async () => { await world.close(); });

beforeEach(async () => {
  world.clock.advance(16 * 60_000);
  secret = (await world.client().call(routes.signInAgent, { body: { email: 'admin@example.test', password } })).body.session.secret!;
});

const named = { id: 'a2V5', rawId: 'a2V5', type: 'public-key', clientExtensionResults: {} };
const assertion = { challengeId: randomUUID(), assertion: { ...named, response: { clientDataJSON: 'e30', authenticatorData: 'AAAA', signature: 'AAAA', userHandle: 'AAAA' } } };

/** One good call of each operation. */
const calls: Record<keyof typeof routes, () => Omit<RawCall, 'route'>> = {
  signInAgent: () => ({ body: { email: 'admin@example.test', password, transport: 'cookie' } }),
  signOutAgent: () => ({ headers: { authorization: 'Bearer ags_unknown' } }),
  requestAgentPasskeySignIn: () => ({}),
  signInAgentWithPasskey: () => ({ body: { ...assertion, transport: 'bearer' } }),
  listAgentPasskeys: () => ({}),
  startAgentPasskey: () => ({ body: { password } }),
  addAgentPasskey: () => ({ body: { challengeId: randomUUID(), name: 'Key', created: { ...named, response: { clientDataJSON: 'e30', attestationObject: 'oA', transports: ['usb'] } } } }),
  removeAgentPasskey: () => ({ params: { passkeyId: randomUUID() }, body: { password } }),
  removePasskeysOfAgent: () => ({ params: { agentId: randomUUID() } }),
  listApprovals: () => ({ query: { limit: '10', cursor: cursorOf([randomUUID()]), state: 'pending' } }),
  getApproval: () => ({ params: { approvalId: randomUUID() } }),
  decideApproval: () => ({ params: { approvalId: randomUUID() }, body: { approve: true, reason: 'seen' } }),
  listApprovalRules: () => ({}),
  changeApprovalRule: () => ({ params: { kind: 'access.none' }, body: { on: true } }),
  acceptInvitation: () => ({ body: { code: `inv_${'x'.repeat(43)}`, password, transport: 'bearer' } }),
  getAgent: () => ({}),
  listAgents: () => ({ query: { limit: '10', cursor: cursorOf([randomUUID()]) } }),
  inviteAgent: () => ({ body: { email: `${randomUUID()}@example.test`, name: 'Bo', roles: ['viewer'] }, headers: { 'idempotency-key': randomUUID() } }),
  changeAgent: () => ({ params: { agentId: randomUUID() }, body: { roles: ['viewer'], disabled: false } }),
  listApiKeys: () => ({ query: { limit: '10', cursor: cursorOf(['2026-11-22T08:00:00.000Z', randomUUID()]) } }),
  createApiKey: () => ({ body: { name: 'k', scopes: ['agents:read'], expiresAt: '2027-03-22T08:00:00.000Z' }, headers: { 'idempotency-key': randomUUID() } }),
  revokeApiKey: () => ({ params: { apiKeyId: randomUUID() } }),
};

test.each(Object.entries(routes) as [keyof typeof routes, Route][])('%s answers its contract, whatever it is sent', async (operation, route) => {
  const good = calls[operation]();
  const call: RawCall = { route, ...good, headers: { authorization: `Bearer ${secret}`, ...good.headers } };
  // Limits on attempts are tested elsewhere; here every call shall reach its handler.
  const driven = await drive(world.served.url, call, () => { world.clock.advance(16 * 60_000); });
  for (const { status, isProblem, text, context } of driven) {
    expect(status, context).toBeLessThan(500);
    if (isProblem) expect(problem.parse(JSON.parse(text)).status).toBe(status);
    else expect(Object.keys(route.responses), context).toContain(String(status));
  }
  expect(driven[0]!.status, driven[0]!.context).not.toBe(400);
  expect(world.served.logged.filter(({ level }) => level === 'error')).toEqual([]);
}, 60_000);
