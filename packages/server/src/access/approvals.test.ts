import { randomUUID } from 'node:crypto';
import { accessRoutes as routes } from '@yuanyou/contract';
import type { Client, Role } from '@yuanyou/contract';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { softwareAuthenticator } from '../../test/software-authenticator.ts';
import { accessForTest } from './testing.ts';

let world: Awaited<ReturnType<typeof accessForTest>>;
let admin: Client;
beforeAll(async () => {
  world = await accessForTest();
  world.access.approvals.declare('payments.write-off', 'payments:write');
  const { code } = await world.access.createFirstAdmin({ email: 'admin@example.test', name: 'Ann' });
  admin = world.client(await world.accept(code, password));
});
afterAll(async () => { await world.close(); });

const password = 'correct horse battery';
const origin = 'https://travel.example.test';

async function agent(role: Role) {
  const email = `${randomUUID()}@example.test`;
  const { body } = await admin.call(routes.inviteAgent, { idempotencyKey: randomUUID(), body: { email, name: 'Bo', roles: [role] } });
  const secret = await world.accept(body.invitation.code, password);
  return { agentId: body.agent.id, email, secret, client: world.client(secret) };
}
type Agent = Awaited<ReturnType<typeof agent>>;

let asker: Agent;
let second: Agent;
const writeOff = (subjectId: string, amountMinor: number, by: Agent = asker) => world.db.transaction((tx) => (
  world.access.approvals.claim(tx, { kind: 'payments.write-off', subject: { kind: 'payment', id: subjectId }, details: { amountMinor, currency: 'EUR' }, by: by.agentId })));
const decide = (by: Agent, approvalId: string, approve = true) => by.client.call(routes.decideApproval, { params: { approvalId }, body: { approve, reason: 'checked' } });

/** Asks for an act and answers the approval's id. */
async function asked(subjectId: string, amountMinor = 100): Promise<string> {
  const leave = await writeOff(subjectId, amountMinor);
  if (leave.kind !== 'wait') throw new Error('nobody was asked');
  return leave.approval.id;
}

describe('the two-person rule', () => {
  beforeAll(async () => {
    expect((await writeOff(randomUUID(), 1, await agent('finance'))).kind).toBe('go');
    await admin.call(routes.changeApprovalRule, { params: { kind: 'payments.write-off' }, body: { on: true } });
  });
  beforeEach(async () => { [asker, second] = [await agent('finance'), await agent('finance')]; });

  test('lets an act go on once another agreed, and only that once', async () => {
    const subject = randomUUID();
    const approvalId = await asked(subject);
    expect(await asked(subject)).toBe(approvalId);
    await decide(second, approvalId);
    expect(await writeOff(subject, 100)).toEqual({ kind: 'go', approvalId });
    expect((await writeOff(subject, 100)).kind).toBe('wait');
    const shown = await second.client.call(routes.getApproval, { params: { approvalId } });
    expect(shown.body).toMatchObject({ state: 'used', askedBy: asker.agentId, decidedBy: second.agentId, reason: 'checked', details: { amountMinor: 100, currency: 'EUR' } });
  });

  test('covers exactly the act that was agreed to', async () => {
    const subject = randomUUID();
    await decide(second, await asked(subject, 100));
    expect((await writeOff(subject, 101)).kind).toBe('wait');
    expect((await writeOff(randomUUID(), 100)).kind).toBe('wait');
    expect((await writeOff(subject, 100)).kind).toBe('go');
  });

  test('refuses the asker, whoever may not do the act, programs, and a second decision', async () => {
    const approvalId = await asked(randomUUID());
    await expect(decide(asker, approvalId)).rejects.toMatchObject({ code: 'access/own-approval' });
    await expect(decide(await agent('support'), approvalId)).rejects.toMatchObject({ code: 'general/forbidden' });
    const { body } = await admin.call(routes.createApiKey, { idempotencyKey: randomUUID(), body: { name: 'bot', scopes: ['payments:write', 'approvals:read'] } });
    await expect(world.client(body.secret).call(routes.decideApproval, { params: { approvalId }, body: { approve: true, reason: 'x' } })).rejects.toMatchObject({ code: 'access/session-needed' });
    await decide(second, approvalId, false);
    await expect(decide(second, approvalId)).rejects.toMatchObject({ code: 'access/approval-over' });
  });

  test('runs out, before and after somebody agreed', async () => {
    const [early, late] = [randomUUID(), randomUUID()];
    const [first, other] = [await asked(early), await asked(late)];
    world.clock.advance(86_400_000 / 3);
    await decide(second, other);
    world.clock.advance(86_400_000);
    [asker, second] = [await agentAgain(asker), await agentAgain(second)];
    admin = world.client((await world.client().call(routes.signInAgent, { body: { email: 'admin@example.test', password } })).body.session.secret!);
    await expect(decide(second, first)).rejects.toMatchObject({ code: 'access/approval-over' });
    expect((await writeOff(late, 100)).kind).toBe('wait');
    await world.access.sweep();
    const { items } = (await second.client.call(routes.listApprovals, { query: { state: 'expired', limit: 100 } })).body;
    expect(items.map(({ id }) => id)).toEqual(expect.arrayContaining([first, other]));
  });

  test('spends an approval once when two use it at once', async () => {
    const subject = randomUUID();
    await decide(second, await asked(subject));
    const leaves = await Promise.all([writeOff(subject, 100), writeOff(subject, 100), writeOff(subject, 100)]);
    expect(leaves.filter(({ kind }) => kind === 'go')).toHaveLength(1);
  });

  test('is turned off by two persons', async () => {
    const off = () => admin.call(routes.changeApprovalRule, { params: { kind: 'payments.write-off' }, body: { on: false } });
    const first = await off();
    expect(first.status).toBe(202);
    if (first.status === 202) await decide(await agent('admin'), first.body.id);
    expect((await off()).body).toMatchObject({ kind: 'payments.write-off', on: false });
    expect((await writeOff(randomUUID(), 1)).kind).toBe('go');
    expect((await admin.call(routes.listApprovalRules)).body.items).toEqual([{ kind: 'payments.write-off', permission: 'payments:write', on: false }]);
  });
});

async function agentAgain(known: Agent): Promise<Agent> {
  const { body } = await world.client().call(routes.signInAgent, { body: { email: known.email, password } });
  return { ...known, client: world.client(body.session.secret!) };
}

describe('an agent with a passkey', () => {
  async function withPasskey(known: Agent) {
    const device = softwareAuthenticator(origin);
    const { body: creation } = await known.client.call(routes.startAgentPasskey, { body: { password } });
    const { body: passkey } = await known.client.call(routes.addAgentPasskey, { body: { challengeId: creation.challengeId, name: 'Key', created: device.create(creation) } });
    return { device, passkey };
  }
  async function signInWith(device: ReturnType<typeof softwareAuthenticator>) {
    const { body: request } = await world.client().call(routes.requestAgentPasskeySignIn);
    return world.client().call(routes.signInAgentWithPasskey, { body: { challengeId: request.challengeId, assertion: device.sign(request) } });
  }

  test('signs in with it, and no longer by the password alone, until it is removed', async () => {
    const one = await agent('support');
    const { device, passkey } = await withPasskey(one);
    expect((await signInWith(device)).body.agent.id).toBe(one.agentId);
    const byPassword = (given: string) => world.client().call(routes.signInAgent, { body: { email: one.email, password: given } });
    await expect(byPassword(password)).rejects.toMatchObject({ code: 'access/passkey-needed' });
    await expect(byPassword('wrong')).rejects.toMatchObject({ code: 'access/wrong-credentials' });
    const params = { passkeyId: passkey.id };
    await expect(one.client.call(routes.removeAgentPasskey, { params, body: { password: 'wrong' } })).rejects.toMatchObject({ code: 'access/wrong-credentials' });
    await one.client.call(routes.removeAgentPasskey, { params, body: { password } });
    expect((await byPassword(password)).status).toBe(201);
    await expect(signInWith(device)).rejects.toMatchObject({ code: 'access/wrong-credentials' });
  });

  test('who lost it is helped by an admin; a disabled one does not get in', async () => {
    const one = await agent('support');
    const { device } = await withPasskey(one);
    await admin.call(routes.removePasskeysOfAgent, { params: { agentId: one.agentId } });
    expect((await agentAgain(one)).agentId).toBe(one.agentId);
    const again = await withPasskey(one);
    await admin.call(routes.changeAgent, { params: { agentId: one.agentId }, body: { disabled: true } });
    for (const gone of [device, again.device]) await expect(signInWith(gone)).rejects.toMatchObject({ code: 'access/wrong-credentials' });
  });
});
