import { createServer, type AddressInfo } from 'node:net';
import type { Config } from './config.ts';

/** Picks free ports where 0 was asked for: addresses in messages and activation codes need the number before anything listens. */
export async function settlePorts(config: Config): Promise<Config> {
  const [port, es9Port] = [await settle(config.http.host, config.http.port), await settle(config.es9.host, config.es9.port)];
  const said = (text: string, chosen: number): string => text.replace(/^((?:http:\/\/)?localhost):0$/, `$1:${chosen}`);
  return {
    ...config,
    http: { ...config.http, port, publicUrl: said(config.http.publicUrl, port) },
    es9: { ...config.es9, port: es9Port, address: said(config.es9.address, es9Port) },
  };
}

async function settle(host: string, wanted: number): Promise<number> {
  if (wanted !== 0) return wanted;
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => { server.close(() => { resolve(); }); });
  return port;
}
