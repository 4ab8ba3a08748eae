import { accountsRoutes as routes, id } from '@yuanyou/contract';
import type { StepUpProof } from '@yuanyou/contract';
import { z } from 'zod';
import { ServiceError } from '../platform/errors.ts';
import { endpoint, pageOf, readCursor } from '../platform/http/index.ts';
import type { Endpoint } from '../platform/http/index.ts';
import { consentEndpoints } from './consents/routes.ts';
import * as contacts from './contacts.ts';
import { confirmEmail, sendCode } from './email.ts';
import type { PasskeyDeps } from './factors/passkeys.ts';
import { factorEndpoints } from './factors/routes.ts';
import { demandSecondFactor } from './factors/sign-in.ts';
import { stepUp } from './factors/step-up.ts';
import { claimAccount, openGuest, requestClaim } from './guests.ts';
import type { AccountRow } from './model.ts';
import { changePassword, changeProfile, openProfile, requireRow, shown } from './profile.ts';
import type { Sealing } from './sealing.ts';
import { begun, deviceOfCall, endSession, listSessions, renameSession, signIn } from './sessions.ts';
import { signUp } from './sign-up.ts';

export function accountsEndpoints(deps: PasskeyDeps, sealing: Sealing): Endpoint[] {
  return [
    ...identityEndpoints(deps, sealing), ...sessionEndpoints(deps, sealing), ...factorEndpoints(deps, sealing), ...guestEndpoints(deps, sealing),
    ...profileEndpoints(deps, sealing), ...consentEndpoints(deps), ...contactEndpoints(deps, sealing),
  ];
}

function identityEndpoints(deps: PasskeyDeps, sealing: Sealing): Endpoint[] {
  return [
    endpoint(routes.signUp, async (call) => {
      const { email, password, name, language, country, transport } = call.body;
      const { account, session } = await signUp(deps, sealing, {
        accountId: call.idempotencyKey, email, password, name, language: language ?? call.language, country: country ?? null, device: deviceOfCall(call),
      });
      return { status: 201, body: { account: shown(await openProfile(sealing, account)), session: begun(call, session, transport) } };
    }),
    endpoint(routes.signIn, async (call) => {
      const { account, session } = await signIn(deps, sealing, {
        email: call.body.email, password: call.body.password, device: deviceOfCall(call), demandSecondFactor: (one) => demandSecondFactor(deps, one),
      });
      return { status: 201, body: { account: shown(await openProfile(sealing, account)), session: begun(call, session, call.body.transport) } };
    }),
  ];
}

function sessionEndpoints(deps: PasskeyDeps, sealing: Sealing): Endpoint[] {
  return [
    endpoint(routes.listSessions, async ({ principal, query }) => {
      const before = readCursor(query.cursor, z.tuple([id]))?.[0] ?? null;
      const page = pageOf(await listSessions(deps, sealing, deps.db, principal.accountId, before, query.limit + 1), query.limit, (one) => [one.id]);
      const items = page.items.map((one) => ({
        id: one.id, current: one.id === principal.sessionId, name: one.name, device: one.device,
        createdAt: one.createdAt.toISOString(), lastSeenAt: one.lastSeenAt.toISOString(), expiresAt: one.expiresAt.toISOString(),
      }));
      return { status: 200, body: { items, nextCursor: page.nextCursor } };
    }),
    endpoint(routes.signOut, async ({ principal, setSession }) => {
      await endSession(deps, principal.accountId, principal.sessionId);
      setSession(null);
      return { status: 204 };
    }),
    endpoint(routes.renameSession, async ({ principal, params, body }) => {
      await renameSession(deps, sealing, principal.accountId, params.sessionId, body.name);
      return { status: 204 };
    }),
    endpoint(routes.revokeSession, async ({ principal, params }) => {
      await endSession(deps, principal.accountId, params.sessionId);
      return { status: 204 };
    }),
  ];
}

function guestEndpoints(deps: PasskeyDeps, sealing: Sealing): Endpoint[] {
  return [
    endpoint(routes.openGuest, async (call) => {
      const { email, name, language, country, transport } = call.body;
      const { account, session } = await openGuest(deps, sealing, {
        accountId: call.idempotencyKey, email, name: name ?? null, language: language ?? call.language, country: country ?? null, device: deviceOfCall(call),
      });
      return { status: 201, body: { account: shown(await openProfile(sealing, account)), session: begun(call, session, transport) } };
    }),
    endpoint(routes.requestClaim, async ({ body, remoteAddress }) => {
      await requestClaim(deps, sealing, { email: body.email, address: remoteAddress });
      return { status: 202 };
    }),
    endpoint(routes.claimAccount, async (call) => {
      const { name, transport, ...given } = call.body;
      const { account, session } = await claimAccount(deps, sealing, { ...given, name: name ?? null, device: deviceOfCall(call) });
      return { status: 201, body: { account: shown(await openProfile(sealing, account)), session: begun(call, session, transport) } };
    }),
  ];
}

/** The address and the password belong to those who sign in: a guest claims the account first. */
async function claimed(deps: PasskeyDeps, accountId: string): Promise<AccountRow> {
  const row = await requireRow(deps.db, accountId);
  if (row.guestIndex !== null) throw new ServiceError('accounts/guest');
  return row;
}

/** Exactly one of the two: a password, or any proof that the account has. */
async function prove(
  deps: PasskeyDeps, sealing: Sealing, accountId: string,
  given: { readonly password?: string | undefined; readonly proof?: StepUpProof | undefined },
): Promise<void> {
  const proof = given.password === undefined ? given.proof : given.proof === undefined ? { password: given.password } : undefined;
  if (proof === undefined) throw new ServiceError('general/bad-request', { field: 'proof' });
  await stepUp(deps, sealing, accountId, proof);
}

function profileEndpoints(deps: PasskeyDeps, sealing: Sealing): Endpoint[] {
  const profileOf = async (accountId: string) => shown(await openProfile(sealing, await requireRow(deps.db, accountId)));
  return [
    endpoint(routes.getAccount, async ({ principal }) => ({ status: 200, body: await profileOf(principal.accountId) })),
    endpoint(routes.changeAccount, async ({ principal, body }) => {
      await changeProfile(deps, sealing, principal.accountId, body);
      return { status: 200, body: await profileOf(principal.accountId) };
    }),
    endpoint(routes.changePassword, async ({ principal: { accountId, sessionId }, body }) => {
      await claimed(deps, accountId);
      await prove(deps, sealing, accountId, body);
      await changePassword(deps, sealing, { accountId, sessionId, newPassword: body.newPassword });
      return { status: 204 };
    }),
    endpoint(routes.changeEmail, async ({ principal: { accountId }, body }) => {
      const account = await claimed(deps, accountId);
      await prove(deps, sealing, accountId, body);
      await sendCode(deps, sealing, account, body.email);
      return { status: 202 };
    }),
    endpoint(routes.requestEmailVerification, async ({ principal: { accountId } }) => {
      await sendCode(deps, sealing, await claimed(deps, accountId), null);
      return { status: 202 };
    }),
    endpoint(routes.confirmEmail, async ({ principal: { accountId }, body }) => {
      await confirmEmail(deps, sealing, await claimed(deps, accountId), body.code);
      return { status: 200, body: await profileOf(accountId) };
    }),
  ];
}

const contactCursor = z.tuple([z.iso.datetime(), id]);

function contactEndpoints(deps: PasskeyDeps, sealing: Sealing): Endpoint[] {
  return [
    endpoint(routes.listContacts, async ({ principal: { accountId }, query }) => {
      const cursor = readCursor(query.cursor, contactCursor);
      const after = cursor === undefined ? null : { at: new Date(cursor[0]), id: cursor[1] };
      const rows = await contacts.listContacts(sealing, deps.db, accountId, after, query.limit + 1);
      const page = pageOf(rows, query.limit, (one) => [one.createdAt.toISOString(), one.id]);
      return { status: 200, body: { items: page.items.map(shownContact), nextCursor: page.nextCursor } };
    }),
    endpoint(routes.addContact, async ({ principal: { accountId }, body, idempotencyKey }) => (
      { status: 201, body: shownContact(await contacts.addContact(deps, sealing, accountId, idempotencyKey, body)) })),
    endpoint(routes.getContact, async ({ principal: { accountId }, params }) => (
      { status: 200, body: shownContact(await contacts.getContact(deps, sealing, accountId, params.contactId)) })),
    endpoint(routes.replaceContact, async ({ principal: { accountId }, params, body }) => (
      { status: 200, body: shownContact(await contacts.replaceContact(deps, sealing, accountId, params.contactId, body)) })),
    endpoint(routes.removeContact, async ({ principal: { accountId }, params }) => {
      await contacts.removeContact(deps, accountId, params.contactId);
      return { status: 204 };
    }),
  ];
}

function shownContact(contact: contacts.Contact) {
  return { ...contact, createdAt: contact.createdAt.toISOString() };
}
