import { closureRoutes, paymentsRoutes } from '@yuanyou/contract';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectSoundBooks, gatewayBooks, subscriber } from './support/books.ts';
import { openHouse, type House } from './support/house.ts';
import { refusal, signUp, type Access, type Traveller } from './support/traveller.ts';
import { gigabyte, use } from './support/use.ts';

let house: House;
beforeAll(async () => { house = await openHouse(); });
afterAll(() => house.stop());

const day = 86_400_000;
const bodyOf = ({ caseNumber, accessCode }: Access) => ({ session: null, body: { caseNumber, accessCode } });
const withdraw = (t: Traveller, access: Access) => t.client.call(closureRoutes.withdrawClosure, bodyOf(access));
const skip = (t: Traveller, access: Access) => t.client.call(closureRoutes.skipCoolingOff, bodyOf(access));

describe('cooling off', () => {
  test('ends by itself on its day, not before, and the closure is carried out', async () => {
    const t = await signUp(house);
    await t.topUp(2500);
    const receipt = await t.apply({ coolingOffDays: 7 });
    const status = await t.status(receipt);
    expect(status).toMatchObject({ state: 'coolingOff', may: { withdraw: true, skipCoolingOff: true }, completedAt: null });
    expect(status.steps.every(({ state }) => state === 'pending')).toBe(true);
    expect(Date.parse(status.coolingOffUntil!) - house.clock.now().getTime()).toBe(7 * day);
    await house.later(7 * day - 60_000);
    expect((await t.status(receipt)).state).toBe('coolingOff');
    await house.later(60_000);
    expect((await t.status(receipt)).state).toBe('completed');
    await expectSoundBooks(house);
  });

  test('withdrawn meanwhile: nothing is lost, everything works, and the day of the end does nothing', async () => {
    const t = await signUp(house);
    await t.topUp(3000);
    await t.redeem(300);
    const line = await t.buy('japan-3gb-15d');
    const receipt = await t.apply({ coolingOffDays: 7 });
    // Service goes on while one can still come back.
    await use(house, { iccid: line.iccid, bytes: gigabyte / 2 });
    await house.later(3 * day);
    const withdrawn = (await withdraw(t, receipt)).body;
    expect(withdrawn).toMatchObject({ state: 'withdrawn', may: { withdraw: false, skipCoolingOff: false } });
    await t.mailAbout(`${receipt.caseNumber} withdrawn`);
    expect(await t.balance()).toEqual({ cash: 2400, promo: 0 });
    expect(await t.line(line.lineId)).toMatchObject({ service: 'active' });
    expect((await t.allowance(line.lineId)).usedBytes).toBe(gigabyte / 2);
    await t.buy('japan-1gb-7d');
    await house.later(10 * day);
    expect((await t.status(receipt)).state).toBe('withdrawn');
    expect(await t.balance()).toEqual({ cash: 2000, promo: 0 });
    expect(await subscriber(house, line.iccid)).toBe('active');
    expect(await refusal(withdraw(t, receipt))).toBe('409 closure/action-not-allowed');
    expect(await refusal(skip(t, receipt))).toBe('409 closure/action-not-allowed');
    const again = await t.apply();
    await house.run();
    expect(await t.status(again)).toMatchObject({ state: 'completed' });
    expect((await t.status(receipt)).state).toBe('withdrawn');
    await expectSoundBooks(house);
  });

  test('skipped: it begins at once, and what was planned for its end does nothing', async () => {
    const t = await signUp(house);
    await t.topUp(1000);
    const receipt = await t.apply({ coolingOffDays: 14 });
    await house.later(day);
    expect((await skip(t, receipt)).body.state).toBe('executing');
    await house.run();
    const { completedAt } = await t.status(receipt);
    expect(completedAt).not.toBeNull();
    await house.later(14 * day);
    expect(await t.status(receipt)).toMatchObject({ state: 'completed', completedAt });
    expect((await gatewayBooks(house)).refunds.filter(({ amountMinor }) => amountMinor === 1000)).toHaveLength(1);
  });

  test('once the execution has begun nobody withdraws it', async () => {
    const t = await signUp(house);
    await t.topUp(1500);
    const receipt = await t.apply({ coolingOffDays: 7 });
    // The gateway does not answer, so that the closure stands at its first step.
    await house.gateway.post('/_control/faults', { kind: 'fail', match: 'POST /v1/refunds', times: 2, status: 503 });
    await skip(t, receipt);
    expect(await refusal(withdraw(t, receipt))).toBe('409 closure/action-not-allowed');
    await house.run();
    expect((await t.status(receipt)).state).toBe('completed');
    expect(await refusal(withdraw(t, receipt))).toBe('409 closure/action-not-allowed');
  });

  test('two withdrawals and a skip at the same time leave one outcome', async () => {
    const t = await signUp(house);
    const receipt = await t.apply({ coolingOffDays: 7 });
    const answers = await Promise.all([withdraw(t, receipt), skip(t, receipt), withdraw(t, receipt)].map(refusal));
    expect(answers.filter((answer) => answer === 'answered')).toHaveLength(1);
    await house.run();
    expect(['withdrawn', 'completed']).toContain((await t.status(receipt)).state);
  });

  test('money that arrives while cooling off goes back with the rest', async () => {
    const t = await signUp(house);
    await t.topUp(1200);
    const { body } = await t.client.call(paymentsRoutes.startTopUp, { idempotencyKey: 'a-key-of-enough-letters', body: { amount: { amountMinor: 700, currency: 'EUR' } } });
    const receipt = await t.apply({ coolingOffDays: 7 });
    await house.gateway.post(new URL(body.payUrl!).pathname, { cardNumber: '4242424242424242' });
    await house.until('both in the balance', async () => (await t.balance()).cash === 1900);
    await house.later(7 * day);
    const { refunds, state } = await t.status(receipt);
    expect(state).toBe('completed');
    expect(refunds.map(({ amount }) => amount.amountMinor)).toEqual([700, 1200]);
    await expectSoundBooks(house);
  });
});
