import type { Language } from '@yuanyou/contract';
import { isUniqueViolation } from '../platform/db/index.ts';
import { ServiceError } from '../platform/errors.ts';
import type { AccountsDeps } from './deps.ts';
import { accountClaimed, accountSignedUp } from './events.ts';
import { prepareMailedCode } from './mailed-code.ts';
import { comparable, limits } from './model.ts';
import type { AccountRow } from './model.ts';
import { askForCode } from './reset.ts';
import type { Sealing } from './sealing.ts';
import { prepareSession } from './sessions.ts';
import type { BegunSession, Device } from './sessions.ts';
import * as store from './store.ts';

export interface GuestOpening {
  /** The id of the new account; the same request has the same one. */
  readonly accountId: string;
  readonly email: string;
  readonly name: string | null;
  readonly language: Language;
  readonly country: string | null;
  readonly device: Device;
}

type SignedIn = { readonly account: AccountRow; readonly session: BegunSession };

/** The guests' accounts of one address that a code is looked for in. */
const mostGuests = 20;

/**
 * Opens an account without a password and signs in. It says nothing of other accounts with that address and shares nothing with them: whoever has the
 * session has this account, until it is claimed by a code sent to the address.
 */
export async function openGuest(deps: AccountsDeps, sealing: Sealing, given: GuestOpening): Promise<SignedIn> {
  const { accountId } = given;
  const address = given.email.trim();
  await deps.attempts.count('accounts.guest.address', given.device.address, limits.guestFromAddress);
  await deps.attempts.count('accounts.guest.email', comparable(address), limits.guestOfEmail);
  const email = await sealing.seal(accountId, 'email', address);
  const name = await sealing.seal(accountId, 'name', given.name ?? '');
  const claim = await prepareMailedCode(deps, sealing, 'claim', { id: accountId, language: given.language, address });
  const session = await prepareSession(deps, sealing, accountId, given.device);
  const at = deps.clock.now();
  await deps.db.transaction(async (tx) => {
    const row = {
      id: accountId, email, emailIndex: null, guestIndex: sealing.guestIndex(address), name, language: given.language, country: given.country,
      passwordHash: null, at,
    };
    const opened = await store.insertAccount(tx, row);
    // A repeat whose first answer was lost: the same guest's account, while it is one.
    if (!opened && (await store.findAccount(tx, accountId))?.guestIndex?.equals(row.guestIndex) !== true) throw new ServiceError('general/conflict');
    await session.save(tx);
    if (!opened) return;
    await claim.save(tx);
    await deps.outbox.emit(tx, accountSignedUp, accountId, { accountId });
    await deps.audit.record(tx, {
      actor: { kind: 'account', id: accountId }, action: 'accounts.open-guest', subjectKind: 'account', subjectId: accountId, accountId,
    });
  });
  return { account: (await store.findAccount(deps.db, accountId))!, session: session.begun };
}

/** Sends a fresh code to whoever bought as a guest last with this address; the answer never says whether anybody did. */
export async function requestClaim(deps: AccountsDeps, sealing: Sealing, asked: { readonly email: string; readonly address: string }): Promise<void> {
  await askForCode(deps, 'claim', asked, (await store.listGuests(deps.db, sealing.guestIndex(asked.email), 1))[0]);
}

export interface Claim {
  readonly email: string;
  readonly code: string;
  readonly password: string;
  readonly name: string | null;
  readonly device: Device;
}

/** Makes a guest's account one's own: the mailed code proves the address, the password is the way in from now on. @throws `accounts/wrong-code`, `accounts/email-taken` */
export async function claimAccount(deps: AccountsDeps, sealing: Sealing, given: Claim): Promise<SignedIn> {
  await deps.attempts.count('accounts.claim-tried.address', given.device.address, limits.mailAskedFromAddress);
  await deps.attempts.count('accounts.claim-tried', comparable(given.email), limits.mailedCodeTried);
  const account = await guestOfCode(deps, sealing, given);
  if (account === undefined) throw new ServiceError('accounts/wrong-code');
  const accountId = account.id;
  const passwordHash = await deps.passwords.hash(given.password);
  const name = given.name === null ? null : await sealing.seal(accountId, 'name', given.name);
  const session = await prepareSession(deps, sealing, accountId, given.device);
  const at = deps.clock.now();
  try {
    await deps.db.transaction(async (tx) => {
      await store.lockAccount(tx, accountId);
      const taken = await store.takeMailedCode(tx, accountId, 'claim', sealing.longCodeDigest('claim', accountId, given.code), at);
      if (!taken || !await store.claimGuest(tx, accountId, { emailIndex: sealing.emailIndex(given.email), name, passwordHash, at })) {
        throw new ServiceError('accounts/wrong-code');
      }
      // Whoever mistyped the address when buying has no place here any more.
      await store.deleteSessions(tx, accountId, null);
      await session.save(tx);
      await deps.outbox.emit(tx, accountClaimed, accountId, { accountId });
      await deps.audit.record(tx, {
        actor: { kind: 'account', id: accountId }, action: 'accounts.claim', subjectKind: 'account', subjectId: accountId, accountId,
      });
    });
  } catch (error) {
    if (isUniqueViolation(error)) throw new ServiceError('accounts/email-taken');
    throw error;
  }
  return { account: (await store.findAccount(deps.db, accountId))!, session: session.begun };
}

async function guestOfCode(deps: AccountsDeps, sealing: Sealing, given: Claim): Promise<AccountRow | undefined> {
  for (const guest of await store.listGuests(deps.db, sealing.guestIndex(given.email), mostGuests)) {
    if (await store.hasMailedCode(deps.db, guest.id, 'claim', sealing.longCodeDigest('claim', guest.id, given.code), deps.clock.now())) return guest;
  }
  return undefined;
}
