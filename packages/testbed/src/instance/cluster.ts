import { closeSync, mkdirSync, openSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { around, counterparts } from './index.ts';
import { freePort, choosePorts, type Ports } from './ports.ts';
import { startServer, type ServerProcess } from './server.ts';
import type { Simulators } from './simulators.ts';

export interface ClusterOptions {
  /** What all processes share beside the database: key files, PKI, feeds; below `testbed` the simulators' books. */
  readonly dataFolder: string;
  readonly databaseUrl: string;
  readonly keysUrl: string;
  /** How many server processes; default 1. */
  readonly processes?: number;
  readonly env?: Readonly<Record<string, string>>;
}

/** One server process of several, on ports that stay its own over restarts. */
export interface Member {
  readonly apiUrl: string;
  readonly es9Port: number;
  alive(): boolean;
  /** Starts it, or starts it again after its end; these variables count for this run only. */
  start(env?: Readonly<Record<string, string>>): Promise<void>;
  /** SIGKILL, and wait. */
  kill(): Promise<void>;
  /** SIGTERM, and wait; answers the exit code. */
  stop(): Promise<number>;
  /** Settles when it ends by whatever cause. */
  ended(): Promise<number>;
}

/** Server processes over one database behind one address, each of which may die and come back, with simulators in this process. */
export interface Cluster {
  readonly dataFolder: string;
  readonly simulators: Simulators;
  readonly members: readonly Member[];
  /** Where a phone finds the SM-DP+: another living process at each request. */
  locate(): { readonly host: string; readonly port: number };
  stop(): Promise<void>;
}

export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const dataFolder = resolve(options.dataFolder);
  mkdirSync(dataFolder, { recursive: true, mode: 0o700 });
  const ports = await choosePorts({}, true);
  const env = environment(options, dataFolder, ports);
  const simulators = await around(dataFolder, env, ports);
  const members: Member[] = [];
  for (let index = 0; index < (options.processes ?? 1); index++) {
    const [api, es9] = index === 0 ? [ports.api, ports.es9] : [await freePort(), await freePort()];
    members.push(memberOn(env, api, es9, join(dataFolder, `server-${index + 1}.log`)));
  }
  const stop = async (): Promise<void> => {
    await Promise.all(members.map((member) => member.stop()));
    await simulators.stop();
  };
  try {
    await Promise.all(members.map((member) => member.start()));
  } catch (error) {
    await stop();
    throw error;
  }
  let turn = 0;
  return {
    dataFolder, simulators, members, stop,
    locate() {
      const living = members.filter((member) => member.alive());
      return { host: '127.0.0.1', port: (living[turn++ % living.length] ?? members[0]!).es9Port };
    },
  };
}

/** One public address and one SM-DP+ address, whichever process answers: that is how several stand behind a balancer. */
function environment(options: ClusterOptions, dataFolder: string, ports: Ports): NodeJS.ProcessEnv {
  return {
    PATH: process.env['PATH'], NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? join(dataFolder, 'compiled'),
    ...counterparts(ports), YUANYOU_MODE: 'development', YUANYOU_DATA: dataFolder, DATABASE_URL: options.databaseUrl, KEYS_DATABASE_URL: options.keysUrl,
    YUANYOU_PUBLIC_URL: `http://127.0.0.1:${ports.api}`, YUANYOU_ES9_ADDRESS: `localhost:${ports.es9}`, ...options.env,
  };
}

function memberOn(env: NodeJS.ProcessEnv, api: number, es9: number, logFile: string): Member {
  let running: ServerProcess | undefined;
  let starting: Promise<unknown> = Promise.resolve();
  let ended: Promise<number> = Promise.resolve(0);
  const begin = async (more: Readonly<Record<string, string>>): Promise<void> => {
    await ended;
    const output = openSync(logFile, 'a', 0o600);
    try {
      const server = await startServer({ ...env, PORT: String(api), YUANYOU_ES9_PORT: String(es9), ...more }, output, () => {});
      running = server;
      ended = server.ended.finally(() => { running = undefined; });
    } finally {
      closeSync(output);
    }
  };
  return {
    apiUrl: `http://127.0.0.1:${api}`,
    es9Port: es9,
    alive: () => running !== undefined,
    async start(more = {}) {
      const begun = begin(more);
      starting = begun.catch(() => undefined);
      return begun;
    },
    kill: async () => { await running?.kill(); },
    async stop() {
      // One that is just starting, because another failed to, must not be left behind.
      await starting;
      return running === undefined ? ended : running.stop();
    },
    ended: () => ended,
  };
}
