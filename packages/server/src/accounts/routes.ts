import { accountsRoutes as routes, id } from '@yuanyou/contract';
import { z } from 'zod';
import { endpoint, pageOf, readCursor } from '../platform/http/index.ts';
import type { Call, Endpoint } from '../platform/http/index.ts';
import * as contacts from './contacts.ts';
import type { AccountsDeps } from './deps.ts';
import { confirmEmail, sendCode } from './email.ts';
import { changePassword, changeProfile, openProfile, requireRow, verifyPassword } from './profile.ts';
import type { Profile } from './profile.ts';
import type { Sealing } from './sealing.ts';
import { endSession, listSessions, signIn } from './sessions.ts';
import type { BegunSession, Device } from './sessions.ts';
import { signUp } from './sign-up.ts';

export function accountsEndpoints(deps: AccountsDeps, sealing: Sealing): Endpoint[] {
  return [...identityEndpoints(deps, sealing), ...profileEndpoints(deps, sealing), ...contactEndpoints(deps, sealing)];
}

function identityEndpoints(deps: AccountsDeps, sealing: Sealing): Endpoint[] {
  return [
    endpoint(routes.signUp, async (call) => {
      const { email, password, name, language, country, transport } = call.body;
      const { account, session } = await signUp(deps, sealing, {
        accountId: call.idempotencyKey, email, password, name, language: language ?? call.language, country: country ?? null, device: deviceOf(call),
      });
      return { status: 201, body: { account: shown(await openProfile(sealing, account)), session: begun(call, session, transport) } };
    }),
    endpoint(routes.signIn, async (call) => {
      const { account, session } = await signIn(deps, sealing, { email: call.body.email, password: call.body.password, device: deviceOf(call) });
      return { status: 201, body: { account: shown(await openProfile(sealing, account)), session: begun(call, session, call.body.transport) } };
    }),
    endpoint(routes.listSessions, async ({ principal, query }) => {
      const before = readCursor(query.cursor, z.tuple([id]))?.[0] ?? null;
      const page = pageOf(await listSessions(deps, sealing, deps.db, principal.accountId, before, query.limit + 1), query.limit, (one) => [one.id]);
      const items = page.items.map((one) => ({
        id: one.id, current: one.id === principal.sessionId, device: one.device,
        createdAt: one.createdAt.toISOString(), lastSeenAt: one.lastSeenAt.toISOString(), expiresAt: one.expiresAt.toISOString(),
      }));
      return { status: 200, body: { items, nextCursor: page.nextCursor } };
    }),
    endpoint(routes.signOut, async ({ principal, setSession }) => {
      await endSession(deps, principal.accountId, principal.sessionId);
      setSession(null);
      return { status: 204 };
    }),
    endpoint(routes.revokeSession, async ({ principal, params }) => {
      await endSession(deps, principal.accountId, params.sessionId);
      return { status: 204 };
    }),
  ];
}

function profileEndpoints(deps: AccountsDeps, sealing: Sealing): Endpoint[] {
  const profileOf = async (accountId: string) => shown(await openProfile(sealing, await requireRow(deps.db, accountId)));
  return [
    endpoint(routes.getAccount, async ({ principal }) => ({ status: 200, body: await profileOf(principal.accountId) })),
    endpoint(routes.changeAccount, async ({ principal, body }) => {
      await changeProfile(deps, sealing, principal.accountId, body);
      return { status: 200, body: await profileOf(principal.accountId) };
    }),
    endpoint(routes.changePassword, async ({ principal: { accountId, sessionId }, body }) => {
      await changePassword(deps, sealing, { accountId, sessionId, password: body.password, newPassword: body.newPassword });
      return { status: 204 };
    }),
    endpoint(routes.changeEmail, async ({ principal: { accountId }, body }) => {
      await verifyPassword(deps, accountId, body.password);
      await sendCode(deps, sealing, await requireRow(deps.db, accountId), body.email);
      return { status: 202 };
    }),
    endpoint(routes.requestEmailVerification, async ({ principal: { accountId } }) => {
      await sendCode(deps, sealing, await requireRow(deps.db, accountId), null);
      return { status: 202 };
    }),
    endpoint(routes.confirmEmail, async ({ principal: { accountId }, body }) => {
      await confirmEmail(deps, sealing, await requireRow(deps.db, accountId), body.code);
      return { status: 200, body: await profileOf(accountId) };
    }),
  ];
}

const contactCursor = z.tuple([z.iso.datetime(), id]);

function contactEndpoints(deps: AccountsDeps, sealing: Sealing): Endpoint[] {
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

function shown(profile: Profile) {
  return {
    ...profile, createdAt: profile.createdAt.toISOString(), passwordChangedAt: profile.passwordChangedAt.toISOString(),
    emailChangedAt: profile.emailChangedAt?.toISOString() ?? null,
  };
}

type SessionCall = Pick<Call<typeof routes.signIn>, 'headers' | 'remoteAddress' | 'setSession'>;

function deviceOf(call: SessionCall): Device {
  const userAgent = call.headers['user-agent'];
  return { userAgent: Array.isArray(userAgent) ? userAgent[0] : userAgent, address: call.remoteAddress };
}

/** Into the cookie, where scripts cannot read it, or into the answer: never both. */
function begun(call: SessionCall, session: BegunSession, transport: 'bearer' | 'cookie') {
  if (transport === 'cookie') call.setSession(session.secret);
  return { id: session.sessionId, secret: transport === 'cookie' ? null : session.secret, expiresAt: session.expiresAt.toISOString() };
}
