import { lineRoutes, orderRoutes } from '@yuanyou/contract';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { sql } from '../src/platform/db/index.ts';
import { expectSoundBooks, subscriber } from './support/books.ts';
import { openHouse, type House } from './support/house.ts';
import { newPhone } from './support/phone.ts';
import { iccidOf, refusal, signUp, type Traveller } from './support/traveller.ts';

let house: House;
beforeAll(async () => { house = await openHouse(); });
afterAll(() => house.stop());

const fault = (kind: string, more: object = {}) => house.operator.post('/_control/faults', { kind, match: 'POST /subscribers', ...more });
const orderState = async (t: Traveller) => (await t.client.call(orderRoutes.listOrders, {})).body.items[0]!.state;
const stock = async (lineId: string) => (await house.db.one<{ state: string }>(sql`
  select p.state from inventory.profile p join lines.line l on l.profile_id = p.id where l.line_id = ${lineId}`)).state;
const changes = async (t: Traveller, lineId: string, axis: string) =>
  (await t.client.call(lineRoutes.listLineChanges, { params: { lineId }, query: { limit: 100 } })).body.items
    .filter((change) => change.axis === axis).map(({ to }) => to).reverse();

async function withMoney(): Promise<Traveller> {
  const t = await signUp(house);
  await t.topUp(2000);
  await t.redeem(400);
  return t;
}

describe('provisioning', () => {
  test.each([
    ['an operator that is down for a while', { kind: 'fail', times: 15, status: 503 }],
    ['an operator whose answer is lost', { kind: 'lost-answer', times: 2 }],
    ['an operator that answers twice', { kind: 'answer-twice', times: 1 }],
  ])('gets through to %s', async (_what, { kind, ...more }) => {
    const t = await withMoney();
    await fault(kind, more);
    const line = await t.buy();
    expect(line).toMatchObject({ service: 'active', delivery: 'released' });
    expect(await orderState(t)).toBe('fulfilled');
    expect(await subscriber(house, line.iccid)).toBe('active');
  });

  async function undone(t: Traveller): Promise<string> {
    const { lineId } = await t.order();
    const iccid = await iccidOf(house, lineId);
    expect(await t.balance()).toEqual({ cash: 1500, promo: 0 });
    await house.until('the order undone', async () => (await orderState(t)) === 'undone');
    expect(await t.line(lineId)).toMatchObject({ service: 'terminated', delivery: 'retired' });
    expect(await stock(lineId)).toBe('retired');
    expect(await t.balance()).toEqual({ cash: 2000, promo: 400 });
    expect((await t.allowance(lineId)).state).toBe('revoked');
    expect(await refusal(t.client.call(lineRoutes.getActivation, { params: { lineId } }))).toBe('409 lines/not-released');
    await expectSoundBooks(house);
    return iccid;
  }

  test('refused for good is undone at once: line, profile and order, and the money goes back to where it came from', async () => {
    const t = await withMoney();
    await fault('fail', { times: 1, status: 422 });
    const began = house.clock.now().getTime();
    expect(await subscriber(house, await undone(t))).toBe('unknown');
    expect(house.clock.now().getTime() - began).toBeLessThan(2000);
    await t.buy();
  });

  test('an account whose only order was undone closes like any other', async () => {
    const t = await withMoney();
    await fault('fail', { times: 1, status: 422 });
    await undone(t);
    const receipt = await t.apply();
    await house.run();
    expect(await t.status(receipt)).toMatchObject({ state: 'completed', refunds: [{ amount: { amountMinor: 2000 } }] });
    await expectSoundBooks(house);
  });
});

describe('what phones report', () => {
  let t: Traveller;
  beforeEach(async () => { t = await withMoney(); });

  const devices = async () => (await t.client.call(lineRoutes.listDevices)).body.devices;

  test('moves the delivery of a line step by step', async () => {
    const { lineId, iccid } = await t.buy();
    const phone = newPhone(house);
    await phone.download(t, lineId);
    await phone.report();
    expect(await t.line(lineId)).toMatchObject({ delivery: 'installed', service: 'active' });
    await phone.enable(iccid);
    await phone.report();
    expect((await t.line(lineId)).delivery).toBe('enabled');
    await phone.remove(iccid);
    await phone.report();
    expect(await t.line(lineId)).toMatchObject({ delivery: 'deleted', service: 'active' });
    expect(await changes(t, lineId, 'delivery')).toEqual(expect.arrayContaining(['released', 'installed', 'enabled', 'disabled', 'deleted']));
    expect(await devices()).toMatchObject([{ eidTail: phone.eid.slice(-4), lines: [{ lineId, delivery: 'deleted' }] }]);
    expect((await t.line(lineId)).deviceId).toBe((await devices())[0]!.deviceId);
  });

  test('may come late, all at once, and more than once', async () => {
    const { lineId, iccid } = await t.buy();
    const phone = newPhone(house);
    await phone.download(t, lineId);
    await phone.enable(iccid);
    await phone.remove(iccid);
    expect(['released', 'downloaded']).toContain((await t.line(lineId)).delivery);
    await phone.report();
    await phone.report();
    expect((await t.line(lineId)).delivery).toBe('deleted');
    const told = await changes(t, lineId, 'delivery');
    expect(new Set(told).size).toBe(told.length);
  });

  test('in an order that cannot be leaves the line where it is', async () => {
    const { lineId } = await t.buy();
    const phone = newPhone(house);
    await phone.download(t, lineId);
    await phone.report();
    const { profile } = await house.db.one<{ profile: string }>(sql`select profile_id as profile from lines.line where line_id = ${lineId}`);
    const line = await t.line(lineId);
    await house.db.transaction((tx) => tx.run(sql`
      insert into jobs.delivery (event_id, consumer, event, key, body, emitted_at, status, due_at)
      values (gen_random_uuid(), 'lines.report', 'smdp.profile-reported', ${profile}, ${JSON.stringify({ profileId: profile, iccid: '8981099000000000000', eid: phone.eid, to: 'downloaded' })}::jsonb,
              ${house.clock.now()}, 'ready', ${house.clock.now()})`));
    await house.run();
    expect(await t.line(lineId)).toEqual(line);
  });

  test('of a profile that was deleted and downloaded anew show that the phone has it again', async () => {
    const { lineId, iccid } = await t.buy();
    const phone = newPhone(house);
    await phone.download(t, lineId);
    await phone.enable(iccid);
    await phone.remove(iccid);
    await phone.report();
    expect((await t.line(lineId)).delivery).toBe('deleted');
    await phone.download(t, lineId);
    await phone.report();
    expect((await t.line(lineId)).delivery).toBe('installed');
    expect(await stock(lineId)).toBe('installed');
    expect(await devices()).toMatchObject([{ eidTail: phone.eid.slice(-4), lines: [{ lineId, delivery: 'installed' }] }]);
  });

  test('list every phone with the lines it holds', async () => {
    const [one, two, three] = [await t.buy('japan-1gb-7d'), await t.buy('japan-1gb-7d'), await t.buy('japan-1gb-7d')];
    const [phone, other] = [newPhone(house), newPhone(house)];
    await phone.download(t, one.lineId);
    await phone.download(t, two.lineId);
    await phone.report();
    house.clock.advance(10);
    await other.download(t, three.lineId);
    await other.report();
    const listed = await devices();
    expect(listed.map(({ lines }) => lines.map(({ lineId }) => lineId).sort())).toEqual([[one.lineId, two.lineId].sort(), [three.lineId]]);
    const stranger = await signUp(house);
    expect((await stranger.client.call(lineRoutes.listDevices)).body.devices).toEqual([]);
  });
});
