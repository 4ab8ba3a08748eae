import { Agent, request } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { es9plusFunctions } from '@yuanyou/rsp';
import type { LpaAnswer, LpaRequest } from '@yuanyou/rsp/lpa';

/** How a phone reaches SM-DP+s. */
export interface Es9plusOptions {
  /** PEM of the CAs under which it trusts an SM-DP+'s TLS certificate. */
  readonly tlsCa: string | readonly string[];
  /** Where an address of an activation code really is, for servers that listen elsewhere; the certificate is still checked for the address. */
  readonly locate?: (address: string) => { readonly host: string; readonly port: number };
  /** Default 30,000. */
  readonly timeoutMs?: number;
}

type Es9plusRequest = Extract<LpaRequest, { kind: 'es9plus' }>;
type Es9plusAnswer = Extract<LpaAnswer, { kind: 'es9plus' }>;

/** A phone's connection to SM-DP+s, kept open from one request to the next until it is closed. */
export interface Es9plusConnection {
  /** @throws when the server cannot be reached, its certificate is not trusted, or its answer is too long */
  send(call: Es9plusRequest): Promise<Es9plusAnswer>;
  close(): void;
}

/** Opens TLS connections as needed: a fresh handshake each time, never a resumed session. */
export function openEs9plus(options: Es9plusOptions): Es9plusConnection {
  const ca = typeof options.tlsCa === 'string' ? options.tlsCa : [...options.tlsCa];
  const agent = new Agent({ keepAlive: true, maxSockets: 1, maxCachedSessions: 0, ca, minVersion: 'TLSv1.2' });
  return {
    send: (call) => exchange(agent, options, call),
    close: () => { agent.destroy(); },
  };
}

function exchange(agent: Agent, { locate, timeoutMs = 30_000 }: Es9plusOptions, call: Es9plusRequest): Promise<Es9plusAnswer> {
  const named = splitAddress(call.address);
  const { host, port } = locate?.(call.address) ?? named;
  return new Promise((resolve, reject) => {
    const sent = request({
      agent, host, port, path: call.path, method: 'POST', servername: named.host, timeout: timeoutMs,
      headers: {
        host: call.address, 'content-type': 'application/json', 'content-length': Buffer.byteLength(call.body),
        'x-admin-protocol': 'gsma/rsp/v2.3.0', 'user-agent': 'gsma-rsp-lpad',
      },
    });
    sent.once('error', reject);
    sent.once('timeout', () => { sent.destroy(new Error(`no answer of ${call.address} within ${timeoutMs} ms`)); });
    sent.once('response', (response) => {
      bodyOf(response, es9plusFunctions[call.function].maxResponseBytes).then(
        (body) => { resolve({ kind: 'es9plus', status: response.statusCode ?? 0, body }); }, reject,
      );
    });
    sent.end(call.body);
  });
}

async function bodyOf(response: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of response as AsyncIterable<Buffer>) {
    bytes += piece.length;
    if (bytes > maxBytes) throw new Error('the answer is too long');
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

function splitAddress(address: string): { readonly host: string; readonly port: number } {
  const [host = '', port] = address.split(':');
  return { host, port: port === undefined ? 443 : Number(port) };
}
