import { createHash } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { cancelIntent, confirmIntent, createIntent, createRefund, findIntent, settleIntent, settleRefund, type ActDeps } from './acts.ts';
import { readCard, testMethods, type Card } from './cards.ts';
import { parseForm, strings, subtree, text, type FormTree } from './form.ts';
import { payPage } from './page.ts';
import { chargeObject, intentObject, invalid, missing, refundObject, WireError } from './wire.ts';

const idempotencyLifeMs = 24 * 3600 * 1000;
type IdOf = { Params: { id: string } };

function form(request: FastifyRequest): FormTree {
  return (request.body ?? {}) as FormTree;
}

function expandOf(request: FastifyRequest): string[] {
  const tree = request.method === 'GET' ? parseForm(request.url.split('?')[1] ?? '') : form(request);
  return Object.values(strings(tree, 'expand'));
}

/** Answers once per Idempotency-Key for a day, as the real one: the same question gets the stored answer, another question an error. */
function once(deps: ActDeps, act: (request: FastifyRequest) => unknown) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    const key = request.headers['idempotency-key'];
    if (typeof key !== 'string') return act(request);
    const now = deps.now().getTime();
    const fingerprint = createHash('sha256').update(`${request.url}\n${JSON.stringify(request.body ?? null)}`).digest('hex');
    const kept = deps.books.answer(key, now - idempotencyLifeMs);
    if (kept !== undefined) {
      if (kept.fingerprint !== fingerprint) {
        throw new WireError(400, 'idempotency_error', 'Keys for idempotent requests can only be used with the same parameters.');
      }
      return reply.code(kept.status).header('idempotent-replayed', 'true').send(JSON.parse(kept.body));
    }
    try {
      const body = act(request);
      deps.books.save({ answer: { key, fingerprint, status: 200, body: JSON.stringify(body), at: now } });
      return body;
    } catch (error) {
      // A declined card is an outcome and is remembered; a request that was never valid is not.
      if (error instanceof WireError && error.status === 402) {
        deps.books.save({ answer: { key, fingerprint, status: 402, body: JSON.stringify(error.body), at: now } });
      }
      throw error;
    }
  };
}

function cardOf(number: string | undefined): Card {
  const card = number === undefined ? undefined : readCard(number);
  if (card === undefined) throw new WireError(402, 'card_error', 'Your card number is incorrect.', 'incorrect_number');
  return card;
}

/** The part of Stripe's API that takes money in and gives it back. */
export function addApi(app: FastifyInstance, deps: ActDeps, secretKey: string): void {
  const { books } = deps;
  app.addHook('onRequest', async (request, reply) => {
    void reply.header('request-id', `req_${createHash('sha256').update(request.id + String(deps.now().getTime())).digest('hex').slice(0, 14)}`);
    if (request.url.startsWith('/v1/') && request.headers.authorization !== `Bearer ${secretKey}`) {
      throw new WireError(401, 'invalid_request_error', 'Invalid API Key provided.');
    }
  });
  app.post('/v1/payment_intents', once(deps, (request) => {
    const tree = form(request);
    return intentObject(createIntent(deps, text(tree, 'amount'), text(tree, 'currency'), strings(tree, 'metadata')), books, expandOf(request));
  }));
  app.get<IdOf>('/v1/payment_intents/:id', async (request) => intentObject(findIntent(books, request.params.id), books, expandOf(request)));
  app.post<IdOf>('/v1/payment_intents/:id', once(deps, (request) => {
    const intent = findIntent(books, (request.params as { id: string }).id);
    const metadata = Object.fromEntries(
      Object.entries({ ...intent.metadata, ...strings(form(request), 'metadata') }).filter(([, value]) => value !== ''));
    books.save({ intent: { ...intent, metadata } });
    return intentObject({ ...intent, metadata }, books, []);
  }));
  app.post<IdOf>('/v1/payment_intents/:id/confirm', once(deps, (request) => {
    const tree = form(request);
    const named = text(tree, 'payment_method');
    const number = named === undefined ? text(subtree(subtree(tree, 'payment_method_data'), 'card'), 'number') : testMethods[named];
    return intentObject(confirmIntent(deps, (request.params as { id: string }).id, cardOf(number)), books, expandOf(request));
  }));
  app.post<IdOf>('/v1/payment_intents/:id/cancel', once(deps, (request) =>
    intentObject(cancelIntent(deps, (request.params as { id: string }).id), books, [])));
  app.get<IdOf>('/v1/charges/:id', async (request) => {
    const charge = books.charge(request.params.id);
    if (charge === undefined) throw missing('charge', request.params.id);
    return chargeObject(charge, books);
  });
  app.post('/v1/refunds', once(deps, (request) => {
    const tree = form(request);
    return refundObject(createRefund(deps, {
      intentId: text(tree, 'payment_intent'), chargeId: text(tree, 'charge'), amount: text(tree, 'amount'), metadata: strings(tree, 'metadata'),
    }));
  }));
  app.get<IdOf>('/v1/refunds/:id', async (request) => {
    const refund = books.refund(request.params.id);
    if (refund === undefined) throw missing('refund', request.params.id);
    return refundObject(refund);
  });
  app.get('/v1/refunds', async (request) => listRefunds(deps, parseForm(request.url.split('?')[1] ?? '')));
}

function listRefunds(deps: ActDeps, query: FormTree): unknown {
  const intent = text(query, 'payment_intent');
  const charge = text(query, 'charge');
  const limit = Math.min(Number(text(query, 'limit') ?? 10), 100);
  const after = text(query, 'starting_after');
  const found = deps.books.refunds
    .filter((refund) => (intent === undefined || refund.intentId === intent) && (charge === undefined || refund.chargeId === charge))
    .reverse();
  const from = after === undefined ? 0 : found.findIndex((refund) => refund.id === after) + 1;
  if (after !== undefined && from === 0) throw missing('refund', after);
  return {
    object: 'list', url: '/v1/refunds', has_more: found.length > from + limit, data: found.slice(from, from + limit).map(refundObject),
  };
}

const payment = z.object({ cardNumber: z.string().min(1).max(40), hold: z.boolean().optional() });

/** Where the payer meets the gateway, and where tests and the demo turn its knobs. */
export function addPayerAndControl(app: FastifyInstance, deps: ActDeps): void {
  app.get<IdOf>('/pay/:id', async (request, reply) => reply.type('text/html').send(payPage(findIntent(deps.books, request.params.id))));
  app.post<IdOf>('/pay/:id', async (request, reply) => {
    const given = payment.safeParse(request.body);
    if (!given.success) throw invalid('cardNumber is missing');
    const paid = confirmIntent(deps, request.params.id, cardOf(given.data.cardNumber), given.data.hold);
    if (request.headers['content-type']?.startsWith('application/x-www-form-urlencoded') === true) {
      return reply.type('text/html').send(payPage(paid));
    }
    return { status: paid.status };
  });
  app.get('/_control/books', async () => ({ intents: deps.books.intents, charges: deps.books.charges, refunds: deps.books.refunds }));
  app.post<IdOf>('/_control/intents/:id/settle', async (request) => {
    const { cardNumber } = payment.parse(request.body);
    return intentObject(settleIntent(deps, request.params.id, cardOf(cardNumber)), deps.books, []);
  });
  app.post<IdOf>('/_control/refunds/:id/settle', async (request) => {
    const { status } = z.object({ status: z.enum(['succeeded', 'failed']) }).parse(request.body);
    return refundObject(settleRefund(deps, request.params.id, status));
  });
  app.post('/_control/webhooks', async (request) => {
    const asked = z.object({
      duplicate: z.int().min(0).optional(), drop: z.int().min(0).optional(), delayMs: z.int().min(0).max(60_000).optional(),
    }).parse(request.body);
    Object.assign(deps.webhooks.faults, asked);
    return deps.webhooks.faults;
  });
}
