import { randomUUID } from 'node:crypto';
import { accountsRoutes as routes } from '@yuanyou/contract';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sql } from '../platform/db/index.ts';
import { accountsForTest } from './testing.ts';

let world: Awaited<ReturnType<typeof accountsForTest>>;
beforeAll(async () => { world = await accountsForTest(); });
afterAll(async () => { await world.close(); });

const password = 'correct horse battery';

async function traveller(email: string) {
  const { body } = await world.client().call(routes.signUp, { idempotencyKey: randomUUID(), body: { email, password, name: 'Mei Wang', country: 'DE' } });
  const client = world.client(body.session.secret!);
  await client.call(routes.addContact, { idempotencyKey: randomUUID(), body: { name: 'Ling', phone: '+49305550100' } });
  world.clock.advance(1);
  await client.call(routes.addContact, { idempotencyKey: randomUUID(), body: { name: 'Tao', note: 'guide' } });
  return { accountId: body.account.id, client };
}

test('a frozen account reads but changes nothing, and unfrozen is as before', async () => {
  const { accountId, client } = await traveller('frozen@example.test');
  for (let time = 0; time < 2; time++) await world.db.transaction((tx) => world.accounts.freeze(tx, accountId));
  expect(await world.accounts.require(world.db, accountId)).toMatchObject({ state: 'leaving' });
  expect((await client.call(routes.getAccount)).body.state).toBe('leaving');
  expect((await client.call(routes.listContacts)).body.items).toHaveLength(2);
  await expect(client.call(routes.changeAccount, { body: { name: 'X' } })).rejects.toMatchObject({ status: 423, code: 'general/leaving' });
  await expect(world.db.transaction((tx) => world.accounts.requireActive(tx, accountId))).rejects.toMatchObject({ code: 'accounts/leaving' });
  expect((await world.client().call(routes.signIn, { body: { email: 'frozen@example.test', password } })).status).toBe(201);
  for (let time = 0; time < 2; time++) await world.db.transaction((tx) => world.accounts.unfreeze(tx, accountId));
  expect((await client.call(routes.changeAccount, { body: { name: 'X' } })).body.name).toBe('X');
  expect((await world.db.transaction((tx) => world.accounts.requireActive(tx, accountId))).id).toBe(accountId);
});

test('the holder names what is kept, exports it, and erases it to a tombstone', async () => {
  const { accountId, client } = await traveller('leaves@example.test');
  const { holder } = world.accounts;
  expect((await holder.closureConcerns(world.db, accountId)).map(({ code, severity, about }) => [code, severity, about])).toEqual([
    ['accounts/profile', 'info', undefined], ['accounts/contacts', 'choice', { contacts: 2 }], ['accounts/sessions', 'info', { sessions: 1 }],
  ]);
  const files = await holder.exportData(world.db, accountId);
  expect(files.map(({ name, rows }) => [name, rows.length])).toEqual([['account', 1], ['contacts', 2], ['sessions', 1], ['passkeys', 0], ['consents', 0]]);
  expect(files[0]!.rows[0]).toMatchObject({ email: 'leaves@example.test', name: 'Mei Wang', country: 'DE' });
  expect(files[1]!.rows.map(({ name }) => name)).toEqual(['Ling', 'Tao']);

  expect(await world.db.transaction((tx) => holder.erase(tx, accountId))).toEqual({
    erased: { accounts: 1, contacts: 2, sessions: 1, codes: 1, consents: 0, passkeys: 0, oneTimeCodes: 0, recoveryCodes: 0 }, kept: { tombstones: 1 },
  });
  expect((await world.db.transaction((tx) => holder.erase(tx, accountId))).erased).toMatchObject({ accounts: 0, contacts: 0, sessions: 0, codes: 0 });
  const row = await world.db.one<Record<string, unknown>>(sql`select * from accounts.account where id = ${accountId}`);
  expect(Object.entries(row).filter(([, value]) => value !== null).map(([column]) => column)).toEqual(['id', 'state', 'closed_at']);
  expect(await holder.exportData(world.db, accountId)).toEqual([]);

  await expect(client.call(routes.getAccount)).rejects.toMatchObject({ code: 'general/unauthenticated' });
  await expect(world.accounts.require(world.db, accountId)).rejects.toMatchObject({ code: 'accounts/closed' });
  await expect(world.accounts.contactPoint(accountId)).rejects.toMatchObject({ code: 'accounts/closed' });
  await expect(world.db.transaction((tx) => world.accounts.freeze(tx, accountId))).rejects.toMatchObject({ code: 'accounts/closed' });
});

test('after closure signing in is refused exactly like an unknown account, and the address is free again', async () => {
  const { accountId } = await traveller('back@example.test');
  await world.db.transaction((tx) => world.accounts.holder.erase(tx, accountId));
  const refusal = async (email: string) => {
    const failure = await world.client().call(routes.signIn, { body: { email, password } }).catch((error: unknown) => error) as { status: number; problem: object };
    return { status: failure.status, problem: { ...failure.problem, requestId: '' } };
  };
  expect(await refusal('back@example.test')).toEqual(await refusal('never-there@example.test'));
  expect((await traveller('back@example.test')).accountId).not.toBe(accountId);
});

test('ending the sessions signs out everywhere', async () => {
  const { accountId, client } = await traveller('out@example.test');
  expect(await world.db.transaction((tx) => world.accounts.endSessions(tx, accountId))).toBe(1);
  await expect(client.call(routes.getAccount)).rejects.toMatchObject({ code: 'general/unauthenticated' });
  expect(await world.accounts.contactPoint(accountId)).toEqual({ email: 'out@example.test', name: 'Mei Wang', language: 'en' });
  expect(await world.accounts.findByEmail(world.db, 'OUT@example.test')).toBe(accountId);
});
