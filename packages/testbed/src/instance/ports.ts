import { createServer, type AddressInfo } from 'node:net';

/** Ports of an instance. They are chosen before anything listens: each part has to know where the others will be. */
export interface Ports {
  readonly api: number;
  readonly es9: number;
  readonly gateway: number;
  readonly operator: number;
  readonly smtp: number;
  readonly inbox: number;
}

const usual: Ports = { api: 8080, es9: 8443, gateway: 8091, smtp: 8092, operator: 8093, inbox: 8094 };

/**
 * The server's ports as PORT and YUANYOU_ES9_PORT say: one that is taken there is an error, told by the server. The simulators' are the
 * usual ones where they are free.
 */
export async function choosePorts(env: NodeJS.ProcessEnv, any: boolean): Promise<Ports> {
  const said = async (text: string | undefined, fallback: number): Promise<number> => {
    const wanted = text === undefined || text === '' ? (any ? 0 : fallback) : Number(text);
    return wanted === 0 ? freePort() : wanted;
  };
  const free = async (port: number): Promise<number> => (any ? freePort() : freePort(port).catch(() => freePort()));
  return {
    api: await said(env['PORT'], usual.api),
    es9: await said(env['YUANYOU_ES9_PORT'], usual.es9),
    gateway: await free(usual.gateway),
    operator: await free(usual.operator),
    smtp: await free(usual.smtp),
    inbox: await free(usual.inbox),
  };
}

/** That port, if nobody uses it; any such port for 0. */
export async function freePort(wanted = 0): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(wanted, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => { server.close(() => { resolve(); }); });
  return port;
}
