import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectSoundBooks, standsAt } from './support/books.ts';
import { openHouse, type House } from './support/house.ts';
import { signUp, type LineShown, type Traveller } from './support/traveller.ts';
import { gigabyte, use } from './support/use.ts';

let house: House;
beforeAll(async () => { house = await openHouse(); });
afterAll(() => house.stop());

const hour = 3_600_000;
const revenue = async (): Promise<bigint> => -await standsAt(house, 'revenue:plans:EUR');
const breakage = async (): Promise<bigint> => -await standsAt(house, 'revenue:breakage:EUR');

async function inUse(slug = 'japan-3gb-15d'): Promise<{ t: Traveller; line: LineShown & { iccid: string } }> {
  const t = await signUp(house);
  await t.topUp(3000);
  return { t, line: await t.buy(slug) };
}

describe('an allowance', () => {
  test('begins with its first use and lasts from there', async () => {
    const { t, line } = await inUse('japan-1gb-7d');
    const before = await t.allowance(line.lineId);
    expect(before.state).toBe('queued');
    await house.later(20 * 24 * hour);
    await t.signIn();
    const began = house.clock.now();
    await use(house, { iccid: line.iccid, bytes: 1000 });
    expect(await t.allowance(line.lineId)).toMatchObject({
      state: 'active', validFrom: began.toISOString(), validUntil: new Date(began.getTime() + 7 * 24 * hour).toISOString(),
    });
    await house.later(8 * 24 * hour);
    await t.signIn();
    await use(house, { iccid: line.iccid, bytes: 5000 });
    expect(await t.allowance(line.lineId)).toMatchObject({ state: 'expired', usedBytes: 1000 });
    await expectSoundBooks(house);
  });

  test('whose time is over earns what is left of it, once late records can hardly come', async () => {
    const { t, line } = await inUse('japan-1gb-7d');
    const began = house.clock.now();
    await use(house, { iccid: line.iccid, bytes: 0.25 * gigabyte });
    await house.later(8 * 24 * hour);
    const before = await breakage();
    // A record of the last valid day comes a day late.
    await use(house, { iccid: line.iccid, bytes: 0.25 * gigabyte, at: new Date(began.getTime() + 6 * 24 * hour) });
    expect(await t.allowance(line.lineId)).toMatchObject({ state: 'expired', usedBytes: 0.5 * gigabyte });
    expect(await breakage()).toBe(before);
    await house.later(4 * 24 * hour);
    expect(await breakage() - before).toBe(200n);
    await use(house, { iccid: line.iccid, bytes: 0.25 * gigabyte, at: new Date(began.getTime() + 6 * 24 * hour) });
    // It counts, so that no other plan pays for it, but earns nothing more.
    expect(await t.allowance(line.lineId)).toMatchObject({ state: 'expired', usedBytes: 0.75 * gigabyte });
    expect(await breakage() - before).toBe(200n);
    await expectSoundBooks(house);
  });

  test('that was never begun in time ends as well; closing the account returns nothing of it', async () => {
    const { t } = await inUse('japan-1gb-7d');
    await house.later(181 * 24 * hour);
    await t.signIn();
    const before = await breakage();
    const receipt = await t.apply();
    await house.run();
    expect(await t.status(receipt)).toMatchObject({ state: 'completed', refunds: [{ amount: { amountMinor: 2600 } }] });
    expect(await breakage() - before).toBe(400n);
    await expectSoundBooks(house);
  });

  test('whose time is over returns nothing at a closure, also within the days of withdrawal', async () => {
    const { t, line } = await inUse('japan-1gb-7d');
    await use(house, { iccid: line.iccid, bytes: 1000 });
    await house.later(8 * 24 * hour);
    const receipt = await t.apply();
    await house.run();
    expect(await t.status(receipt)).toMatchObject({ state: 'completed', refunds: [{ amount: { amountMinor: 2600 } }] });
    await expectSoundBooks(house);
  });

  test('tells its traveller once at 80 % and once at the end, and the whole price is earned by then', async () => {
    const { t, line } = await inUse('japan-1gb-7d');
    const earned = await revenue();
    await use(house, { iccid: line.iccid, bytes: 0.7 * gigabyte });
    await use(house, { iccid: line.iccid, bytes: 0.11 * gigabyte });
    await use(house, { iccid: line.iccid, bytes: 0.1 * gigabyte });
    await t.mailAbout('80% of your data');
    await use(house, { iccid: line.iccid, bytes: 0.2 * gigabyte });
    await use(house, { iccid: line.iccid, bytes: 0.2 * gigabyte });
    await t.mailAbout('Your data is used up');
    expect((await t.mail()).filter(({ subject }) => /data is used/.test(subject)).map(({ subject }) => subject)).toEqual(['80% of your data is used', 'Your data is used up']);
    expect(await t.allowance(line.lineId)).toMatchObject({ state: 'depleted', usedBytes: gigabyte });
    expect(await revenue() - earned).toBe(400n);
    await expectSoundBooks(house);
  });

  test('used up by one record tells of the end alone', async () => {
    const { t, line } = await inUse('japan-1gb-7d');
    await use(house, { iccid: line.iccid, bytes: 2 * gigabyte });
    await t.mailAbout('Your data is used up');
    expect((await t.mail()).filter(({ subject }) => /data is used/.test(subject))).toHaveLength(1);
  });
});
