import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { constants } from 'node:crypto';
import { MAX_ES9PLUS_REQUEST_BYTES, type Es9plusFunction } from '@yuanyou/rsp';
import { functionAt, type Es9plusReply } from './answer.ts';

/** Answers an ES9+ request; never throws. */
export type Es9plusAnswerer = (name: Es9plusFunction, body: Uint8Array) => Promise<Es9plusReply>;

export interface ListenerOptions {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** PEM. */
  readonly tls: { readonly certificate: string; readonly key: string };
  readonly answer: Es9plusAnswerer;
}

/** The HTTPS listener that phones speak to. */
export interface Es9plusListener {
  readonly port: number;
  /** Takes no more connections, and waits for the requests under way. */
  close(): Promise<void>;
}

const ADMIN_PROTOCOL = 'gsma/rsp/v2.3.0';
const bodyTimeoutMs = 15_000;

/** Opens the listener: TLS 1.2 and up, as phones need it. @throws the system's error when the address cannot be had */
export async function listenEs9plus(options: ListenerOptions): Promise<Es9plusListener> {
  const server = createServer({
    cert: options.tls.certificate,
    key: options.tls.key,
    minVersion: 'TLSv1.2',
    // A phone comes back after days, from elsewhere: tickets would be made for nobody.
    secureOptions: constants.SSL_OP_NO_TICKET,
    // What is secret of a profile is protected end to end below TLS: the hybrid with ML-KEM, OpenSSL's first choice, would cost a fifth of all
    // that a connection costs and guard only the metadata.
    ecdhCurve: 'X25519:P-256:P-384',
    maxHeaderSize: 8_192,
    requestTimeout: bodyTimeoutMs,
    headersTimeout: 10_000,
    // Between two requests a person may read, decide and type a code.
    keepAliveTimeout: 60_000,
    handshakeTimeout: 10_000,
  }, (request, response) => { void respond(options.answer, request, response); });
  await listening(server, options);
  return { port: (server.address() as AddressInfo).port, close: () => closed(server) };
}

async function respond(answerTo: Es9plusAnswerer, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const refusal = refusalOf(request);
  if (typeof refusal === 'number') {
    send(response, refusal, '', true);
    return;
  }
  const body = await bodyOf(request);
  if (body === 'too-large') {
    send(response, 413, '', true);
  } else if (body === 'broken') {
    response.destroy();
  } else {
    const { status, body: text } = await answerTo(refusal, body);
    send(response, status, text, false);
  }
}

/** The function that a request asks for, or the status that refuses it before its body is read. */
function refusalOf(request: IncomingMessage): Es9plusFunction | number {
  const name = functionAt(request.url ?? '');
  if (!name) return 404;
  if (request.method !== 'POST') return 405;
  if (!/^application\/json\s*(?:;|$)/i.test(request.headers['content-type'] ?? '')) return 415;
  const protocol = request.headers['x-admin-protocol'];
  if (protocol !== undefined && !/^gsma\/rsp\/v2\./i.test(String(protocol))) return 400;
  if (Number(request.headers['content-length'] ?? 0) > MAX_ES9PLUS_REQUEST_BYTES) return 413;
  return name;
}

function bodyOf(request: IncomingMessage): Promise<Buffer | 'too-large' | 'broken'> {
  return new Promise((resolve) => {
    const pieces: Buffer[] = [];
    let bytes = 0;
    request.on('data', (piece: Buffer) => {
      bytes += piece.length;
      if (bytes > MAX_ES9PLUS_REQUEST_BYTES) resolve('too-large');
      else pieces.push(piece);
    });
    request.once('end', () => resolve(pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces)));
    request.once('error', () => resolve('broken'));
    request.once('close', () => resolve('broken'));
  });
}

function send(response: ServerResponse, status: number, body: string, last: boolean): void {
  response.writeHead(status, {
    'X-Admin-Protocol': ADMIN_PROTOCOL,
    ...(body === '' ? {} : { 'Content-Type': 'application/json' }),
    // 204 has no length (RFC 9110 section 8.6).
    ...(status === 204 ? {} : { 'Content-Length': Buffer.byteLength(body) }),
    ...(last ? { Connection: 'close' } : {}),
  });
  response.end(body);
}

function listening(server: Server, { host, port }: ListenerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => resolve());
  });
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });
}
