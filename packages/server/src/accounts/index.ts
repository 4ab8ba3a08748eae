import type { StepUpProof } from '@yuanyou/contract';
import { createCeremonies } from '../access/index.ts';
import type { Reader, Tx } from '../platform/db/types.ts';
import type { Authenticator, Endpoint } from '../platform/http/index.ts';
import type { SubjectHolder } from '../platform/subject/index.ts';
import type { AccountsDeps } from './deps.ts';
import { accountCodeAsked } from './events.ts';
import { stepUp } from './factors/step-up.ts';
import { deleteExpired } from './factors/store.ts';
import { accountsHolder } from './holder.ts';
import { endSessions, freeze, requireAccount, requireActive, unfreeze } from './leave.ts';
import type { AccountFacts } from './model.ts';
import { contactPoint, verifyPassword } from './profile.ts';
import type { ContactPoint } from './profile.ts';
import { sendAskedCodes } from './reset.ts';
import { accountsEndpoints } from './routes.ts';
import { createSealing } from './sealing.ts';
import { sessionAuthenticator } from './sessions.ts';
import * as store from './store.ts';

export * from './events.ts';
export type { AccountsDeps } from './deps.ts';
export type { AccountFacts } from './model.ts';
export type { ContactPoint } from './profile.ts';

/** Travellers' accounts: who they are, where they are signed in, whom they know. */
export interface Accounts {
  /** Facts of an open account. @throws `accounts/unknown`, `accounts/closed` */
  require(db: Reader, accountId: string): Promise<AccountFacts>;
  /** As `require`, for an account that may order and pay; holds off a freeze until the transaction ends. @throws `accounts/leaving` */
  requireActive(tx: Tx, accountId: string): Promise<AccountFacts>;
  /** The open account with this address, for those who act without signing in. Say nothing outside of whether there is one. */
  findByEmail(db: Reader, email: string): Promise<string | undefined>;
  /** @throws `accounts/unknown`, `accounts/closed` */
  contactPoint(accountId: string): Promise<ContactPoint>;
  /** The step-up by password. True, or else it throws `accounts/wrong-password` or `general/too-many-requests`. */
  verifyPassword(accountId: string, password: string): Promise<true>;
  /**
   * The step-up by any way that the account has: password, code of an authenticator app, recovery code, passkey, or the code mailed to a guest; the proof is
   * spent. True, or else it throws `accounts/wrong-password`, `accounts/wrong-proof` or `general/too-many-requests`.
   */
  stepUp(accountId: string, proof: StepUpProof): Promise<true>;
  /** Repeatable. */
  freeze(tx: Tx, accountId: string): Promise<void>;
  /** Repeatable. */
  unfreeze(tx: Tx, accountId: string): Promise<void>;
  /** Answers how many sessions there were. */
  endSessions(tx: Tx, accountId: string): Promise<number>;
  /** Deletes sessions and codes that have run out; for the schedule. */
  sweep(): Promise<number>;
  readonly authenticator: Authenticator;
  readonly holder: SubjectHolder;
  readonly endpoints: readonly Endpoint[];
}

export function createAccounts(given: AccountsDeps): Accounts {
  const deps = { ...given, ceremonies: createCeremonies(given.site) };
  const sealing = createSealing(deps);
  deps.outbox.subscribe(accountCodeAsked, 'accounts.codes', sendAskedCodes(deps, sealing));
  return {
    require: requireAccount,
    requireActive,
    findByEmail: async (db, email) => (await store.findAccountByEmail(db, sealing.emailIndex(email)))?.id,
    contactPoint: (accountId) => contactPoint(deps, sealing, accountId),
    verifyPassword: (accountId, password) => verifyPassword(deps, accountId, password),
    stepUp: (accountId, proof) => stepUp(deps, sealing, accountId, proof),
    freeze: (tx, accountId) => freeze(deps, tx, accountId),
    unfreeze: (tx, accountId) => unfreeze(deps, tx, accountId),
    endSessions,
    sweep: () => deps.db.transaction(async (tx) => {
      const now = deps.clock.now();
      return await store.deleteExpired(tx, now) + await deleteExpired(tx, now);
    }),
    authenticator: sessionAuthenticator(deps),
    holder: accountsHolder(deps, sealing),
    endpoints: accountsEndpoints(deps, sealing),
  };
}
