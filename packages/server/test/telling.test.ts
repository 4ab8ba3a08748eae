import { randomUUID } from 'node:crypto';
import { accountsRoutes } from '@yuanyou/contract';
import { expect, test } from 'vitest';
import { accountsForTest } from '../src/accounts/testing.ts';
import { tellingAccounts } from '../src/wiring/telling.ts';

test('an account is told of things while it is active: not while it leaves, and never when it is unknown', async () => {
  const world = await accountsForTest();
  const { body } = await world.client().call(accountsRoutes.signUp, {
    idempotencyKey: randomUUID(), body: { email: 'mei@example.test', password: 'correct horse battery', name: 'Mei', country: 'DE' },
  });
  const telling = tellingAccounts(world.accounts);
  const isActive = (accountId: string) => world.db.transaction((tx) => telling.isActive(tx, accountId));
  expect(await isActive(body.account.id)).toBe(true);
  expect(await telling.contactPoint(body.account.id)).toMatchObject({ email: 'mei@example.test' });
  await world.db.transaction((tx) => world.accounts.freeze(tx, body.account.id));
  expect(await isActive(body.account.id)).toBe(false);
  expect(await isActive(randomUUID())).toBe(false);
  expect(await telling.contactPoint(randomUUID())).toBeUndefined();
  await world.close();
});
