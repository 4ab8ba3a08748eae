import { expect, test } from 'vitest';
import { createPasswords, newCode, newSecret, secretHash } from './index.ts';

const cheap = { memoryKib: 64, passes: 1 };

test('a password is verified by its hash alone, however it was composed', async () => {
  const passwords = createPasswords(cheap);
  const hash = await passwords.hash('Zürich zürich');
  expect(hash).toMatch(/^\$argon2id\$/);
  expect(await passwords.hash('Zürich zürich')).not.toBe(hash);
  expect(await passwords.verify(hash, 'Zu\u0308rich zu\u0308rich')).toBe(true);
  expect(await passwords.verify(hash, 'zürich Zürich')).toBe(false);
});

test('an unknown account takes a hash too, and is never let in', async () => {
  const passwords = createPasswords();
  await passwords.verify(undefined, 'warm');
  const timed = async (hash: string | undefined) => {
    const began = performance.now();
    expect(await passwords.verify(hash, 'wrong password')).toBe(false);
    return performance.now() - began;
  };
  const hash = await passwords.hash('right password');
  const median = (times: number[]) => times.toSorted((a, b) => a - b)[2]!;
  const [known, unknown] = [[] as number[], [] as number[]];
  for (let round = 0; round < 5; round++) {
    known.push(await timed(hash));
    unknown.push(await timed(undefined));
  }
  expect(median(unknown) / median(known)).toBeGreaterThan(0.4);
  expect(median(unknown) / median(known)).toBeLessThan(2.5);
});

test('too many passwords at once are refused, the rest all answered', async () => {
  const passwords = createPasswords({ ...cheap, atOnce: 2 });
  const results = await Promise.allSettled(Array.from({ length: 150 }, () => passwords.hash('a password')));
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(102);
  expect(results.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { code: 'general/unavailable' } });
  expect(await passwords.hash('afterwards')).toMatch(/^\$argon2id\$/);
});

test('secrets are long and never the same, codes have six digits', () => {
  const secrets = Array.from({ length: 100 }, () => newSecret('tvs_'));
  expect(new Set(secrets).size).toBe(100);
  for (const secret of secrets) expect(secret).toMatch(/^tvs_[\w-]{43}$/);
  expect(secretHash(secrets[0]!)).toHaveLength(32);
  for (let time = 0; time < 100; time++) expect(newCode()).toMatch(/^\d{6}$/);
});
