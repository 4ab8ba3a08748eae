import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadConfig, type Config } from './config.ts';
import type { Context } from './context.ts';
import { masterKeyOf, prepareDataFolder } from './data-folder.ts';
import { openDatabases, type Databases } from './databases.ts';
import { createLog, type Log } from './platform/log/index.ts';
import { settlePorts } from './ports.ts';
import { helpText } from './settings-text.ts';
import { failureLines } from './start-failure.ts';

/** What stands after the steps that all commands share. */
interface Started {
  readonly config: Config;
  readonly databases: Databases;
  readonly context: Context;
}

const longestStopMs = 25_000;
const impatientAfterMs = 3000;

const commands: Readonly<Record<string, (args: readonly string[]) => Promise<void>>> = { serve, migrate, admin };

async function main(): Promise<void> {
  const [first = 'serve', ...rest] = process.argv.slice(2);
  if (first === '--help' || first === '-h' || rest.includes('--help')) {
    process.stdout.write(helpText());
    return;
  }
  const command = commands[first];
  if (command === undefined) throw new Error(`unknown command "${first}"; --help lists them`);
  await command(rest);
}

/** Listens until it is asked to stop. */
async function serve(): Promise<void> {
  await within(async ({ config, databases, context }, log) => {
    const stop = whenAskedToStop();
    const addresses = await context.start();
    announce(addresses, config, log);
    const why = await Promise.race([stop, databases.lost.then(() => 'database lost' as const)]);
    log.log.info({ why }, 'stopping');
    if (why === 'database lost') process.exitCode = 1;
  });
}

/** Brings the databases to this version and ends: opening them does it. */
async function migrate(): Promise<void> {
  await withConfig(async (config, log) => {
    const databases = await openDatabases(config, log.log);
    await databases.close();
  });
}

/** Makes the first admin and prints the code that lets them in, once. */
async function admin(args: readonly string[]): Promise<void> {
  const [email, ...name] = args;
  if (email === undefined || !/^[^\s@]+@[^\s@]+$/.test(email)) throw new Error('admin: say the admin\'s email address');
  await within(async ({ context, config }) => {
    const { code, expiresAt } = await context.access.createFirstAdmin({ email, name: name.join(' ') || 'Admin' });
    const until = expiresAt.toISOString();
    process.stdout.write(`Invitation code: ${code}\nAccept it at ${config.http.publicUrl} until ${until}; it is shown this once.\n`);
  });
}

/** environment -> config -> databases -> context, then the work, then everything back in reverse. */
async function within(work: (started: Started, log: Log) => Promise<void>): Promise<void> {
  await withConfig(async (config, log) => {
    const masterKey = masterKeyOf(config);
    // Loaded late, while the database starts: help and a faulty configuration answer without the whole service.
    const loading = import('./context.ts');
    const databases = await openDatabases(config, log.log);
    try {
      const { createContext } = await loading;
      const context = await createContext(config, databases, masterKey, log.log);
      try {
        await work({ config, databases, context }, log);
      } finally {
        await inTime('context', context.stop(), log);
      }
    } finally {
      await inTime('databases', databases.close(), log);
    }
  });
}

async function withConfig(work: (config: Config, log: Log) => Promise<void>): Promise<void> {
  const config = await settlePorts(loadConfig(process.env));
  const log = createLog(config.log);
  for (const warning of config.warnings) log.log.warn(warning);
  prepareDataFolder(config);
  // Half of the time of a start is compiling; what was compiled is kept where only this user writes.
  enableCompileCache(join(config.dataFolder, 'compiled'));
  try {
    await work(config, log);
  } finally {
    log.flush();
  }
}

/** A signal, or the end of the process that started this one and talks to it over a channel. Asked again later, it ends at once. */
function whenAskedToStop(): Promise<'signal' | 'parent gone'> {
  return new Promise((resolve) => {
    let askedAt: number | undefined;
    const onSignal = (): void => {
      // Ctrl-C reaches every process of the terminal, and those that started us pass it on: that is one wish, not two.
      if (askedAt !== undefined && performance.now() - askedAt > impatientAfterMs) process.exit(1);
      askedAt ??= performance.now();
      resolve('signal');
    };
    process.on('SIGTERM', onSignal);
    process.on('SIGINT', onSignal);
    process.once('disconnect', () => { resolve('parent gone'); });
  });
}

function announce(addresses: Awaited<ReturnType<Context['start']>>, config: Config, log: Log): void {
  log.log.info({ mode: config.mode, ...addresses }, 'listening');
  process.send?.({ kind: 'listening', ...addresses, publicUrl: config.http.publicUrl, es9Address: config.es9.address });
}

async function inTime(what: string, work: Promise<void>, log: Log): Promise<void> {
  const timer = new AbortController();
  const late = sleep(longestStopMs, 'late' as const, { signal: timer.signal, ref: false }).catch(() => 'done' as const);
  if (await Promise.race([work, late]) === 'late') {
    log.log.error({ what }, 'did not stop in time');
    process.exitCode = 1;
  }
  timer.abort();
}

try {
  await main();
  // A connection or timer that somebody forgot must not keep a stopped service alive.
  if (process.connected) process.disconnect();
} catch (error) {
  for (const line of failureLines(error)) process.stderr.write(`yuanyou: ${line}\n`);
  process.exitCode = 1;
}
process.exit();
