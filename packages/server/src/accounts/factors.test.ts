import { randomUUID } from 'node:crypto';
import { accountsRoutes as routes } from '@yuanyou/contract';
import type { ContractError, StepUpProof } from '@yuanyou/contract';
import { Secret, TOTP } from 'otpauth';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { softwareAuthenticator } from '../../test/software-authenticator.ts';
import type { Lapse } from '../../test/software-authenticator.ts';
import { sql } from '../platform/db/index.ts';
import { accountsForTest } from './testing.ts';

let world: Awaited<ReturnType<typeof accountsForTest>>;
beforeAll(async () => { world = await accountsForTest(); });
afterAll(async () => { await world.close(); });

const password = 'correct horse battery';
let made = 0;

async function traveller() {
  const email = `factor${++made}@example.test`;
  const { body } = await world.client().call(routes.signUp, { idempotencyKey: randomUUID(), body: { email, password, name: 'Mei Wang' } });
  return { email, accountId: body.account.id, client: world.client(body.session.secret!) };
}
type Traveller = Awaited<ReturnType<typeof traveller>>;

const codeOf = (secret: string) => new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: world.clock.now().getTime() });
const nextStep = () => { world.clock.advance(30_000); };
const signIn = (email: string, given = password) => world.client().call(routes.signIn, { body: { email, password: given } });

/** Turns on codes of an authenticator app. */
async function protect({ client }: Traveller) {
  const { body: { secret, uri } } = await client.call(routes.startOneTimeCodes, { body: { proof: { password } } });
  const { body: { recoveryCodes } } = await client.call(routes.confirmOneTimeCodes, { body: { code: codeOf(secret) } });
  nextStep();
  return { secret, uri, recoveryCodes };
}

/** The code that a sign-in goes on with. */
async function begin(email: string): Promise<{ signInCode: string; factors: string[] }> {
  const failure = await signIn(email).catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: 'accounts/second-factor-needed', status: 401 });
  return (failure as ContractError).problem!.details as never;
}
type Second = Extract<StepUpProof, { oneTimeCode: string } | { recoveryCode: string }>;
const goOn = (signInCode: string, proof: Second) => world.client().call(routes.signInWithSecondFactor, { body: { signInCode, proof } });

const origin = 'https://travel.example.test';

/** Adds a passkey on a device of its own. */
async function withPasskey({ client }: Traveller, at = origin, lapse: Lapse = {}) {
  const device = softwareAuthenticator(at);
  const { body: creation } = await client.call(routes.startPasskey, { body: { proof: { password } } });
  const created = device.create(creation, lapse);
  const { body: passkey } = await client.call(routes.addPasskey, { body: { challengeId: creation.challengeId, name: 'My phone', created } });
  return { device, passkey, creation, created };
}

async function passkeySignIn(device: ReturnType<typeof softwareAuthenticator>, lapse?: Lapse) {
  const { body: request } = await world.client().call(routes.requestPasskeySignIn);
  return world.client().call(routes.signInWithPasskey, { body: { challengeId: request.challengeId, assertion: device.sign(request, lapse) } });
}

describe('codes of an authenticator app', () => {
  test('are asked for after a right password, and only then', async () => {
    const one = await traveller();
    const { secret, uri, recoveryCodes } = await protect(one);
    expect(uri).toMatch(/^otpauth:\/\/totp\/Yuanyou%20test:factor/);
    expect(new Set(recoveryCodes).size).toBe(10);
    await expect(signIn(one.email, 'wrong')).rejects.toMatchObject({ code: 'accounts/wrong-credentials' });
    const { signInCode, factors } = await begin(one.email);
    expect(factors).toEqual(['oneTimeCode', 'recoveryCode']);
    await expect(goOn(signInCode, { oneTimeCode: '000000' })).rejects.toMatchObject({ code: 'accounts/wrong-proof' });
    const session = (await goOn(signInCode, { oneTimeCode: codeOf(secret) })).body.session.secret!;
    expect((await world.client(session).call(routes.getAccount)).body.email).toBe(one.email);
    expect((await one.client.call(routes.getFactors)).body).toMatchObject({ factors: ['password', 'oneTimeCode', 'recoveryCode'], recoveryCodesLeft: 10 });
    await world.jobs.drain();
    expect(world.mails.filter(({ to }) => to === one.email).map(({ subject }) => subject)).toContain('How you sign in has changed');
  });

  test('count once, also when two come at once, and an older one not after a newer', async () => {
    const one = await traveller();
    const { secret } = await protect(one);
    const older = codeOf(secret);
    nextStep();
    const oneTimeCode = codeOf(secret);
    const both = await Promise.allSettled([world.accounts.stepUp(one.accountId, { oneTimeCode }), world.accounts.stepUp(one.accountId, { oneTimeCode })]);
    expect(both.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    await expect(world.accounts.stepUp(one.accountId, { oneTimeCode: older })).rejects.toMatchObject({ code: 'accounts/wrong-proof' });
    const { signInCode } = await begin(one.email);
    await expect(goOn(signInCode, { oneTimeCode })).rejects.toMatchObject({ code: 'accounts/wrong-proof' });
    nextStep();
    expect((await goOn(signInCode, { oneTimeCode: codeOf(secret) })).status).toBe(201);
    nextStep();
    await expect(goOn(signInCode, { oneTimeCode: codeOf(secret) })).rejects.toMatchObject({ code: 'accounts/sign-in-expired' });
  });

  test('give way to a recovery code, once, however it is typed', async () => {
    const one = await traveller();
    const { recoveryCodes: [first, second] } = await protect(one);
    const recoveryCode = first!.toLowerCase().replace('-', ' ');
    expect((await goOn((await begin(one.email)).signInCode, { recoveryCode })).status).toBe(201);
    await expect(goOn((await begin(one.email)).signInCode, { recoveryCode })).rejects.toMatchObject({ code: 'accounts/wrong-proof' });
    const renewed = await one.client.call(routes.renewRecoveryCodes, { body: { proof: { password } } });
    expect(renewed.body.recoveryCodes).toHaveLength(10);
    await expect(world.accounts.stepUp(one.accountId, { recoveryCode: second! })).rejects.toMatchObject({ code: 'accounts/wrong-proof' });
  });

  test('are limited in tries, whichever sign-in they belong to', async () => {
    const one = await traveller();
    const { secret } = await protect(one);
    for (let attempt = 0; attempt < 10; attempt++) await goOn((await begin(one.email)).signInCode, { oneTimeCode: '000000' }).catch(() => undefined);
    const { signInCode } = await begin(one.email);
    await expect(goOn(signInCode, { oneTimeCode: codeOf(secret) })).rejects.toMatchObject({ code: 'general/too-many-requests' });
    world.clock.advance(15 * 60_000);
    await expect(goOn(signInCode, { oneTimeCode: codeOf(secret) })).rejects.toMatchObject({ code: 'accounts/sign-in-expired' });
  });

  test('are off until confirmed, and off again by a proof', async () => {
    const one = await traveller();
    await expect(one.client.call(routes.startOneTimeCodes, { body: { proof: { password: 'wrong' } } })).rejects.toMatchObject({ code: 'accounts/wrong-password' });
    await one.client.call(routes.startOneTimeCodes, { body: { proof: { password } } });
    await expect(one.client.call(routes.confirmOneTimeCodes, { body: { code: '000000' } })).rejects.toMatchObject({ code: 'accounts/wrong-code' });
    expect((await signIn(one.email)).status).toBe(201);
    const { secret } = await protect(one);
    await expect(one.client.call(routes.startOneTimeCodes, { body: { proof: { password } } })).rejects.toMatchObject({ code: 'accounts/one-time-codes-on' });
    await one.client.call(routes.stopOneTimeCodes, { body: { proof: { oneTimeCode: codeOf(secret) } } });
    expect((await signIn(one.email)).status).toBe(201);
    expect((await one.client.call(routes.getFactors)).body).toMatchObject({ factors: ['password'], oneTimeCodesSince: null, recoveryCodesLeft: 0 });
  });
});

describe('passkeys', () => {
  test('sign in by themselves, and steps up', async () => {
    const one = await traveller();
    const { device, passkey } = await withPasskey(one);
    expect(passkey).toMatchObject({ name: 'My phone', lastUsedAt: null });
    expect((await passkeySignIn(device)).body.account.id).toBe(one.accountId);
    const { body } = await one.client.call(routes.startStepUp);
    expect(body.factors).toEqual(['password', 'passkey']);
    const proof = { passkey: { challengeId: body.passkey!.challengeId, assertion: device.sign(body.passkey!) } };
    await one.client.call(routes.changePassword, { body: { proof: proof as never, newPassword: 'another horse battery' } });
    expect((await signIn(one.email, 'another horse battery')).status).toBe(201);
    expect((await one.client.call(routes.getFactors)).body.passkeys[0]!.lastUsedAt).not.toBeNull();
  });

  test('are a second proof too', async () => {
    const one = await traveller();
    await protect(one);
    const { device } = await withPasskey(one);
    const { signInCode, factors } = await begin(one.email);
    expect(factors).toContain('passkey');
    const { body: request } = await world.client().call(routes.requestPasskeySignIn);
    const proof = { passkey: { challengeId: request.challengeId, assertion: device.sign(request) } };
    expect((await world.client().call(routes.signInWithSecondFactor, { body: { signInCode, proof } })).status).toBe(201);
  });

  test.each<[string, Lapse]>([
    ['another origin', { origin: 'https://travel.example.test.evil.example' }], ['no unlocking', { verified: false }], ['a counter that stands still', { frozen: true }],
  ])('are refused with %s', async (_what, lapse) => {
    const { device } = await withPasskey(await traveller());
    await expect(passkeySignIn(device, lapse)).rejects.toMatchObject({ code: 'accounts/wrong-credentials' });
    expect((await passkeySignIn(device)).status).toBe(201);
  });

  test('are made at our origins only, and unlocked', async () => {
    const one = await traveller();
    await expect(withPasskey(one, 'https://evil.example')).rejects.toMatchObject({ code: 'accounts/wrong-proof' });
    await expect(withPasskey(one, origin, { verified: false })).rejects.toMatchObject({ code: 'accounts/wrong-proof' });
    const { device } = await withPasskey(one, 'https://account.travel.example.test');
    expect((await passkeySignIn(device)).status).toBe(201);
  });

  test('answer a challenge once, in time, and for what it was given', async () => {
    const [one, stranger] = [await traveller(), await traveller()];
    const { device, created, creation } = await withPasskey(one);
    await expect(one.client.call(routes.addPasskey, { body: { challengeId: creation.challengeId, name: 'Again', created } })).rejects.toMatchObject({ code: 'accounts/wrong-proof' });
    const { body: request } = await world.client().call(routes.requestPasskeySignIn);
    const body = { challengeId: request.challengeId, assertion: device.sign(request) };
    expect((await world.client().call(routes.signInWithPasskey, { body })).status).toBe(201);
    await expect(world.client().call(routes.signInWithPasskey, { body })).rejects.toMatchObject({ code: 'accounts/wrong-credentials' });

    const { body: late } = await world.client().call(routes.requestPasskeySignIn);
    world.clock.advance(5 * 60_000);
    await expect(world.client().call(routes.signInWithPasskey, { body: { challengeId: late.challengeId, assertion: device.sign(late) } })).rejects.toMatchObject({ status: 401 });

    const { body: { passkey: forStepUp } } = await one.client.call(routes.startStepUp);
    await expect(world.client().call(routes.signInWithPasskey, { body: { challengeId: forStepUp!.challengeId, assertion: device.sign(forStepUp!) } })).rejects.toMatchObject({ status: 401 });
    await withPasskey(stranger);
    const { body: { passkey: foreign } } = await stranger.client.call(routes.startStepUp);
    const proof = { passkey: { challengeId: foreign!.challengeId, assertion: device.sign({ ...foreign!, options: { ...foreign!.options, allowCredentials: [] } }) } };
    await expect(world.accounts.stepUp(stranger.accountId, proof as never)).rejects.toMatchObject({ code: 'accounts/wrong-proof' });
  });

  test('are renamed and removed by their owner alone; a removed one opens nothing', async () => {
    const [one, stranger] = [await traveller(), await traveller()];
    const { device, passkey } = await withPasskey(one);
    const params = { passkeyId: passkey.id };
    await expect(stranger.client.call(routes.renamePasskey, { params, body: { name: 'Mine' } })).rejects.toMatchObject({ code: 'general/not-found' });
    await expect(stranger.client.call(routes.removePasskey, { params, body: { proof: { password } } })).rejects.toMatchObject({ code: 'general/not-found' });
    expect((await one.client.call(routes.renamePasskey, { params, body: { name: 'Old phone' } })).body.name).toBe('Old phone');
    expect((await passkeySignIn(device)).status).toBe(201);
    await one.client.call(routes.removePasskey, { params, body: { proof: { password } } });
    await expect(passkeySignIn(device)).rejects.toMatchObject({ code: 'accounts/wrong-credentials' });
  });

  test('leave nothing readable in the database, and go with the account', async () => {
    const one = await traveller();
    const { secret } = await protect(one);
    const { device, passkey } = await withPasskey(one);
    const files = await world.accounts.holder.exportData(world.db, one.accountId);
    const [exported] = files.find(({ name }) => name === 'passkeys')!.rows;
    expect(exported).toMatchObject({ id: passkey.id, name: 'My phone' });
    const rows = await world.db.all<{ row: string }>(sql`select t::text as row from accounts.passkey t union all select t::text from accounts.one_time_code t`);
    for (const { row } of rows) for (const clear of ['My phone', secret, exported!['credentialId'] as string]) expect(row).not.toContain(clear);
    expect((await world.accounts.holder.closureConcerns(world.db, one.accountId)).find(({ code }) => code === 'accounts/passkeys')?.about).toEqual({ passkeys: 1 });
    const { erased } = await world.db.transaction((tx) => world.accounts.holder.erase(tx, one.accountId));
    expect(erased).toMatchObject({ passkeys: 1, oneTimeCodes: 1, recoveryCodes: 10 });
    await expect(passkeySignIn(device)).rejects.toMatchObject({ code: 'accounts/wrong-credentials' });
  });
});

describe('a password forgotten', () => {
  const ask = (email: string) => world.client().call(routes.requestPasswordReset, { body: { email } });
  const reset = (email: string, code: string) => world.client().call(routes.resetPassword, { body: { email, code, newPassword: 'a new horse battery' } });

  test('is replaced with a mailed code, once; every session ends, a second proof stays', async () => {
    const one = await traveller();
    await protect(one);
    await ask(one.email.toUpperCase());
    const code = await world.lastLongCode(one.email);
    await expect(reset(one.email, 'AAAAA-AAAAA')).rejects.toMatchObject({ code: 'accounts/wrong-code' });
    await reset(one.email, code.toLowerCase());
    await expect(reset(one.email, code)).rejects.toMatchObject({ code: 'accounts/wrong-code' });
    await expect(one.client.call(routes.getAccount)).rejects.toMatchObject({ code: 'general/unauthenticated' });
    await expect(signIn(one.email)).rejects.toMatchObject({ code: 'accounts/wrong-credentials' });
    await expect(signIn(one.email, 'a new horse battery')).rejects.toMatchObject({ code: 'accounts/second-factor-needed' });
    expect((await world.accounts.require(world.db, one.accountId)).emailVerifiedAt).not.toBeNull();
  });

  test('is asked for alike by known and unknown addresses, in answer and in work', async () => {
    const one = await traveller();
    await world.jobs.drain();
    const events = async () => Number((await world.db.one<{ n: bigint }>(sql`select count(*) as n from jobs.delivery where consumer = 'accounts.codes' and status <> 'done'`)).n);
    const before = await events();
    const known = await ask(one.email);
    const afterKnown = await events();
    const unknown = await ask('not-there@example.test');
    expect([known.status, unknown.status]).toEqual([202, 202]);
    expect([afterKnown - before, await events() - afterKnown]).toEqual([1, 1]);
    const mails = world.mails.length;
    await world.jobs.drain();
    expect(world.mails.slice(mails).map(({ to }) => to)).toEqual([one.email]);
    const refusals = await Promise.all([one.email, 'not-there@example.test'].map((email) => reset(email, 'AAAAA-AAAAA').catch((error: ContractError) => ({ ...error.problem, requestId: '' }))));
    expect(refusals[0]).toEqual(refusals[1]);
    for (const email of [one.email, 'not-there@example.test']) {
      for (let attempt = 0; attempt < 4; attempt++) await ask(email);
      await expect(ask(email)).rejects.toMatchObject({ code: 'general/too-many-requests' });
    }
  });

  test('is not replaced by a code from before the address or the password changed', async () => {
    const one = await traveller();
    await ask(one.email);
    const old = await world.lastLongCode(one.email);
    await one.client.call(routes.changeEmail, { body: { email: 'moved@example.test', password } });
    await one.client.call(routes.confirmEmail, { body: { code: await world.lastCode('moved@example.test') } });
    await expect(reset('moved@example.test', old)).rejects.toMatchObject({ code: 'accounts/wrong-code' });
    await ask('moved@example.test');
    const newer = await world.lastLongCode('moved@example.test');
    await one.client.call(routes.changePassword, { body: { password, newPassword: 'another horse battery' } });
    await expect(reset('moved@example.test', newer)).rejects.toMatchObject({ code: 'accounts/wrong-code' });
  });

  test('waits for a code no longer than it counts', async () => {
    const one = await traveller();
    await ask(one.email);
    const code = await world.lastLongCode(one.email);
    world.clock.advance(30 * 60_000);
    await expect(reset(one.email, code)).rejects.toMatchObject({ code: 'accounts/wrong-code' });
    await world.accounts.sweep();
    expect(await world.db.all(sql`select 1 from accounts.mailed_code union all select 1 from accounts.challenge`)).toEqual([]);
  });
});
