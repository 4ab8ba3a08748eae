import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { layFoundation, type Foundation } from '../../test/foundation.ts';
import { startSimulator, type Simulator } from '../../test/simulators.ts';
import { sql } from '../platform/db/index.ts';
import { serveForTest, tableAuthenticator } from '../platform/http/testing.ts';
import { createPartners, isWorthRepeating, type OperatorPort, type Partners } from './index.ts';

let ground: Foundation;
let simulator: Simulator;
let partners: Partners;
let operatorId: string;
let operator: OperatorPort;
let booked: string[];
let numbers = 0;
let iccid: string;
const imsi = '001010000000001';
const call = (requestId: string) => ({ iccid, imsi, requestId: `${iccid}-${requestId}` });

beforeAll(async () => {
  [ground, simulator] = await Promise.all([layFoundation(), startSimulator('operator')]);
  booked = [];
  partners = createPartners({
    db: ground.db, clock: ground.clock, dataKeys: ground.keys.dataKeys, timeoutMs: 400,
    openBooks: async (_tx, id, currency) => { booked.push(`${id} ${currency}`); },
  });
  operatorId = await partners.ensureOperator(given());
  operator = await partners.operator(operatorId);
});
afterAll(async () => {
  await simulator.stop();
  await ground.stop();
});
beforeEach(() => { iccid = `899990100000000${String(numbers++).padStart(4, '0')}`; });

function given() {
  return {
    code: 'demo-east', name: 'Demo East', plmns: ['00101', '44010'], restUrl: simulator.shown['url']!, apiKey: simulator.shown['apiKey']!,
    feedFolder: '/tmp/feed', costPerGigabyteMinor: 210, currency: 'EUR',
  };
}
const fault = (kind: string, more: object = {}) => simulator.post('/_control/faults', { kind, match: 'POST /subscribers', ...more });

test('an operator is kept under its code, its key sealed, and its books are opened', async () => {
  expect(await partners.ensureOperator({ ...given(), name: 'Demo East Mobile' })).toBe(operatorId);
  expect(booked).toContain(`${operatorId} EUR`);
  expect(await partners.find(ground.db, operatorId)).toMatchObject({ name: 'Demo East Mobile', plmns: ['00101', '44010'], costPerGigabyteMinor: 210n });
  const stored = await ground.db.one<{ text: string }>(sql`select encode(api_key, 'escape') as text from partners.operator`);
  expect(stored.text).not.toContain(given().apiKey);
  await expect(partners.operator('0198c5d2-7a10-7c3e-9a44-3f1f0a6f2b11')).rejects.toMatchObject({ code: 'partners/unknown-operator' });
});

test('where only https will do, an operator over http is neither taken nor called', async () => {
  const safe = createPartners({
    db: ground.db, clock: ground.clock, dataKeys: ground.keys.dataKeys, httpsOnly: true, openBooks: () => Promise.resolve(),
  });
  await expect(safe.ensureOperator(given())).rejects.toMatchObject({ code: 'partners/insecure-url', details: { operator: 'demo-east' } });
  await expect(safe.operator(operatorId)).rejects.toMatchObject({ code: 'partners/insecure-url' });
  const other = await safe.ensureOperator({ ...given(), code: 'demo-north', restUrl: 'https://operator.example.test' });
  await expect(safe.operator(other)).resolves.toBeDefined();
  await ground.db.alone(sql`delete from partners.operator where id = ${other}`);
});

test('a line goes from activation to being forgotten, with a receipt for each', async () => {
  expect(await operator.state({ iccid })).toBe('unknown');
  const receipt = await operator.activate(call('activate'));
  expect(receipt).toMatchObject({ operatorId, call: 'activate', state: 'active' });
  expect(await operator.activate(call('activate'))).toEqual(receipt);
  expect(await operator.suspend(call('suspend'))).toMatchObject({ state: 'suspended' });
  expect(await operator.resume(call('resume'))).toMatchObject({ state: 'active' });
  expect(await operator.terminate(call('terminate'))).toMatchObject({ state: 'terminated' });
  expect(await operator.state({ iccid })).toBe('terminated');
  expect(await operator.forget(call('forget'))).toMatchObject({ state: 'forgotten' });
  expect(await partners.receipt(ground.db, `${iccid}-activate`)).toEqual(receipt);
  expect(await partners.receipt(ground.db, 'never-asked')).toBeUndefined();
});

test('a no is told apart from no answer', async () => {
  const unknown = await operator.suspend(call('suspend')).catch((error: unknown) => error);
  expect(unknown).toMatchObject({ code: 'partners/unknown-subscriber' });
  expect(isWorthRepeating(unknown)).toBe(false);
  await operator.activate(call('activate'));
  await expect(operator.forget(call('forget'))).rejects.toMatchObject({ code: 'partners/wrong-state' });
  await expect(operator.suspend(call('activate'))).rejects.toMatchObject({ code: 'partners/operator-refused' });
  await fault('fail', { status: 503 });
  const failed = await operator.suspend(call('suspend')).catch((error: unknown) => error);
  expect(failed).toMatchObject({ code: 'partners/operator-unreachable' });
  expect(isWorthRepeating(failed)).toBe(true);
});

test.each(['timeout-after-doing', 'lost-answer'])('after %s the repeat finds it done', async (kind) => {
  await fault(kind, { delayMs: 2000 });
  await expect(operator.activate(call('activate'))).rejects.toMatchObject({ code: 'partners/operator-unreachable' });
  expect(await operator.state({ iccid })).toBe('active');
  expect(await operator.activate(call('activate'))).toMatchObject({ state: 'active' });
});

test('slow answers within the limit are waited for; answers given twice do no harm', async () => {
  await fault('delay', { delayMs: 100 });
  await operator.activate(call('activate'));
  await fault('answer-twice');
  await operator.suspend(call('suspend'));
  expect(await operator.resume(call('resume'))).toMatchObject({ state: 'active' });
});

test('agents list operators, never their keys', async () => {
  const served = await serveForTest({
    endpoints: partners.endpoints, db: ground.db,
    authenticators: [tableAuthenticator('agent', 'ag_', { ag_one: { kind: 'agent', agentId: operatorId, permissions: new Set(['partners:read']) } })],
  });
  const answer = await fetch(`${served.url}/v1/operators`, { headers: { authorization: 'Bearer ag_one' } });
  const text = await answer.text();
  expect(JSON.parse(text)).toMatchObject({ items: [{ id: operatorId, code: 'demo-east', costPerGigabyte: { amountMinor: 210, currency: 'EUR' } }], nextCursor: null });
  expect(text).not.toContain(given().apiKey);
  await served.close();
});
