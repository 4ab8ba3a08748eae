import { readFileSync, readdirSync, readlinkSync, realpathSync, rmSync, rmdirSync, statSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ServiceError } from '../errors.ts';

/** The lines of postmaster.pid that matter here. */
export interface PostmasterFile {
  readonly pid: number;
  readonly socketFolder: string;
  readonly ready: boolean;
}

export function readPostmasterFile(cluster: string): PostmasterFile | undefined {
  let lines: string[];
  try {
    lines = readFileSync(join(cluster, 'postmaster.pid'), 'utf8').split('\n');
  } catch {
    return undefined;
  }
  const pid = Number(lines[0]);
  if (!Number.isSafeInteger(pid) || pid <= 1) return undefined;
  return { pid, socketFolder: lines[4] ?? '', ready: lines[7]?.trim() === 'ready' };
}

/** Fields of /proc/PID/stat from the state on; undefined where there is none to read. */
function statOf(pid: number): readonly string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The command's name, in parentheses, may hold anything; the fields are counted after it.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  // A container's first process often collects no orphans: they stay as zombies.
  return statOf(pid)?.[0] !== 'Z';
}

/** When a process began, in a form that is only compared: a number used again by another process begins at another time. */
export function birthOf(pid: number): string {
  return statOf(pid)?.[19] ?? '';
}

/** The processes of a cluster: PostgreSQL's processes all work in their data folder. */
function processesOf(cluster: string, suspected: number | undefined): number[] {
  if (process.platform !== 'linux') return suspected !== undefined && looksLikePostgres(suspected) ? [suspected] : [];
  const place = realpathSync(cluster);
  return readdirSync('/proc').map(Number).filter((pid) => {
    if (!(pid > 1)) return false;
    try {
      return readlinkSync(`/proc/${pid}/cwd`) === place;
    } catch {
      return false;
    }
  }).filter((pid) => looksLikePostgres(pid));
}

function looksLikePostgres(pid: number): boolean {
  try {
    const command = process.platform === 'linux'
      ? readFileSync(`/proc/${pid}/cmdline`, 'latin1')
      : execFileSync('ps', ['-p', String(pid), '-o', 'command='], { encoding: 'utf8' });
    return command.includes('postgres');
  } catch {
    return false;
  }
}

/**
 * Ends what a killed owner left running in the cluster, and waits until it is gone: two postmasters on one data folder would destroy it.
 * Answers whether there was something.
 */
export async function endLeftovers(cluster: string): Promise<boolean> {
  const file = readPostmasterFile(cluster);
  const found = processesOf(cluster, file?.pid);
  const postmaster = file !== undefined && found.includes(file.pid) ? file.pid : undefined;
  if (postmaster !== undefined) process.kill(postmaster, 'SIGINT');
  const start = Date.now();
  let pressed = false;
  while (processesOf(cluster, file?.pid).length > 0) {
    if (Date.now() - start > 15_000 && !pressed) {
      pressed = true;
      if (postmaster !== undefined && isAlive(postmaster)) process.kill(postmaster, 'SIGQUIT');
    }
    if (Date.now() - start > 30_000) throw new ServiceError('db/embedded-still-running', { pids: processesOf(cluster, file?.pid) });
    await sleep(5);
  }
  if (file !== undefined) {
    removeSocketFolder(file.socketFolder);
    // Its number may belong to something else by now, and PostgreSQL would refuse to start on account of that.
    rmSync(join(cluster, 'postmaster.pid'), { force: true });
  }
  return found.length > 0;
}

export const socketFolderPrefix = 'yuanyou-sql-';

/** Folders of servers that ended after their owner was killed. A folder in use holds a socket, so that it cannot be removed like this. */
export function removeEmptySocketFolders(parent: string): void {
  const before = Date.now() - 60_000;
  for (const name of readdirSync(parent).filter((entry) => entry.startsWith(socketFolderPrefix))) {
    try {
      if (statSync(join(parent, name)).mtimeMs < before) rmdirSync(join(parent, name));
    } catch {
      // In use, or somebody else's.
    }
  }
}

/** Only ever removes a folder that this module made. */
export function removeSocketFolder(folder: string): void {
  if (basename(folder).startsWith(socketFolderPrefix)) rmSync(folder, { recursive: true, force: true });
}
