import { expect, test } from 'vitest';
import { createKeyCache } from './cache.ts';

const key = (): Buffer => Buffer.alloc(32, 7);

test('a key stays for its time, also when the clock is set back', () => {
  const cache = createKeyCache(1000, 10);
  cache.keep('a', key(), 5000, cache.epoch());
  expect(cache.get('a', 5999)).toEqual(key());
  expect(cache.get('a', 6000)).toBeUndefined();
  cache.keep('a', key(), 5000, cache.epoch());
  expect(cache.get('a', 4999)).toBeUndefined();
});

test('the least recently used goes first', () => {
  const cache = createKeyCache(1000, 2);
  for (const name of ['a', 'b']) cache.keep(name, key(), 0, cache.epoch());
  cache.get('a', 1);
  cache.keep('c', key(), 1, cache.epoch());
  expect(['a', 'b', 'c'].filter((name) => cache.get(name, 2) !== undefined)).toEqual(['a', 'c']);
});

test('what was read before a destruction is not kept', () => {
  const cache = createKeyCache(1000, 2);
  const epoch = cache.epoch();
  cache.destroy('b');
  cache.keep('a', key(), 0, epoch);
  expect(cache.get('a', 0)).toBeUndefined();
});
