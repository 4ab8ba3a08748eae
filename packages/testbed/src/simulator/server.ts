import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import { z } from 'zod';
import { createFaults, type Fault, type Faults } from './faults.ts';

const faultShape = z.object({
  kind: z.enum(['fail', 'delay', 'timeout-after-doing', 'lost-answer', 'answer-twice']),
  match: z.string().min(1).max(200),
  times: z.int().min(1).max(1000).optional(),
  delayMs: z.int().min(0).max(600_000).optional(),
  status: z.int().min(400).max(599).optional(),
});

/** A simulator's HTTP side, with its faults; `/_control` belongs to the tests and the demo, never to the protocol. */
export interface SimulatorServer {
  readonly app: FastifyInstance;
  readonly faults: Faults;
  listen(port: number): Promise<string>;
  stop(): Promise<void>;
}

/** `failure` is the body with which this simulator's original reports an error of its own. */
export function createSimulatorServer(failure: (status: number) => unknown): SimulatorServer {
  const app = fastify({ logger: false, bodyLimit: 1_000_000, forceCloseConnections: true });
  const faults = createFaults();
  const stopping = new AbortController();
  const hit = new WeakMap<FastifyRequest, Fault>();
  const wait = (ms: number): Promise<void> => sleep(ms, undefined, { signal: stopping.signal }).catch(() => undefined);

  app.addHook('preHandler', async (request, reply) => {
    const path = request.url.split('?')[0]!;
    if (path.startsWith('/_control')) return;
    const fault = faults.take(request.method, path);
    if (fault === undefined) return;
    hit.set(request, fault);
    if (fault.kind === 'delay') await wait(fault.delayMs ?? 1000);
    if (fault.kind === 'fail') await reply.code(fault.status ?? 500).send(failure(fault.status ?? 500));
  });
  app.addHook('onSend', async (request, reply, payload) => {
    const fault = hit.get(request);
    if (fault?.kind === 'timeout-after-doing') await wait(fault.delayMs ?? 1000);
    if (fault?.kind === 'timeout-after-doing' || fault?.kind === 'lost-answer') request.raw.socket.destroy();
    if (fault?.kind === 'answer-twice' && typeof payload === 'string') {
      const socket = request.raw.socket;
      const again = `HTTP/1.1 ${reply.statusCode} Again\r\ncontent-type: application/json\r\n`
        + `content-length: ${Buffer.byteLength(payload)}\r\n\r\n${payload}`;
      reply.raw.once('finish', () => socket.write(again));
    }
    return payload;
  });
  app.post('/_control/faults', async (request) => {
    const { kind, match, times, delayMs, status } = faultShape.parse(request.body);
    faults.add({
      kind, match, ...(times === undefined ? {} : { times }), ...(delayMs === undefined ? {} : { delayMs }),
      ...(status === undefined ? {} : { status }),
    });
    return {};
  });
  app.delete('/_control/faults', async () => {
    faults.clear();
    return {};
  });

  return {
    app,
    faults,
    async listen(port) {
      await app.listen({ host: '127.0.0.1', port });
      return `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`;
    },
    async stop() {
      stopping.abort();
      await app.close();
    },
  };
}
