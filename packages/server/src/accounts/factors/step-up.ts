import type { Factor, StepUpProof } from '@yuanyou/contract';
import type { Reader, Tx } from '../../platform/db/types.ts';
import { ServiceError } from '../../platform/errors.ts';
import { mailCode } from '../mailed-code.ts';
import { limits } from '../model.ts';
import type { AccountRow } from '../model.ts';
import { requireRow, verifyPassword } from '../profile.ts';
import type { Sealing } from '../sealing.ts';
import { lockAccount, takeMailedCode } from '../store.ts';
import { takeOneTimeCode, takeRecoveryCode } from './one-time-codes.ts';
import { requestAssertion, takeAssertion } from './passkeys.ts';
import type { PasskeyDeps } from './passkeys.ts';
import * as store from './store.ts';

/** What an account is protected by. */
export interface Protection {
  readonly factors: Factor[];
  readonly oneTimeCodesSince: Date | null;
  readonly recoveryCodesLeft: number;
}

/** How an account's holder can prove who they are. By a mailed code only where there is no other way: the mailbox alone shall not open an account. */
export async function protectionOf(db: Reader, account: AccountRow): Promise<Protection> {
  const oneTime = await store.findOneTime(db, account.id);
  const recoveryCodesLeft = await store.countRecoveryCodes(db, account.id);
  const passkeys = await store.listPasskeys(db, account.id);
  const has: Readonly<Record<Factor, boolean>> = {
    password: account.passwordHash !== null,
    oneTimeCode: oneTime !== undefined && oneTime.confirmedAt !== null,
    recoveryCode: recoveryCodesLeft > 0,
    passkey: passkeys.length > 0,
    mailedCode: account.passwordHash === null && passkeys.length === 0,
  };
  return { factors: (Object.keys(has) as Factor[]).filter((one) => has[one]), oneTimeCodesSince: oneTime?.confirmedAt ?? null, recoveryCodesLeft };
}

/** What a proof is checked by, one way at a time; each is spent by being right. */
export async function isProven(
  deps: PasskeyDeps, sealing: Sealing, accountId: string, proof: Exclude<StepUpProof, { password: string }>, challenged: { readonly accountId: string | null },
): Promise<boolean> {
  if ('oneTimeCode' in proof) return takeOneTimeCode(deps, sealing, accountId, proof.oneTimeCode);
  if ('recoveryCode' in proof) return takeRecoveryCode(deps, sealing, accountId, proof.recoveryCode);
  if ('passkey' in proof) return await takeAssertion(deps, sealing, proof.passkey, challenged) === accountId;
  const digest = sealing.longCodeDigest('step-up', accountId, proof.mailedCode);
  return deps.db.transaction((tx) => takeMailedCode(tx, accountId, 'step-up', digest, deps.clock.now()));
}

/**
 * The holder proves once more that it is they, by any way that the account has; the proof is spent.
 * @throws `accounts/wrong-password`, `accounts/wrong-proof`, `general/too-many-requests`, `accounts/unknown`, `accounts/closed`
 */
export async function stepUp(deps: PasskeyDeps, sealing: Sealing, accountId: string, proof: StepUpProof): Promise<true> {
  if ('password' in proof) return verifyPassword(deps, accountId, proof.password);
  await deps.attempts.count('accounts.proof', accountId, limits.proof);
  const account = await requireRow(deps.db, accountId);
  const offered = (await protectionOf(deps.db, account)).factors;
  const [way] = Object.keys(proof) as [Factor];
  if (!offered.includes(way) || !await isProven(deps, sealing, accountId, proof, { accountId })) throw new ServiceError('accounts/wrong-proof');
  await deps.attempts.clear('accounts.proof', accountId);
  return true;
}

/** What may serve as proof now; passkeys get their challenge, and a guest a code by mail. */
export async function startStepUp(deps: PasskeyDeps, sealing: Sealing, account: AccountRow): Promise<{
  readonly factors: Factor[]; readonly passkey: Awaited<ReturnType<typeof requestAssertion>> | null;
}> {
  await deps.attempts.count('accounts.step-up', account.id, limits.stepUp);
  const { factors } = await protectionOf(deps.db, account);
  if (factors.includes('mailedCode')) {
    await deps.attempts.count('accounts.code-sent', account.id, limits.codeSent);
    await mailCode(deps, sealing, 'step-up', account);
  }
  return { factors, passkey: factors.includes('passkey') ? await requestAssertion(deps, sealing, account.id) : null };
}

/** Takes everything that an account is protected by, for erasure; answers counts. */
export async function eraseFactors(
  tx: Tx, accountId: string,
): Promise<{ readonly passkeys: number; readonly oneTimeCodes: number; readonly recoveryCodes: number }> {
  await lockAccount(tx, accountId);
  await store.deleteBegun(tx, accountId);
  return {
    passkeys: await store.deletePasskeys(tx, accountId),
    oneTimeCodes: await store.deleteOneTime(tx, accountId),
    recoveryCodes: await store.deleteRecoveryCodes(tx, accountId),
  };
}
