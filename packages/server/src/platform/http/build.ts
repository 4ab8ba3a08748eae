import { createHash, timingSafeEqual } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import cookie from '@fastify/cookie';
import rateLimit from '@fastify/rate-limit';
import { generalProblems, generalRoutes } from '@yuanyou/contract';
import type { ProblemRow } from '@yuanyou/contract';
import fastify from 'fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { Registry } from 'prom-client';
import type { Clock } from '../clock/index.ts';
import type { Transactor } from '../db/types.ts';
import { ServiceError } from '../errors.ts';
import { newId } from '../ids.ts';
import type { BlindIndex } from '../keys/types.ts';
import { admit, callerOf, createCredentials } from './credentials.ts';
import { createIdempotency } from './idempotency.ts';
import { languageOf } from './language.ts';
import { createRequestMetrics } from './metrics.ts';
import { describeApi } from './openapi.ts';
import { judge } from './problems.ts';
import { createServing } from './serve.ts';
import type { Authenticator, Endpoint, Principal } from './types.ts';

export interface HttpLimits {
  /** Requests a minute of one address before it is told to wait. Default 600; 0 turns the flood limit off. */
  readonly requestsPerMinute?: number;
  /** Longest body where the route says nothing, in bytes. Default 65 536. */
  readonly bodyBytes?: number;
  /** How long a whole request may take to arrive. Default 30 000. */
  readonly requestTimeoutMs?: number;
  /** How long a repeat of an idempotent request waits for the first. Default 3000. */
  readonly idempotencyWaitMs?: number;
}

export interface HttpOptions {
  readonly endpoints: readonly Endpoint[];
  /** The table of problems of all slices; the general ones are always in it. */
  readonly problems: Readonly<Record<string, ProblemRow>>;
  readonly authenticators: readonly Authenticator[];
  readonly db: Transactor;
  readonly blindIndex: BlindIndex;
  readonly clock: Clock;
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>;
  /** Where the API is reached from outside, for example `https://example.test`; https makes cookies `__Host-`. */
  readonly publicUrl: string;
  /** Further origins whose pages may use the session cookie. */
  readonly origins?: readonly string[];
  /** Proxies whose X-Forwarded-For counts: addresses or networks. None by default. */
  readonly trustProxy?: readonly string[];
  readonly version?: string;
  readonly limits?: HttpLimits;
  /** What the process needs, by name; each throws while it is missing. */
  readonly readiness?: Readonly<Record<string, () => Promise<void>>>;
  readonly metrics?: Registry;
  /** Who may read /metrics: the bearer of this secret. Without it, only a process of this machine that asks by itself, not for others. */
  readonly metricsSecret?: string;
}

export interface Http {
  readonly app: FastifyInstance;
  /** Begins to listen and answers the address, with the port that was chosen for port 0. */
  listen(at: { readonly host: string; readonly port: number }): Promise<{ readonly url: string; readonly port: number }>;
  /** Stops taking requests and waits for those under way. */
  close(): Promise<void>;
}

declare module 'fastify' {
  interface FastifyRequest {
    principal: Principal;
    began: number;
  }
  interface FastifyContextConfig {
    operationId?: string;
  }
}

/** Builds the API from the slices' endpoints. */
export async function createHttp(options: HttpOptions): Promise<Http> {
  const table = { ...generalProblems, ...options.problems };
  const limits = options.limits ?? {};
  const secure = options.publicUrl.startsWith('https:');
  const headers = headersFor(secure);
  const app = fastify({
    logger: false, genReqId: () => newId(), trustProxy: options.trustProxy === undefined ? false : [...options.trustProxy],
    bodyLimit: limits.bodyBytes ?? 65_536, requestTimeout: limits.requestTimeoutMs ?? 30_000, connectionTimeout: 120_000,
    routerOptions: { maxParamLength: 300 }, forceCloseConnections: 'idle',
    // A path that cannot be read fails before any hook.
    frameworkErrors: (error, request, reply) => fail(error, request, reply.headers(headers).header('x-request-id', request.id)),
  });
  const fail = (error: unknown, request: FastifyRequest, reply: FastifyReply) => answerProblem(error, request, reply, table, options.log);

  // Every body arrives as bytes: what they mean is decided per route, and signed webhooks need them as they came.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => { done(null, body); });
  app.decorateRequest('principal', null as never);
  app.decorateRequest('began', 0);
  app.addHook('onRequest', (request, reply, done) => {
    reply.headers(headers).header('x-request-id', request.id);
    done();
  });
  addRecords(app, options);
  app.setErrorHandler(fail);
  await app.register(cookie);
  await addFloodLimit(app, limits.requestsPerMinute ?? 600);
  app.setNotFoundHandler((request, reply) => fail(new ServiceError('general/not-found'), request, reply));

  const credentials = createCredentials({
    authenticators: options.authenticators, secure, origins: new Set([new URL(options.publicUrl).origin, ...options.origins ?? []]),
  });
  const idempotency = createIdempotency({
    db: options.db, blindIndex: options.blindIndex, clock: options.clock,
    ...(limits.idempotencyWaitMs === undefined ? {} : { waitMs: limits.idempotencyWaitMs }),
  });
  const serving = createServing({ credentials, idempotency, secure });
  for (const endpoint of options.endpoints) addEndpoint(app, endpoint, credentials, serving);
  addOperation(app, options, table, credentials);

  return {
    app,
    async listen(at) {
      await app.listen({ host: at.host, port: at.port });
      const address = app.server.address() as AddressInfo;
      const host = address.family === 'IPv6' ? `[${address.address}]` : address.address;
      return { url: `http://${host}:${address.port}`, port: address.port };
    },
    close: () => app.close(),
  };
}

function addEndpoint(
  app: FastifyInstance, endpoint: Endpoint, credentials: ReturnType<typeof createCredentials>, serving: ReturnType<typeof createServing>,
): void {
  const { route } = endpoint;
  app.route({
    method: route.method, url: route.path, config: { operationId: route.operationId },
    ...(route.bodyLimit === undefined ? {} : { bodyLimit: route.bodyLimit }),
    // Before the body is read, so that nobody unknown makes us read a long one.
    onRequest: async (request) => {
      request.principal = await credentials.principalOf({
        authorization: request.headers.authorization, cookies: request.cookies,
        origin: request.headers.origin, fetchSite: headerOf(request, 'sec-fetch-site'),
      }, route);
      admit(request.principal, route);
    },
    handler: serving(endpoint),
  });
}

function headersFor(secure: boolean): Readonly<Record<string, string>> {
  return {
    'content-security-policy': 'default-src \'none\'; frame-ancestors \'none\'',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
    'referrer-policy': 'no-referrer',
    'cross-origin-resource-policy': 'same-origin',
    'cache-control': 'no-store',
    ...(secure ? { 'strict-transport-security': 'max-age=31536000; includeSubDomains' } : {}),
  };
}

/** One line a request in the log, ids only, and the figures. */
function addRecords(app: FastifyInstance, options: HttpOptions): void {
  const metrics = createRequestMetrics(options.metrics ?? new Registry());
  app.addHook('onRequest', (request, _reply, done) => {
    request.began = performance.now();
    metrics.began();
    done();
  });
  app.addHook('onResponse', (request, reply, done) => {
    const latencyMs = performance.now() - request.began;
    const operationId = request.routeOptions.config.operationId ?? 'none';
    metrics.ended(operationId, reply.statusCode, latencyMs / 1000);
    const caller = (request.principal as Principal | null) === null ? 'public' : callerOf(request.principal);
    options.log.info({ requestId: request.id, operationId, status: reply.statusCode, latencyMs: Math.round(latencyMs * 10) / 10, caller }, 'request');
    done();
  });
  app.get('/metrics', { config: { operationId: 'getMetrics' } }, async (request, reply) => {
    if (!mayReadMetrics(request, options.metricsSecret)) throw new ServiceError('general/forbidden');
    return reply.type(metrics.registry.contentType).send(await metrics.registry.metrics());
  });
}

async function addFloodLimit(app: FastifyInstance, requestsPerMinute: number): Promise<void> {
  if (requestsPerMinute === 0) return;
  await app.register(rateLimit, {
    global: false, max: requestsPerMinute, timeWindow: 60_000, enableDraftSpec: true, cache: 20_000,
    allowList: (request) => request.routeOptions.config.operationId === 'getHealth',
    errorResponseBuilder: (_request, context) => new ServiceError('general/too-many-requests', { retryAfterSeconds: Math.ceil(context.ttl / 1000) }),
  });
  // For the whole app, and before callers are looked up: a flood must not reach the database.
  app.addHook('onRequest', app.rateLimit());
}

/** Health, readiness, the description of the API and the words of each problem. */
function addOperation(
  app: FastifyInstance, options: HttpOptions, table: Readonly<Record<string, ProblemRow>>, credentials: ReturnType<typeof createCredentials>,
): void {
  app.get(generalRoutes.getHealth.path, { config: { operationId: 'getHealth' } }, () => ({ status: 'ok' }));
  app.get(generalRoutes.getReadiness.path, { config: { operationId: 'getReadiness' } }, async (request, reply) => {
    const checks = await Promise.all(Object.entries(options.readiness ?? {}).map(async ([name, check]) => {
      const failure = await within(2000, check()).then(() => undefined, (error: unknown) => error ?? new Error('failing'));
      if (failure !== undefined) options.log.warn({ requestId: request.id, check: name, err: failure }, 'not ready');
      return [name, failure === undefined ? 'ok' : 'failing'] as const;
    }));
    const ready = checks.every(([, state]) => state === 'ok');
    return reply.code(ready ? 200 : 503).send({ ready, checks: Object.fromEntries(checks) });
  });
  const description = JSON.stringify(describeApi({
    routes: [...Object.values(generalRoutes), ...options.endpoints.map((endpoint) => endpoint.route)], problems: table,
    serverUrl: options.publicUrl, version: options.version ?? '0.1.0',
    cookies: { traveller: credentials.cookieNameOf('traveller'), agent: credentials.cookieNameOf('agent') },
  }));
  app.get('/openapi.json', { config: { operationId: 'getDescription' } }, (_request, reply) => reply.type('application/json').send(description));
  app.get('/problems/:slice/:what', { config: { operationId: 'getProblem' } }, (request, reply) => {
    const { slice, what } = request.params as { slice: string; what: string };
    const row = Object.hasOwn(table, `${slice}/${what}`) ? table[`${slice}/${what}`] : undefined;
    if (row === undefined) throw new ServiceError('general/not-found');
    return reply.send({ code: `${slice}/${what}`, status: row.status, title: row.title });
  });
}

function answerProblem(
  error: unknown, request: FastifyRequest, reply: FastifyReply, table: Readonly<Record<string, ProblemRow>>, log: HttpOptions['log'],
): FastifyReply {
  const language = languageOf(request.headers['accept-language']);
  const { problem, ours, retryAfterSeconds } = judge(error, table, language, request.id);
  if (ours) log.error({ requestId: request.id, operationId: request.routeOptions.config.operationId, code: problem.code, err: error }, 'request failed');
  if (retryAfterSeconds !== undefined) reply.header('retry-after', String(retryAfterSeconds));
  if (problem.status === 401) reply.header('www-authenticate', 'Bearer');
  return reply.code(problem.status).headers({ 'content-language': language, vary: 'accept-language', 'cache-control': 'no-store' })
    .type('application/problem+json').send(Buffer.from(JSON.stringify(problem)));
}

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  try {
    return await Promise.race([work, new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => { reject(new Error(`no answer within ${ms} ms`)); }, ms);
    })]);
  } finally {
    clearTimeout(timer);
  }
}

/** The socket's own address counts, and what a proxy passes on never does: a proxy on this machine asks for strangers too. */
function mayReadMetrics(request: FastifyRequest, secret: string | undefined): boolean {
  if (secret !== undefined) return isSame(request.headers.authorization ?? '', `Bearer ${secret}`);
  const passedOn = ['x-forwarded-for', 'forwarded', 'via'].some((name) => request.headers[name] !== undefined);
  return !passedOn && isLoopback(request.socket.remoteAddress ?? '');
}

/** In a time that tells nothing of either. */
function isSame(given: string, expected: string): boolean {
  const [left, right] = [given, expected].map((text) => createHash('sha256').update(text).digest());
  return timingSafeEqual(left!, right!);
}

function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.') || address.startsWith('::ffff:127.');
}

function headerOf(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
}
