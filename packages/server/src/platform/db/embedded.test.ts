import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { removeAbandoned, startEmbedded } from './embedded.ts';
import { isAlive } from './embedded-postmaster.ts';
import { openDatabase, sql } from './index.ts';

const root = mkdtempSync(join(tmpdir(), 'yuanyou-embedded-'));
const folder = join(root, 'closed', 'postgres');
afterAll(() => rmSync(root, { recursive: true, force: true }));

test('makes a cluster in a folder that others cannot walk to, keeps rows over a stop, listens on no TCP port', async () => {
  chmodSync(root, 0o700);
  const first = await startEmbedded({ folder, databases: ['yuanyou', 'yuanyou_keys'] });
  const db = openDatabase(first.url('yuanyou'));
  await db.script('create table kept (n int8)');
  await db.transaction((tx) => tx.run(sql`insert into kept values (${42})`));
  expect(await db.one(sql`select current_setting('listen_addresses') as tcp, current_setting('fsync') as fsync`)).toEqual({ tcp: '', fsync: 'on' });
  await db.close();
  await first.stop();
  expect(isAlive(first.pid)).toBe(false);
  expect(existsSync(join(folder, 'owner.json'))).toBe(false);

  const began = performance.now();
  const second = await startEmbedded({ folder, databases: ['yuanyou', 'yuanyou_keys'] });
  expect(performance.now() - began).toBeLessThan(2000);
  const again = openDatabase(second.url('yuanyou'));
  expect(await again.all(sql`select n from kept`)).toEqual([{ n: 42n }]);
  await again.close();
  await second.stop();
});

test('a second process joins the running server and leaves it running', async () => {
  const server = await startEmbedded({ folder, databases: ['yuanyou'] });
  const guest = await startEmbedded({ folder, databases: ['yuanyou'] });
  expect(guest.joined).toBe(true);
  await guest.stop();
  const db = openDatabase(guest.url('yuanyou'));
  expect(await db.one(sql`select 1 as n`)).toEqual({ n: 1 });
  await db.close();
  await server.stop();
});

test('after a kill -9 of the process that ran it, the next start ends the old postmaster and finds committed rows', async () => {
  const script = `
    import { removeAbandoned, startEmbedded } from ${JSON.stringify(join(import.meta.dirname, 'embedded.ts'))};
    import { openDatabase, sql } from ${JSON.stringify(join(import.meta.dirname, 'index.ts'))};
    const server = await startEmbedded({ folder: ${JSON.stringify(folder)}, databases: ['yuanyou'] });
    const db = openDatabase(server.url('yuanyou'));
    await db.transaction((tx) => tx.run(sql\`insert into kept values (43)\`));
    console.log('pid ' + server.pid);
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  const old = await new Promise<number>((resolve) => {
    child.stdout.on('data', (bytes: Buffer) => {
      const pid = /^pid (\d+)/.exec(bytes.toString())?.[1];
      if (pid !== undefined) resolve(Number(pid));
    });
  });
  const gone = new Promise((resolve) => { child.once('exit', resolve); });
  child.kill('SIGKILL');
  await gone;
  expect(isAlive(old)).toBe(true);

  const server = await startEmbedded({ folder, databases: ['yuanyou'] });
  await removeAbandoned(folder);
  expect(server.joined).toBe(false);
  expect(isAlive(old)).toBe(false);
  const db = openDatabase(server.url('yuanyou'));
  expect(await db.all(sql`select n from kept order by n`)).toEqual([{ n: 42n }, { n: 43n }]);
  await db.close();
  await server.stop();
});

test('starts although another process has the number in a leftover postmaster.pid', async () => {
  writeFileSync(join(folder, 'cluster', 'postmaster.pid'), `${process.ppid}\n${folder}\n0\n5432\n/nowhere\n\n\n ready\n`);
  const server = await startEmbedded({ folder, databases: ['yuanyou'] });
  expect(server.pid).toBe(Number(readFileSync(join(folder, 'cluster', 'postmaster.pid'), 'utf8').split('\n')[0]));
  await server.stop();
});

test('tells when the server is lost', async () => {
  const server = await startEmbedded({ folder, databases: [] });
  process.kill(server.pid, 'SIGINT');
  await server.lost;
  await server.stop();
  expect(existsSync(join(folder, 'owner.json'))).toBe(false);
});

test('a folder whose owner is dead can be removed, server and all', async () => {
  const abandoned = join(root, 'abandoned');
  const server = await startEmbedded({ folder: abandoned, databases: [] });
  writeFileSync(join(abandoned, 'owner.json'), JSON.stringify({ pid: 2 ** 22 + 1, birth: '1' }));
  await removeAbandoned(abandoned);
  expect([existsSync(abandoned), isAlive(server.pid)]).toEqual([false, false]);
});

test('refuses the folder of another major version', async () => {
  const other = join(root, 'other');
  mkdirSync(join(other, 'cluster'), { recursive: true });
  writeFileSync(join(other, 'cluster', 'PG_VERSION'), '16\n');
  await expect(startEmbedded({ folder: other, databases: [] })).rejects.toMatchObject({ code: 'db/embedded-version' });
});
