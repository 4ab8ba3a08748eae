import type { Factor, StepUpProof } from '@yuanyou/contract';
import { ServiceError } from '../../platform/errors.ts';
import { newSecret, secretHash } from '../../platform/secrets/index.ts';
import { limits, pendingSignInLifeMs, signInPrefix } from '../model.ts';
import type { AccountRow } from '../model.ts';
import type { Sealing } from '../sealing.ts';
import { openSession } from '../sessions.ts';
import type { Device, SignedIn } from '../sessions.ts';
import { findAccount } from '../store.ts';
import type { AccountsDeps } from '../deps.ts';
import { requestAssertion, takeAssertion } from './passkeys.ts';
import type { Assertion, PasskeyDeps } from './passkeys.ts';
import { isProven, protectionOf } from './step-up.ts';
import * as store from './store.ts';

type SecondProof = Exclude<StepUpProof, { password: string } | { mailedCode: string }>;
const seconds: readonly Factor[] = ['oneTimeCode', 'recoveryCode', 'passkey'];

/**
 * After a right password: where the account asks for a second proof, the sign-in waits for it.
 * @throws `accounts/second-factor-needed` with the code that goes on, and what may serve
 */
export async function demandSecondFactor(deps: AccountsDeps, account: AccountRow): Promise<void> {
  const { factors, oneTimeCodesSince } = await protectionOf(deps.db, account);
  if (oneTimeCodesSince === null) return;
  const signInCode = newSecret(signInPrefix);
  const expiresAt = new Date(deps.clock.now().getTime() + pendingSignInLifeMs);
  await deps.db.transaction((tx) => store.insertPendingSignIn(tx, { secretHash: secretHash(signInCode), accountId: account.id, expiresAt }));
  throw new ServiceError('accounts/second-factor-needed', {
    signInCode, factors: factors.filter((one) => seconds.includes(one)), expiresAt: expiresAt.toISOString(),
  });
}

/** Goes on where the password was right. @throws `accounts/sign-in-expired`, `accounts/wrong-proof`, `general/too-many-requests` */
export async function signInWithSecondFactor(
  deps: PasskeyDeps, sealing: Sealing, given: { readonly signInCode: string; readonly proof: SecondProof; readonly device: Device },
): Promise<SignedIn> {
  await deps.attempts.count('accounts.sign-in.address', given.device.address, limits.signInFromAddress);
  const hash = secretHash(given.signInCode);
  const accountId = await store.findPendingSignIn(deps.db, hash, deps.clock.now());
  const account = accountId === undefined ? undefined : await findAccount(deps.db, accountId);
  if (account === undefined) throw new ServiceError('accounts/sign-in-expired');
  await deps.attempts.count('accounts.second-factor', account.id, limits.secondFactor);
  // The challenge was given out before anybody was known.
  if (!await isProven(deps, sealing, account.id, given.proof, { accountId: null })) throw new ServiceError('accounts/wrong-proof');
  await deps.attempts.clear('accounts.second-factor', account.id);
  return openSession(deps, sealing, account, given.device, 'accounts.sign-in-with-second-factor', async (tx) => {
    if (!await store.deletePendingSignIn(tx, hash)) throw new ServiceError('accounts/sign-in-expired');
  });
}

/** A challenge for whoever is about to sign in with a passkey. */
export async function requestPasskeySignIn(deps: PasskeyDeps, sealing: Sealing, address: string): Promise<Awaited<ReturnType<typeof requestAssertion>>> {
  await deps.attempts.count('accounts.challenge.address', address, limits.challengeFromAddress);
  return requestAssertion(deps, sealing, null);
}

/** Signs in by a passkey alone: it proves possession and the unlocking of the device. @throws `accounts/wrong-credentials` */
export async function signInWithPasskey(deps: PasskeyDeps, sealing: Sealing, given: Assertion & { readonly device: Device }): Promise<SignedIn> {
  await deps.attempts.count('accounts.sign-in.address', given.device.address, limits.signInFromAddress);
  const accountId = await takeAssertion(deps, sealing, given, { accountId: null });
  const account = accountId === undefined ? undefined : await findAccount(deps.db, accountId);
  if (account === undefined) throw new ServiceError('accounts/wrong-credentials');
  return openSession(deps, sealing, account, given.device, 'accounts.sign-in-with-passkey');
}
