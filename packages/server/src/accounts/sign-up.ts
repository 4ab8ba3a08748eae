import type { Language } from '@yuanyou/contract';
import type { AccountsDeps } from './deps.ts';
import { ServiceError } from '../platform/errors.ts';
import { prepareVerification } from './email.ts';
import { accountSignedUp } from './events.ts';
import { limits } from './model.ts';
import type { AccountRow } from './model.ts';
import type { Sealing } from './sealing.ts';
import { prepareSession } from './sessions.ts';
import type { BegunSession, Device } from './sessions.ts';
import * as store from './store.ts';

export interface SignUp {
  /** The id of the new account; the same sign-up has the same one. */
  readonly accountId: string;
  readonly email: string;
  readonly password: string;
  readonly name: string;
  readonly language: Language;
  readonly country: string | null;
  readonly device: Device;
}

/** Opens an account, signs in and sends a code to the address. */
export async function signUp(deps: AccountsDeps, sealing: Sealing, given: SignUp): Promise<{ account: AccountRow; session: BegunSession }> {
  await deps.attempts.count('accounts.sign-up.address', given.device.address, limits.signUpFromAddress);
  const { accountId } = given;
  const emailIndex = sealing.emailIndex(given.email);
  const known = await store.findAccountByEmail(deps.db, emailIndex);
  if (known !== undefined) return repeat(deps, sealing, given, known);

  const passwordHash = await deps.passwords.hash(given.password);
  const email = await sealing.seal(accountId, 'email', given.email.trim());
  const name = await sealing.seal(accountId, 'name', given.name);
  const verification = await prepareVerification(deps, sealing, { accountId, email: given.email.trim(), language: given.language });
  const session = await prepareSession(deps, sealing, accountId, given.device);
  const at = deps.clock.now();

  await deps.db.transaction(async (tx) => {
    const row = { id: accountId, email, emailIndex, guestIndex: null, name, language: given.language, country: given.country, passwordHash, at };
    if (!await store.insertAccount(tx, row)) throw new ServiceError('accounts/email-taken');
    await verification.save(tx);
    await session.save(tx);
    await deps.outbox.emit(tx, accountSignedUp, accountId, { accountId });
    await deps.audit.record(tx, {
      actor: { kind: 'account', id: accountId }, action: 'accounts.sign-up', subjectKind: 'account', subjectId: accountId, accountId,
    });
  });
  return { account: (await store.findAccount(deps.db, accountId))!, session: session.begun };
}

/** A sign-up whose answer was lost is answered again; anything else with a known address is refused. */
async function repeat(deps: AccountsDeps, sealing: Sealing, given: SignUp, known: AccountRow): Promise<{ account: AccountRow; session: BegunSession }> {
  const same = known.id === given.accountId && await deps.passwords.verify(known.passwordHash, given.password);
  if (!same) throw new ServiceError('accounts/email-taken');
  const session = await prepareSession(deps, sealing, known.id, given.device);
  await deps.db.transaction((tx) => session.save(tx));
  return { account: known, session: session.begun };
}
