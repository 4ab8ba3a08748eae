import { randomBytes, randomUUID } from 'node:crypto';
import {
  ContractError, accountsRoutes, catalogueRoutes, closureRoutes, ledgerRoutes, lineRoutes, orderRoutes, paymentsRoutes, usageRoutes,
} from '@yuanyou/contract';
import type { CallReply, Client } from '@yuanyou/contract';
import { sql } from '../../src/platform/db/index.ts';
import type { House } from './house.ts';

type Body<R extends Parameters<Client['call']>[0]> = CallReply<R> extends { readonly body: infer B } ? B : never;
export type Status = Body<typeof closureRoutes.getClosureStatus>;
export type Receipt = Body<typeof closureRoutes.applyForClosure>;
export type OrderShown = Body<typeof orderRoutes.placeOrder>;
export type LineShown = Body<typeof lineRoutes.getLine>;
export type Access = Pick<Receipt, 'caseNumber' | 'accessCode'>;

/** Mail as the inbox keeps it. */
export interface Mail {
  readonly subject: string;
  readonly text: string;
  readonly attachments: readonly { readonly fileName: string; readonly contentBase64: string }[];
}

export interface Choice {
  readonly balance?: 'originalMethods' | 'giveUp';
  readonly export?: boolean;
  readonly coolingOffDays?: number;
  readonly email?: string;
  readonly password?: string;
  readonly key?: string;
  readonly reason?: 'tripOver' | 'privacy';
  readonly reasonText?: string;
}

/** Somebody with an account, over the API alone. */
export interface Traveller {
  readonly accountId: string;
  readonly email: string;
  readonly password: string;
  readonly name: string;
  readonly client: Client;
  /** Pays in by card and waits until it is on the balance; answers the payment's id. */
  topUp(amountMinor: number, cardNumber?: string): Promise<string>;
  redeem(amountMinor: number): Promise<void>;
  balance(): Promise<{ readonly cash: number; readonly promo: number }>;
  order(slug?: string, more?: { readonly key?: string; readonly promo?: boolean; readonly expect?: number }): Promise<OrderShown>;
  /** Buys and waits until the line is in service. */
  buy(slug?: string, more?: { readonly promo?: boolean }): Promise<LineShown & { readonly iccid: string }>;
  line(lineId: string): Promise<LineShown>;
  allowance(lineId: string): Promise<Body<typeof usageRoutes.listAllowances>['allowances'][number]>;
  contact(name: string): Promise<void>;
  apply(choice?: Choice): Promise<Receipt>;
  status(access: Access): Promise<Status>;
  mail(): Promise<Mail[]>;
  mailAbout(subject: string | RegExp): Promise<Mail>;
  signIn(): Promise<void>;
}

export const card = { good: '4242424242424242', slowRefund: '4000000000007726', refundFailsLater: '4000000000005126' } as const;
let people = 0;

/** What a call was refused with. */
export async function refusal(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return 'answered';
  } catch (error) {
    if (error instanceof ContractError) return `${error.status} ${error.code}`;
    throw error;
  }
}

export function newKey(): string {
  return randomBytes(12).toString('hex');
}

/** The number of a line's profile, which the API never shows whole. */
export async function iccidOf(house: House, lineId: string): Promise<string> {
  return (await house.db.one<{ iccid: string }>(sql`
    select p.iccid from lines.line l join inventory.profile p on p.id = l.profile_id where l.line_id = ${lineId}`)).iccid;
}

export async function planOf(house: House, slug: string): Promise<{ planId: string; price: number }> {
  const { body } = await house.client().call(catalogueRoutes.listPlans, { query: { limit: 100 } });
  const plan = body.items.find((one) => one.slug === slug);
  if (plan === undefined) throw new Error(`no plan ${slug}`);
  return { planId: plan.planId, price: plan.prices.find((one) => one.currency === 'EUR')!.amountMinor };
}

/** Lets a plan cost nothing, which today's catalogue does not offer. */
export async function givePlanAway(house: House, slug: string): Promise<void> {
  await house.db.script('alter table catalogue.price drop constraint if exists price_amount_minor_check');
  await house.db.transaction((tx) => tx.run(sql`
    update catalogue.price set amount_minor = 0 where currency = 'EUR' and plan_id = (select id from catalogue.plan where slug = ${slug})`));
}

/** Signs a new traveller up. */
export async function signUp(house: House, language: 'en' | 'zh-Hans' | 'zh-Hant' = 'en'): Promise<Traveller> {
  people += 1;
  const email = `traveller.${people}.${randomBytes(4).toString('hex')}@example.test`;
  const password = `a password of traveller ${people}`;
  const name = `Travelling Person ${people} ${randomBytes(4).toString('hex')}`;
  let secret: string | undefined;
  const client = house.client(() => secret);
  const { body } = await client.call(accountsRoutes.signUp, { idempotencyKey: randomUUID(), body: { email, password, name, language, country: 'DE' } });
  secret = body.session.secret!;
  return travellerOf(house, { accountId: body.account.id, email, password, name, client, session: (given) => { secret = given; } });
}

type Known = Pick<Traveller, 'accountId' | 'email' | 'password' | 'name' | 'client'> & { session(secret: string): void };

function travellerOf(house: House, { session, ...known }: Known): Traveller {
  const { client, email, password } = known;
  return {
    ...known, ...moneyOf(house, client), ...linesOf(house, client), ...leavingOf(known), ...mailOf(house, email),
    async contact(name) {
      await client.call(accountsRoutes.addContact, {
        idempotencyKey: newKey(), body: { name, phone: '+81 75 555 0100', email: 'hotel@example.test', note: 'by the river, "quiet"' },
      });
    },
    async signIn() {
      session((await client.call(accountsRoutes.signIn, { session: null, body: { email, password } })).body.session.secret!);
    },
  };
}

function moneyOf(house: House, client: Client): Pick<Traveller, 'topUp' | 'redeem' | 'balance'> {
  return {
    async topUp(amountMinor, cardNumber = card.good) {
      const { body } = await client.call(paymentsRoutes.startTopUp, { idempotencyKey: newKey(), body: { amount: { amountMinor, currency: 'EUR' } } });
      await house.run();
      await house.gateway.post(new URL(body.payUrl!).pathname, { cardNumber });
      await house.until('the payment captured', async () =>
        (await client.call(paymentsRoutes.getPayment, { params: { paymentId: body.payment.id } })).body.status === 'captured');
      // Lists go by time, and this clock stands still.
      house.clock.advance(10);
      return body.payment.id;
    },
    async redeem(amountMinor) {
      const validUntil = new Date(house.clock.now().getTime() + 86_400_000).toISOString();
      const { body } = await (await house.agent('admin')).call(paymentsRoutes.createVoucherBatch, {
        idempotencyKey: newKey(), body: { name: 'test', amount: { amountMinor, currency: 'EUR' }, count: 1, validUntil },
      });
      await client.call(paymentsRoutes.redeemVoucher, { idempotencyKey: newKey(), body: { code: body.codes[0]! } });
    },
    async balance() {
      const row = (await client.call(ledgerRoutes.getBalances)).body.balances.find((one) => one.balance.currency === 'EUR');
      return { cash: row?.balance.amountMinor ?? 0, promo: row?.promotionalCredit.amountMinor ?? 0 };
    },
  };
}

function linesOf(house: House, client: Client): Pick<Traveller, 'order' | 'buy' | 'line' | 'allowance'> {
  const line: Traveller['line'] = async (lineId) => (await client.call(lineRoutes.getLine, { params: { lineId } })).body;
  const order: Traveller['order'] = async (slug = 'japan-3gb-15d', { key = newKey(), promo = true, expect } = {}) => {
    const { planId, price } = await planOf(house, slug);
    return (await client.call(orderRoutes.placeOrder, {
      idempotencyKey: key, body: { planId, currency: 'EUR', expectedTotalMinor: expect ?? price, usePromotionalCredit: promo },
    })).body;
  };
  return {
    line, order,
    async buy(slug, more) {
      const { lineId } = await order(slug, more);
      const shown = await house.until('the line in service', async () => {
        const now = await line(lineId);
        return now.service === 'active' && now.delivery === 'released' && now;
      });
      house.clock.advance(10);
      return { ...shown, iccid: await iccidOf(house, lineId) };
    },
    allowance: async (lineId) => (await client.call(usageRoutes.listAllowances, { params: { lineId } })).body.allowances[0]!,
  };
}

function leavingOf({ client, email, password }: Pick<Known, 'client' | 'email' | 'password'>): Pick<Traveller, 'apply' | 'status'> {
  return {
    async apply({ balance = 'originalMethods', export: take = true, coolingOffDays = 0, key = newKey(), ...said } = {}) {
      return (await client.call(closureRoutes.applyForClosure, {
        idempotencyKey: key,
        body: {
          email: said.email ?? email, password: said.password ?? password,
          ...(said.reason === undefined ? {} : { reason: said.reason }), ...(said.reasonText === undefined ? {} : { reasonText: said.reasonText }),
          choices: { balance, promotionalCredit: 'giveUp', export: take, coolingOffDays },
        },
      })).body;
    },
    status: async ({ caseNumber, accessCode }) =>
      (await client.call(closureRoutes.getClosureStatus, { session: null, body: { caseNumber, accessCode } })).body,
  };
}

function mailOf(house: House, email: string): Pick<Traveller, 'mail' | 'mailAbout'> {
  const mail: Traveller['mail'] = async () => {
    const { items } = await house.inbox.get<{ items: { id: string }[] }>(`/messages?to=${encodeURIComponent(email)}`);
    return Promise.all(items.map(({ id }) => house.inbox.get<Mail>(`/messages/${id}`)));
  };
  return {
    mail,
    mailAbout: (subject) => house.until(`mail about ${String(subject)}`, async () =>
      (await mail()).find((one) => (typeof subject === 'string' ? one.subject.includes(subject) : subject.test(one.subject)))),
  };
}
