import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { publishedFolder } from './published.ts';
import { testFolder } from './testing.ts';

const folder = testFolder();
afterAll(() => { folder.remove(); });

const filesOf = (): string[] => readdirSync(join(folder.path, readdirSync(folder.path)[0]!));

test('the largest note counts, whoever writes in whichever order', async () => {
  const [one, other] = [publishedFolder(folder.path, 'a/log'), publishedFolder(folder.path, 'a/log')];
  expect(await one.latest()).toBeUndefined();
  const sizes = Array.from({ length: 60 }, (_, at) => (at * 37) % 60);
  await Promise.all(sizes.map((size, at) => (at % 2 === 0 ? one : other).record(size, `note ${size}\n`)));
  expect(await one.latest()).toBe('note 59\n');
  await one.record(12, 'late\n');
  expect(await other.latest()).toBe('note 59\n');
});

test('the first note of a size stands', async () => {
  const heads = publishedFolder(folder.path, 'a/log');
  expect(await heads.record(100, 'first\n')).toBe('first\n');
  expect(await heads.record(100, 'second\n')).toBe('first\n');
  expect(await heads.latest()).toBe('first\n');
});

test('few files stay, and a half-written one is no head', async () => {
  const heads = publishedFolder(folder.path, 'a/log');
  for (let size = 200; size < 230; size += 1) await heads.record(size, `note ${size}\n`);
  const files = filesOf();
  expect(files.length).toBeLessThan(20);
  expect(files.filter((file) => file.endsWith('.draft'))).toEqual([]);
  writeFileSync(join(folder.path, readdirSync(folder.path)[0]!, '.abc.draft'), 'half');
  expect(await heads.latest()).toBe('note 229\n');
});

test('each origin has heads of its own, and an unreadable folder is an error', async () => {
  expect(await publishedFolder(folder.path, 'b/log').latest()).toBeUndefined();
  const blocked = join(folder.path, 'blocked');
  writeFileSync(blocked, 'a file');
  await expect(publishedFolder(blocked, 'a/log').latest()).rejects.toThrow(/ENOTDIR/);
  await expect(publishedFolder(blocked, 'a/log').record(1, 'note\n')).rejects.toThrow();
  mkdirSync(join(folder.path, 'empty'));
  expect(await publishedFolder(join(folder.path, 'empty'), 'a/log').latest()).toBeUndefined();
});
