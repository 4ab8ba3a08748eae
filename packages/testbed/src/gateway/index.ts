import { z } from 'zod';
import { createSimulatorServer } from '../simulator/server.ts';
import type { Faults } from '../simulator/faults.ts';
import { settleRefund, type ActDeps } from './acts.ts';
import { openBooks, type GatewayBooks, type Refund } from './books.ts';
import { parseForm } from './form.ts';
import { addApi, addPayerAndControl } from './routes.ts';
import { createWebhooks, type WebhookFaults } from './webhooks.ts';
import { WireError } from './wire.ts';

export { readGatewayBooks, type Charge, type GatewayBooks, type Intent, type Refund } from './books.ts';
export { signatureHeader } from './webhooks.ts';

export interface GatewaySimulatorOptions {
  /** 0 or absent: any free port. */
  readonly port?: number;
  /** Where the books are kept; a simulator that starts again on it goes on with them. */
  readonly folder: string;
  readonly webhookUrl: string;
  readonly webhookSecret: string;
  readonly secretKey?: string;
  readonly clock?: { now(): Date };
  /** How long pending refunds take; default 300 ms; null: until `settleRefund`. */
  readonly asyncRefundMs?: number | null;
}

export interface GatewaySimulator {
  readonly url: string;
  readonly secretKey: string;
  readonly faults: Faults;
  readonly webhookFaults: WebhookFaults;
  books(): GatewayBooks;
  settleRefund(id: string, status: 'succeeded' | 'failed'): Refund;
  /** Waits until every webhook was taken or given up. */
  webhooksSettled(): Promise<void>;
  stop(): Promise<void>;
}

const advance = z.object({ advanceMs: z.int().min(0) });

/** A payment gateway that speaks the wire of Stripe's API and keeps books of its own. */
export async function startGatewaySimulator(options: GatewaySimulatorOptions): Promise<GatewaySimulator> {
  let aheadMs = 0;
  const now = (): Date => new Date((options.clock ?? { now: () => new Date() }).now().getTime() + aheadMs);
  const secretKey = options.secretKey ?? 'sk_test_simulator';
  const books = openBooks(options.folder);
  const webhooks = createWebhooks(options.webhookUrl, options.webhookSecret, now);
  const timers = new Set<NodeJS.Timeout>();
  const asyncRefundMs = options.asyncRefundMs === undefined ? 300 : options.asyncRefundMs;
  const deps: ActDeps = {
    books, webhooks, now,
    settleLater(refundId, status) {
      if (asyncRefundMs !== null) timers.add(setTimeout(() => settleRefund(deps, refundId, status), asyncRefundMs));
    },
  };
  for (const refund of books.refunds) if (refund.status === 'pending') deps.settleLater(refund.id, 'succeeded');
  const server = createSimulatorServer((status) => ({ error: { type: 'api_error', message: `Simulated failure ${status}` } }));
  server.app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, async (_request: unknown, body: string) => parseForm(body));
  server.app.setErrorHandler(async (error, _request, reply) => {
    if (error instanceof WireError) return reply.code(error.status).send(error.body);
    return reply.code(400).send({ error: { type: 'invalid_request_error', message: error instanceof Error ? error.message : 'invalid' } });
  });
  addApi(server.app, deps, secretKey);
  addPayerAndControl(server.app, deps);
  server.app.post('/_control/clock', async (request) => {
    aheadMs += advance.parse(request.body).advanceMs;
    return { now: now().toISOString() };
  });
  const url = await server.listen(options.port ?? 0);
  return {
    url,
    secretKey,
    faults: server.faults,
    webhookFaults: webhooks.faults,
    books: () => ({ intents: books.intents, charges: books.charges, refunds: books.refunds }),
    settleRefund: (id, status) => settleRefund(deps, id, status),
    webhooksSettled: () => webhooks.settled(),
    async stop() {
      for (const timer of timers) clearTimeout(timer);
      await webhooks.stop();
      await server.stop();
      books.close();
    },
  };
}
