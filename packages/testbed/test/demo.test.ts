import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

vi.setConfig({ testTimeout: 300_000 });
const program = join(import.meta.dirname, '..', 'src', 'bin', 'demo.ts');
/** Everything the demo keeps goes below this folder, so that what it leaves behind is seen. */
let temporary: string;
let running: ChildProcess | undefined;
beforeEach(() => { temporary = mkdtempSync(join(tmpdir(), 'yy-')); });
afterEach(() => {
  // Only where a test was given up; the demo's server ends with it.
  running?.kill('SIGKILL');
  rmSync(temporary, { recursive: true, force: true });
});

function demo(env: Readonly<Record<string, string>>): Promise<{ code: number | null; out: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program], { env: { PATH: process.env['PATH'], TMPDIR: temporary, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    running = child;
    let out = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes: Buffer) => { out += bytes.toString(); });
    child.once('error', reject);
    child.once('exit', (code) => {
      running = undefined;
      resolve({ code, out });
    });
  });
}

/** Processes that were started with our folder in their environment or arguments. */
function left(): string[] {
  if (!existsSync('/proc/self/environ')) return [];
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid).flatMap((pid) => {
    try {
      const [command, environment] = [readFileSync(`/proc/${pid}/cmdline`, 'latin1'), readFileSync(`/proc/${pid}/environ`, 'latin1')];
      return command !== '' && (command + environment).includes(temporary) ? [`${pid} ${command.replaceAll('\0', ' ')}`] : [];
    } catch {
      return [];
    }
  });
}

test('the demo performs the main job, exits 0 and leaves nothing behind', async () => {
  const { code, out } = await demo({});
  expect(out).toContain('The whole way, from sign-up to a certificate that verifies.');
  expect(code, out).toBe(0);
  expect(readdirSync(temporary)).toEqual([]);
  expect(left()).toEqual([]);
});

test('with a step that never succeeds it says which, exits 1 and stops what it started', async () => {
  const { code, out } = await demo({ YUANYOU_FAULTS: 'closure:settle:before=throw*1000' });
  expect(out).toMatch(/the card is refunded\n +FAILED: expected: the closure waiting for the phone within 20 s/);
  expect(code).toBe(1);
  expect(left()).toEqual([]);
  expect(readdirSync(temporary).map((name) => name.replace(/-\w+$/, ''))).toEqual(['yuanyou-demo']);
});
