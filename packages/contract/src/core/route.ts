import type { ZodType, z } from 'zod';

/** Who may call a route. `traveller` is a signed-in account; `agent` one of the staff; `public` anyone. */
export type Audience = 'public' | 'traveller' | 'agent';

/** A route of the API, declared once as data: server, client and OpenAPI follow from it. */
export interface Route {
  readonly operationId: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Path with `:name` parameters. */
  readonly path: string;
  readonly summary: string;
  readonly tag: string;
  readonly audience: Audience;
  /** For agents: the permission asked for. */
  readonly permission?: string;
  /** True where the call pays or creates: an Idempotency-Key header is then required. */
  readonly idempotent?: boolean;
  /** True where a traveller whose account is frozen for closure may still call it. */
  readonly whileLeaving?: boolean;
  /** Longest body accepted, in bytes. Default 65 536. A route without `body` gets the bytes raw, of any media type. */
  readonly bodyLimit?: number;
  readonly params?: ZodType;
  readonly query?: ZodType;
  readonly body?: ZodType;
  /** The answers by status; `null` for an empty body, a string for another media type (its name). */
  readonly responses: Readonly<Record<number, ZodType | null | string>>;
  /** Codes of the problems that this route can answer beyond the general ones. */
  readonly problems?: readonly string[];
}

/** Checks a route's shape while keeping its types literal. */
export function route<const R extends Route>(declaration: R): R {
  return declaration;
}

type Output<T> = T extends ZodType ? z.output<T> : undefined;
type Input<T> = T extends ZodType ? z.input<T> : undefined;

/** What a handler receives, parsed. */
export interface RouteRequest<R extends Route> {
  readonly params: Output<R['params']>;
  readonly query: Output<R['query']>;
  readonly body: Output<R['body']>;
}

/** What a caller sends. */
export interface RouteCall<R extends Route> {
  readonly params?: Input<R['params']>;
  readonly query?: Input<R['query']>;
  readonly body?: Input<R['body']>;
}

/** What a handler answers: one of the declared statuses with its body. */
export type RouteReply<R extends Route> = {
  [S in keyof R['responses'] & number]: R['responses'][S] extends ZodType
    ? { readonly status: S; readonly body: z.input<R['responses'][S]> }
    : R['responses'][S] extends string
      ? { readonly status: S; readonly body: Uint8Array | string; readonly headers?: Readonly<Record<string, string>> }
      : { readonly status: S };
}[keyof R['responses'] & number];
