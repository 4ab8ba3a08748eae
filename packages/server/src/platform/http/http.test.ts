import { connect } from 'node:net';
import { problem, route } from '@yuanyou/contract';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { testDatabase } from '../db/testing.ts';
import type { TestDatabase } from '../db/testing.ts';
import { ServiceError } from '../errors.ts';
import { serveForTest, tableAuthenticator } from './testing.ts';
import { endpoint } from './types.ts';

const echo = route({
  operationId: 'echo', method: 'POST', path: '/v1/echo/:name', tag: 'Test', audience: 'public', summary: 'Echoes',
  params: z.object({ name: z.string().max(10) }), query: z.object({ times: z.coerce.number().int().max(3).default(1) }),
  body: z.object({ text: z.string(), inner: z.object({ n: z.int() }).optional() }), responses: { 200: z.object({ text: z.string() }) },
});
const own = route({
  operationId: 'own', method: 'GET', path: '/v1/own', tag: 'Test', audience: 'traveller', summary: 'Own', responses: { 200: z.object({ id: z.string() }) },
});
const change = route({
  operationId: 'change', method: 'POST', path: '/v1/own', tag: 'Test', audience: 'traveller', summary: 'Change', whileLeaving: true, responses: { 204: null },
});
const staff = route({
  operationId: 'staff', method: 'GET', path: '/v1/staff', tag: 'Test', audience: 'agent', permission: 'things:read', summary: 'Staff', responses: { 204: null },
});
const hook = route({
  operationId: 'hook', method: 'POST', path: '/v1/hook', tag: 'Test', audience: 'public', summary: 'Hook', bodyLimit: 1000,
  responses: { 200: 'text/plain' },
});
const fails = route({
  operationId: 'fails', method: 'GET', path: '/v1/fails/:how', tag: 'Test', audience: 'public', summary: 'Fails',
  params: z.object({ how: z.string() }), responses: { 200: z.object({ n: z.int() }) },
});
const enter = route({
  operationId: 'enter', method: 'POST', path: '/v1/enter', tag: 'Test', audience: 'public', summary: 'Enters', responses: { 204: null },
});

const endpoints = [
  endpoint(echo, ({ body, query, params }) => Promise.resolve({ status: 200, body: { text: `${params.name}:${body.text.repeat(query.times)}`, secret: 'x' } as { text: string } })),
  endpoint(own, ({ principal }) => Promise.resolve({ status: 200, body: { id: principal.accountId } })),
  endpoint(change, () => Promise.resolve({ status: 204 })),
  endpoint(staff, () => Promise.resolve({ status: 204 })),
  endpoint(hook, ({ rawBody, headers }) => Promise.resolve({ status: 200, body: `${headers['content-type'] as string} ${rawBody.toString('hex')}`, headers: { 'cache-control': 'max-age=5' } })),
  endpoint(fails, ({ params }) => {
    if (params.how === 'known') throw new ServiceError('test/known', { left: 3 });
    if (params.how === 'unknown') throw new ServiceError('test/unheard-of', { left: 3 });
    if (params.how === 'bug') throw new TypeError('the secret is mei@example.test');
    return Promise.resolve({ status: 200, body: { n: 1.5 } });
  }),
  endpoint(enter, ({ setSession }) => {
    setSession('tvs_active');
    return Promise.resolve({ status: 204 });
  }),
];

const title = { en: 'Known.', 'zh-Hans': '已知。', 'zh-Hant': '已知。' };
const traveller = (leaving: boolean) => ({ kind: 'traveller' as const, accountId: 'acc', sessionId: 'ses', leaving });
const authenticators = [
  tableAuthenticator('traveller', 'tvs_', { tvs_active: traveller(false), tvs_leaving: traveller(true) }),
  tableAuthenticator('agent', 'ags_', {
    ags_reader: { kind: 'agent', agentId: 'ag', permissions: new Set(['things:read']) }, ags_none: { kind: 'agent', agentId: 'ag', permissions: new Set() },
  }),
];

let database: TestDatabase;
let served: Awaited<ReturnType<typeof serveForTest>>;
beforeAll(async () => {
  database = await testDatabase();
  served = await serveForTest({
    endpoints, authenticators, db: database.db, problems: { 'test/known': { status: 409, title } },
    more: { readiness: { database: () => Promise.resolve(), mail: () => Promise.reject(new Error('no')) } },
  });
});
afterAll(async () => {
  await served.close();
  await database.drop();
});

const ask = (path: string, init: RequestInit = {}) => fetch(`${served.url}${path}`, init);
const post = (path: string, body: string, headers: Record<string, string> = { 'content-type': 'application/json' }) => ask(path, { method: 'POST', body, headers });

async function problemOf(response: Response) {
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  const body = problem.parse(await response.json());
  expect(body.status).toBe(response.status);
  expect(body.type).toBe(`/problems/${body.code}`);
  expect(response.headers.get('x-request-id')).toBe(body.requestId);
  return body;
}

describe('parts of a request', () => {
  test('are parsed and answered with what the contract declares, and no more', async () => {
    const response = await post('/v1/echo/a?times=2', '{"text":"xy"}');
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ text: 'a:xyxy' });
    for (const header of ['content-security-policy', 'x-content-type-options', 'referrer-policy', 'x-frame-options']) expect(response.headers.has(header)).toBe(true);
    expect(response.headers.get('cache-control')).toBe('no-store');
  });

  test.each([
    ['a wrong type', '{"text":5}', '/body/text', 'expected string'],
    ['a missing member', '{}', '/body/text', 'expected string'],
    ['an unknown member', '{"text":"a","mei@example.test":1}', '/body', 'unrecognized keys'],
    ['a wrong inner type', '{"text":"a","inner":{"n":1.5}}', '/body/inner/n', 'expected int'],
    ['no body', '', '/body', 'expected object'],
  ])('with %s are refused by pointer', async (_what, body, pointer, reason) => {
    const response = await post('/v1/echo/a', body);
    const refused = await problemOf(response);
    expect(refused).toMatchObject({ status: 400, code: 'general/bad-request', errors: [{ pointer, reason }] });
    expect(JSON.stringify(refused)).not.toContain('mei@');
  });

  test.each([
    ['broken JSON', '{"text":', 'application/json', 400, 'general/bad-request'],
    ['JSON too deep', `{"text":${'['.repeat(50)}${']'.repeat(50)}}`, 'application/json', 400, 'general/bad-request'],
    ['a reach for the prototype', '{"text":"a","inner":{"__proto__":{"n":1},"n":1}}', 'application/json', 400, 'general/bad-request'],
    ['bytes that are not UTF-8', Buffer.from([0x7b, 0xff, 0x7d]), 'application/json', 400, 'general/bad-request'],
    ['a form', 'text=a', 'application/x-www-form-urlencoded', 415, 'general/unsupported-media-type'],
    ['another charset', '{"text":"a"}', 'application/json; charset=latin1', 415, 'general/unsupported-media-type'],
    ['a body too long', JSON.stringify({ text: 'x'.repeat(70_000) }), 'application/json', 413, 'general/too-large'],
  ])('%s is refused', async (_what, body, type, status, code) => {
    const refused = await problemOf(await ask('/v1/echo/a', { method: 'POST', body, headers: { 'content-type': type } }));
    expect(refused).toMatchObject({ status, code });
  });

  test('in query and path are refused by pointer too', async () => {
    expect((await problemOf(await post('/v1/echo/a?times=9', '{"text":"a"}'))).errors).toEqual([{ pointer: '/query/times', reason: 'too big' }]);
    expect((await problemOf(await post('/v1/echo/12345678901', '{"text":"a"}'))).errors).toEqual([{ pointer: '/params/name', reason: 'too big' }]);
    expect((await problemOf(await post('/v1/echo/a?more=1', '{"text":"a"}'))).errors).toEqual([{ pointer: '/query', reason: 'unrecognized keys' }]);
    expect((await problemOf(await post('/v1/echo/%ff', '{"text":"a"}'))).code).toBe('general/bad-request');
  });

  test('reach a route without a body schema raw, of any type, up to its own limit', async () => {
    const response = await post('/v1/hook', '\u0001a', { 'content-type': 'application/vnd.x' });
    expect(await response.text()).toBe('application/vnd.x 0161');
    expect(response.headers.get('content-type')).toBe('text/plain');
    expect(response.headers.get('cache-control')).toBe('max-age=5');
    expect((await problemOf(await post('/v1/hook', 'x'.repeat(1001)))).code).toBe('general/too-large');
  });
});

describe('errors', () => {
  test('of a known code show title, details and code in the language asked for', async () => {
    const response = await ask('/v1/fails/known', { headers: { 'accept-language': 'de, zh-TW;q=0.8, en;q=0.5' } });
    expect(response.headers.get('content-language')).toBe('zh-Hant');
    expect(await problemOf(response)).toMatchObject({ status: 409, code: 'test/known', title: '已知。', details: { left: 3 } });
  });

  test.each(['unknown', 'bug', 'misfit'])('on our side (%s) are logged by request id and say nothing outside', async (how) => {
    const body = await problemOf(await ask(`/v1/fails/${how}`));
    expect(body).toEqual({ type: '/problems/general/internal', title: 'Something went wrong on our side.', status: 500, code: 'general/internal', requestId: body.requestId });
    expect(served.logged.find(({ level, fields }) => level === 'error' && fields['requestId'] === body.requestId)).toBeDefined();
  });

  test('for what is not there, and for bytes that are not HTTP', async () => {
    expect((await problemOf(await ask('/v1/nothing'))).code).toBe('general/not-found');
    const port = Number(new URL(served.url).port);
    const answer = await new Promise<string>((resolve) => {
      let text = '';
      const socket = connect(port, '127.0.0.1', () => socket.write('GARBAGE\r\n\r\n'));
      socket.on('data', (chunk) => { text += chunk.toString(); }).on('close', () => { resolve(text); });
    });
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
  });

  test('have a page each', async () => {
    expect(await (await ask('/problems/test/known')).json()).toEqual({ code: 'test/known', status: 409, title });
    expect((await problemOf(await ask('/problems/test/other'))).code).toBe('general/not-found');
    expect((await problemOf(await ask('/problems/constructor/x'))).code).toBe('general/not-found');
  });
});

describe('callers', () => {
  const bearer = (secret: string) => ({ headers: { authorization: `Bearer ${secret}` } });

  test('are let in by audience, permission and state', async () => {
    expect(await (await ask('/v1/own', bearer('tvs_active'))).json()).toEqual({ id: 'acc' });
    const anonymous = await ask('/v1/own');
    expect(anonymous.headers.get('www-authenticate')).toBe('Bearer');
    expect((await problemOf(anonymous)).code).toBe('general/unauthenticated');
    expect((await problemOf(await ask('/v1/own', bearer('tvs_other')))).code).toBe('general/unauthenticated');
    expect((await problemOf(await ask('/v1/own', bearer('ags_reader')))).code).toBe('general/forbidden');
    expect((await problemOf(await ask('/v1/own', bearer('tvs_leaving')))).status).toBe(423);
    expect((await ask('/v1/own', { method: 'POST', ...bearer('tvs_leaving') })).status).toBe(204);
    expect((await ask('/v1/staff', bearer('ags_reader'))).status).toBe(204);
    expect((await problemOf(await ask('/v1/staff', bearer('ags_none')))).details).toEqual({ permission: 'things:read' });
  });

  test('by cookie change nothing from another site', async () => {
    const entered = await ask('/v1/enter', { method: 'POST' });
    expect(entered.headers.get('set-cookie')).toBe('yuanyou=tvs_active; Max-Age=2592000; Path=/; HttpOnly; SameSite=Lax');
    const cookie = 'yuanyou=tvs_active';
    const from = (headers: Record<string, string>) => ask('/v1/own', { method: 'POST', headers: { cookie, ...headers } });
    expect((await ask('/v1/own', { headers: { cookie } })).status).toBe(200);
    expect((await from({ origin: 'http://api.example.test' })).status).toBe(204);
    for (const origin of ['http://evil.example', 'null', 'http://api.example.test.evil.example']) {
      expect((await problemOf(await from({ origin }))).code).toBe('general/foreign-origin');
    }
    expect((await problemOf(await from({}))).code).toBe('general/foreign-origin');
    expect((await problemOf(await ask('/v1/staff', { headers: { cookie: 'yuanyou-agent=tvs_active' } }))).code).toBe('general/unauthenticated');
  });

  test('over https get a cookie bound to the host', async () => {
    const secure = await serveForTest({ endpoints, authenticators, db: database.db, more: { publicUrl: 'https://api.example.test' } });
    const response = await fetch(`${secure.url}/v1/enter`, { method: 'POST' });
    expect(response.headers.get('set-cookie')).toBe('__Host-yuanyou=tvs_active; Max-Age=2592000; Path=/; HttpOnly; Secure; SameSite=Lax');
    expect(response.headers.get('strict-transport-security')).toContain('max-age=');
    await secure.close();
  });

  test('too many requests are told to wait', async () => {
    const limited = await serveForTest({ endpoints, db: database.db, more: { limits: { requestsPerMinute: 2 } } });
    const first = await fetch(`${limited.url}/v1/fails/known`);
    expect(first.headers.get('ratelimit-limit')).toBe('2');
    expect(first.headers.get('ratelimit-remaining')).toBe('1');
    await fetch(`${limited.url}/v1/fails/known`);
    const refused = await fetch(`${limited.url}/v1/fails/known`);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await problemOf(refused)).code).toBe('general/too-many-requests');
    await limited.close();
  });
});

describe('operation', () => {
  test('tells health, readiness and figures', async () => {
    expect(await (await ask('/healthz')).json()).toEqual({ status: 'ok' });
    const ready = await ask('/readyz');
    expect(ready.status).toBe(503);
    expect(await ready.json()).toEqual({ ready: false, checks: { database: 'ok', mail: 'failing' } });
    expect(await (await ask('/metrics')).text()).toContain('http_request_duration_seconds_count{operation="echo",status="2xx"}');
  });

  test('keeps figures from strangers', async () => {
    const guarded = await serveForTest({ endpoints, db: database.db, more: { metricsSecret: 'figures' } });
    expect((await fetch(`${guarded.url}/metrics`)).status).toBe(403);
    expect((await fetch(`${guarded.url}/metrics`, { headers: { authorization: 'Bearer figure' } })).status).toBe(403);
    expect((await fetch(`${guarded.url}/metrics`, { headers: { authorization: 'Bearer figures' } })).status).toBe(200);
    await guarded.close();
  });

  test('keeps figures from strangers behind a proxy of this machine, whatever it passes on', async () => {
    const behind = await serveForTest({ endpoints, db: database.db, more: { trustProxy: ['127.0.0.1'] } });
    const figures = async (headers: Record<string, string>) => (await fetch(`${behind.url}/metrics`, { headers })).status;
    expect(await figures({})).toBe(200);
    for (const name of ['x-forwarded-for', 'forwarded', 'via']) expect([name, await figures({ [name]: '127.0.0.1' })]).toEqual([name, 403]);
    await behind.close();
  });

  test('logs a request by ids, never by content', async () => {
    await ask('/v1/own?mei=mei@example.test', { headers: { authorization: 'Bearer tvs_active', 'user-agent': 'Mei Phone' } });
    const text = JSON.stringify(served.logged);
    expect(text).not.toMatch(/mei@|Mei Phone|tvs_active|127\.0\.0\.1/);
    expect(served.logged.some(({ fields }) => fields['operationId'] === 'own' && fields['caller'] === 'traveller:acc')).toBe(true);
  });
});
