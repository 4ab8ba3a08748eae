import { join } from 'node:path';
import { startGatewaySimulator, type GatewaySimulator } from '../gateway/index.ts';
import { startInbox, type Inbox } from '../inbox/index.ts';
import { startOperatorSimulator, type OperatorSimulator } from '../operator/index.ts';
import type { Ports } from './ports.ts';

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
  readonly ports: Pick<Ports, 'gateway' | 'operator' | 'smtp' | 'inbox'>;
  readonly webhookUrl: string;
  readonly webhookSecret: string;
  readonly gatewayKey: string;
  readonly operatorKey: string;
}

export async function startSimulators(options: SimulatorsOptions): Promise<Simulators> {
  const { ports, webhookUrl, webhookSecret, feedFolder, gatewayKey, operatorKey } = options;
  const folder = (name: string): string => join(options.folder, name);
  const started: { stop(): Promise<void> }[] = [];
  const kept = async <S extends { stop(): Promise<void> }>(starting: Promise<S>): Promise<S> => {
    const one = await starting;
    started.push(one);
    return one;
  };
  const stop = async (): Promise<void> => { await Promise.all(started.map((one) => one.stop())); };
  try {
    return {
      gateway: await kept(startGatewaySimulator({ port: ports.gateway, folder: folder('gateway'), webhookUrl, webhookSecret, secretKey: gatewayKey })),
      operator: await kept(startOperatorSimulator({ port: ports.operator, folder: folder('operator'), feedFolder, name: 'demo', apiKey: operatorKey })),
      inbox: await kept(startInbox({ httpPort: ports.inbox, smtpPort: ports.smtp, folder: folder('inbox') })),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}
