import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readOperatorRegister, startOperatorSimulator, type OperatorSimulator } from './index.ts';

const iccid = '8999901000000000012';
const imsi = '001010000000001';
const at = new Date('2026-11-22T08:30:00Z');
let folder: string;
let operator: OperatorSimulator;
let requests = 0;

const start = async (): Promise<void> => {
  operator = await startOperatorSimulator({ folder, feedFolder: join(folder, 'feed'), name: 'demo', fileEveryMs: null, clock: { now: () => at } });
};

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'operator-'));
  await start();
});
afterEach(() => operator.stop());

async function call(what: string, requestId = `request-${requests++}`, key = operator.apiKey): Promise<{ status: number; body: any }> {
  const answer = await fetch(`${operator.url}/subscribers/${iccid}/${what}`, {
    method: 'POST', headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ requestId, ...(what === 'activate' ? { imsi } : {}) }),
  });
  return { status: answer.status, body: await answer.json() };
}

test('a subscriber goes through its states, and repeats change nothing', async () => {
  const first = await call('activate', 'activation-1');
  expect(first.body).toMatchObject({ iccid, imsi, state: 'active' });
  expect((await call('activate', 'activation-1')).body.receiptId).toBe(first.body.receiptId);
  expect((await call('suspend', 'activation-1')).body.code).toBe('request-id-reused');
  expect((await call('suspend')).body.state).toBe('suspended');
  expect((await call('resume')).body.state).toBe('active');
  expect((await call('forget')).body.code).toBe('wrong-state');
  expect((await call('terminate')).body.state).toBe('terminated');
  expect((await call('terminate')).status).toBe(200);
  expect((await call('resume')).body.code).toBe('wrong-state');
  expect((await call('forget')).body.state).toBe('forgotten');
  expect((await call('terminate')).status).toBe(404);
  expect(readOperatorRegister(folder)).toMatchObject({ subscribers: [], forgotten: [iccid] });
});

test('use reaches the feed as whole files by the hour, once, also after a restart', async () => {
  await call('activate');
  operator.use({ iccid, bytes: 1000, at, mccmnc: '44010' });
  operator.use({ iccid, bytes: 2000, at: new Date('2026-11-22T09:10:00Z') });
  await operator.stop();
  await start();
  expect(operator.writeFiles()).toEqual(['demo-2026112208-000001.csv', 'demo-2026112209-000002.csv']);
  expect(operator.writeFiles()).toEqual([]);
  expect(readdirSync(operator.feedFolder).sort()).toEqual(['demo-2026112208-000001.csv', 'demo-2026112209-000002.csv']);
  const [header, row] = readFileSync(join(operator.feedFolder, 'demo-2026112208-000001.csv'), 'utf8').split('\n');
  expect(header).toBe('id,start,stop,iccid,imsi,bytes,imei,mccmnc');
  expect(row!.split(',').slice(1)).toEqual(['2026-11-22T08:25:00.000Z', '2026-11-22T08:30:00.000Z', iccid, imsi, '1000', '', '44010']);
});

test('nobody uses a terminated line, unless a late record leaks', async () => {
  await call('activate');
  await call('terminate');
  expect(() => operator.use({ iccid, bytes: 1, at })).toThrow('terminated');
  operator.use({ iccid, bytes: 1, at, leak: true });
  expect(operator.writeFiles()).toHaveLength(1);
});

test('other processes drive it over HTTP', async () => {
  await call('activate');
  const answer = await fetch(`${operator.url}/_control/usage`, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ iccid, bytes: 5, at: at.toISOString(), write: true }),
  });
  expect(await answer.json()).toMatchObject({ record: { bytes: 5 }, files: ['demo-2026112208-000001.csv'] });
});

test('faults: fails, loses the answer after doing, answers twice; a wrong key is refused', async () => {
  operator.faults.add({ kind: 'fail', match: 'POST /subscribers', status: 503 });
  expect((await call('activate', 'activation-1')).status).toBe(503);
  expect(operator.subscriber(iccid)).toBeUndefined();
  operator.faults.add({ kind: 'lost-answer', match: 'POST /subscribers' });
  await expect(call('activate', 'activation-1')).rejects.toThrow();
  expect(operator.subscriber(iccid)!.state).toBe('active');
  operator.faults.add({ kind: 'answer-twice', match: 'POST /subscribers' });
  expect((await call('activate', 'activation-1')).status).toBe(200);
  expect((await call('suspend')).status).toBe(200);
  expect((await call('resume', 'resume-1', 'wrong')).status).toBe(401);
});
