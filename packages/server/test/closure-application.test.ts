import { accountsRoutes, closureRoutes, lineRoutes, orderRoutes, paymentsRoutes } from '@yuanyou/contract';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openHouse, type House } from './support/house.ts';
import { newKey, planOf, refusal, signUp, type Traveller } from './support/traveller.ts';

let house: House;
beforeAll(async () => { house = await openHouse(); });
afterAll(() => house.stop());

const preflightOf = async (t: Traveller) => (await t.client.call(closureRoutes.getPreflight)).body;
const severities = async (t: Traveller) => Object.fromEntries((await preflightOf(t)).concerns.map(({ code, severity }) => [code, severity]));

describe('the preflight', () => {
  test('of an account with nothing says what will be erased, and all conditions', async () => {
    const t = await signUp(house);
    const { ready, concerns, conditions } = await preflightOf(t);
    expect(ready).toBe(true);
    expect(concerns.map(({ code }) => code).sort()).toEqual(['accounts/profile', 'accounts/sessions']);
    expect(conditions).toEqual({
      coolingOffDays: { default: 7, least: 0, most: 14 }, targetDays: 3, promiseWorkingDays: 15, refundWithinDays: 14, exportLinkDays: 30, unbindWaitHours: 72,
    });
  });

  test('names what every slice holds, with amounts, and nothing personal', async () => {
    const t = await signUp(house);
    await t.topUp(5000);
    await t.redeem(500);
    const { iccid } = await t.buy();
    await t.contact('Secret Friend');
    const { body } = await t.client.call(paymentsRoutes.startTopUp, { idempotencyKey: newKey(), body: { amount: { amountMinor: 1000, currency: 'EUR' } } });
    expect(body.payment.status).toBe('awaiting');
    expect(await severities(t)).toEqual({
      'accounts/profile': 'info', 'accounts/sessions': 'info', 'accounts/contacts': 'choice', 'ledger/balance': 'choice',
      'lines/in-service': 'info', 'usage/unused-returned': 'info', 'payments/cards-remembered': 'info', 'payments/top-up-unpaid': 'info',
    });
    const { concerns } = await preflightOf(t);
    expect(concerns.find(({ code }) => code === 'ledger/balance')!.amount).toEqual({ amountMinor: 4600, currency: 'EUR' });
    expect(concerns.find(({ code }) => code === 'usage/unused-returned')!.amount).toEqual({ amountMinor: 900, currency: 'EUR' });
    const said = JSON.stringify(concerns);
    for (const personal of [t.email, t.name, 'Secret Friend', 'hotel@example.test', '+81', iccid]) expect(said).not.toContain(personal);
  });
});

describe('a blocker', () => {
  test('refuses the application while an order is in flight, and goes away by itself', async () => {
    const t = await signUp(house);
    await t.topUp(1000);
    await house.operator.post('/_control/faults', { kind: 'delay', match: 'POST /subscribers', delayMs: 700 });
    await t.order();
    expect(await severities(t)).toMatchObject({ 'orders/in-flight': 'blocker' });
    expect((await preflightOf(t)).ready).toBe(false);
    const blocked = await t.apply().catch((error: unknown) => error);
    expect(blocked).toMatchObject({ status: 409, code: 'closure/blocked', problem: { details: { concerns: ['orders/in-flight'] } } });
    await house.until('no blocker', async () => (await preflightOf(t)).ready);
    expect((await t.apply({ coolingOffDays: 7 })).state).toBe('coolingOff');
  });

  test('refuses the application while a bank works on a payment, and goes away with the bank’s word', async () => {
    const t = await signUp(house);
    const { body } = await t.client.call(paymentsRoutes.startTopUp, { idempotencyKey: newKey(), body: { amount: { amountMinor: 1000, currency: 'EUR' } } });
    const page = new URL(body.payUrl!).pathname;
    await house.gateway.post(page, { cardNumber: '4242424242424242', hold: true });
    await house.until('the payment is known to be worked on', async () => !(await preflightOf(t)).ready);
    expect(await refusal(t.apply())).toBe('409 closure/blocked');
    const intent = page.split('/').at(-1)!;
    await house.gateway.post(`/_control/intents/${intent}/settle`, { cardNumber: '4242424242424242' });
    await house.until('no blocker', async () => (await preflightOf(t)).ready);
    const receipt = await t.apply();
    await house.run();
    expect(await t.status(receipt)).toMatchObject({ state: 'completed', refunds: [{ amount: { amountMinor: 1000 } }] });
  });
});

describe('an application', () => {
  test('needs the right password and the account’s own address, and counts the attempts', async () => {
    const t = await signUp(house);
    expect(await refusal(t.apply({ password: 'not the password' }))).toBe('403 accounts/wrong-password');
    expect(await refusal(t.apply({ email: 'somebody.else@example.test' }))).toBe('403 closure/proof-refused');
    for (let i = 0; i < 8; i++) await refusal(t.apply({ email: 'somebody.else@example.test' }));
    expect(await refusal(t.apply())).toBe('429 general/too-many-requests');
    house.clock.advance(16 * 60_000);
    expect((await t.apply({ email: ` ${t.email.toUpperCase()}`.trim(), coolingOffDays: 7 })).state).toBe('coolingOff');
  });

  test('is idempotent by its key; while one is open another is refused', async () => {
    const t = await signUp(house);
    const key = newKey();
    const first = await t.apply({ key, coolingOffDays: 7 });
    expect(await t.apply({ key, coolingOffDays: 7 })).toEqual(first);
    expect(await refusal(t.apply({ key, coolingOffDays: 3 }))).toBe('422 general/idempotency-key-reused');
    expect(await refusal(t.apply({ coolingOffDays: 7 }))).toBe('409 closure/already-open');
    // The stored answer is kept for a day; the case itself answers afterwards.
    await house.later(2 * 86_400_000);
    await t.signIn();
    expect(await t.apply({ key, coolingOffDays: 7 })).toEqual(first);
    expect((await t.mail()).filter(({ subject }) => subject.includes(first.caseNumber))).toHaveLength(1);
  });

  test('made several times at once opens one case', async () => {
    const t = await signUp(house);
    const answers = await Promise.all(Array.from({ length: 4 }, () => refusal(t.apply({ coolingOffDays: 7 }))));
    expect(answers.sort()).toEqual(['409 closure/already-open', '409 closure/already-open', '409 closure/already-open', 'answered']);
  });

  test('is acknowledged at once and by mail: number, code, deadline, choices, appeal', async () => {
    const t = await signUp(house);
    const receipt = await t.apply({ coolingOffDays: 7, balance: 'giveUp' });
    expect(receipt.choices).toEqual({ balance: 'giveUp', promotionalCredit: 'giveUp', export: true, coolingOffDays: 7 });
    expect(Date.parse(receipt.targetAt) - Date.parse(receipt.submittedAt)).toBe(3 * 86_400_000);
    const days = (Date.parse(receipt.promisedAt) - Date.parse(receipt.submittedAt)) / 86_400_000;
    expect(days).toBeGreaterThan(20);
    expect(days).toBeLessThan(24);
    const { text } = await t.mailAbout(receipt.caseNumber);
    for (const part of [receipt.caseNumber, receipt.accessCode, receipt.submittedAt, receipt.promisedAt, receipt.statusUrl, 'service@yuanyou.test']) {
      expect(text).toContain(part);
    }
  });

  test('freezes the account: only the closure and what one holds can be reached', async () => {
    const t = await signUp(house);
    await t.topUp(2000);
    const { lineId } = await t.buy();
    const receipt = await t.apply({ coolingOffDays: 7 });
    const { planId, price } = await planOf(house, 'japan-3gb-15d');
    const refused = [
      t.client.call(orderRoutes.placeOrder, { idempotencyKey: newKey(), body: { planId, currency: 'EUR', expectedTotalMinor: price } }),
      t.client.call(paymentsRoutes.startTopUp, { idempotencyKey: newKey(), body: { amount: { amountMinor: 1000, currency: 'EUR' } } }),
      t.client.call(lineRoutes.getActivation, { params: { lineId } }),
      t.client.call(accountsRoutes.changeAccount, { body: { name: 'Another Name' } }),
    ];
    expect(await Promise.all(refused.map(refusal))).toEqual(refused.map(() => '423 general/leaving'));
    expect((await t.client.call(lineRoutes.listLines)).body.items).toHaveLength(1);
    expect((await preflightOf(t)).concerns.length).toBeGreaterThan(0);
    expect((await t.status(receipt)).state).toBe('coolingOff');
  });
});

describe('the status', () => {
  test('opens by number and code together, however they are typed, and bears only so many guesses', async () => {
    const t = await signUp(house);
    const receipt = await t.apply({ coolingOffDays: 7 });
    const { caseNumber, accessCode } = receipt;
    expect((await t.status({ caseNumber: caseNumber.toLowerCase(), accessCode: ` ${accessCode.toLowerCase().replaceAll('-', ' ')} ` })).caseNumber).toBe(caseNumber);
    const wrong = { caseNumber, accessCode: accessCode.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A')) };
    for (let i = 0; i < 20; i++) expect(await refusal(t.status(wrong))).toBe('404 closure/no-such-case');
    expect(await refusal(t.status(wrong))).toBe('429 general/too-many-requests');
    expect(await refusal(t.client.call(closureRoutes.withdrawClosure, { session: null, body: wrong }))).toBe('429 general/too-many-requests');
    house.clock.advance(3_600_001);
    expect((await t.status(receipt)).state).toBe('coolingOff');
    expect(await refusal(t.status({ caseNumber: 'YC-22222-22222', accessCode }))).toBe('404 closure/no-such-case');
  });

  test('and the certificate of another case stay closed', async () => {
    const [one, other] = [await signUp(house), await signUp(house)];
    const [mine, theirs] = [await one.apply({ coolingOffDays: 7 }), await other.apply({ coolingOffDays: 7 })];
    expect(await refusal(one.status({ caseNumber: theirs.caseNumber, accessCode: mine.accessCode }))).toBe('404 closure/no-such-case');
    const body = { caseNumber: mine.caseNumber, accessCode: mine.accessCode };
    expect(await refusal(one.client.call(closureRoutes.getCertificate, { session: null, body }))).toBe('404 closure/no-certificate');
  });
});
