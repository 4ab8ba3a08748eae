import type { Authenticator, Endpoint, Principal } from '../platform/http/index.ts';
import { createApprovals } from './approvals/approvals.ts';
import type { Approvals } from './approvals/approvals.ts';
import { createFirstAdmin, sweep } from './agents.ts';
import type { Invitation } from './agents.ts';
import type { AccessDeps } from './deps.ts';
import { createCeremonies } from './passkeys/ceremonies.ts';
import { accessEndpoints } from './routes.ts';
import { agentAuthenticators } from './sessions.ts';

export { createCeremonies } from './passkeys/ceremonies.ts';
export type { Ceremonies, Credential, Site } from './passkeys/ceremonies.ts';
export type { Act, Approvals, Leave } from './approvals/approvals.ts';
export type { AccessDeps } from './deps.ts';
export type { Invitation } from './agents.ts';

/** Agents, what they may do, and the keys they make for programs. */
export interface Access {
  /** The one-time command's use case; the code is for `acceptInvitation` and is known to the caller alone. @throws `access/admin-exists` */
  createFirstAdmin(given: { readonly email: string; readonly name: string }): Promise<Invitation>;
  /** Whom a session or an API key belongs to. */
  authenticateAgent(secret: string): Promise<Extract<Principal, { kind: 'agent' }> | undefined>;
  /** The two-person rule, where it is turned on. */
  readonly approvals: Approvals;
  /** For the schedule. */
  sweep(): Promise<void>;
  readonly authenticators: readonly Authenticator[];
  readonly endpoints: readonly Endpoint[];
}

export function createAccess(given: AccessDeps): Access {
  const deps = { ...given, ceremonies: createCeremonies(given.site) };
  const approvals = createApprovals(deps);
  const authenticators = agentAuthenticators(deps);
  return {
    createFirstAdmin: (given) => createFirstAdmin(deps, given),
    async authenticateAgent(secret) {
      const principal = await authenticators.find((one) => secret.startsWith(one.prefix))?.principal(secret);
      return principal?.kind === 'agent' ? principal : undefined;
    },
    approvals,
    sweep: () => sweep(deps),
    authenticators,
    endpoints: accessEndpoints(deps, approvals),
  };
}
