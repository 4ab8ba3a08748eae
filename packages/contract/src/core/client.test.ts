import { expect, test } from 'vitest';
import { z } from 'zod';
import { ContractError, createClient } from './client.ts';
import { route } from './route.ts';

const getThing = route({
  operationId: 'getThing', method: 'GET', path: '/v1/things/:thingId/*', tag: 'T', audience: 'public', summary: 's',
  params: z.strictObject({ thingId: z.string(), '*': z.string() }), query: z.strictObject({ limit: z.coerce.number().optional() }),
  responses: { 200: z.object({ name: z.string() }), 204: null },
});
const makeThing = route({
  operationId: 'makeThing', method: 'POST', path: '/v1/things', tag: 'T', audience: 'public', summary: 's', idempotent: true,
  body: z.strictObject({ name: z.string() }), responses: { 201: 'application/zip' },
});

/** A server made of one answer; remembers what it was asked. */
function answering(answer: () => Response) {
  const asked: { url: string; init: RequestInit }[] = [];
  const send: typeof fetch = (url, init) => {
    asked.push({ url: url as string, init: init! });
    return Promise.resolve(answer());
  };
  return { asked, send };
}

test('sends what the route declares and answers what it declares, parsed', async () => {
  const { asked, send } = answering(() => Response.json({ name: 'a', more: 1 }));
  const client = createClient({ baseUrl: 'http://example.test/', fetch: send, session: () => 'secret', language: 'zh-Hans' });
  const reply = await client.call(getThing, { params: { thingId: 'a/b', '*': 'x/y z' }, query: { limit: 2 } });
  expect(reply).toMatchObject({ status: 200, body: { name: 'a' } });
  expect(asked[0]!.url).toBe('http://example.test/v1/things/a%2Fb/x/y%20z?limit=2');
  const headers = asked[0]!.init.headers as Headers;
  expect(headers.get('authorization')).toBe('Bearer secret');
  expect(headers.get('accept-language')).toBe('zh-Hans');
});

test('sends the key of an idempotent route, and hands bytes over as they are', async () => {
  const { asked, send } = answering(() => new Response(new Uint8Array([1, 2]), { status: 201, headers: { 'content-type': 'application/zip' } }));
  const reply = await createClient({ baseUrl: 'http://example.test', fetch: send }).call(makeThing, { body: { name: 'n' }, idempotencyKey: 'k'.repeat(16) });
  expect(reply.body).toEqual(new Uint8Array([1, 2]));
  expect((asked[0]!.init.headers as Headers).get('idempotency-key')).toBe('k'.repeat(16));
  expect(asked[0]!.init.body).toBe('{"name":"n"}');
});

test('throws the code of a problem', async () => {
  const body = { type: '/problems/general/not-found', title: 'Nothing.', status: 404, code: 'general/not-found', requestId: 'r' };
  const { send } = answering(() => Response.json(body, { status: 404, headers: { 'content-type': 'application/problem+json', 'retry-after': '7' } }));
  const failure = await createClient({ baseUrl: 'http://example.test', fetch: send })
    .call(getThing, { params: { thingId: 'a', '*': 'b' } }).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(ContractError);
  expect(failure).toMatchObject({ code: 'general/not-found', status: 404, retryAfterSeconds: 7 });
});

test.each([
  ['another status', () => new Response('<html>', { status: 502 })],
  ['a body outside the contract', () => Response.json({ name: 5 })],
  ['a body that is too long', () => Response.json({ name: 'x'.repeat(2000) })],
])('refuses %s', async (_what, answer) => {
  const client = createClient({ baseUrl: 'http://example.test', fetch: answering(answer).send, maxBytes: 1000 });
  await expect(client.call(getThing, { params: { thingId: 'a', '*': 'b' } })).rejects.toMatchObject({ code: 'client/unreadable' });
});

test('says when nothing answered', async () => {
  const client = createClient({ baseUrl: 'http://example.test', fetch: () => Promise.reject(new TypeError('refused')) });
  await expect(client.call(getThing, { params: { thingId: 'a', '*': 'b' } })).rejects.toMatchObject({ code: 'client/unreachable', status: 0 });
});
