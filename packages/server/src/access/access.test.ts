import { randomUUID } from 'node:crypto';
import { accessRoutes as routes } from '@yuanyou/contract';
import type { Role } from '@yuanyou/contract';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sql } from '../platform/db/index.ts';
import { accessForTest } from './testing.ts';

let world: Awaited<ReturnType<typeof accessForTest>>;
let admin: ReturnType<typeof world.client>;
let adminId: string;
const password = 'correct horse battery';

beforeAll(async () => {
  world = await accessForTest();
  const stale = await world.access.createFirstAdmin({ email: 'first@example.test', name: 'Ann' });
  // Nobody accepted the first code; the command may be given again, and then the first code is void.
  const invitation = await world.access.createFirstAdmin({ email: 'first@example.test', name: 'Ann Admin' });
  await expect(world.accept(stale.code, password)).rejects.toMatchObject({ code: 'access/wrong-invitation' });
  admin = world.client(await world.accept(invitation.code, password));
  adminId = invitation.agentId;
});
afterAll(async () => { await world.close(); });

let made = 0;

async function agent(roles: Role[]) {
  const email = `agent${++made}@example.test`;
  const { body } = await admin.call(routes.inviteAgent, { idempotencyKey: randomUUID(), body: { email, name: 'Bo', roles } });
  const secret = await world.accept(body.invitation.code, password);
  return { email, id: body.agent.id, secret, client: world.client(secret) };
}

describe('the first admin', () => {
  test('is made once', async () => {
    await expect(world.access.createFirstAdmin({ email: 'second@example.test', name: 'B' })).rejects.toMatchObject({ code: 'access/admin-exists' });
    expect((await admin.call(routes.getAgent)).body.agent).toMatchObject({ id: adminId, name: 'Ann Admin', roles: ['admin'], state: 'active' });
  });

  test('stays while it is the last one', async () => {
    const params = { agentId: adminId };
    await expect(admin.call(routes.changeAgent, { params, body: { disabled: true } })).rejects.toMatchObject({ code: 'access/last-admin' });
    await expect(admin.call(routes.changeAgent, { params, body: { roles: ['viewer'] } })).rejects.toMatchObject({ code: 'access/last-admin' });
  });

  test('two who go at once leave one', async () => {
    const other = await agent(['admin']);
    const results = await Promise.allSettled([
      admin.call(routes.changeAgent, { params: { agentId: other.id }, body: { roles: ['viewer'] } }),
      other.client.call(routes.changeAgent, { params: { agentId: adminId }, body: { roles: ['viewer'] } }),
    ]);
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const restorer = results[0].status === 'fulfilled' ? admin : other.client;
    await restorer.call(routes.changeAgent, { params: { agentId: adminId }, body: { roles: ['admin'] } });
    await admin.call(routes.changeAgent, { params: { agentId: other.id }, body: { roles: ['viewer'] } });
  });
});

describe('agents', () => {
  test('are invited once, accept once, and may do what their roles say', async () => {
    const idempotencyKey = randomUUID();
    const invite = () => admin.call(routes.inviteAgent, { idempotencyKey, body: { email: 'cleo@example.test', name: 'Cleo', roles: ['viewer'] } });
    const first = await invite();
    expect((await invite()).body).toEqual(first.body);
    await expect(admin.call(routes.inviteAgent, { idempotencyKey: randomUUID(), body: { email: 'CLEO@example.test', name: 'C', roles: ['viewer'] } })).rejects.toMatchObject({ code: 'access/email-taken' });
    const viewer = world.client(await world.accept(first.body.invitation.code, password));
    await expect(world.accept(first.body.invitation.code, password)).rejects.toMatchObject({ code: 'access/wrong-invitation' });
    expect((await viewer.call(routes.listAgents)).status).toBe(200);
    expect((await viewer.call(routes.getAgent)).body.permissions).not.toContain('agents:write');
    await expect(viewer.call(routes.inviteAgent, { idempotencyKey: randomUUID(), body: { email: 'x@example.test', name: 'X', roles: ['admin'] } })).rejects.toMatchObject({ code: 'general/forbidden' });
  });

  test('are not invited after three days', async () => {
    const { body } = await admin.call(routes.inviteAgent, { idempotencyKey: randomUUID(), body: { email: 'late@example.test', name: 'L', roles: ['viewer'] } });
    world.clock.advance(3 * 86_400_000 + 1);
    await expect(world.accept(body.invitation.code, password)).rejects.toMatchObject({ code: 'access/wrong-invitation' });
    admin = world.client((await world.client().call(routes.signInAgent, { body: { email: 'first@example.test', password } })).body.session.secret!);
  });

  test('sign in and out; disabled they are out at once and cannot come back until enabled', async () => {
    const { email, id, client } = await agent(['support']);
    const signIn = () => world.client().call(routes.signInAgent, { body: { email, password } });
    const second = world.client((await signIn()).body.session.secret!);
    await second.call(routes.signOutAgent);
    await expect(second.call(routes.getAgent)).rejects.toMatchObject({ code: 'general/unauthenticated' });
    await admin.call(routes.changeAgent, { params: { agentId: id }, body: { disabled: true } });
    await expect(client.call(routes.getAgent)).rejects.toMatchObject({ code: 'general/unauthenticated' });
    await expect(signIn()).rejects.toMatchObject({ code: 'access/wrong-credentials' });
    await admin.call(routes.changeAgent, { params: { agentId: id }, body: { disabled: false } });
    expect((await signIn()).status).toBe(201);
  });

  test('are limited in their tries, and answered alike', async () => {
    const { email } = await agent(['viewer']);
    for (const subject of [email, 'nobody@example.test']) {
      for (let attempt = 0; attempt < 10; attempt++) {
        await expect(world.client().call(routes.signInAgent, { body: { email: subject, password: 'wrong' } })).rejects.toMatchObject({ code: 'access/wrong-credentials' });
      }
      await expect(world.client().call(routes.signInAgent, { body: { email: subject, password } })).rejects.toMatchObject({ code: 'general/too-many-requests' });
    }
    world.clock.advance(15 * 60_000);
  });

  test('are not readable in the database, and every act of theirs is on record', async () => {
    const rows = await world.db.all<{ row: string }>(sql`select a::text as row from access.agent a`);
    for (const { row } of rows) expect(row).not.toMatch(/example\.test|Ann Admin/);
    const actions = (await world.db.all<{ action: string }>(sql`select distinct action from audit.entry`)).map(({ action }) => action);
    expect(actions).toEqual(expect.arrayContaining([
      'access.create-first-admin', 'access.accept-invitation', 'access.invite', 'access.change-agent', 'access.sign-in', 'access.sign-out',
    ]));
  });

  test('are forgotten a year after they were disabled, key and all', async () => {
    const { id } = await agent(['viewer']);
    await admin.call(routes.changeAgent, { params: { agentId: id }, body: { disabled: true } });
    world.clock.advance(366 * 86_400_000);
    await world.access.sweep();
    expect(await world.db.all(sql`select 1 from access.agent where id = ${id}`)).toEqual([]);
    expect(await world.dataKeys.isDestroyed(id)).toBe(true);
    admin = world.client((await world.client().call(routes.signInAgent, { body: { email: 'first@example.test', password } })).body.session.secret!);
  });
});

describe('API keys', () => {
  const key = (client: typeof admin, scopes: string[], expiresAt?: string) => client.call(routes.createApiKey, {
    idempotencyKey: randomUUID(), body: { name: 'billing', scopes: scopes as never, ...(expiresAt === undefined ? {} : { expiresAt }) },
  });

  test('do what their scopes say, and never more than their maker still may', async () => {
    const { id, client } = await agent(['operations']);
    await expect(key(client, ['payments:write'])).rejects.toMatchObject({ code: 'access/scope-beyond-role' });
    const { secret } = (await key(client, ['agents:read', 'api-keys:write'])).body;
    const program = world.client(secret);
    expect((await program.call(routes.listAgents)).status).toBe(200);
    await expect(program.call(routes.inviteAgent, { idempotencyKey: randomUUID(), body: { email: 'y@example.test', name: 'Y', roles: ['admin'] } })).rejects.toMatchObject({ code: 'general/forbidden' });
    expect([...(await world.access.authenticateAgent(secret))!.permissions]).toEqual(['agents:read', 'api-keys:write']);
    await admin.call(routes.changeAgent, { params: { agentId: id }, body: { roles: ['support'] } });
    expect([...(await world.access.authenticateAgent(secret))!.permissions]).toEqual(['agents:read']);
    await admin.call(routes.changeAgent, { params: { agentId: id }, body: { disabled: true } });
    await expect(program.call(routes.listAgents)).rejects.toMatchObject({ code: 'general/unauthenticated' });
  });

  test('are listed without their secret, run out, and are revoked for good', async () => {
    const soon = new Date(world.clock.now().getTime() + 3_600_000).toISOString();
    const [short, long] = [(await key(admin, ['agents:read'], soon)).body, (await key(admin, ['agents:read'])).body];
    const listed = JSON.stringify((await admin.call(routes.listApiKeys, { query: { limit: 100 } })).body);
    expect(listed).toContain(long.apiKey.id);
    expect(listed).not.toContain(long.secret);
    for (let time = 0; time < 2; time++) await admin.call(routes.revokeApiKey, { params: { apiKeyId: long.apiKey.id } });
    expect(await world.access.authenticateAgent(long.secret)).toBeUndefined();
    expect(await world.access.authenticateAgent(short.secret)).toBeDefined();
    world.clock.advance(3_600_000);
    expect(await world.access.authenticateAgent(short.secret)).toBeUndefined();
    await expect(key(admin, ['agents:read'], soon)).rejects.toMatchObject({ code: 'general/bad-request' });
  });

  test('do not work as a cookie', async () => {
    const { secret } = (await key(admin, ['agents:read'])).body;
    const response = await fetch(`${world.served.url}/v1/agents`, { headers: { cookie: `yuanyou-agent=${secret}` } });
    expect(response.status).toBe(401);
  });
});
