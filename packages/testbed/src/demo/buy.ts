import { randomUUID } from 'node:crypto';
import { accountsRoutes, catalogueRoutes, ledgerRoutes, lineRoutes, orderRoutes, paymentsRoutes, usageRoutes } from '@yuanyou/contract';
import { expectThat, known, postJson, until } from './journey.ts';
import type { Act, Journey } from './journey.ts';

const gigabyte = 1_000_000_000;
const euro = (minor: number): string => `${(minor / 100).toFixed(2)} EUR`;

async function balance(j: Journey): Promise<{ cash: number; promo: number }> {
  const { body } = await j.client.call(ledgerRoutes.getBalances, { session: known(j.session, 'a session') });
  const row = body.balances.find((b) => b.balance.currency === 'EUR');
  return { cash: row?.balance.amountMinor ?? 0, promo: row?.promotionalCredit.amountMinor ?? 0 };
}

const signUp: Act = {
  name: 'sign up with email and password',
  async run(j) {
    const { email, password, name } = j.traveller;
    const { body } = await j.client.call(accountsRoutes.signUp, {
      idempotencyKey: randomUUID(), body: { email, password, name, language: 'en', country: 'DE' },
    });
    j.session = known(body.session.secret ?? undefined, 'a session');
    j.accountId = body.account.id;
    return `account ${body.account.id}`;
  },
};

const topUp: Act = {
  name: 'top up 50.00 EUR by card at the gateway',
  async run(j) {
    const { body } = await j.client.call(paymentsRoutes.startTopUp, {
      session: known(j.session, 'a session'), idempotencyKey: randomUUID(), body: { amount: { amountMinor: 5000, currency: 'EUR' } },
    });
    await postJson(known(body.payUrl ?? undefined, 'the gateway’s page'), { cardNumber: j.traveller.card, expMonth: 12, expYear: 2030, cvc: '123' });
    await until('the captured payment in the balance', async () => ((await balance(j)).cash === 5000 ? true : undefined));
    return `balance ${euro(5000)}`;
  },
};

const redeem: Act = {
  name: 'redeem a voucher of 5.00 EUR promotional credit',
  async run(j) {
    const { body } = await j.client.call(paymentsRoutes.createVoucherBatch, {
      session: j.agentSecret, idempotencyKey: randomUUID(),
      body: { name: 'demo', amount: { amountMinor: 500, currency: 'EUR' }, count: 1, validUntil: new Date(Date.now() + 86_400_000).toISOString() },
    });
    const code = known(body.codes[0], 'a voucher');
    await j.client.call(paymentsRoutes.redeemVoucher, { session: known(j.session, 'a session'), idempotencyKey: randomUUID(), body: { code } });
    const { promo } = await balance(j);
    expectThat(promo === 500, '5.00 EUR of promotional credit');
    return `promotional credit ${euro(promo)}, apart from the balance`;
  },
};

const buy: Act = {
  name: 'buy 3 GB for Japan, 15 days',
  async run(j) {
    const session = known(j.session, 'a session');
    const { body: plans } = await j.client.call(catalogueRoutes.listPlans, { query: { country: 'JP', limit: 100 } });
    const plan = known(plans.items.find((p) => p.slug === 'japan-3gb-15d'), 'the plan');
    const price = known(plan.prices.find((p) => p.currency === 'EUR'), 'a price in EUR').amountMinor;
    const { body: order } = await j.client.call(orderRoutes.placeOrder, {
      session, idempotencyKey: randomUUID(), body: { planId: plan.planId, currency: 'EUR', expectedTotalMinor: price, usePromotionalCredit: false },
    });
    j.lineId = order.lineId;
    const line = await until('the line in service and its profile released', async () => {
      const { body } = await j.client.call(lineRoutes.getLine, { session, params: { lineId: order.lineId } });
      return body.service === 'active' && body.delivery === 'released' ? body : undefined;
    });
    return `${euro(price)} from the balance; line ${line.lineId}, ICCID …${line.iccidTail}`;
  },
};

const download: Act = {
  name: 'the phone downloads the profile from the SM-DP+ over TLS',
  async run(j) {
    const session = known(j.session, 'a session');
    const lineId = known(j.lineId, 'a line');
    const { body } = await j.client.call(lineRoutes.getActivation, { session, params: { lineId } });
    const outcome = await j.phone.download(body.activationCode, { report: true });
    expectThat(outcome.installed, `the profile to install, not ${JSON.stringify(outcome)}`);
    j.iccid = outcome.iccid;
    await until('the signed install notification', async () => ((await delivery(j)) === 'installed' ? true : undefined));
    return `${body.activationCode.replace(/\$[^$]+$/, '$…')} -> installed on EID …${j.phone.eid.slice(-4)}`;
  },
};

async function delivery(j: Journey): Promise<string> {
  const { body } = await j.client.call(lineRoutes.getLine, { session: known(j.session, 'a session'), params: { lineId: known(j.lineId, 'a line') } });
  return body.delivery;
}

const enable: Act = {
  name: 'the phone enables the profile and reports it',
  async run(j) {
    await j.phone.enable(known(j.iccid, 'an ICCID'));
    await j.phone.sendNotifications();
    await until('the enable notification', async () => ((await delivery(j)) === 'enabled' ? true : undefined));
    return 'enabled';
  },
};

const use: Act = {
  name: 'usage arrives by file: 2.55 GB, the traveller is told at 80 %',
  async run(j) {
    const iccid = known(j.iccid, 'an ICCID');
    for (const bytes of [1.2 * gigabyte, 1.35 * gigabyte]) {
      await postJson(`${j.places.operatorUrl}/_control/usage`, { iccid, bytes, at: new Date().toISOString(), seconds: 60, mccmnc: '44099' });
    }
    await postJson(`${j.places.operatorUrl}/_control/files`, {});
    const session = known(j.session, 'a session');
    const allowance = await until('the allowance drawn down', async () => {
      const { body } = await j.client.call(usageRoutes.listAllowances, { session, params: { lineId: known(j.lineId, 'a line') } });
      return body.allowances.find((a) => a.usedBytes === 2.55 * gigabyte);
    });
    await until('the message at 80 %', async () => (await messages(j)).find((m) => m.subject.startsWith('80%')));
    return `used ${allowance.usedBytes / gigabyte} of ${allowance.totalBytes / gigabyte} GB`;
  },
};

interface Mail {
  readonly at: string;
  readonly subject: string;
  readonly text: string;
  readonly attachments: readonly { readonly fileName: string; readonly contentBase64: string }[];
}

/** The traveller's mail, as the inbox keeps it. */
export async function messages(j: Pick<Journey, 'places' | 'traveller'>): Promise<Mail[]> {
  const read = async <T>(path: string): Promise<T> =>
    (await (await fetch(`${j.places.inboxUrl}${path}`, { signal: AbortSignal.timeout(10_000) })).json()) as T;
  const { items } = await read<{ items: { id: string }[] }>(`/messages?to=${encodeURIComponent(j.traveller.email)}`);
  return Promise.all(items.map(({ id }) => read<Mail>(`/messages/${id}`)));
}

const contacts: Act = {
  name: 'save two contacts',
  async run(j) {
    for (const contact of j.traveller.contacts) {
      await j.client.call(accountsRoutes.addContact, { session: known(j.session, 'a session'), idempotencyKey: randomUUID(), body: contact });
    }
    return j.traveller.contacts.map((c) => c.name).join(', ');
  },
};

/** From sign-up to a line in use. */
export const buying: readonly Act[] = [signUp, topUp, redeem, buy, download, enable, use, contacts];
