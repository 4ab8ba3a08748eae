import { randomUUID } from 'node:crypto';
import { accountsRoutes as routes } from '@yuanyou/contract';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { accountsForTest } from './testing.ts';

let world: Awaited<ReturnType<typeof accountsForTest>>;
beforeAll(async () => { world = await accountsForTest(); });
afterAll(async () => { await world.close(); });

const password = 'correct horse battery';

async function guest(email: string, idempotencyKey: string = randomUUID()) {
  const { body } = await world.client().call(routes.openGuest, { idempotencyKey, body: { email, country: 'DE' } });
  return { accountId: body.account.id, account: body.account, client: world.client(body.session.secret!) };
}
const claim = (email: string, code: string) => world.client().call(routes.claimAccount, { body: { email, code, password, name: 'Mei Wang' } });

describe('a guest', () => {
  test('has an account without a password, and claims it with a mailed code', async () => {
    const email = 'guest@example.test';
    const { accountId, account, client } = await guest(email);
    expect(account).toMatchObject({ guest: true, email, passwordChangedAt: null, name: '' });
    expect((await world.db.transaction((tx) => world.accounts.requireActive(tx, accountId))).id).toBe(accountId);
    const code = await world.lastLongCode(email);
    await expect(claim(email, 'AAAAA-AAAAA')).rejects.toMatchObject({ code: 'accounts/wrong-code' });
    await expect(claim('other@example.test', code)).rejects.toMatchObject({ code: 'accounts/wrong-code' });
    const { body } = await claim('Guest@example.test', code);
    expect(body.account).toMatchObject({ id: accountId, guest: false, emailVerified: true, name: 'Mei Wang' });
    await expect(client.call(routes.getAccount)).rejects.toMatchObject({ code: 'general/unauthenticated' });
    await expect(claim(email, code)).rejects.toMatchObject({ code: 'accounts/wrong-code' });
    expect((await world.client().call(routes.signIn, { body: { email, password } })).body.account.id).toBe(accountId);
  });

  test('learns nothing of other accounts with the address, and shares nothing with them', async () => {
    const email = 'shared@example.test';
    await world.client().call(routes.signUp, { idempotencyKey: randomUUID(), body: { email, password, name: 'Owner' } });
    const [one, two] = [await guest(email), await guest(email)];
    expect(one.accountId).not.toBe(two.accountId);
    expect(await world.accounts.findByEmail(world.db, email)).not.toBe(one.accountId);
    await expect(claim(email, await world.lastLongCode(email))).rejects.toMatchObject({ code: 'accounts/email-taken' });
    expect((await two.client.call(routes.getAccount)).body.guest).toBe(true);
  });

  test('asks for a fresh code; whoever bought nothing is answered alike and gets no mail', async () => {
    const email = 'later@example.test';
    await guest(email);
    world.clock.advance(86_400_000);
    await world.jobs.drain();
    const before = world.mails.length;
    const answers = await Promise.all([email, 'nothing@example.test'].map((one) => world.client().call(routes.requestClaim, { body: { email: one } })));
    expect(answers.map(({ status }) => status)).toEqual([202, 202]);
    const code = await world.lastLongCode(email);
    expect(world.mails.slice(before).map(({ to }) => to)).toEqual([email]);
    expect((await claim(email, code)).status).toBe(201);
  });

  test('opened twice with one key is one account, also when the first answer was lost', async () => {
    const key = randomUUID();
    expect((await guest('twice@example.test', key)).accountId).toBe((await guest('twice@example.test', key)).accountId);
  });

  test('steps up by a code mailed to them, and can use nothing that needs a password', async () => {
    const email = 'proof@example.test';
    const { accountId, client } = await guest(email);
    await world.jobs.drain();
    expect((await client.call(routes.startStepUp)).body).toEqual({ factors: ['mailedCode'], passkey: null });
    const mailedCode = await world.lastLongCode(email);
    await expect(world.accounts.stepUp(accountId, { mailedCode: 'AAAAA-AAAAA' })).rejects.toMatchObject({ code: 'accounts/wrong-proof' });
    expect(await world.accounts.stepUp(accountId, { mailedCode })).toBe(true);
    await expect(world.accounts.stepUp(accountId, { mailedCode })).rejects.toMatchObject({ code: 'accounts/wrong-proof' });
    await expect(world.accounts.stepUp(accountId, { password })).rejects.toMatchObject({ code: 'accounts/wrong-password' });
    await expect(client.call(routes.changeEmail, { body: { email: 'x@example.test', password } })).rejects.toMatchObject({ code: 'accounts/guest' });
    await expect(client.call(routes.startOneTimeCodes, { body: { proof: { mailedCode } } })).rejects.toMatchObject({ code: 'accounts/guest' });
  });

  test('who has a password is sent no code that stands in for it', async () => {
    const { body } = await world.client().call(routes.signUp, { idempotencyKey: randomUUID(), body: { email: 'full@example.test', password, name: 'F' } });
    const client = world.client(body.session.secret!);
    await world.jobs.drain();
    const before = world.mails.length;
    expect((await client.call(routes.startStepUp)).body.factors).toEqual(['password']);
    await world.jobs.drain();
    expect(world.mails).toHaveLength(before);
    await expect(world.accounts.stepUp(body.account.id, { mailedCode: 'AAAAA-AAAAA' })).rejects.toMatchObject({ code: 'accounts/wrong-proof' });
  });

  test('leaves no trace once erased', async () => {
    const { accountId } = await guest('gone@example.test');
    await world.db.transaction((tx) => world.accounts.holder.erase(tx, accountId));
    await expect(world.accounts.require(world.db, accountId)).rejects.toMatchObject({ code: 'accounts/closed' });
  });
});

describe('a device', () => {
  test('is called after browser and system until its owner names it', async () => {
    const { client } = await guest('device@example.test');
    const [session] = (await client.call(routes.listSessions)).body.items;
    expect(session!.name).toBe(session!.device);
    await client.call(routes.renameSession, { params: { sessionId: session!.id }, body: { name: '工作电脑' } });
    expect((await client.call(routes.listSessions)).body.items[0]!.name).toBe('工作电脑');
    const stranger = await guest('device-stranger@example.test');
    await expect(stranger.client.call(routes.renameSession, { params: { sessionId: session!.id }, body: { name: 'x' } })).rejects.toMatchObject({ code: 'general/not-found' });
  });
});
