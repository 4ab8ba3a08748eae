import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Clock ticks a second, as Linux has them on every architecture that Node runs on. */
const ticksPerSecond = 100;

/** CPU time that a process has used, user and system, in ms. */
export function cpuMsOf(pid: number): number {
  const { user, system } = statOf(pid);
  return (user + system) * 1000 / ticksPerSecond;
}

/** CPU time of a process, of those of its children that have ended, and of those that live. */
export function cpuMsOfTree(pid: number): number {
  const { endedUser, endedSystem } = statOf(pid);
  const own = cpuMsOf(pid) + (endedUser + endedSystem) * 1000 / ticksPerSecond;
  return childrenOf(pid).reduce((sum, child) => sum + cpuMsOf(child), own);
}

/** Largest resident memory of a process so far, in MB. */
export function peakRssMbOf(pid: number): number {
  const [, kilobytes = '0'] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) / 1024;
}

/** The embedded PostgreSQL of a data folder. */
export function postmasterPid(dataFolder: string): number {
  return Number(readFileSync(join(dataFolder, 'postgres', 'cluster', 'postmaster.pid'), 'utf8').split('\n')[0]);
}

interface Stat {
  readonly parent: number;
  readonly user: number;
  readonly system: number;
  readonly endedUser: number;
  readonly endedSystem: number;
}

/** Fields 4 and 14 to 17 of /proc/PID/stat, in clock ticks; all 0 for a process that is gone. */
function statOf(pid: number): Stat {
  const [, parent = 0, , , , , , , , , , user = 0, system = 0, endedUser = 0, endedSystem = 0] = fieldsAfterName(pid);
  return { parent, user, system, endedUser, endedSystem };
}

/** The fields from the third on: the second, the name, may hold anything. */
function fieldsAfterName(pid: number): number[] {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ').map(Number);
  } catch {
    return [];
  }
}

function childrenOf(pid: number): number[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number).filter((child) => statOf(child).parent === pid);
}
