import { Secret, TOTP } from 'otpauth';
import type { Tx } from '../../platform/db/types.ts';
import { ServiceError } from '../../platform/errors.ts';
import type { AccountsDeps } from '../deps.ts';
import { newLongCode } from '../long-code.ts';
import { limits } from '../model.ts';
import type { AccountRow } from '../model.ts';
import type { Sealing } from '../sealing.ts';
import { prepareChange } from './change.ts';
import * as store from './store.ts';

const periodSeconds = 30;
const recoveryCodes = 10;

/** What authenticator apps in practice take: SHA-1, six digits, thirty seconds (the defaults of RFC 6238). */
function generatorOf(secret: string, issuer: string, label: string): TOTP {
  return new TOTP({ issuer, label, secret: Secret.fromBase32(secret), algorithm: 'SHA1', digits: 6, period: periodSeconds });
}

/** The step of the clock that a code belongs to, one before or after now at most; undefined when it is not right. */
function stepOf(secret: string, code: string, now: Date): number | undefined {
  const delta = generatorOf(secret, '', '').validate({ token: code, timestamp: now.getTime(), window: 1 });
  return delta === null ? undefined : Math.floor(now.getTime() / 1000 / periodSeconds) + delta;
}

/** A new secret, sealed and pending until a code made with it is confirmed. @throws `accounts/one-time-codes-on` */
export async function startOneTimeCodes(deps: AccountsDeps, sealing: Sealing, account: AccountRow): Promise<{ readonly secret: string; readonly uri: string }> {
  const secret = new Secret({ size: 20 }).base32;
  const email = await sealing.open(account.id, 'email', account.email);
  const sealed = await sealing.seal(account.id, 'oneTimeSecret', secret);
  const put = await deps.db.transaction((tx) => store.putOneTime(tx, account.id, sealed, deps.clock.now()));
  if (!put) throw new ServiceError('accounts/one-time-codes-on');
  return { secret, uri: generatorOf(secret, deps.site?.name ?? 'Yuanyou', email).toString() };
}

/** Turns the second proof on; answers the recovery codes. @throws `accounts/wrong-code`, `accounts/one-time-codes-on` */
export async function confirmOneTimeCodes(deps: AccountsDeps, sealing: Sealing, account: AccountRow, code: string): Promise<string[]> {
  await deps.attempts.count('accounts.one-time-code', account.id, limits.proof);
  const row = await store.findOneTime(deps.db, account.id);
  if (row !== undefined && row.confirmedAt !== null) throw new ServiceError('accounts/one-time-codes-on');
  const step = row === undefined ? undefined : stepOf(await sealing.open(account.id, 'oneTimeSecret', row.secret), code, deps.clock.now());
  if (step === undefined) throw new ServiceError('accounts/wrong-code');
  const codes = newCodes();
  const change = await prepareChange(deps, sealing, account, 'accounts.turn-on-one-time-codes');
  await deps.db.transaction(async (tx) => {
    if (!await store.takeStep(tx, account.id, step) || !await store.confirmOneTime(tx, account.id, deps.clock.now())) throw new ServiceError('accounts/wrong-code');
    await saveCodes(sealing, tx, account.id, codes);
    await change.save(tx);
  });
  return codes;
}

/** True for a right code that was not taken before. */
export async function takeOneTimeCode(deps: AccountsDeps, sealing: Sealing, accountId: string, code: string): Promise<boolean> {
  const row = await store.findOneTime(deps.db, accountId);
  if (row === undefined || row.confirmedAt === null) return false;
  const step = stepOf(await sealing.open(accountId, 'oneTimeSecret', row.secret), code, deps.clock.now());
  return step !== undefined && deps.db.transaction((tx) => store.takeStep(tx, accountId, step));
}

/** True for a recovery code that was not taken before. */
export function takeRecoveryCode(deps: AccountsDeps, sealing: Sealing, accountId: string, code: string): Promise<boolean> {
  return deps.db.transaction((tx) => store.takeRecoveryCode(tx, accountId, sealing.longCodeDigest('recovery', accountId, code)));
}

/** Ten new recovery codes in place of the old. @throws `accounts/one-time-codes-off` */
export async function renewRecoveryCodes(deps: AccountsDeps, sealing: Sealing, account: AccountRow): Promise<string[]> {
  const row = await store.findOneTime(deps.db, account.id);
  if (row === undefined || row.confirmedAt === null) throw new ServiceError('accounts/one-time-codes-off');
  const codes = newCodes();
  const change = await prepareChange(deps, sealing, account, 'accounts.renew-recovery-codes');
  await deps.db.transaction(async (tx) => {
    await saveCodes(sealing, tx, account.id, codes);
    await change.save(tx);
  });
  return codes;
}

/** Turns the second proof off; the recovery codes go with it. Repeatable. */
export async function stopOneTimeCodes(deps: AccountsDeps, sealing: Sealing, account: AccountRow): Promise<void> {
  const change = await prepareChange(deps, sealing, account, 'accounts.turn-off-one-time-codes');
  await deps.db.transaction(async (tx) => {
    if (await store.deleteOneTime(tx, account.id) === 0) return;
    await store.deleteRecoveryCodes(tx, account.id);
    await change.save(tx);
  });
}

function newCodes(): string[] {
  return Array.from({ length: recoveryCodes }, newLongCode);
}

function saveCodes(sealing: Sealing, tx: Tx, accountId: string, codes: readonly string[]): Promise<void> {
  return store.replaceRecoveryCodes(tx, accountId, codes.map((code) => sealing.longCodeDigest('recovery', accountId, code)));
}
