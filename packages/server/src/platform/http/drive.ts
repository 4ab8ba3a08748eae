import type { Route } from '@yuanyou/contract';

/** A call of a route as plain data, before anybody checks it. */
export interface RawCall {
  readonly route: Route;
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

const hostile: readonly unknown[] = [
  null, true, -1, 0, 1.5, 1e300, 2 ** 53, '', ' ', '\u0000', 'a\u0000b', '\ud800', '\u202Eevil', 'x'.repeat(5000), '😀'.repeat(60), '%00', '../../etc', '\' or 1=1 --',
  '00000000-0000-0000-0000-000000000000', '2026-02-30T00:00:00Z', [], [[]], {}, { a: 1 }, ['admin', 'admin'],
];

/** Copies of a JSON value, each wrong in one place: a member replaced, left out, or added. */
export function* mutationsOf(value: unknown): Generator<unknown> {
  yield* hostile;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return;
  yield { ...value, unexpected: 1 };
  yield { ...value, constructor: { prototype: { admin: true } } };
  for (const [key, inner] of Object.entries(value)) {
    yield Object.fromEntries(Object.entries(value).filter(([other]) => other !== key));
    for (const wrong of mutationsOf(inner)) yield { ...value, [key]: wrong };
  }
}

/** The call itself, and copies of it that are each wrong in one place. */
export function* mutatedCalls(call: RawCall): Generator<RawCall> {
  yield call;
  if (call.route.body !== undefined) {
    for (const body of mutationsOf(call.body)) yield { ...call, body };
  }
  const texts = hostile.filter((one) => typeof one === 'string');
  for (const part of ['params', 'query'] as const) {
    for (const name of Object.keys(call[part] ?? {})) {
      for (const wrong of texts) yield { ...call, [part]: { ...call[part], [name]: wrong } };
    }
  }
  yield { ...call, query: { ...call.query, unexpected: '1' } };
  for (const header of ['idempotency-key', 'authorization', 'accept-language', 'content-type', 'cookie']) {
    for (const wrong of ['', 'x', 'Bearer', `Bearer tvs_${'x'.repeat(300)}`, 'q=;;;,,,'.repeat(50)]) yield { ...call, headers: { ...call.headers, [header]: wrong } };
  }
}

/** Sends a call as it is, however wrong. */
export function sendRaw(baseUrl: string, { route, params = {}, query = {}, body, headers = {} }: RawCall): Promise<Response> {
  const encode = (text: string) => encodeURIComponent(text.toWellFormed());
  const path = route.path.replace(/:(\w+)/g, (_match, name: string) => encode(params[name] ?? ''));
  const search = Object.entries(query).map(([name, value]) => `${encode(name)}=${encode(value)}`).join('&');
  return fetch(`${baseUrl}${path}${search === '' ? '' : `?${search}`}`, {
    method: route.method, headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

/** What came of one call. */
export interface Driven {
  readonly status: number;
  readonly isProblem: boolean;
  readonly text: string;
  /** For the failing test's message: what was sent and what came back, shortened. */
  readonly context: string;
}

/** Sends a call and all its mutations, a few at a time, and answers what came of each, the good call's first; `between` runs before each few. */
export async function drive(baseUrl: string, call: RawCall, between: () => void): Promise<Driven[]> {
  const driven: Driven[] = [];
  let few: RawCall[] = [];
  const send = async (): Promise<void> => {
    between();
    driven.push(...await Promise.all(few.map(async (one) => {
      const response = await sendRaw(baseUrl, one);
      const text = await response.text();
      const context = `${call.route.operationId} ${JSON.stringify({ ...one, route: undefined }).slice(0, 300)} -> ${response.status} ${text.slice(0, 300)}`;
      return { status: response.status, isProblem: response.headers.get('content-type') === 'application/problem+json', text, context };
    })));
    few = [];
  };
  for (const one of mutatedCalls(call)) {
    few.push(one);
    if (driven.length === 0 || few.length === 8) await send();
  }
  if (few.length > 0) await send();
  return driven;
}
