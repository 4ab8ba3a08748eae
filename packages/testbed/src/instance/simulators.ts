import { join } from 'node:path';
import { startGatewaySimulator, type GatewaySimulator } from '../gateway/index.ts';
import { startInbox, type Inbox } from '../inbox/index.ts';
import { startOperatorSimulator, type OperatorSimulator } from '../operator/index.ts';

/** The counterparts that a development instance talks to. */
export interface Simulators {
  readonly gateway: GatewaySimulator;
  readonly operator: OperatorSimulator;
  readonly inbox: Inbox;
  stop(): Promise<void>;
}

export interface SimulatorsOptions {
  readonly folder: string;
  readonly feedFolder: string;
  readonly webhookUrl: string;
  readonly webhookSecret: string;
  /** Free ports instead of the usual ones. */
  readonly anyPorts: boolean;
}

const usualPorts = { gateway: 8091, smtp: 8092, operator: 8093, inbox: 8094 };

export async function startSimulators(options: SimulatorsOptions): Promise<Simulators> {
  const port = (usual: number): number => (options.anyPorts ? 0 : usual);
  const folder = (name: string): string => join(options.folder, name);
  const { webhookUrl, webhookSecret, feedFolder } = options;
  const started: { stop(): Promise<void> }[] = [];
  const add = async <S extends { stop(): Promise<void> }>(usual: number, start: (port: number) => Promise<S>): Promise<S> => {
    const one = await orElsewhere(port(usual), start);
    started.push(one);
    return one;
  };
  const stop = async (): Promise<void> => { await Promise.all(started.map((one) => one.stop())); };
  try {
    return {
      gateway: await add(usualPorts.gateway, (at) => startGatewaySimulator({ port: at, folder: folder('gateway'), webhookUrl, webhookSecret })),
      operator: await add(usualPorts.operator, (at) => startOperatorSimulator({ port: at, folder: folder('operator'), feedFolder, name: 'demo' })),
      inbox: await add(usualPorts.inbox, (at) => startInbox({
        httpPort: at, smtpPort: at === usualPorts.inbox ? usualPorts.smtp : 0, folder: folder('inbox'),
      })),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The usual port, or any other where somebody has it already. */
async function orElsewhere<S>(port: number, start: (port: number) => Promise<S>): Promise<S> {
  try {
    return await start(port);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || port === 0) throw error;
    return start(0);
  }
}
