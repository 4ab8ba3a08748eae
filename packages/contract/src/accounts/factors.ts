import { z } from 'zod';
import { id, instant } from '../core/ids.ts';
import { route } from '../core/route.ts';
import { passkey, passkeyCreated, passkeyCreation, passkeyProof, passkeyRequest } from './passkeys.ts';
import { emailAddress, knownPassword, line, newPassword, sessionTransport, withAccount } from './schemas.ts';

/** The six digits that an authenticator app shows (TOTP, RFC 6238, SHA-1, 30 seconds). */
export const oneTimeCode = z.string().regex(/^\d{6}$/).meta({ example: '482913' });

/** Ten letters and digits, as mailed or printed; case, spaces and hyphens do not count. */
export const longCode = z.string().min(10).max(20).regex(/^[A-Za-z0-9 -]+$/).meta({ example: 'K7QPM-3WX9D' });

/** What proves a second time that it is the holder: exactly one of the ways that the account has. */
export const stepUpProof = z.union([
  z.strictObject({ password: knownPassword }),
  z.strictObject({ oneTimeCode }),
  z.strictObject({ recoveryCode: longCode }),
  z.strictObject({ passkey: passkeyProof }),
  z.strictObject({ mailedCode: longCode }),
]).meta({ id: 'StepUpProof' });

/** A proof as it is read. */
export type StepUpProof = z.output<typeof stepUpProof>;

const secondProof = z.union([
  z.strictObject({ oneTimeCode }), z.strictObject({ recoveryCode: longCode }), z.strictObject({ passkey: passkeyProof }),
]).meta({ id: 'SecondProof' });

/** The ways to prove who one is; `mailedCode` only where the account has no other. */
export const factor = z.enum(['password', 'oneTimeCode', 'recoveryCode', 'passkey', 'mailedCode']).meta({ id: 'Factor' });

/** One of the ways to prove who one is. */
export type Factor = z.infer<typeof factor>;

/** What an account is protected by. */
export const factors = z.object({
  factors: z.array(factor),
  /** Since when signing in by password asks for a second proof; null where it does not. */
  oneTimeCodesSince: instant.nullable(),
  recoveryCodesLeft: z.int(),
  passkeys: z.array(passkey),
}).meta({ id: 'Factors' });

const proven = z.strictObject({ proof: stepUpProof });
const onePasskey = z.strictObject({ passkeyId: id });
const recoveryCodes = z.object({ recoveryCodes: z.array(z.string()) }).meta({ id: 'RecoveryCodes' });
const wrong = ['accounts/wrong-proof', 'accounts/wrong-password'] as const;

/** Routes of signing in otherwise than by password alone. */
export const signInRoutes = {
  signInWithSecondFactor: route({
    operationId: 'signInWithSecondFactor', method: 'POST', path: '/v1/sessions/second-factor', tag: 'Account', audience: 'public',
    summary: 'Signs in where the password was right and a second proof is needed',
    body: z.strictObject({ signInCode: z.string().min(20).max(100), proof: secondProof, transport: sessionTransport }),
    responses: { 201: withAccount }, problems: ['accounts/wrong-proof', 'accounts/sign-in-expired'],
  }),
  requestPasskeySignIn: route({
    operationId: 'requestPasskeySignIn', method: 'POST', path: '/v1/passkey-challenges', tag: 'Account', audience: 'public',
    summary: 'A challenge to sign in with a passkey', responses: { 201: passkeyRequest },
  }),
  signInWithPasskey: route({
    operationId: 'signInWithPasskey', method: 'POST', path: '/v1/sessions/passkey', tag: 'Account', audience: 'public',
    summary: 'Signs in with a passkey', body: z.strictObject({ ...passkeyProof.shape, transport: sessionTransport }),
    responses: { 201: withAccount }, problems: ['accounts/wrong-credentials'],
  }),
  requestPasswordReset: route({
    operationId: 'requestPasswordReset', method: 'POST', path: '/v1/password-resets', tag: 'Account', audience: 'public',
    summary: 'Sends a code for a new password to the address, if there is an account; the answer is the same either way',
    body: z.strictObject({ email: emailAddress }), responses: { 202: null },
  }),
  resetPassword: route({
    operationId: 'resetPassword', method: 'POST', path: '/v1/password-resets/confirmation', tag: 'Account', audience: 'public',
    summary: 'Sets a new password with the mailed code and ends every session',
    body: z.strictObject({ email: emailAddress, code: longCode, newPassword }), responses: { 204: null }, problems: ['accounts/wrong-code'],
  }),
} as const;

/** Routes of what an account is protected by. */
export const factorRoutes = {
  getFactors: route({
    operationId: 'getFactors', method: 'GET', path: '/v1/account/factors', tag: 'Account', audience: 'traveller', whileLeaving: true,
    summary: 'What the account is protected by, and how its holder can prove who they are', responses: { 200: factors },
  }),
  startStepUp: route({
    operationId: 'startStepUp', method: 'POST', path: '/v1/account/step-up', tag: 'Account', audience: 'traveller', whileLeaving: true,
    summary: 'What may serve as proof, with a challenge for the passkeys; sends a code to a guest',
    responses: { 201: z.object({ factors: z.array(factor), passkey: passkeyRequest.nullable() }) },
  }),
  startOneTimeCodes: route({
    operationId: 'startOneTimeCodes', method: 'POST', path: '/v1/account/one-time-codes', tag: 'Account', audience: 'traveller',
    summary: 'A secret for an authenticator app; it counts once a code made with it is confirmed', body: proven,
    responses: { 201: z.object({ secret: z.string(), uri: z.string() }) }, problems: [...wrong, 'accounts/one-time-codes-on', 'accounts/guest'],
  }),
  confirmOneTimeCodes: route({
    operationId: 'confirmOneTimeCodes', method: 'POST', path: '/v1/account/one-time-codes/confirmation', tag: 'Account', audience: 'traveller',
    summary: 'Turns on the second proof at sign-in; the recovery codes are shown once', body: z.strictObject({ code: oneTimeCode }),
    responses: { 200: recoveryCodes }, problems: ['accounts/wrong-code', 'accounts/one-time-codes-on'],
  }),
  stopOneTimeCodes: route({
    operationId: 'stopOneTimeCodes', method: 'POST', path: '/v1/account/one-time-codes/removal', tag: 'Account', audience: 'traveller',
    summary: 'Turns the second proof at sign-in off', body: proven, responses: { 204: null }, problems: wrong,
  }),
  renewRecoveryCodes: route({
    operationId: 'renewRecoveryCodes', method: 'POST', path: '/v1/account/recovery-codes', tag: 'Account', audience: 'traveller',
    summary: 'Ten new recovery codes; the old ones are void', body: proven,
    responses: { 200: recoveryCodes }, problems: [...wrong, 'accounts/one-time-codes-off'],
  }),
  startPasskey: route({
    operationId: 'startPasskey', method: 'POST', path: '/v1/account/passkeys/challenge', tag: 'Account', audience: 'traveller',
    summary: 'A challenge for a new passkey', body: proven, responses: { 201: passkeyCreation }, problems: [...wrong, 'accounts/too-many-passkeys', 'accounts/guest'],
  }),
  addPasskey: route({
    operationId: 'addPasskey', method: 'POST', path: '/v1/account/passkeys', tag: 'Account', audience: 'traveller',
    summary: 'Adds the passkey that was made for a challenge',
    body: z.strictObject({ challengeId: id, name: line(100), created: passkeyCreated }),
    responses: { 201: passkey }, problems: ['accounts/wrong-proof', 'accounts/too-many-passkeys'],
  }),
  renamePasskey: route({
    operationId: 'renamePasskey', method: 'PATCH', path: '/v1/account/passkeys/:passkeyId', tag: 'Account', audience: 'traveller',
    summary: 'Renames a passkey', params: onePasskey, body: z.strictObject({ name: line(100) }), responses: { 200: passkey },
  }),
  removePasskey: route({
    operationId: 'removePasskey', method: 'POST', path: '/v1/account/passkeys/:passkeyId/removal', tag: 'Account', audience: 'traveller',
    summary: 'Removes a passkey', params: onePasskey, body: proven, responses: { 204: null }, problems: wrong,
  }),
} as const;
