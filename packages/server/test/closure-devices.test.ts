import { closureRoutes } from '@yuanyou/contract';
import { parseBundle, parseCertificate } from '@yuanyou/proof';
import type { StoppedLine } from '@yuanyou/proof';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sql } from '../src/platform/db/index.ts';
import { expectSoundBooks, standsAt, subscriber } from './support/books.ts';
import { openHouse, type House } from './support/house.ts';
import { newPhone } from './support/phone.ts';
import { signUp, type Access, type Traveller } from './support/traveller.ts';
import { gigabyte, use } from './support/use.ts';

let house: House;
beforeAll(async () => { house = await openHouse(); });
afterAll(() => house.stop());

const hour = 3_600_000;

async function stopped(access: Access): Promise<readonly StoppedLine[]> {
  const { body } = await house.client().call(closureRoutes.getCertificate, { body: { caseNumber: access.caseNumber, accessCode: access.accessCode } });
  return parseCertificate(parseBundle(body).certificate).statement.credentialSubject.stopped;
}

async function step(t: Traveller, access: Access, name: string) {
  return (await t.status(access)).steps.find((one) => one.step === name)!;
}

async function withMoney(): Promise<Traveller> {
  const t = await signUp(house);
  await t.topUp(4000);
  return t;
}

describe('unbinding', () => {
  test('waits for the phone’s signed delete notification, and goes on with it', async () => {
    const t = await withMoney();
    const { lineId, iccid } = await t.buy();
    const phone = newPhone(house);
    await phone.download(t, lineId);
    await phone.enable(iccid);
    await phone.report();
    const receipt = await t.apply();
    await house.run();
    const waiting = await step(t, receipt, 'unbind-devices');
    expect(waiting).toMatchObject({ state: 'waiting', waitingOn: 'traveller', actsNow: 'traveller' });
    expect(Date.parse(waiting.until!) - Date.parse(waiting.startedAt!)).toBe(72 * hour);
    // The refund does not wait for the phone, and neither does the end of service.
    expect((await t.status(receipt)).refunds).toMatchObject([{ amount: { amountMinor: 4000 }, state: 'succeeded' }]);
    expect(await subscriber(house, iccid)).toBe('terminated');
    await house.later(5 * hour);
    expect(await step(t, receipt, 'unbind-devices')).toMatchObject({ state: 'waiting' });
    await phone.remove(iccid);
    await phone.report();
    expect((await t.status(receipt)).state).toBe('completed');
    expect(await stopped(receipt)).toMatchObject([{ iccidTail: iccid.slice(-4), device: 'deleted' }]);
  });

  test('waits at most 72 hours; a notification that comes later is verified and changes no case', async () => {
    const t = await withMoney();
    const { lineId, iccid } = await t.buy();
    const phone = newPhone(house);
    await phone.download(t, lineId);
    await phone.report();
    const receipt = await t.apply();
    await house.later(72 * hour - 60_000);
    expect(await step(t, receipt, 'unbind-devices')).toMatchObject({ state: 'waiting' });
    await house.later(60_000);
    const status = await t.status(receipt);
    expect(status.state).toBe('completed');
    expect(await stopped(receipt)).toMatchObject([{ device: 'not-confirmed', service: 'terminated' }]);
    await phone.remove(iccid);
    await phone.report();
    expect((await house.db.one<{ n: bigint }>(sql`select count(*) as n from smdp.notification where iccid = ${iccid} and event = 'deleted'`)).n).toBe(1n);
    expect(await t.status(receipt)).toEqual(status);
    expect(await stopped(receipt)).toMatchObject([{ device: 'not-confirmed' }]);
    expect(await house.db.one(sql`select iccid, device_id as device from lines.line where line_id = ${lineId}`)).toEqual({ iccid: null, device: null });
  });

  test('does not wait where no phone holds a profile; the certificate tells the lines apart', async () => {
    const t = await withMoney();
    const [never, gone] = [await t.buy('japan-1gb-7d'), await t.buy('japan-1gb-7d')];
    const phone = newPhone(house);
    await phone.download(t, gone.lineId);
    await phone.enable(gone.iccid);
    await phone.remove(gone.iccid);
    await phone.report();
    const receipt = await t.apply();
    await house.run();
    expect((await t.status(receipt)).state).toBe('completed');
    const byTail = new Map((await stopped(receipt)).map((line) => [line.iccidTail, line.device]));
    expect(byTail).toEqual(new Map([[never.iccid.slice(-4), 'never-installed'], [gone.iccid.slice(-4), 'deleted']]));
  });

  test('of several phones waits for each', async () => {
    const t = await withMoney();
    const [one, two] = [await t.buy('japan-1gb-7d'), await t.buy('japan-1gb-7d')];
    const [first, second] = [newPhone(house), newPhone(house)];
    await first.download(t, one.lineId);
    await first.report();
    await second.download(t, two.lineId);
    await second.report();
    const receipt = await t.apply();
    await house.run();
    await first.remove(one.iccid);
    await first.report();
    expect((await t.status(receipt)).state).toBe('executing');
    await second.remove(two.iccid);
    await second.report();
    expect((await t.status(receipt)).state).toBe('completed');
  });
});

describe('use that arrives after the cutoff', () => {
  test('is a named loss, never the traveller’s, whenever it was made', async () => {
    const t = await withMoney();
    const { lineId, iccid } = await t.buy();
    await use(house, { iccid, bytes: gigabyte });
    const before = house.clock.now();
    const phone = newPhone(house);
    await phone.download(t, lineId);
    await phone.report();
    const receipt = await t.apply();
    await house.run();
    expect((await t.status(receipt)).refunds).toMatchObject([{ amount: { amountMinor: 3700 } }]);
    const [loss, revenue] = [await standsAt(house, 'late-usage-loss:EUR'), await standsAt(house, 'revenue:plans:EUR')];
    await use(house, { iccid, bytes: gigabyte }, { iccid, bytes: gigabyte, at: new Date(before.getTime() - 1000) });
    expect(await standsAt(house, 'late-usage-loss:EUR') - loss).toBe(160n);
    expect(await standsAt(house, 'revenue:plans:EUR')).toBe(revenue);
    await house.later(72 * hour);
    // Also when nothing of the account is left.
    await use(house, { iccid, bytes: gigabyte });
    expect(await standsAt(house, 'late-usage-loss:EUR') - loss).toBe(240n);
    expect((await t.status(receipt)).refunds).toMatchObject([{ amount: { amountMinor: 3700 }, state: 'succeeded' }]);
    expect((await t.mail()).some(({ subject }) => /data is used/.test(subject))).toBe(false);
    await expectSoundBooks(house);
  });

  test('but was there before it is taken in first, and is the traveller’s', async () => {
    const t = await withMoney();
    const { iccid } = await t.buy();
    await house.operator.post('/_control/usage', { iccid, bytes: 1.5 * gigabyte, at: house.clock.now().toISOString(), seconds: 60, write: true });
    house.clock.advance(10);
    const receipt = await t.apply();
    await house.run();
    expect(await t.status(receipt)).toMatchObject({ state: 'completed', refunds: [{ amount: { amountMinor: 3550 } }] });
    await expectSoundBooks(house);
  });
});
