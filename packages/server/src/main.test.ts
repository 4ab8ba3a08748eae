import { spawn, type ChildProcess } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { sql } from './platform/db/index.ts';
import { testDatabase, type TestDatabase } from './platform/db/testing.ts';

const program = join(import.meta.dirname, 'main.ts');
const masterKey = createHash('sha256').update('one key for all of these tests').digest('base64');
// Each test starts whole processes.
vi.setConfig({ testTimeout: 60_000 });

let t: TestDatabase;
let root: string;
beforeAll(async () => {
  t = await testDatabase();
  root = mkdtempSync(join(tmpdir(), 'yuanyou-main-'));
});
afterAll(async () => {
  await t.drop();
  rmSync(root, { recursive: true, force: true });
});

interface Ended { readonly code: number | null; readonly out: string; readonly err: string }

function environment(change: Record<string, string | undefined>): NodeJS.ProcessEnv {
  return {
    PATH: process.env['PATH'], YUANYOU_MODE: 'test', YUANYOU_DATA: join(root, 'data'), DATABASE_URL: t.url, KEYS_DATABASE_URL: t.keysUrl,
    YUANYOU_MASTER_KEY: masterKey, PORT: '0', YUANYOU_ES9_PORT: '0', ...change,
  };
}

function start(args: readonly string[], change: Record<string, string | undefined> = {}): { child: ChildProcess; ended: Promise<Ended> } {
  const child = spawn(process.execPath, [program, ...args], { env: environment(change), stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  let [out, err] = ['', ''];
  child.stdout!.on('data', (bytes: Buffer) => { out += bytes.toString(); });
  child.stderr!.on('data', (bytes: Buffer) => { err += bytes.toString(); });
  const ended = Promise.all([once(child, 'exit'), once(child.stdout!, 'close'), once(child.stderr!, 'close')]);
  return { child, ended: ended.then(([[code]]) => ({ code: code as number | null, out, err })) };
}

const run = (args: readonly string[], change: Record<string, string | undefined> = {}): Promise<Ended> => start(args, change).ended;

function listening(child: ChildProcess): Promise<{ httpUrl: string }> {
  return new Promise((resolve, reject) => {
    child.on('message', (message) => { resolve(message as { httpUrl: string }); });
    child.once('exit', (code) => { reject(new Error(`ended with ${code} before it listened`)); });
  });
}

async function occupy(onData: (write: (bytes: Buffer) => void) => void = () => {}): Promise<{ server: Server; port: number }> {
  const server = createServer((socket) => { socket.once('data', () => { onData((bytes) => { socket.end(bytes); }); }); });
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  return { server, port: (server.address() as AddressInfo).port };
}

/** One line on standard error, nothing else, and exit code 1. */
function expectOneLine(ended: Ended, line: RegExp): void {
  expect(ended.err.trimEnd().split('\n'), ended.err).toHaveLength(1);
  expect(ended.err).toMatch(line);
  expect(ended.code).toBe(1);
}

describe('what the person who starts it can mend is one clear line and exit code 1', () => {
  test('a port in use', async () => {
    const { server, port } = await occupy();
    expectOneLine(await run(['serve'], { PORT: String(port) }), new RegExp(`^yuanyou: cannot listen on 127.0.0.1:${port}: the port is in use`));
    server.close();
  });

  test('a data folder that cannot be used', async () => {
    const file = join(root, 'a-file');
    writeFileSync(file, '');
    expectOneLine(await run([], { YUANYOU_DATA: file }), /^yuanyou: YUANYOU_DATA: the folder cannot be used, it is a file \(/);
    expectOneLine(await run([], { YUANYOU_DATA: join(file, 'below') }), /a part of its path is a file/);
  });

  test.skipIf(process.getuid?.() === 0)('a data folder that this user may not read', async () => {
    const closed = join(root, 'closed');
    mkdirSync(closed);
    chmodSync(closed, 0);
    expectOneLine(await run([], { YUANYOU_DATA: closed }), /this user may not read and write it/);
  });

  test('a DATABASE_URL that is none, or where nothing answers', async () => {
    const [none, refused] = await Promise.all([
      run([], { DATABASE_URL: 'not a url' }), run([], { DATABASE_URL: 'postgresql://me:hunter2@127.0.0.1:1/yuanyou', KEYS_DATABASE_URL: undefined }),
    ]);
    expectOneLine(none, /^yuanyou: DATABASE_URL: must be a URL that begins with postgres:/);
    expectOneLine(refused, /^yuanyou: DATABASE_URL: nothing answers there \(127.0.0.1:1\/yuanyou\)/);
    expect(refused.err).not.toContain('hunter2');
  });

  test('a database that is not there', async () => {
    const url = new URL(t.url);
    url.pathname = '/no_such_database';
    expectOneLine(await run([], { DATABASE_URL: url.href }), /^yuanyou: DATABASE_URL: there is no such database on the server/);
  });

  test('a user or password that the server refuses', async () => {
    const fields = Buffer.from('SFATAL\0VFATAL\0C28P01\0Mpassword authentication failed for user "me"\0\0');
    const length = Buffer.alloc(4);
    length.writeUInt32BE(fields.length + 4);
    const { server, port } = await occupy((write) => { write(Buffer.concat([Buffer.from('E'), length, fields])); });
    expectOneLine(await run([], { DATABASE_URL: `postgresql://me:hunter2@127.0.0.1:${port}/y` }), /^yuanyou: DATABASE_URL: the server refuses this user or password/);
    server.close();
  });

  test('a master key that is not the database\'s', async () => {
    expect((await run(['admin', 'first@example.test'])).code).toBe(0);
    expectOneLine(await run([], { YUANYOU_MASTER_KEY: randomBytes(32).toString('base64') }), /^yuanyou: YUANYOU_MASTER_KEY: is not the key/);
  });

  test('a second machine with a key folder of its own', async () => {
    expect((await run(['admin', 'first@example.test'])).err).not.toMatch(/KEY_FOLDER/);
    const own = join(root, 'own-keys');
    expectOneLine(await run([], { YUANYOU_KEY_FOLDER: own }), /^yuanyou: YUANYOU_KEY_FOLDER: has no file of the key "[a-z0-9-]+", which is in use; every machine/);
    // It has not made keys of its own meanwhile, so that nothing it made can be taken for the right one later.
    expect(existsSync(own)).toBe(false);
  });

  test('a log key that is not the log\'s', async () => {
    const other = await testDatabase();
    const at = { DATABASE_URL: other.url, KEYS_DATABASE_URL: other.keysUrl, YUANYOU_DATA: join(root, 'log-key') };
    const { child, ended } = start(['serve'], at);
    await listening(child);
    child.kill('SIGTERM');
    await ended;
    rmSync(join(root, 'log-key', 'keys', 'files', 'transparency-log.key'));
    await other.keysDb.alone(sql`delete from keys.signer where name = 'transparency-log'`);
    expectOneLine(await run(['serve'], at), /^yuanyou: YUANYOU_KEY_FOLDER: its key "transparency-log" is not the one that the log localhost\/closures was opened with/);
    await other.drop();
  });

  test('contradictions are a line each, and an unknown command is refused', async () => {
    const [config, command] = await Promise.all([run([], { PORT: '8443', YUANYOU_ES9_PORT: '8443', DATABASE_URL: '' }), run(['serv'])]);
    expect(config).toMatchObject({
      code: 1, err: 'yuanyou: PORT and YUANYOU_ES9_PORT: both are 8443\nyuanyou: KEYS_DATABASE_URL: given without DATABASE_URL\n',
    });
    expectOneLine(command, /unknown command "serv"/);
  });
});

test('a database of a newer version is refused', async () => {
  const newer = await testDatabase();
  await newer.db.transaction((tx) => tx.run(sql`insert into platform.migration (name, hash) values ('9999-future-things.sql', '')`));
  expectOneLine(await run([], { DATABASE_URL: newer.url, KEYS_DATABASE_URL: newer.keysUrl }),
    /^yuanyou: the database was used by a newer version: it has migrations unknown here \(9999-future-things.sql\)/);
  await newer.drop();
});

test('--help goes to standard output and needs nothing', async () => {
  const { code, out, err } = await run(['--help'], { DATABASE_URL: 'nonsense' });
  expect([code, err]).toEqual([0, '']);
  expect(out).toContain('YUANYOU_MASTER_KEY (or NAME_FILE)');
});

test('serves, is ready, and ends with 0 at SIGTERM', async () => {
  const { child, ended } = start(['serve']);
  const { httpUrl } = await listening(child);
  expect(await (await fetch(`${httpUrl}/healthz`)).json()).toEqual({ status: 'ok' });
  const ready = await fetch(`${httpUrl}/readyz`);
  expect([ready.status, await ready.json()]).toMatchObject([200, { ready: true }]);
  child.kill('SIGTERM');
  expect(await ended).toMatchObject({ code: 0, err: '' });
});

test('ends when the process that started it and keeps a channel is gone', async () => {
  const { child, ended } = start(['serve']);
  await listening(child);
  child.disconnect();
  expect(await ended).toMatchObject({ code: 0, err: '' });
});

test('the first admin gets a code, on standard output only; a missing address is told', async () => {
  const other = await testDatabase();
  const at = { DATABASE_URL: other.url, KEYS_DATABASE_URL: other.keysUrl, YUANYOU_LOG_LEVEL: 'silent', YUANYOU_MASTER_KEY: undefined, YUANYOU_DATA: join(root, 'admin') };
  const { code, out, err } = await run(['admin', 'first@example.test'], at);
  expect([code, err]).toEqual([0, '']);
  expect(out).toMatch(/^Invitation code: \S{20,}\nAccept it at http:\/\/localhost:\d+ until /);
  const file = join(root, 'admin', 'keys', 'master.key');
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(Buffer.from(readFileSync(file, 'utf8'), 'base64')).toHaveLength(32);
  expectOneLine(await run(['admin'], at), /^yuanyou: admin: say the admin's email address/);
  await other.drop();
});
