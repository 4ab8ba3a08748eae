import type { ZodType, z } from 'zod';
import { problem } from './general.ts';
import type { Problem } from './general.ts';
import type { Route } from './route.ts';

/** What a call ends with when it does not end with a declared answer. */
export class ContractError extends Error {
  /** The problem's code; `client/unreachable` when no answer came, `client/unreadable` when the answer was not one of the contract. */
  readonly code: string;
  /** The HTTP status; 0 when there was none. */
  readonly status: number;
  readonly problem: Problem | undefined;
  /** Seconds to wait, from Retry-After. */
  readonly retryAfterSeconds: number | undefined;

  constructor(code: string, status: number, problemBody?: Problem, retryAfterSeconds?: number, options?: ErrorOptions) {
    super(problemBody === undefined ? code : `${code}: ${problemBody.title}`, options);
    this.name = 'ContractError';
    this.code = code;
    this.status = status;
    this.problem = problemBody;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

type Given<K extends string, T> = T extends ZodType ? (undefined extends z.input<T> ? { readonly [P in K]?: z.input<T> }
  : object extends z.input<T> ? { readonly [P in K]?: z.input<T> } : { readonly [P in K]: z.input<T> }) : unknown;

/** What a call of a route takes: only what the route declares, and that typed. */
export type CallInput<R extends Route> =
  & Given<'params', R['params']>
  & Given<'query', R['query']>
  & Given<'body', R['body']>
  & (R['idempotent'] extends true ? { readonly idempotencyKey: string } : unknown)
  & {
    /** A Bearer token for this call only; null sends none. */
    readonly session?: string | null;
    readonly language?: string;
    readonly signal?: AbortSignal;
  };

/** What a call answers: one of the declared statuses, its body parsed. */
export type CallReply<R extends Route> = {
  [S in keyof R['responses'] & number]: R['responses'][S] extends ZodType
    ? { readonly status: S; readonly body: z.output<R['responses'][S]>; readonly headers: Headers }
    : R['responses'][S] extends string
      ? { readonly status: S; readonly body: Uint8Array; readonly headers: Headers }
      : { readonly status: S; readonly headers: Headers };
}[keyof R['responses'] & number];

/** Arguments of `call`: the input may be left out where nothing in it is required. */
type Arguments<R extends Route> = object extends CallInput<R> ? [input?: CallInput<R>] : [input: CallInput<R>];

/** Where a client sends its calls, and as whom. */
export interface ClientOptions {
  /** Where the service is, for example `https://example.test`. */
  readonly baseUrl: string;
  readonly fetch?: typeof fetch;
  /** The Bearer token of a session or an API key. A function is asked at every call. */
  readonly session?: string | (() => string | undefined);
  readonly language?: string;
  /** Default 30 000. */
  readonly timeoutMs?: number;
  /** Longest answer that is read, in bytes. Default 64 MiB. */
  readonly maxBytes?: number;
}

/** Calls routes of the contract. */
export interface Client {
  /**
   * Calls a route of the contract.
   * @throws ContractError with the problem's code for every answer that the route does not declare.
   */
  call<R extends Route>(route: R, ...input: Arguments<R>): Promise<CallReply<R>>;
}

interface LooseInput {
  readonly params?: Readonly<Record<string, unknown>>;
  readonly query?: Readonly<Record<string, unknown>>;
  readonly body?: unknown;
  readonly idempotencyKey?: string;
  readonly session?: string | null;
  readonly language?: string;
  readonly signal?: AbortSignal;
}

/** A typed client for the routes of this contract; types follow from the routes, nothing is generated. */
export function createClient(options: ClientOptions): Client {
  const send = options.fetch ?? fetch;
  return {
    async call<R extends Route>(route: R, ...[given]: Arguments<R>): Promise<CallReply<R>> {
      const input = (given ?? {}) as LooseInput;
      const timeout = AbortSignal.timeout(options.timeoutMs ?? 30_000);
      const signal = input.signal === undefined ? timeout : AbortSignal.any([input.signal, timeout]);
      const request: RequestInit = { method: route.method, headers: headersOf(route, input, options), signal, redirect: 'manual' };
      if (route.body !== undefined && input.body !== undefined) request.body = JSON.stringify(input.body);
      let response: Response;
      let bytes: Uint8Array;
      try {
        response = await send(addressOf(options.baseUrl, route, input), request);
        bytes = await readBounded(response, options.maxBytes ?? 64 * 1024 * 1024);
      } catch (error) {
        if (error instanceof ContractError) throw error;
        throw new ContractError('client/unreachable', 0, undefined, undefined, { cause: error });
      }
      return replyOf(route, response, bytes) as CallReply<R>;
    },
  };
}

function headersOf(route: Route, input: LooseInput, options: ClientOptions): Headers {
  const headers = new Headers({ accept: 'application/json, application/problem+json, */*;q=0.5' });
  if (route.body !== undefined && input.body !== undefined) headers.set('content-type', 'application/json');
  if (input.idempotencyKey !== undefined) headers.set('idempotency-key', input.idempotencyKey);
  const language = input.language ?? options.language;
  if (language !== undefined) headers.set('accept-language', language);
  const standing = typeof options.session === 'function' ? options.session() : options.session;
  const session = input.session === undefined ? standing : input.session;
  if (session !== undefined && session !== null) headers.set('authorization', `Bearer ${session}`);
  return headers;
}

function addressOf(baseUrl: string, route: Route, input: LooseInput): string {
  const path = route.path.replace(/:([A-Za-z]\w*)|\*/g, (_match, name: string | undefined) => {
    const value = input.params?.[name ?? '*'];
    if (value === undefined || value === null) throw new ContractError('client/param-missing', 0);
    return name === undefined ? text(value).split('/').map(encodeURIComponent).join('/') : encodeURIComponent(text(value));
  });
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(input.query ?? {})) {
    for (const one of Array.isArray(value) ? value as unknown[] : [value]) {
      if (one !== undefined && one !== null) query.append(name, text(one));
    }
  }
  const tail = query.toString();
  return `${baseUrl.replace(/\/+$/, '')}${path}${tail === '' ? '' : `?${tail}`}`;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

async function readBounded(response: Response, maxBytes: number): Promise<Uint8Array> {
  if (response.body === null) return new Uint8Array();
  const parts: Uint8Array[] = [];
  let length = 0;
  const reader = response.body.getReader() as ReadableStreamDefaultReader<Uint8Array>;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    length += value.byteLength;
    if (length > maxBytes) {
      await reader.cancel();
      throw new ContractError('client/unreadable', response.status);
    }
    parts.push(value);
  }
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}

function replyOf(route: Route, response: Response, bytes: Uint8Array): unknown {
  const { status, headers } = response;
  const contentType = headers.get('content-type') ?? '';
  const declared = contentType.startsWith('application/problem+json') ? undefined : route.responses[status];
  if (declared === undefined) throw problemOf(response, contentType, bytes);
  if (declared === null) return { status, headers };
  if (typeof declared === 'string') return { status, headers, body: bytes };
  const parsed = declared.safeParse(jsonOf(bytes));
  if (!parsed.success) throw new ContractError('client/unreadable', status, undefined, undefined, { cause: parsed.error });
  return { status, headers, body: parsed.data };
}

function problemOf(response: Response, contentType: string, bytes: Uint8Array): ContractError {
  const parsed = contentType.startsWith('application/problem+json') ? problem.safeParse(jsonOf(bytes)) : undefined;
  const wait = Number(response.headers.get('retry-after') ?? Number.NaN);
  const retryAfterSeconds = Number.isFinite(wait) ? wait : undefined;
  if (parsed?.success !== true) return new ContractError('client/unreadable', response.status, undefined, retryAfterSeconds);
  return new ContractError(parsed.data.code, response.status, parsed.data, retryAfterSeconds);
}

function jsonOf(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as unknown;
  } catch {
    return undefined;
  }
}
