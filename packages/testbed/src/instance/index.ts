import { accessSync, constants, mkdirSync, openSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { forgetAddresses, noteAddresses } from './addresses.ts';
import { endLeftover, forgetRunning, noteRunning } from './leftover.ts';
import { choosePorts, type Ports } from './ports.ts';
import { startServer, type Listening } from './server.ts';
import type { Simulators } from './simulators.ts';

export { ServerEnded, type Listening } from './server.ts';
export type { Simulators } from './simulators.ts';

export interface InstanceOptions {
  /** Everything it keeps: the server's data and, below `testbed`, the simulators' books. */
  readonly dataFolder: string;
  /** Variables for the server beside those of this process; they win over what the simulators would set. */
  readonly env?: Readonly<Record<string, string>>;
  /** Free ports for everything; else the usual ones, where they are free. */
  readonly anyPorts?: boolean;
  /** Where the server's log goes: this process's output by default, or a file. */
  readonly logFile?: string;
}

/** A development instance: the server in a process of its own, simulators in this one. */
export interface Instance extends Listening {
  readonly dataFolder: string;
  readonly serverPid: number;
  readonly simulators: Simulators;
  /** The server's exit code, when it ends for whatever reason. */
  readonly ended: Promise<number>;
  stop(): Promise<void>;
}

/** Starts a development instance; after a kill -9 of an earlier one on the same folder it goes on with its data. */
export async function startInstance(options: InstanceOptions): Promise<Instance> {
  const dataFolder = resolve(options.dataFolder);
  prepareFolder(dataFolder);
  const note = join(dataFolder, 'testbed', 'running.json');
  await endLeftover(note);
  const given: NodeJS.ProcessEnv = { ...process.env, ...options.env };
  const ports = await choosePorts(given, options.anyPorts ?? false);
  const env: NodeJS.ProcessEnv = {
    NODE_COMPILE_CACHE: join(dataFolder, 'compiled'), ...counterparts(ports), ...given,
    PORT: String(ports.api), YUANYOU_ES9_PORT: String(ports.es9), YUANYOU_MODE: 'development', YUANYOU_DATA: dataFolder,
  };
  const output = options.logFile === undefined ? 'inherit' : openSync(options.logFile, 'a', 0o600);
  // Both at once: the server needs its counterparts only when there is something to do.
  const [server, simulators] = await Promise.allSettled([
    startServer(env, output, (serverPid) => { noteRunning(note, { starterPid: process.pid, serverPid }); }),
    around(dataFolder, env, ports),
  ]);
  const stop = async (): Promise<void> => {
    if (server.status === 'fulfilled') await server.value.stop();
    if (simulators.status === 'fulfilled') await simulators.value.stop();
    forgetRunning(note);
    forgetAddresses(dataFolder);
  };
  if (server.status === 'rejected' || simulators.status === 'rejected') {
    await stop();
    throw (server.status === 'rejected' ? server : simulators as PromiseRejectedResult).reason as Error;
  }
  const { listening, pid: serverPid, ended } = server.value;
  const { gateway, operator, inbox } = simulators.value;
  noteAddresses({
    dataFolder, publicUrl: listening.publicUrl, es9Address: listening.es9Address, gatewayUrl: gateway.url, operatorUrl: operator.url, inboxUrl: inbox.url,
  });
  return { ...listening, dataFolder, simulators: simulators.value, serverPid, ended, stop };
}

function prepareFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw new Error(`YUANYOU_DATA: the folder cannot be used, ${(cause as NodeJS.ErrnoException).code ?? 'error'} (${folder})`, { cause });
  }
}

/** The simulators of an instance, as its server's environment names them. */
export async function around(dataFolder: string, env: NodeJS.ProcessEnv, ports: Ports): Promise<Simulators> {
  const { startSimulators } = await import('./simulators.ts');
  const feeds = resolve(env['YUANYOU_FEEDS'] ?? join(dataFolder, 'feeds'));
  return startSimulators({
    folder: join(dataFolder, 'testbed'), feedFolder: join(feeds, 'demo'), ports,
    webhookUrl: `http://127.0.0.1:${ports.api}/v1/webhooks/gateway`, webhookSecret: env['STRIPE_WEBHOOK_SECRET'] ?? '',
    gatewayKey: simulatorKeys.gateway, operatorKey: simulatorKeys.operator,
  });
}

/** Known to everybody, as the simulators are nobody's money or network; production refuses them. */
const simulatorKeys = { gateway: 'sk_test_simulator', webhook: 'whsec_simulator_development', operator: 'operator-simulator-key' };

/** Where the server finds the simulators, unless its environment names others. */
export function counterparts(ports: Ports): Record<string, string> {
  return {
    YUANYOU_GATEWAY_URL: `http://127.0.0.1:${ports.gateway}`,
    STRIPE_SECRET_KEY: simulatorKeys.gateway,
    STRIPE_WEBHOOK_SECRET: simulatorKeys.webhook,
    YUANYOU_SMTP_URL: `smtp://127.0.0.1:${ports.smtp}`,
    YUANYOU_MAIL_ERASURE_URL: `http://127.0.0.1:${ports.inbox}/erasures`,
    YUANYOU_DEMO_OPERATOR_URL: `http://127.0.0.1:${ports.operator}`,
    YUANYOU_DEMO_OPERATOR_KEY: simulatorKeys.operator,
  };
}
