import { expect, test } from 'vitest';
import type { Accounts } from '../accounts/index.ts';
import type { Tx } from '../platform/db/index.ts';
import { ServiceError } from '../platform/errors.ts';
import { tellingAccounts } from './telling.ts';

const tx = {} as Tx;

/** Accounts as they answer for one in this state. */
function telling(refusal?: string) {
  const answer = <T>(value: T): Promise<T> => (refusal === undefined ? Promise.resolve(value) : Promise.reject(new ServiceError(refusal)));
  return tellingAccounts({
    requireActive: () => answer({ id: 'a', state: 'active' }),
    contactPoint: () => (refusal === 'accounts/leaving' ? Promise.resolve({ email: 'mei@example.test' }) : answer({ email: 'mei@example.test' })),
  } as unknown as Accounts);
}

test('an account is told of things while it is active: not while it leaves, and never once it is gone', async () => {
  expect(await telling().isActive(tx, 'a')).toBe(true);
  expect(await telling().contactPoint('a')).toMatchObject({ email: 'mei@example.test' });
  expect(await telling('accounts/leaving').isActive(tx, 'a')).toBe(false);
  for (const gone of ['accounts/closed', 'accounts/unknown']) {
    expect(await telling(gone).isActive(tx, 'a')).toBe(false);
    expect(await telling(gone).contactPoint('a')).toBeUndefined();
  }
});

test('a fault is not taken for having left', async () => {
  await expect(telling('db/unreachable').isActive(tx, 'a')).rejects.toMatchObject({ code: 'db/unreachable' });
});
