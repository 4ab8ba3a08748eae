import { randomUUID } from 'node:crypto';
import { accessRoutes, accountsRoutes, allRoutes, orderRoutes, paymentsRoutes } from '@yuanyou/contract';
import type { Role, Route } from '@yuanyou/contract';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sql } from '../src/platform/db/index.ts';
import { openHouse } from './support/house.ts';
import type { House } from './support/house.ts';
import { password, table } from './permissions/table.ts';
import type { Objects, Row, Who } from './permissions/table.ts';
import { newKey, planOf } from './support/traveller.ts';

const roles = ['viewer', 'support', 'finance', 'operations', 'admin'] as const satisfies readonly Role[];
type Caller = 'nobody' | 'owner' | 'stranger' | 'leaver' | 'program' | Role;
const callers: readonly Caller[] = ['nobody', 'owner', 'stranger', 'leaver', 'program', ...roles];

interface Answer {
  readonly status: number;
  readonly code: string;
  readonly text: string;
}

let house: House;
let baseUrl: string;
let objects: Objects;
const secrets = new Map<Caller, string>();
let addresses = 0;

/** As somebody at an address of their own, so that limits on attempts stay out of the way. */
async function send(route: Route, secret: string | undefined, given: { readonly id?: string; readonly body?: unknown } = {}): Promise<Answer> {
  addresses += 1;
  const path = route.path.replace(/:\w+/g, () => given.id ?? randomUUID()).replace('*', '0/000');
  const response = await fetch(`${baseUrl}${path}`, {
    method: route.method,
    headers: {
      'x-forwarded-for': `10.9.${addresses >> 8}.${addresses & 255}`, ...(secret === undefined ? {} : { authorization: `Bearer ${secret}` }),
      ...(given.body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(given.body === undefined ? {} : { body: JSON.stringify(given.body) }),
  });
  const text = await response.text();
  const isProblem = response.headers.get('content-type') === 'application/problem+json';
  return { status: response.status, code: isProblem ? (JSON.parse(text) as { code: string }).code : '', text };
}

const refusals: readonly string[] = ['general/unauthenticated', 'general/forbidden', 'general/leaving'];

function expected(who: Who, program: boolean, caller: Caller): string {
  if (who === 'anyone') return 'admitted';
  if (caller === 'nobody') return 'general/unauthenticated';
  const traveller = caller === 'owner' || caller === 'stranger' || caller === 'leaver';
  if (who === 'traveller' || who === 'leaving') {
    if (!traveller) return 'general/forbidden';
    return caller === 'leaver' && who === 'traveller' ? 'general/leaving' : 'admitted';
  }
  if (traveller) return 'general/forbidden';
  if (caller === 'program') return program ? 'admitted' : 'general/forbidden';
  return who === 'agent' || who.includes(caller) ? 'admitted' : 'general/forbidden';
}

async function agentSecret(adminSecret: string, role: Role): Promise<string> {
  const { body } = await house.client(() => adminSecret).call(accessRoutes.inviteAgent, {
    idempotencyKey: randomUUID(), body: { email: `${randomUUID()}@yuanyou.test`, name: role, roles: [role] },
  });
  return (await house.client().call(accessRoutes.acceptInvitation, { body: { code: body.invitation.code, password } })).body.session.secret!;
}

async function travellerSecret(email: string): Promise<{ readonly accountId: string; readonly sessionId: string; readonly secret: string }> {
  const { body } = await house.client().call(accountsRoutes.signUp, { idempotencyKey: randomUUID(), body: { email, password, name: 'T' } });
  return { accountId: body.account.id, sessionId: body.session.id, secret: body.session.secret! };
}

/** Somebody new who may do the same, for calls that end a session. */
function spare(caller: Caller): Promise<string> {
  if (roles.some((role) => role === caller)) return agentSecret(secrets.get('admin')!, caller as Role);
  return travellerSecret(`${randomUUID()}@example.test`).then(({ secret }) => secret);
}

/** A line, an order, a payment, a contact, a passkey and a second session of the owner. */
async function own({ accountId, secret }: { readonly accountId: string; readonly secret: string }): Promise<Objects> {
  const client = house.client(() => secret);
  const admin = house.client(() => secrets.get('admin'));
  const validUntil = new Date(house.clock.now().getTime() + 86_400_000).toISOString();
  const batch = await admin.call(paymentsRoutes.createVoucherBatch, {
    idempotencyKey: newKey(), body: { name: 'matrix', amount: { amountMinor: 20_000, currency: 'EUR' }, count: 1, validUntil },
  });
  await client.call(paymentsRoutes.redeemVoucher, { idempotencyKey: newKey(), body: { code: batch.body.codes[0]! } });
  const { planId, price } = await planOf(house, 'japan-3gb-15d');
  const order = (await client.call(orderRoutes.placeOrder, {
    idempotencyKey: newKey(), body: { planId, currency: 'EUR', expectedTotalMinor: price, usePromotionalCredit: true },
  })).body;
  const topUp = (await client.call(paymentsRoutes.startTopUp, { idempotencyKey: newKey(), body: { amount: { amountMinor: 2000, currency: 'EUR' } } })).body;
  const contact = (await client.call(accountsRoutes.addContact, { idempotencyKey: newKey(), body: { name: 'Hotel' } })).body;
  const other = (await house.client().call(accountsRoutes.signIn, { body: { email: 'owner@example.test', password } })).body.session;
  const passkeyId = randomUUID();
  const details = await house.keys.dataKeys.seal(accountId, 'accounts.passkey.details', JSON.stringify({ credentialId: 'a', publicKey: 'b', transports: [], name: 'Key' }));
  await house.db.transaction((tx) => tx.run(sql`
    insert into accounts.passkey (id, account_id, credential_index, details, sign_count, backed_up, created_at)
    values (${passkeyId}, ${accountId}, ${Buffer.alloc(32)}, ${details}, 0, false, ${house.clock.now()})`));
  return { sessionId: other.id, passkeyId, contactId: contact.id, lineId: order.lineId, orderId: order.orderId, paymentId: topUp.payment.id };
}

beforeAll(async () => {
  house = await openHouse();
  baseUrl = `http://127.0.0.1:${house.config.http.port}`;
  const { code } = await house.context.access.createFirstAdmin({ email: 'matrix@yuanyou.test', name: 'Matrix' });
  secrets.set('admin', (await house.client().call(accessRoutes.acceptInvitation, { body: { code, password } })).body.session.secret!);
  for (const role of roles) if (role !== 'admin') secrets.set(role, await agentSecret(secrets.get('admin')!, role));
  const key = await house.client(() => secrets.get('admin')).call(accessRoutes.createApiKey, { idempotencyKey: randomUUID(), body: { name: 'program', scopes: ['agents:read'] } });
  secrets.set('program', key.body.secret);
  const owner = await travellerSecret('owner@example.test');
  secrets.set('owner', owner.secret);
  secrets.set('stranger', (await travellerSecret('stranger@example.test')).secret);
  const leaver = await travellerSecret('leaver@example.test');
  secrets.set('leaver', leaver.secret);
  objects = await own(owner);
  await house.db.transaction((tx) => tx.run(sql`update accounts.account set state = 'leaving', frozen_at = ${house.clock.now()} where id = ${leaver.accountId}`));
});
afterAll(() => house.stop());

const rowOf = ({ operationId }: Route): Row | undefined => table[operationId];
const routes = allRoutes.filter((route) => rowOf(route) !== undefined);

test('every route has a row', () => {
  expect(allRoutes.filter((route) => rowOf(route) === undefined).map(({ operationId }) => operationId)).toEqual([]);
});

describe('whoever calls', () => {
  test.each(callers)('%s is let in exactly where the table says so', async (caller) => {
    const wrong: string[] = [];
    for (const route of routes) {
      const row = rowOf(route)!;
      const should = expected(row.who, row.program === true, caller);
      // An API key ends no session, so it is no loss.
      const secret = row.ends === true && should === 'admitted' && caller !== 'program' ? await spare(caller) : secrets.get(caller);
      const { status, code } = await send(route, secret);
      const was = refusals.includes(code) ? code : 'admitted';
      if (was !== should) wrong.push(`${route.operationId}: ${was} (${status} ${code}), should be ${should}`);
      if (status >= 500 && code !== 'general/unavailable') wrong.push(`${route.operationId}: ${status}`);
    }
    expect(wrong).toEqual([]);
  });

  test('a secret that is not ours opens nothing', async () => {
    const closed = routes.filter((route) => rowOf(route)!.who !== 'anyone');
    for (const secret of ['tvs_unknown', 'ags_unknown', 'yak_unknown', 'x']) {
      const answers = await Promise.all(closed.map((route) => send(route, secret)));
      expect(new Set(answers.map(({ code }) => code))).toEqual(new Set(['general/unauthenticated']));
    }
  });
});

const gentlest = ['GET', 'PUT', 'PATCH', 'POST', 'DELETE'];

describe('whatever is named', () => {
  test('is there for its owner, and for a stranger exactly as if it did not exist', async () => {
    const named = routes.filter((route) => rowOf(route)!.of !== undefined).toSorted((a, b) => gentlest.indexOf(a.method) - gentlest.indexOf(b.method));
    const wrong: string[] = [];
    for (const route of named) {
      const { of, body } = rowOf(route)!;
      const given = { id: objects[of!], body };
      const [foreign, absent] = [await send(route, secrets.get('stranger'), given), await send(route, secrets.get('stranger'), { body })];
      if (foreign.status !== 404 || foreign.code !== absent.code) wrong.push(`${route.operationId}: a stranger sees ${foreign.status} ${foreign.code}, for nothing ${absent.status} ${absent.code}`);
      const mine = await send(route, secrets.get('owner'), given);
      if (mine.status === 404 || mine.status === 400 || mine.status >= 500) wrong.push(`${route.operationId}: its owner sees ${mine.status} ${mine.code}`);
    }
    expect(wrong).toEqual([]);
  });

  test('by a path of a traveller has a row that says whose it is', () => {
    const unsaid = routes.filter((route) => route.path.includes('/:') && ['traveller', 'leaving'].includes(rowOf(route)!.who as string) && rowOf(route)!.of === undefined);
    expect(unsaid.map(({ operationId }) => operationId)).toEqual([]);
  });

  test('appears in no list of a stranger', async () => {
    const lists = routes.filter((route) => route.method === 'GET' && !route.path.includes(':') && ['traveller', 'leaving'].includes(rowOf(route)!.who as string));
    for (const route of lists) {
      const { text } = await send(route, secrets.get('stranger'));
      for (const id of Object.values(objects)) expect(text, route.operationId).not.toContain(id);
    }
  });
});
