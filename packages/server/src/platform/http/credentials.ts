import type { Audience, Route } from '@yuanyou/contract';
import { ServiceError } from '../errors.ts';
import type { Authenticator, Principal } from './types.ts';

type Kind = Authenticator['kind'];

/** What a request shows of its caller. */
export interface Shown {
  readonly authorization: string | undefined;
  readonly cookies: Readonly<Record<string, string | undefined>>;
  readonly origin: string | undefined;
  readonly fetchSite: string | undefined;
}

export interface Credentials {
  /** Finds out who calls. @throws `general/foreign-origin` when a cookie came with a request from another site. */
  principalOf(shown: Shown, route: Pick<Route, 'audience' | 'method'>): Promise<Principal>;
  cookieNameOf(kind: Kind): string;
  /** The kind a secret belongs to. */
  kindOf(secret: string): Kind | undefined;
}

const nobody: Principal = { kind: 'public' };
const longestSecret = 200;

/** One way in for all kinds of callers: sessions and keys by Bearer, sessions also by cookie. */
export function createCredentials(options: {
  readonly authenticators: readonly Authenticator[]; readonly secure: boolean; readonly origins: ReadonlySet<string>;
}): Credentials {
  const prefix = options.secure ? '__Host-' : '';
  const cookieNames: Readonly<Record<Kind, string>> = { traveller: `${prefix}yuanyou`, agent: `${prefix}yuanyou-agent` };
  const find = (secret: string) => options.authenticators.find((one) => secret.startsWith(one.prefix));

  return {
    async principalOf(shown, route) {
      const bearer = bearerOf(shown.authorization);
      if (bearer !== undefined) return await find(bearer)?.principal(bearer) ?? nobody;
      const kind: Kind = route.audience === 'agent' ? 'agent' : 'traveller';
      const secret = shown.cookies[cookieNames[kind]];
      if (secret === undefined || secret.length > longestSecret) return nobody;
      const authenticator = find(secret);
      if (authenticator === undefined || !authenticator.cookie || authenticator.kind !== kind) return nobody;
      if (route.method !== 'GET' && !isSameSite(shown, options.origins)) throw new ServiceError('general/foreign-origin');
      return await authenticator.principal(secret) ?? nobody;
    },
    cookieNameOf: (kind) => cookieNames[kind],
    kindOf: (secret) => find(secret)?.kind,
  };
}

function bearerOf(header: string | undefined): string | undefined {
  const match = /^Bearer ([A-Za-z0-9\-._~+/]+=*)$/i.exec((header ?? '').slice(0, longestSecret + 7));
  return match?.[1];
}

/** Browsers send Origin with every unsafe request; a cookie without it did not come from one of our pages. */
function isSameSite(shown: Shown, origins: ReadonlySet<string>): boolean {
  if (shown.origin !== undefined) return origins.has(shown.origin);
  return shown.fetchSite === 'same-origin';
}

/** @throws `general/unauthenticated`, `general/forbidden` or `general/leaving` when the caller may not use the route. */
export function admit(principal: Principal, route: Pick<Route, 'audience' | 'permission' | 'whileLeaving'>): void {
  const audience: Audience = route.audience;
  if (audience === 'public') return;
  if (principal.kind === 'public') throw new ServiceError('general/unauthenticated');
  if (principal.kind !== audience) throw new ServiceError('general/forbidden');
  if (principal.kind === 'traveller' && principal.leaving && route.whileLeaving !== true) throw new ServiceError('general/leaving');
  if (principal.kind === 'agent' && route.permission !== undefined && !principal.permissions.has(route.permission)) {
    throw new ServiceError('general/forbidden', { permission: route.permission });
  }
}

/** Kind and id of a caller, for the log and for idempotency. */
export function callerOf(principal: Principal): string {
  if (principal.kind === 'traveller') return `traveller:${principal.accountId}`;
  return principal.kind === 'agent' ? `agent:${principal.agentId}` : 'public';
}
