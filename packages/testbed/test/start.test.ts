import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import { freePort } from '../src/instance/ports.ts';

const program = join(import.meta.dirname, '..', 'src', 'bin', 'start.ts');
const root = mkdtempSync(join(tmpdir(), 'yuanyou-start-'));
const dataFolder = join(root, 'data');
const traveller = { email: 'mei.lin@example.test', password: 'a long enough passphrase', name: 'Mei Lin', transport: 'bearer' };
vi.setConfig({ testTimeout: 120_000 });
afterAll(() => rmSync(root, { recursive: true, force: true }));

interface Started { readonly child: ChildProcess; readonly url: string; readonly startMs: number; output(): string }

async function start(): Promise<Started> {
  const [port, es9Port] = [await freePort(), await freePort()];
  const began = performance.now();
  const child = spawn(process.execPath, [program], {
    env: { PATH: process.env['PATH'], YUANYOU_DATA: dataFolder, PORT: String(port), YUANYOU_ES9_PORT: String(es9Port), YUANYOU_LOG_LEVEL: 'warn' },
    stdio: ['ignore', 'pipe', 'pipe'], detached: true,
  });
  let output = '';
  for (const stream of [child.stdout!, child.stderr!]) stream.on('data', (bytes: Buffer) => { output += bytes.toString(); });
  const url = `http://127.0.0.1:${port}`;
  for (;;) {
    if (child.exitCode !== null) throw new Error(`ended with ${child.exitCode}: ${output}`);
    const answer = await fetch(`${url}/readyz`).catch(() => undefined);
    if (answer?.ok === true && output.includes('Ctrl-C stops it.')) return { child, url, startMs: performance.now() - began, output: () => output };
    await new Promise((resolve) => { setTimeout(resolve, 20); });
  }
}

/** Processes that work in our data folder, or name it, other than this one. */
function left(): string[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid).flatMap((pid) => {
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ').trim();
      const ours = readlinkSync(`/proc/${pid}/cwd`).startsWith(root) || readFileSync(`/proc/${pid}/environ`, 'latin1').includes(dataFolder);
      return command !== '' && ours ? [`${pid} ${command}`] : [];
    } catch {
      return [];
    }
  });
}

async function nothingLeft(withinMs: number): Promise<void> {
  await vi.waitFor(() => { expect(left()).toEqual([]); }, { timeout: withinMs, interval: 50 });
}

const post = (url: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(url, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) });

test.skipIf(process.platform !== 'linux')('keeps its data over kill -9 of everything and of the starter alone, and leaves no process at SIGTERM', async () => {
  const first = await start();
  const signedUp = await post(`${first.url}/v1/accounts`, traveller, { 'idempotency-key': 'start-test-0000001' });
  expect(signedUp.status, await signedUp.clone().text()).toBe(201);
  // The whole tree at once: starter and server by their group, PostgreSQL by its own.
  for (const process_ of left().filter((line) => line.includes('postgres'))) process.kill(Number(process_.split(' ')[0]), 'SIGKILL');
  process.kill(-first.child.pid!, 'SIGKILL');
  await once(first.child, 'exit');

  const second = await start();
  expect((await post(`${second.url}/v1/sessions`, { email: traveller.email, password: traveller.password, transport: 'bearer' })).status).toBe(201);
  process.kill(second.child.pid!, 'SIGKILL');
  await once(second.child, 'exit');

  const third = await start();
  expect((await post(`${third.url}/v1/sessions`, { email: traveller.email, password: traveller.password, transport: 'bearer' })).status).toBe(201);
  third.child.kill('SIGTERM');
  expect(await once(third.child, 'exit')).toEqual([0, null]);
  await nothingLeft(2000);
  expect(third.output()).toMatch(/API +http:\/\/localhost:\d+/);
});

test.skipIf(process.platform !== 'linux')('refuses a second instance on the same folder while the first runs; Ctrl-C stops the first', async () => {
  const first = await start();
  await expect(start()).rejects.toThrow(/ended with 1: yuanyou: already running on this data folder \(process \d+\)\n$/);
  process.kill(-first.child.pid!, 'SIGINT');
  expect(await once(first.child, 'exit')).toEqual([0, null]);
  await nothingLeft(2000);
});
