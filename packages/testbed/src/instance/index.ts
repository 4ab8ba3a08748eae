import { mkdirSync, openSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { endLeftover, forgetRunning, noteRunning } from './leftover.ts';
import { freePort, startServer, type Listening } from './server.ts';
import { startSimulators, type Simulators } from './simulators.ts';

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

const webhookSecret = 'whsec_simulator_development';

/** Starts a development instance; after a kill -9 of an earlier one on the same folder it goes on with its data. */
export async function startInstance(options: InstanceOptions): Promise<Instance> {
  const dataFolder = resolve(options.dataFolder);
  mkdirSync(dataFolder, { recursive: true, mode: 0o700 });
  const note = join(dataFolder, 'testbed', 'running.json');
  await endLeftover(note);
  const given: NodeJS.ProcessEnv = { ...process.env, ...options.env };
  const ports = await portsOf(given, options.anyPorts ?? false);
  const feeds = resolve(given['YUANYOU_FEEDS'] ?? join(dataFolder, 'feeds'));
  const simulators = await startSimulators({
    folder: join(dataFolder, 'testbed'), feedFolder: join(feeds, 'demo'), webhookSecret: given['STRIPE_WEBHOOK_SECRET'] ?? webhookSecret,
    webhookUrl: `http://127.0.0.1:${ports.PORT}/v1/webhooks/gateway`, anyPorts: options.anyPorts ?? false,
  });
  try {
    const env = { ...addressesOf(simulators), ...given, ...ports, YUANYOU_MODE: 'development', YUANYOU_DATA: dataFolder };
    const output = options.logFile === undefined ? 'inherit' : openSync(options.logFile, 'a', 0o600);
    const server = await startServer(env, output, (serverPid) => { noteRunning(note, { starterPid: process.pid, serverPid }); });
    return {
      ...server.listening, dataFolder, simulators,
      serverPid: server.pid,
      ended: server.ended,
      async stop() {
        await server.stop();
        await simulators.stop();
        forgetRunning(note);
      },
    };
  } catch (error) {
    await simulators.stop();
    forgetRunning(note);
    throw error;
  }
}

/** The gateway must know where to send its webhooks before the server listens, so a port is chosen here where none is said. */
async function portsOf(env: NodeJS.ProcessEnv, any: boolean): Promise<{ PORT: string; YUANYOU_ES9_PORT: string }> {
  const choose = async (said: string | undefined, usual: string): Promise<string> => {
    const wanted = said === undefined || said === '' ? (any ? '0' : usual) : said;
    return wanted === '0' ? String(await freePort()) : wanted;
  };
  return { PORT: await choose(env['PORT'], '8080'), YUANYOU_ES9_PORT: await choose(env['YUANYOU_ES9_PORT'], '8443') };
}

function addressesOf(simulators: Simulators): Record<string, string> {
  return {
    YUANYOU_GATEWAY_URL: simulators.gateway.url,
    STRIPE_SECRET_KEY: simulators.gateway.secretKey,
    STRIPE_WEBHOOK_SECRET: webhookSecret,
    YUANYOU_SMTP_URL: simulators.inbox.smtpUrl,
    YUANYOU_DEMO_OPERATOR_URL: simulators.operator.url,
    YUANYOU_DEMO_OPERATOR_KEY: simulators.operator.apiKey,
  };
}
