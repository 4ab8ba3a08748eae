import type { Route, RouteReply, RouteRequest } from '@yuanyou/contract';

/** Who calls, after authentication. */
export type Principal =
  | { readonly kind: 'public' }
  | { readonly kind: 'traveller'; readonly accountId: string; readonly sessionId: string; readonly leaving: boolean }
  /** `credentialId` is the session or the API key that was shown. */
  | { readonly kind: 'agent'; readonly agentId: string; readonly permissions: ReadonlySet<string>; readonly credentialId?: string };

/** Recognises the secrets of one kind; the slice that gave them out makes it. */
export interface Authenticator {
  readonly kind: 'traveller' | 'agent';
  /** How its secrets begin, for example `tvs_`; no two kinds begin alike. */
  readonly prefix: string;
  /** True where the secret may also come in the session cookie. */
  readonly cookie: boolean;
  /** The caller, or undefined when the secret is not (or no longer) good. */
  principal(secret: string): Promise<Principal | undefined>;
}

/** What a handler gets beside the parsed request. */
export interface Call<R extends Route> extends RouteRequest<R> {
  readonly principal: R['audience'] extends 'traveller' ? Extract<Principal, { kind: 'traveller' }>
    : R['audience'] extends 'agent' ? Extract<Principal, { kind: 'agent' }> : Principal;
  /**
   * Present on idempotent routes: a UUID made from the caller, the operation and the Idempotency-Key header, so that the same request
   * always has the same one and nobody can name somebody else's. Use cases take it as the id of what they make.
   */
  readonly idempotencyKey: R['idempotent'] extends true ? string : undefined;
  /** `en`, `zh-Hans` or `zh-Hant`, from Accept-Language. */
  readonly language: 'en' | 'zh-Hans' | 'zh-Hant';
  readonly requestId: string;
  /** The raw body, for signed webhooks. */
  readonly rawBody: Buffer;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The caller's address; personal: seal it or leave it. */
  readonly remoteAddress: string;
  /** Sets the session cookie of the secret's kind, or clears that of the route's audience with null. */
  setSession(secret: string | null): void;
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
