import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

interface Running { readonly starterPid: number; readonly serverPid: number }

/** What must appear in the command line of a process before it counts as one of ours: numbers are used again. */
const marks = { starter: /testbed|node/, server: /server\/src\/main\.ts/ };

/** Notes who runs on this folder, for a start that follows a kill -9. */
export function noteRunning(file: string, running: Running): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, JSON.stringify(running));
}

export function forgetRunning(file: string): void {
  rmSync(file, { force: true });
}

/**
 * Ends a server whose starter was killed: it notices by itself, but the next start may be quicker than that.
 * @throws Error when another start is alive on this folder: two would write into the same books.
 */
export async function endLeftover(file: string): Promise<void> {
  const left = read(file);
  if (left === undefined) return;
  if (left.starterPid !== process.pid && runs(left.starterPid, marks.starter) && runs(left.serverPid, marks.server)) {
    throw new Error(`already running on this data folder (process ${left.starterPid})`);
  }
  if (runs(left.serverPid, marks.server)) process.kill(left.serverPid, 'SIGTERM');
  for (const deadline = Date.now() + 15_000; runs(left.serverPid, marks.server);) {
    if (Date.now() > deadline) process.kill(left.serverPid, 'SIGKILL');
    await sleep(20);
  }
  forgetRunning(file);
}

function read(file: string): Running | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Running;
  } catch {
    return undefined;
  }
}

function runs(pid: number, mark: RegExp): boolean {
  try {
    process.kill(pid, 0);
    // A zombie has an empty command line. Where there is no /proc, the number must do.
    return process.platform !== 'linux' || mark.test(readFileSync(`/proc/${pid}/cmdline`, 'latin1'));
  } catch {
    return false;
  }
}
