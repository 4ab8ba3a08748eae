import type { Route } from '@yuanyou/contract';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ZodType } from 'zod';
import { ServiceError } from '../errors.ts';
import { readJson } from './body.ts';
import { callerOf } from './credentials.ts';
import type { Credentials } from './credentials.ts';
import { readIdempotencyKey, requestIdOf } from './idempotency.ts';
import type { Idempotency, StoredAnswer } from './idempotency.ts';
import { languageOf } from './language.ts';
import { readPart, strict } from './strict.ts';
import type { Call, Endpoint } from './types.ts';

export interface ServingDeps {
  readonly credentials: Credentials;
  readonly idempotency: Idempotency;
  readonly secure: boolean;
}

type Serve = (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply>;

interface LooseReply {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

const cookieDays = 30;

/** Turns an endpoint into a handler: read and check the parts, run (once, where keyed), check and write the answer. */
export function createServing(deps: ServingDeps): (endpoint: Endpoint) => Serve {
  return (endpoint) => {
    const { route } = endpoint;
    const shapes = { params: strict(route.params), query: strict(route.query), body: strict(route.body) };
    return async (request, reply) => {
      const rawBody = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
      const parts = {
        params: readPart('params', shapes.params, request.params),
        query: readPart('query', shapes.query, request.query),
        body: shapes.body === undefined ? undefined : readPart('body', shapes.body, readJson(rawBody, request.headers['content-type'])),
      };
      const caller = callerOf(request.principal);
      const key = route.idempotent === true ? readIdempotencyKey(request.headers['idempotency-key']) : undefined;
      const call: Omit<Call<Route>, 'setSession'> = {
        ...parts, principal: request.principal, rawBody,
        idempotencyKey: key === undefined ? undefined : requestIdOf({ caller, operationId: route.operationId, key }) as never,
        language: languageOf(request.headers['accept-language']), requestId: request.id, headers: request.headers, remoteAddress: request.ip,
      };
      if (key === undefined) {
        const { answer, extra } = await run(endpoint, call);
        return write(deps, route, reply, answer, extra);
      }
      const keyed = { caller, operationId: route.operationId, key, target: request.url, body: rawBody };
      const { answer, replayed } = await deps.idempotency.run(keyed, async () => storable(route, await run(endpoint, call)));
      if (replayed) reply.header('idempotency-replayed', 'true');
      return write(deps, route, reply, answer, undefined);
    };
  };
}

interface Ran {
  readonly answer: Omit<StoredAnswer, 'body'> & { readonly body: string | Uint8Array | null };
  readonly extra: Readonly<Record<string, string>> | undefined;
}

async function run(endpoint: Endpoint, call: Omit<Call<Route>, 'setSession'>): Promise<Ran> {
  const { route } = endpoint;
  let session: string | null | undefined;
  const reply: LooseReply = await endpoint.handle({ ...call, setSession: (secret) => { session = secret; } });
  const declared = route.responses[reply.status];
  if (declared === undefined) throw new ServiceError('general/internal', { undeclared: reply.status });
  const cookie = session === undefined ? {} : { session };
  if (declared === null) return { answer: { status: reply.status, contentType: null, body: null, ...cookie }, extra: undefined };
  if (typeof declared === 'string') {
    return { answer: { status: reply.status, contentType: declared, body: reply.body as string | Uint8Array, ...cookie }, extra: reply.headers };
  }
  return { answer: { status: reply.status, contentType: 'application/json', body: encode(declared, reply.body), ...cookie }, extra: undefined };
}

/** Only what the contract declares goes out; an answer that does not fit is our fault and shown as such. */
function encode(shape: ZodType, body: unknown): string {
  const parsed = shape.safeParse(body);
  if (!parsed.success) throw new Error('An answer does not fit its contract', { cause: parsed.error });
  return JSON.stringify(parsed.data);
}

function storable(route: Route, { answer }: Ran): StoredAnswer {
  const { body } = answer;
  if (body !== null && typeof body !== 'string') throw new Error(`${route.operationId} is idempotent and must answer JSON`);
  return { ...answer, body };
}

function write(deps: ServingDeps, route: Route, reply: FastifyReply, answer: Ran['answer'], extra: Ran['extra']): FastifyReply {
  if (answer.session !== undefined) setCookie(deps, route, reply, answer.session);
  reply.code(answer.status);
  if (extra !== undefined) reply.headers(extra);
  if (answer.contentType !== null) reply.type(answer.contentType);
  const { body } = answer;
  // As bytes, so that the media type stays exactly as declared.
  if (body === null) return reply.send();
  return reply.send(typeof body === 'string' ? Buffer.from(body) : Buffer.from(body.buffer, body.byteOffset, body.byteLength));
}

function setCookie(deps: ServingDeps, route: Route, reply: FastifyReply, secret: string | null): void {
  const kind = secret === null ? (route.audience === 'agent' ? 'agent' : 'traveller') : deps.credentials.kindOf(secret);
  if (kind === undefined) throw new Error('A session secret of no known kind');
  const attributes = { path: '/', httpOnly: true, sameSite: 'lax', secure: deps.secure } as const;
  const name = deps.credentials.cookieNameOf(kind);
  if (secret === null) reply.clearCookie(name, attributes);
  else reply.setCookie(name, secret, { ...attributes, maxAge: cookieDays * 86_400 });
}
