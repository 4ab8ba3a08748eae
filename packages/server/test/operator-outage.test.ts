import { closureRoutes, lineRoutes, orderRoutes } from '@yuanyou/contract';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { sql } from '../src/platform/db/index.ts';
import { expectSoundBooks, subscriber } from './support/books.ts';
import { openHouse, type House } from './support/house.ts';
import { iccidOf, refusal, signUp, type Traveller } from './support/traveller.ts';

let house: House;
let t: Traveller;
beforeAll(async () => { house = await openHouse({ jobs: { backoff: { firstMs: 100, factor: 2, longestMs: 15 * 60_000 } } }); });
afterAll(() => house.stop());
beforeEach(async () => {
  t = await signUp(house);
  await t.topUp(2000);
  await t.redeem(400);
});
afterEach(() => up());

const hour = 3_600_000;
const down = (kind: 'fail' | 'lost-answer' = 'fail', times = 1000) =>
  house.operator.post('/_control/faults', { kind, match: 'POST /subscribers', times, ...(kind === 'fail' ? { status: 503 } : {}) });
const up = () => fetch(new URL('/_control/faults', house.operator.shown['url']), { method: 'DELETE' });
const order = async () => (await t.client.call(orderRoutes.listOrders, {})).body.items[0]!;
const concern = async () => (await t.client.call(closureRoutes.getPreflight)).body.concerns.find(({ code }) => code === 'orders/in-flight');
const saga = async (lineId: string) => (await house.context.jobs.sagas.view(lineId))!;

async function pass(ms: number, stepMs: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += stepMs) await house.later(stepMs);
  await t.signIn();
}

test('an operator that is away for hours fails no order: it waits, and is fulfilled when the operator is back', async () => {
  await down();
  const { lineId } = await t.order();
  await pass(6 * hour, hour);
  expect(await saga(lineId)).toMatchObject({ status: 'running', steps: [{ name: 'activate', status: 'waiting', waitingOn: 'operator' }, {}] });
  expect(await order()).toMatchObject({ state: 'paid' });
  await up();
  await pass(hour / 2, hour / 4);
  expect(await order()).toMatchObject({ state: 'fulfilled' });
  expect(await t.line(lineId)).toMatchObject({ service: 'active', delivery: 'released' });
  await expectSoundBooks(house);
}, 60_000);

test('an operator that is away for a day is given up: the money is back at once, and the operator is told when it answers', async () => {
  // What it is asked is done, but nobody hears of it.
  await down('lost-answer');
  const { lineId } = await t.order();
  const iccid = await iccidOf(house, lineId);
  await house.run();
  expect(await subscriber(house, iccid)).toBe('active');
  await up();
  await down();
  await pass(25 * hour, 5 * hour);
  await house.run();
  expect(await order()).toMatchObject({ state: 'undone' });
  expect(await t.balance()).toEqual({ cash: 2000, promo: 400 });
  expect((await t.allowance(lineId)).state).toBe('revoked');
  expect(await refusal(t.client.call(lineRoutes.getActivation, { params: { lineId } }))).toBe('409 lines/not-released');
  expect(await t.line(lineId)).toMatchObject({ delivery: 'retired', service: 'pending' });
  expect(await saga(lineId)).toMatchObject({ status: 'undoing', steps: [{ status: 'waiting', waitingOn: 'operator' }, {}] });
  await expectSoundBooks(house);
  await pass(10 * hour, 5 * hour);
  await up();
  await pass(hour, hour / 2);
  expect(await subscriber(house, iccid)).toBe('terminated');
  expect(await t.line(lineId)).toMatchObject({ service: 'terminated' });
  expect(await saga(lineId)).toMatchObject({ status: 'undone' });
  expect(await t.balance()).toEqual({ cash: 2000, promo: 400 });
  await expectSoundBooks(house);
}, 60_000);

test('undoing what the operator never heard of is done when it says so', async () => {
  await down();
  const { lineId } = await t.order();
  const iccid = await iccidOf(house, lineId);
  await pass(25 * hour, 5 * hour);
  await up();
  await pass(hour, hour / 2);
  expect(await subscriber(house, iccid)).toBe('unknown');
  expect(await saga(lineId)).toMatchObject({ status: 'undone' });
  expect(await t.line(lineId)).toMatchObject({ service: 'terminated' });
}, 60_000);

test('one who wants to leave is told the truth about an order in flight, and can give it up', async () => {
  await down();
  const { orderId, lineId } = await t.order();
  await house.run();
  expect(await concern()).toMatchObject({
    severity: 'blocker', owner: 'operator', about: { orderId, lineId }, fix: { operationId: 'cancelOrder', params: { orderId } },
  });
  const minutes = Number(/^PT(\d+)M$/.exec((await concern())!.eta!)![1]);
  expect(minutes).toBeGreaterThan(24 * 60 - 30);
  expect(minutes).toBeLessThanOrEqual(24 * 60 + 10);
  const cancel = () => t.client.call(orderRoutes.cancelOrder, { params: { orderId } });
  expect((await cancel()).status).toBe(202);
  await house.run();
  expect(await concern()).toBeUndefined();
  expect(await order()).toMatchObject({ state: 'undone' });
  expect((await cancel()).body.state).toBe('undone');
  expect(await t.balance()).toEqual({ cash: 2000, promo: 400 });
  const acts = await house.db.all<{ action: string }>(sql`select action from audit.entry where actor_kind = 'account' and subject_id in (${orderId}, ${lineId}) order by id`);
  expect(acts.map(({ action }) => action).toSorted()).toEqual(['lines.give-up', 'orders.cancel', 'orders.place']);
  await up();
  const receipt = await t.apply();
  await house.later(hour);
  await house.later(hour);
  expect(await t.status(receipt)).toMatchObject({ state: 'completed', refunds: [{ amount: { amountMinor: 2000 } }] });
  await expectSoundBooks(house);
}, 60_000);

test('an order that does not wait cannot be given up, nor can anybody else’s', async () => {
  const line = await t.buy();
  const { orderId } = await order();
  expect(await refusal(t.client.call(orderRoutes.cancelOrder, { params: { orderId } }))).toBe('409 orders/not-waiting');
  const other = await signUp(house);
  expect(await refusal(other.client.call(orderRoutes.cancelOrder, { params: { orderId } }))).toBe('404 orders/unknown');
  expect(await t.line(line.lineId)).toMatchObject({ service: 'active' });
});
