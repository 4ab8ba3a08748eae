import { spawn, spawnSync, type ChildProcess, type StdioOptions } from 'node:child_process';
import {
  chmodSync, chownSync, closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, renameSync, rmSync, statSync, truncateSync, writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ServiceError } from '../errors.ts';
import { findBinaries, type Binaries } from './embedded-binaries.ts';
import { birthOf, endLeftovers, isAlive, readPostmasterFile, removeEmptySocketFolders, removeSocketFolder, socketFolderPrefix } from './embedded-postmaster.ts';
import { openDatabase, sql } from './index.ts';

export interface EmbeddedOptions {
  /** Holds the cluster, its log and who runs it; made when missing. */
  readonly folder: string;
  /** Databases made when missing. */
  readonly databases: readonly string[];
  /** Off only where losing everything is fine. Default on. */
  readonly fsync?: boolean;
  readonly maxConnections?: number;
}

/** A running PostgreSQL of our own. */
export interface EmbeddedServer {
  /** The address of one of its databases. */
  url(database: string): string;
  /** True when another process runs it and this one only uses it: then `stop` leaves it running. */
  readonly joined: boolean;
  readonly pid: number;
  /** Settles when the server ends without having been asked to. */
  readonly lost: Promise<void>;
  stop(): Promise<void>;
}

const role = 'yuanyou';
const major = '18';
const longestLog = 5_000_000;

/** Starts PostgreSQL in a folder, or joins the one that a live process runs there. Listens on a unix socket in a folder closed to others. */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedServer> {
  mkdirSync(options.folder, { recursive: true });
  const cluster = join(options.folder, 'cluster');
  const owner = takeOwnership(options.folder);
  if (owner !== 'self') return joinRunning(cluster, owner);
  try {
    const runAs = userFor(cluster);
    const binaries = findBinaries(runAs?.uid);
    if (existsSync(join(cluster, 'PG_VERSION'))) checkVersion(cluster);
    else initialise(cluster, binaries, runAs);
    await endLeftovers(cluster);
    const server = await launch(options, cluster, binaries, runAs);
    await makeDatabases(server, options.databases);
    return server;
  } catch (error) {
    dropOwnership(options.folder);
    throw error;
  }
}

/* ---- who runs it ---- */

interface Owner { readonly pid: number; readonly birth: string }

const ownerFile = (folder: string): string => join(folder, 'owner.json');

function takeOwnership(folder: string): 'self' | Owner {
  const mine = JSON.stringify({ pid: process.pid, birth: birthOf(process.pid) } satisfies Owner);
  for (let round = 0; round < 20; round++) {
    try {
      writeFileSync(ownerFile(folder), mine, { flag: 'wx', mode: 0o600 });
      return 'self';
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const other = readOwner(folder);
    if (other !== undefined && isAlive(other.pid) && birthOf(other.pid) === other.birth) return other;
    // Moved, not deleted: of two that find the same dead owner only one moves its file.
    const aside = `${ownerFile(folder)}.${process.pid}`;
    try {
      renameSync(ownerFile(folder), aside);
      rmSync(aside);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  throw new ServiceError('db/embedded-contended', { folder });
}

function readOwner(folder: string): Owner | undefined {
  try {
    return JSON.parse(readFileSync(ownerFile(folder), 'utf8')) as Owner;
  } catch {
    return undefined;
  }
}

/** Ends what runs in a folder whose owner was killed, and removes the folder; leaves it alone while its owner lives. */
export async function removeAbandoned(folder: string): Promise<void> {
  const owner = readOwner(folder);
  if (owner === undefined || (isAlive(owner.pid) && birthOf(owner.pid) === owner.birth)) return;
  const cluster = join(folder, 'cluster');
  if (existsSync(cluster)) await endLeftovers(cluster);
  rmSync(folder, { recursive: true, force: true });
}

function dropOwnership(folder: string): void {
  if (readOwner(folder)?.pid === process.pid) rmSync(ownerFile(folder), { force: true });
}

async function joinRunning(cluster: string, owner: Owner): Promise<EmbeddedServer> {
  const start = Date.now();
  for (;;) {
    const file = readPostmasterFile(cluster);
    if (file?.ready === true && isAlive(file.pid)) {
      return { url: urlOver(file.socketFolder), joined: true, pid: file.pid, lost: new Promise(() => {}), stop: async () => {} };
    }
    if (Date.now() - start > 60_000 || !isAlive(owner.pid)) throw new ServiceError('db/embedded-contended', { pid: owner.pid });
    await sleep(10);
  }
}

/* ---- under which user ---- */

interface RunAs { readonly uid: number; readonly gid: number }

/** PostgreSQL refuses to run as root: then the cluster's owner runs it, at first a user without rights of its own. */
function userFor(cluster: string): RunAs | undefined {
  if (process.getuid?.() !== 0) return undefined;
  if (existsSync(cluster)) {
    const { uid, gid } = statSync(cluster);
    if (uid !== 0) return { uid, gid };
  }
  // initdb wants a user that has a name.
  const users = readFileSync('/etc/passwd', 'utf8').split('\n').map((line) => line.split(':'));
  const found = users.find(([name]) => name === 'postgres') ?? users.find(([name]) => name === 'nobody');
  const uid = Number(found?.[2]);
  const gid = Number(found?.[3]);
  if (!(uid > 0 && gid > 0)) throw new ServiceError('db/embedded-no-user');
  return { uid, gid };
}

interface Command {
  readonly folder: string;
  readonly stdio: StdioOptions;
  readonly options: { uid?: number; gid?: number; cwd: string };
  /** To be called once the program was started. */
  done(): void;
}

/**
 * How a program of PostgreSQL is told its data folder. Another user may not be able to walk to it (a checkout in a closed home), so root
 * opens the folder and passes the open folder on.
 */
function commandFor(cluster: string, runAs: RunAs | undefined, output: 'pipe' | number): Command {
  if (runAs === undefined || process.platform !== 'linux') {
    return { folder: cluster, stdio: ['ignore', output, output], options: { ...runAs, cwd: '/' }, done() {} };
  }
  const folder = openSync(cluster, 'r');
  return { folder: '/proc/self/fd/3', stdio: ['ignore', output, output, folder], options: { ...runAs, cwd: '/' }, done: () => closeSync(folder) };
}

/* ---- making and running the cluster ---- */

function checkVersion(cluster: string): void {
  const found = readFileSync(join(cluster, 'PG_VERSION'), 'utf8').trim();
  if (found !== major) throw new ServiceError('db/embedded-version', { found, expected: major });
}

/** Made beside its place and moved there when complete: an interrupted first start leaves nothing half done. */
function initialise(cluster: string, binaries: Binaries, runAs: RunAs | undefined): void {
  const draft = `${cluster}.new`;
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft, { mode: 0o700 });
  if (runAs !== undefined) chownSync(draft, runAs.uid, runAs.gid);
  const command = commandFor(draft, runAs, 'pipe');
  const run = spawnSync(binaries.initdb, [
    '-D', command.folder, '-U', role, '--auth=trust', '-E', 'UTF8',
    '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--no-instructions',
  ], { ...command.options, stdio: command.stdio, encoding: 'utf8', timeout: 120_000, env: environment() });
  command.done();
  if (run.status !== 0) throw new ServiceError('db/embedded-initdb', { output: run.error?.message ?? lastLines(run.stderr) });
  rmSync(cluster, { recursive: true, force: true });
  renameSync(draft, cluster);
}

function environment(): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };
}

function settings(options: EmbeddedOptions, socketFolder: string): string[] {
  const fsync = options.fsync ?? true;
  const values: Record<string, string | number> = {
    listen_addresses: '',
    unix_socket_directories: socketFolder,
    unix_socket_permissions: '0700',
    max_connections: options.maxConnections ?? 60,
    shared_buffers: '64MB',
    timezone: 'UTC',
    log_timezone: 'UTC',
    log_checkpoints: 'off',
    // Short statements only: their planning and helper processes cost more than they bring.
    jit: 'off',
    max_parallel_workers_per_gather: 0,
    max_logical_replication_workers: 0,
    io_method: 'sync',
    // A checkpoint makes each page whole in the log once more: seldom ones write less. Recovery still reads no more than a gigabyte.
    checkpoint_timeout: '15min',
    update_process_title: 'off',
    ...(fsync ? {} : { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', autovacuum: 'off' }),
  };
  return Object.entries(values).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

async function launch(options: EmbeddedOptions, cluster: string, binaries: Binaries, runAs: RunAs | undefined): Promise<EmbeddedServer> {
  const socketFolder = makeSocketFolder(runAs);
  const log = join(options.folder, 'postgres.log');
  if (existsSync(log) && statSync(log).size > longestLog) truncateSync(log);
  const output = openSync(log, 'a', 0o600);
  const logStart = statSync(log).size;
  const command = commandFor(cluster, runAs, output);
  // A session of its own: Ctrl-C in the terminal is for us, and we stop the database last.
  const child = spawn(binaries.postgres, ['-D', command.folder, ...settings(options, socketFolder)], {
    ...command.options, stdio: command.stdio, detached: true, env: environment(),
  });
  closeSync(output);
  command.done();
  child.unref();
  const ended = new Promise<void>((resolve) => { child.once('exit', () => resolve()); child.once('error', () => resolve()); });
  try {
    await untilReady(child, cluster, () => lastLines(readFileSync(log, 'utf8').slice(logStart)));
  } catch (error) {
    removeSocketFolder(socketFolder);
    throw error;
  }
  return running(options.folder, child, ended, socketFolder);
}

function running(folder: string, child: ChildProcess, ended: Promise<void>, socketFolder: string): EmbeddedServer {
  let stopping = false;
  const atExit = (): void => { child.kill('SIGINT'); };
  process.once('exit', atExit);
  const clear = (): void => {
    process.off('exit', atExit);
    removeSocketFolder(socketFolder);
    dropOwnership(folder);
  };
  const lost = new Promise<void>((resolve) => {
    void ended.then(() => { if (!stopping) { clear(); resolve(); } });
  });
  return {
    url: urlOver(socketFolder),
    joined: false,
    pid: child.pid!,
    lost,
    async stop() {
      if (stopping) return ended;
      stopping = true;
      child.ref();
      child.kill('SIGINT');
      const press = setTimeout(() => child.kill('SIGQUIT'), 20_000);
      await ended;
      clearTimeout(press);
      clear();
    },
  };
}

function makeSocketFolder(runAs: RunAs | undefined): string {
  // A socket's path is limited to about a hundred bytes.
  const parent = tmpdir().length < 70 && (runAs === undefined || (statSync(tmpdir()).mode & 0o001) !== 0) ? tmpdir() : '/tmp';
  removeEmptySocketFolders(parent);
  const folder = mkdtempSync(join(parent, socketFolderPrefix));
  chmodSync(folder, 0o700);
  if (runAs !== undefined) chownSync(folder, runAs.uid, runAs.gid);
  return folder;
}

async function untilReady(child: ChildProcess, cluster: string, logged: () => string): Promise<void> {
  let failure: Error | undefined;
  child.once('error', (error) => { failure = error; });
  const start = Date.now();
  for (;;) {
    const file = readPostmasterFile(cluster);
    if (file?.ready === true && file.pid === child.pid) return;
    if (failure !== undefined || child.exitCode !== null || child.signalCode !== null) {
      throw new ServiceError('db/embedded-start', { output: failure?.message ?? logged() });
    }
    // Recovery after a crash may read a good deal of WAL.
    if (Date.now() - start > 120_000) {
      child.kill('SIGQUIT');
      throw new ServiceError('db/embedded-start', { output: 'not ready after 120 s' });
    }
    await sleep(3);
  }
}

function urlOver(socketFolder: string): (database: string) => string {
  return (database) => `postgresql://${role}@localhost/${database}?host=${encodeURIComponent(socketFolder)}`;
}

async function makeDatabases(server: EmbeddedServer, names: readonly string[]): Promise<void> {
  const db = openDatabase({ url: server.url('postgres'), maxConnections: 1 });
  try {
    const there = new Set((await db.all(sql<{ datname: string }>`select datname from pg_database`)).map((row) => row.datname));
    for (const name of names) if (!there.has(name)) await db.script(`create database "${name}"`);
  } finally {
    await db.close();
  }
}

function lastLines(text: string): string {
  return text.trim().split('\n').slice(-5).join(' | ');
}
