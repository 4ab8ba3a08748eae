import { randomUUID } from 'node:crypto';
import { accountsRoutes as routes } from '@yuanyou/contract';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sql } from '../platform/db/index.ts';
import { accountsForTest } from './testing.ts';

let world: Awaited<ReturnType<typeof accountsForTest>>;
beforeAll(async () => { world = await accountsForTest(); });
afterAll(async () => { await world.close(); });

const password = 'correct horse battery';
let made = 0;

/** A traveller who signed up just now. */
async function traveller(email = `mei${++made}@example.test`) {
  const { body } = await world.client().call(routes.signUp, { idempotencyKey: randomUUID(), body: { email, password, name: 'Mei Wang' } });
  return { email, accountId: body.account.id, secret: body.session.secret!, sessionId: body.session.id, client: world.client(body.session.secret!) };
}
const signIn = (email: string, given = password) => world.client().call(routes.signIn, { body: { email, password: given } });

describe('signing up', () => {
  test('opens an account, signs in, and sends a code that verifies the address', async () => {
    const { client, email } = await traveller();
    expect((await client.call(routes.getAccount)).body).toMatchObject({ email, name: 'Mei Wang', emailVerified: false, language: 'en', state: 'active', country: null });
    await expect(client.call(routes.confirmEmail, { body: { code: '000000' } })).rejects.toMatchObject({ code: 'accounts/wrong-code' });
    const code = await world.lastCode(email);
    expect((await client.call(routes.confirmEmail, { body: { code } })).body.emailVerified).toBe(true);
    await expect(client.call(routes.confirmEmail, { body: { code } })).rejects.toMatchObject({ code: 'accounts/wrong-code' });
  });

  test('takes the language from the request, and an address once, whatever its case', async () => {
    const body = { email: 'Li@Example.test', password, name: '李' };
    const reply = await world.client().call(routes.signUp, { idempotencyKey: randomUUID(), language: 'zh-CN', body });
    expect(reply.body.account).toMatchObject({ language: 'zh-Hans', email: 'Li@Example.test' });
    await expect(world.client().call(routes.signUp, { idempotencyKey: randomUUID(), body: { ...body, email: 'li@example.TEST' } })).rejects.toMatchObject({ code: 'accounts/email-taken' });
    expect((await signIn('LI@example.test')).status).toBe(201);
  });

  test('twice at once with one address opens one account', async () => {
    const attempt = () => world.client().call(routes.signUp, { idempotencyKey: randomUUID(), body: { email: 'race@example.test', password, name: 'R' } });
    const results = await Promise.allSettled([attempt(), attempt(), attempt()]);
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  test('again after the answer was lost opens no second account', async () => {
    const idempotencyKey = randomUUID();
    const body = { email: 'lost@example.test', password, name: 'L' };
    const first = await world.client().call(routes.signUp, { idempotencyKey, body });
    await world.db.transaction((tx) => tx.run(sql`delete from http.idempotency`));
    const second = await world.client().call(routes.signUp, { idempotencyKey, body });
    expect(second.body.account.id).toBe(first.body.account.id);
    expect((await world.client(second.body.session.secret!).call(routes.listSessions)).body.items).toHaveLength(2);
  });

  test('leaves nothing readable in the database', async () => {
    await traveller('readable@example.test');
    for (const table of ['accounts.account', 'accounts.session', 'accounts.verification', 'notifications.message']) {
      const rows = await world.db.all<{ row: string }>(sql`select t::text as row from ${sql.raw(table)} t`);
      expect(rows.length).toBeGreaterThan(0);
      for (const { row } of rows) {
        expect(row).not.toMatch(/readable@|Mei Wang/);
        expect(row).not.toContain(Buffer.from('readable@').toString('hex'));
      }
    }
  });
});

describe('sessions', () => {
  test('are listed, ended one by one, and not readable by others', async () => {
    const { client, email, sessionId } = await traveller();
    world.clock.advance(1);
    const other = (await signIn(email)).body.session;
    const listed = (await client.call(routes.listSessions)).body.items;
    expect(listed.map(({ id, current }) => ({ id, current }))).toEqual([{ id: other.id, current: false }, { id: sessionId, current: true }]);
    expect(listed[0]!.device).toContain('node');
    const paged = await client.call(routes.listSessions, { query: { limit: 1 } });
    expect((await client.call(routes.listSessions, { query: { limit: 1, cursor: paged.body.nextCursor! } })).body).toMatchObject({ items: [{ id: sessionId }], nextCursor: null });

    const stranger = await traveller();
    await expect(stranger.client.call(routes.revokeSession, { params: { sessionId: other.id } })).rejects.toMatchObject({ code: 'general/not-found' });
    await client.call(routes.revokeSession, { params: { sessionId: other.id } });
    await expect(world.client(other.secret!).call(routes.getAccount)).rejects.toMatchObject({ code: 'general/unauthenticated' });
    await client.call(routes.signOut);
    await expect(client.call(routes.getAccount)).rejects.toMatchObject({ code: 'general/unauthenticated' });
  });

  test('by cookie give the secret to the browser alone', async () => {
    const { email } = await traveller();
    const reply = await world.client().call(routes.signIn, { body: { email, password, transport: 'cookie' } });
    expect(reply.body.session.secret).toBeNull();
    expect(reply.headers.get('set-cookie')).toMatch(/^yuanyou=tvs_.*HttpOnly/);
  });

  test('end by themselves after thirty days, and are swept', async () => {
    const { client } = await traveller();
    world.clock.advance(30 * 86_400_000 + 1);
    await expect(client.call(routes.getAccount)).rejects.toMatchObject({ code: 'general/unauthenticated' });
    await world.accounts.sweep();
    expect(await world.db.all(sql`select 1 from accounts.session`)).toEqual([]);
  });

  test('are refused alike for an unknown address and a wrong password, and after ten tries altogether', async () => {
    const { email } = await traveller();
    const refusals = await Promise.allSettled([signIn(email, 'wrong'), signIn('nobody@example.test', 'wrong')]);
    const said = refusals.map((one) => one.status === 'rejected' && { ...(one.reason as { problem: object }).problem, requestId: '' });
    expect(said[0]).toEqual(said[1]);
    for (const subject of [email, 'nobody@example.test']) {
      for (let attempt = 0; attempt < 9; attempt++) await expect(signIn(subject, 'wrong')).rejects.toMatchObject({ code: 'accounts/wrong-credentials' });
      await expect(signIn(subject)).rejects.toMatchObject({ code: 'general/too-many-requests' });
    }
    world.clock.advance(15 * 60_000);
    expect((await signIn(email)).status).toBe(201);
  });
});

describe('an account', () => {
  test('is corrected by its holder', async () => {
    const { client } = await traveller();
    const changed = await client.call(routes.changeAccount, { body: { name: '王梅', language: 'zh-Hant', country: 'TW' } });
    expect(changed.body).toMatchObject({ name: '王梅', language: 'zh-Hant', country: 'TW' });
    expect((await client.call(routes.changeAccount, { body: { country: null } })).body).toMatchObject({ name: '王梅', country: null });
  });

  test('changes its address only by password and a code sent to the new one; the old one is told', async () => {
    const { client, email, accountId } = await traveller();
    await expect(client.call(routes.changeEmail, { body: { email: 'new@example.test', password: 'wrong' } })).rejects.toMatchObject({ code: 'accounts/wrong-password' });
    await client.call(routes.changeEmail, { body: { email: 'new@example.test', password } });
    expect((await client.call(routes.getAccount)).body.email).toBe(email);
    const confirmed = await client.call(routes.confirmEmail, { body: { code: await world.lastCode('new@example.test') } });
    expect(confirmed.body).toMatchObject({ email: 'new@example.test', emailVerified: true });
    expect((await world.accounts.require(world.db, accountId)).emailChangedAt).toEqual(world.clock.now());
    await world.jobs.drain();
    expect(world.mails.filter(({ to }) => to === email).map(({ subject }) => subject)).toContain('Your account has a new email address');
    await expect(signIn(email)).rejects.toMatchObject({ code: 'accounts/wrong-credentials' });
    expect((await signIn('new@example.test')).status).toBe(201);
  });

  test('cannot take an address that has an account', async () => {
    const [one, two] = [await traveller(), await traveller()];
    await world.jobs.drain();
    await one.client.call(routes.changeEmail, { body: { email: two.email, password } });
    await expect(one.client.call(routes.confirmEmail, { body: { code: await world.lastCode(two.email) } })).rejects.toMatchObject({ code: 'accounts/email-taken' });
  });

  test('limits how often a code is tried', async () => {
    const { client } = await traveller();
    for (let attempt = 0; attempt < 10; attempt++) await client.call(routes.confirmEmail, { body: { code: '999999' } }).catch(() => undefined);
    await expect(client.call(routes.confirmEmail, { body: { code: '999999' } })).rejects.toMatchObject({ code: 'general/too-many-requests' });
  });

  test('with a new password is signed out everywhere else', async () => {
    const { client, email, accountId } = await traveller();
    const other = world.client((await signIn(email)).body.session.secret!);
    expect((await world.accounts.require(world.db, accountId)).passwordChangedAt).toBeNull();
    world.clock.advance(1000);
    await client.call(routes.changePassword, { body: { password, newPassword: 'another horse battery' } });
    await expect(other.call(routes.getAccount)).rejects.toMatchObject({ code: 'general/unauthenticated' });
    expect((await client.call(routes.getAccount)).status).toBe(200);
    await expect(signIn(email)).rejects.toMatchObject({ code: 'accounts/wrong-credentials' });
    expect((await signIn(email, 'another horse battery')).status).toBe(201);
    expect((await world.accounts.require(world.db, accountId)).passwordChangedAt).toEqual(world.clock.now());
    await world.jobs.drain();
    expect(world.mails.filter(({ to }) => to === email).map(({ subject }) => subject)).toContain('Your password was changed');
  });

  test('is proven by its password', async () => {
    const { accountId } = await traveller();
    expect(await world.accounts.verifyPassword(accountId, password)).toBe(true);
    await expect(world.accounts.verifyPassword(accountId, 'wrong')).rejects.toMatchObject({ code: 'accounts/wrong-password' });
    await expect(world.accounts.verifyPassword(randomUUID(), password)).rejects.toMatchObject({ code: 'accounts/unknown' });
  });
});

describe('contacts', () => {
  const ling = { name: 'Ling', phone: '+49 30 5550100', email: 'ling@example.test', note: null };

  test('are added, read, replaced and removed by their owner alone', async () => {
    const [mine, stranger] = [await traveller(), await traveller()];
    const added = (await mine.client.call(routes.addContact, { idempotencyKey: randomUUID(), body: ling })).body;
    expect(added).toMatchObject(ling);
    const params = { contactId: added.id };
    for (const act of [
      () => stranger.client.call(routes.getContact, { params }), () => stranger.client.call(routes.removeContact, { params }),
      () => stranger.client.call(routes.replaceContact, { params, body: ling }),
    ]) await expect(act()).rejects.toMatchObject({ code: 'general/not-found' });
    expect((await mine.client.call(routes.replaceContact, { params, body: { name: 'Ling Li' } })).body).toMatchObject({ name: 'Ling Li', phone: null });
    await mine.client.call(routes.removeContact, { params });
    await expect(mine.client.call(routes.getContact, { params })).rejects.toMatchObject({ code: 'general/not-found' });
  });

  test('are paged oldest first', async () => {
    const { client } = await traveller();
    for (let index = 0; index < 5; index++) {
      world.clock.advance(1);
      await client.call(routes.addContact, { idempotencyKey: randomUUID(), body: { name: `C${index}` } });
    }
    const names: string[] = [];
    for (let cursor: string | null | undefined; cursor !== null;) {
      const page = (await client.call(routes.listContacts, { query: { limit: 2, ...(cursor === undefined ? {} : { cursor }) } })).body;
      names.push(...page.items.map(({ name }) => name));
      cursor = page.nextCursor;
    }
    expect(names).toEqual(['C0', 'C1', 'C2', 'C3', 'C4']);
    await expect(client.call(routes.listContacts, { query: { cursor: 'xyz' } })).rejects.toMatchObject({ code: 'general/bad-request' });
  });
});
