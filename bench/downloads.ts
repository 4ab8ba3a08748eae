import { fork, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { cpuMsOf, cpuMsOfTree, peakRssMbOf, postmasterPid } from './downloads-cpu.ts';
import { cryptoLoopMs } from './downloads-crypto.ts';
import { openStock, type DownloadStock, type StockedOrder } from './downloads-stock.ts';

/**
 * `npm run bench:downloads`: complete downloads against the real server process, install notification included. Each has a TLS connection
 * of its own without resumption, an eUICC and a profile of its own; phones run in processes of their own and are not counted. CPU is that
 * of the server process and of PostgreSQL, from /proc.
 */
const { values: options } = parseArgs({
  options: {
    count: { type: 'string', default: '400' },
    'warm-up': { type: 'string', default: '100' },
    phones: { type: 'string', default: '2' },
    'at-once': { type: 'string', default: '2' },
    curve: { type: 'string', default: 'P-256' },
    profile: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});

interface Phones {
  /** Runs all downloads that the processes were given; seconds it took. */
  run(): Promise<number>;
  stop(): void;
}

interface Figures {
  readonly downloadsPerSecond: number;
  readonly cpuMsPerDownload: number;
  readonly serverCpuMsPerDownload: number;
  readonly cryptoLoopMsPerDownload: number;
  readonly ratioToCryptoLoop: number;
  readonly peakRssMb: number;
}

const count = Number(options.count);
const warmUp = Number(options['warm-up']);
const phoneProcesses = Number(options.phones);
const program = join(import.meta.dirname, '..', 'packages', 'server', 'src', 'main.ts');
const phoneProgram = join(import.meta.dirname, 'downloads-phones.ts');

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'yuanyou-bench-'));
  const ended: (() => Promise<void>)[] = [async () => { rmSync(folder, { recursive: true, force: true }); }];
  try {
    const env = { ...process.env, YUANYOU_MODE: 'development', YUANYOU_DATA: folder, PORT: '0', YUANYOU_ES9_PORT: '0', YUANYOU_LOG_LEVEL: 'warn' };
    const server = await startServer(env);
    ended.push(() => stopped(server.process));
    const stock = await openStock({ ...env, YUANYOU_ES9_PORT: server.es9Address.split(':')[1] });
    ended.push(() => stock.close());
    const { figures, transactions } = await measure(folder, server, stock);
    process.stdout.write(table(figures, transactions));
    if (options.json) process.stdout.write(`${JSON.stringify(figures)}\n`);
  } finally {
    for (const end of ended.toReversed()) await end();
  }
}

async function measure(folder: string, server: Server, stock: DownloadStock): Promise<{ readonly figures: Figures; readonly transactions: number }> {
  const orders = await stock.order(warmUp + count);
  const warm = await startPhones(folder, orders.slice(0, warmUp), 0);
  await warm.run();
  warm.stop();
  await stock.settled();

  const measured = orders.slice(warmUp);
  const phones = await startPhones(folder, measured, warmUp);
  const postgres = postmasterPid(folder);
  const transactionsBefore = await stock.transactions();
  const before = { server: cpuMsOf(server.process.pid!), postgres: cpuMsOfTree(postgres) };
  const seconds = await phones.run();
  await stock.settled();
  const after = { server: cpuMsOf(server.process.pid!), postgres: cpuMsOfTree(postgres) };
  phones.stop();
  await stock.requireInstalled(measured);
  const transactions = (await stock.transactions() - transactionsBefore) / count;

  const serverCpuMsPerDownload = (after.server - before.server) / count;
  const cpuMsPerDownload = serverCpuMsPerDownload + (after.postgres - before.postgres) / count;
  const cryptoLoopMsPerDownload = cryptoLoopMs(options.curve);
  const figures = rounded({
    downloadsPerSecond: count / seconds, cpuMsPerDownload, serverCpuMsPerDownload, cryptoLoopMsPerDownload,
    ratioToCryptoLoop: cpuMsPerDownload / cryptoLoopMsPerDownload, peakRssMb: peakRssMbOf(server.process.pid!),
  });
  return { figures, transactions };
}

interface Server {
  readonly process: ChildProcess;
  readonly es9Address: string;
}

async function startServer(env: NodeJS.ProcessEnv): Promise<Server> {
  const execArgv = options.profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${options.profile}`];
  const child = fork(program, [], { env, execArgv, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const { es9Address } = await messageOf<{ readonly es9Address: string }>(child, 'listening');
  return { process: child, es9Address };
}

/** Forks the phones' processes and waits until their eUICCs are made. */
async function startPhones(folder: string, orders: readonly StockedOrder[], firstEid: number): Promise<Phones> {
  const share = Math.ceil(orders.length / phoneProcesses);
  const children = await Promise.all(Array.from({ length: phoneProcesses }, async (_, index) => {
    const child = fork(phoneProgram, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    child.send({
      pki: join(folder, 'pki'), curve: options.curve, atOnce: Number(options['at-once']), firstEid: firstEid + index * share,
      activationCodes: orders.slice(index * share, (index + 1) * share).map(({ activationCode }) => activationCode),
    });
    await messageOf(child, 'ready');
    return child;
  }));
  return {
    async run() {
      const start = performance.now();
      const done = children.map((child) => messageOf(child, 'done'));
      for (const child of children) child.send('go');
      await Promise.all(done);
      return (performance.now() - start) / 1000;
    },
    stop: () => { for (const child of children) if (child.connected) child.disconnect(); },
  };
}

/** The child's next message of this kind; its end before that is a failure. */
function messageOf<T>(child: ChildProcess, kind: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null): void => { reject(new Error(`a process ended with ${code} before it was ${kind}`)); };
    const onMessage = (message: unknown): void => {
      if ((message as { readonly kind?: string }).kind !== kind) return;
      child.off('exit', onExit);
      child.off('message', onMessage);
      resolve(message as T);
    };
    child.once('exit', onExit);
    child.on('message', onMessage);
  });
}

async function stopped(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => { child.once('exit', resolve); });
  child.kill('SIGTERM');
  await ended;
}

function rounded(figures: Figures): Figures {
  return Object.fromEntries(Object.entries(figures).map(([name, value]) => [name, Number((value as number).toFixed(3))])) as unknown as Figures;
}

function table(figures: Figures, transactions: number): string {
  const rows: readonly (readonly [string, string, string])[] = [
    ['downloads', String(count), `${options.curve}, ${phoneProcesses} processes of phones, ${options['at-once']} downloads at once in each`],
    ['downloads a second', figures.downloadsPerSecond.toFixed(1), 'with the phones on the same machine'],
    ['CPU a download, in all', `${figures.cpuMsPerDownload.toFixed(2)} ms`, 'server and PostgreSQL; goal 6 ms'],
    ['  of it the server', `${figures.serverCpuMsPerDownload.toFixed(2)} ms`, 'TLS, ES9+, outbox'],
    ['  of it PostgreSQL', `${(figures.cpuMsPerDownload - figures.serverCpuMsPerDownload).toFixed(2)} ms`, `with fsync; ${transactions.toFixed(1)} transactions a download`],
    ['bare cryptography', `${figures.cryptoLoopMsPerDownload.toFixed(2)} ms`, 'the same operations in a loop, TLS handshake included'],
    ['ratio to it', figures.ratioToCryptoLoop.toFixed(2), ''],
    ['server memory, peak', `${figures.peakRssMb.toFixed(0)} MB`, 'goal below 300 MB'],
  ];
  return `\n${rows.map(([name, value, about]) => `  ${name.padEnd(24)}${value.padStart(10)}   ${about}`.trimEnd()).join('\n')}\n\n`;
}

await main();
