import type { Route, RouteReply, RouteRequest } from '@yuanyou/contract';

/** Who calls, after authentication. */
export type Principal =
  | { readonly kind: 'public' }
  | { readonly kind: 'traveller'; readonly accountId: string; readonly sessionId: string; readonly leaving: boolean }
  | { readonly kind: 'agent'; readonly agentId: string; readonly permissions: ReadonlySet<string> };

/** What a handler gets beside the parsed request. */
export interface Call<R extends Route> extends RouteRequest<R> {
  readonly principal: R['audience'] extends 'traveller' ? Extract<Principal, { kind: 'traveller' }>
    : R['audience'] extends 'agent' ? Extract<Principal, { kind: 'agent' }> : Principal;
  /** Present on idempotent routes. */
  readonly idempotencyKey: R['idempotent'] extends true ? string : undefined;
  /** `en`, `zh-Hans` or `zh-Hant`, from Accept-Language. */
  readonly language: 'en' | 'zh-Hans' | 'zh-Hant';
  readonly requestId: string;
  /** The raw body, for signed webhooks. */
  readonly rawBody: Buffer;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The caller's address; personal: seal it or leave it. */
  readonly remoteAddress: string;
  /** Sets the session cookie, or clears it with null. */
  setSession(token: string | null): void;
}

/** A route with its handler: what a slice's routes.ts exports a list of. */
export interface Endpoint<R extends Route = Route> {
  readonly route: R;
  readonly handle: (call: Call<R>) => Promise<RouteReply<R>>;
}

/** Binds a handler to a route of the contract, with types. */
export function endpoint<R extends Route, const A extends RouteReply<R>>(route: R, handle: (call: Call<R>) => Promise<A>): Endpoint {
  // The list of endpoints is heterogeneous; each handler is only ever called with its own route's parsed request.
  return { route, handle } as unknown as Endpoint;
}
