import { randomUUID } from 'node:crypto';
import { accountsRoutes as routes, problem } from '@yuanyou/contract';
import type { Route } from '@yuanyou/contract';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { cursorOf } from '../platform/http/index.ts';
import { drive } from '../platform/http/testing.ts';
import type { RawCall } from '../platform/http/testing.ts';
import { accountsForTest } from './testing.ts';

let world: Awaited<ReturnType<typeof accountsForTest>>;
let secret: string;
let otherSecret: string;
let contactId: string;
const password = 'correct horse battery';
const credentials = { email: 'driven@example.test', password };

beforeAll(async () => {
  world = await accountsForTest();
  const { body } = await world.client().call(routes.signUp, { idempotencyKey: randomUUID(), body: { ...credentials, name: 'Mei' } });
  secret = body.session.secret!;
  const other = await world.client().call(routes.signUp, { idempotencyKey: randomUUID(), body: { email: 'other-driven@example.test', password, name: 'Li' } });
  otherSecret = other.body.session.secret!;
  contactId = (await world.client(secret).call(routes.addContact, { idempotencyKey: randomUUID(), body: { name: 'Ling' } })).body.id;
});
afterAll(async () => { await world.close(); });

beforeEach(async () => {
  world.clock.advance(16 * 60_000);
  secret = (await world.client().call(routes.signIn, { body: credentials })).body.session.secret!;
});

const named = { id: 'a2V5', rawId: 'a2V5', type: 'public-key', clientExtensionResults: {} };
const assertion = { challengeId: randomUUID(), assertion: { ...named, response: { clientDataJSON: 'e30', authenticatorData: 'AAAA', signature: 'AAAA', userHandle: 'AAAA' } } };

/** One good call of each operation; the one that would end the session in use comes without it. */
const calls: Record<keyof typeof routes, () => Omit<RawCall, 'route'>> = {
  signUp: () => ({ body: { email: `${randomUUID()}@example.test`, password, name: 'Mei', language: 'en', country: 'DE', transport: 'bearer' }, headers: { 'idempotency-key': randomUUID() } }),
  signIn: () => ({ body: { ...credentials, transport: 'cookie' } }),
  listSessions: () => ({ query: { limit: '10', cursor: cursorOf([randomUUID()]) } }),
  signOut: () => ({ headers: { authorization: 'Bearer tvs_unknown' } }),
  renameSession: () => ({ params: { sessionId: randomUUID() }, body: { name: 'Phone' } }),
  revokeSession: () => ({ params: { sessionId: randomUUID() } }),
  getAccount: () => ({}),
  changeAccount: () => ({ body: { name: 'Mei', language: 'en', country: 'DE' } }),
  // Of another account: some of the mutations are good new passwords.
  changePassword: () => ({ body: { password, newPassword: password }, headers: { authorization: `Bearer ${otherSecret}` } }),
  changeEmail: () => ({ body: { email: 'other@example.test', password } }),
  requestEmailVerification: () => ({}),
  confirmEmail: () => ({ body: { code: '123456' } }),
  signInWithSecondFactor: () => ({ body: { signInCode: `sgn_${'x'.repeat(43)}`, proof: { oneTimeCode: '123456' }, transport: 'bearer' } }),
  requestPasskeySignIn: () => ({}),
  signInWithPasskey: () => ({ body: { ...assertion, transport: 'bearer' } }),
  requestPasswordReset: () => ({ body: { email: 'nobody@example.test' } }),
  resetPassword: () => ({ body: { email: credentials.email, code: 'AAAAA-AAAAA', newPassword: password } }),
  getFactors: () => ({}),
  startStepUp: () => ({}),
  startOneTimeCodes: () => ({ body: { proof: { password } } }),
  confirmOneTimeCodes: () => ({ body: { code: '123456' } }),
  stopOneTimeCodes: () => ({ body: { proof: { recoveryCode: 'AAAAA-AAAAA' } } }),
  renewRecoveryCodes: () => ({ body: { proof: { passkey: assertion } } }),
  startPasskey: () => ({ body: { proof: { password } } }),
  addPasskey: () => ({ body: { challengeId: randomUUID(), name: 'Key', created: { ...named, response: { clientDataJSON: 'e30', attestationObject: 'oA', transports: ['usb'] } } } }),
  renamePasskey: () => ({ params: { passkeyId: randomUUID() }, body: { name: 'Key' } }),
  removePasskey: () => ({ params: { passkeyId: randomUUID() }, body: { proof: { password } } }),
  openGuest: () => ({ body: { email: `${randomUUID()}@example.test`, name: 'Mei', language: 'en', country: 'DE', transport: 'bearer' }, headers: { 'idempotency-key': randomUUID() } }),
  requestClaim: () => ({ body: { email: 'nobody@example.test' } }),
  claimAccount: () => ({ body: { email: 'nobody@example.test', code: 'AAAAA-AAAAA', password, name: 'Mei', transport: 'bearer' } }),
  listDocuments: () => ({}),
  publishDocument: () => ({ params: { kind: 'terms', version: '2026-11' }, body: { url: 'https://example.test/terms', sha256: 'a'.repeat(64), effectiveAt: '2026-11-22T08:00:00.000Z' } }),
  getConsents: () => ({}),
  recordConsents: () => ({ body: { decisions: [{ kind: 'terms', version: '2026-11', granted: true }] }, headers: { 'idempotency-key': randomUUID() } }),
  listContacts: () => ({ query: { limit: '10', cursor: cursorOf(['2026-11-22T08:00:00.000Z', randomUUID()]) } }),
  addContact: () => ({ body: { name: 'L', phone: '+4930555', email: 'l@example.test', note: 'n' }, headers: { 'idempotency-key': randomUUID() } }),
  getContact: () => ({ params: { contactId } }),
  replaceContact: () => ({ params: { contactId }, body: { name: 'L', phone: null, email: null, note: 'n' } }),
  removeContact: () => ({ params: { contactId: randomUUID() } }),
};

test.each(Object.entries(routes) as [keyof typeof routes, Route][])('%s answers its contract, whatever it is sent', async (operation, route) => {
  const good = calls[operation]();
  const call: RawCall = { route, ...good, headers: { authorization: `Bearer ${secret}`, ...good.headers } };
  // Limits on attempts are tested elsewhere; here every call shall reach its handler.
  const driven = await drive(world.served.url, call, () => { world.clock.advance(16 * 60_000); });
  for (const { status, isProblem, text, context } of driven) {
    expect(status, context).toBeLessThan(500);
    if (isProblem) expect(problem.parse(JSON.parse(text)).status).toBe(status);
    else expect(Object.keys(route.responses), context).toContain(String(status));
  }
  expect(driven[0]!.status, driven[0]!.context).not.toBe(400);
  expect(world.served.logged.filter(({ level }) => level === 'error')).toEqual([]);
}, 60_000);
