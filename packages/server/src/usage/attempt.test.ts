import { randomUUID } from 'node:crypto';
import { permissionsOf, usageProblems } from '@yuanyou/contract';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { layFoundation, type Foundation } from '../../test/foundation.ts';
import { createLedger, type Ledger } from '../ledger/index.ts';
import type { Line } from '../lines/index.ts';
import { createBlobs } from '../platform/blobs/index.ts';
import { sql } from '../platform/db/index.ts';
import { createJobs } from '../platform/jobs/index.ts';
import { serveForTest, tableAuthenticator } from '../platform/http/testing.ts';
import { newId } from '../platform/ids.ts';
import { createUsage, type Usage, type UsageDeps } from './index.ts';
import { rate } from './apply.ts';
import type { Allowance } from './model.ts';

const hour = 3_600_000;
const operatorId = newId();
let ground: Foundation;
let usage: Usage;
let ledger: Ledger;
let lines: Map<string, Line>;
let broken: () => boolean;
let refusals: object[];
let deps: UsageDeps;

/** Batches of one operator are applied one after another; for batches at once there must be several operators. */
function newOperator(iccid: string): string {
  const another = newId();
  lines.set(iccid, { ...lines.get(iccid)!, operatorId: another });
  return another;
}

beforeAll(async () => {
  ground = await layFoundation();
  ledger = createLedger({ clock: ground.clock });
  lines = new Map();
  refusals = [];
  deps = {
    db: ground.db, clock: ground.clock, outbox: ground.jobs.outbox, schedule: ground.jobs.schedule, audit: ground.audit, ledger,
    blobs: createBlobs({ db: ground.db }), dataKeys: ground.keys.dataKeys, log: { warn() {}, error(fields: object) { refusals.push(fields); } },
    stock: { byIccids: async (_db: unknown, iccids: readonly string[]) => iccids.map((iccid) => ({ iccid, profileId: iccid })) },
    lines: { byProfiles: async (_db: unknown, ids: readonly string[]) => ids.flatMap((id) => lines.get(id) ?? []), find: async () => undefined },
    tariffs: {
      async costMinor(_operator: string, bytes: bigint) {
        if (broken()) throw new TypeError('broken');
        return { amountMinor: bytes / 1000n, currency: 'EUR' };
      },
    },
    feeds: async () => [], feedEveryMs: hour, settledMs: 0, notifications: {}, accounts: {},
  } as unknown as UsageDeps;
  usage = createUsage(deps);
  await ground.db.transaction(async (tx) => { await ledger.openHouse(tx, 'EUR'); await ledger.openPartner(tx, operatorId, 'EUR'); });
});
afterAll(() => ground.stop());
beforeEach(() => { broken = () => false; refusals = []; });

let lastIccid = 8_981_000_000_000_000_000n;

/** A line with an allowance of a gigabyte for 1000. */
async function newLine(): Promise<{ iccid: string; lineId: string }> {
  const iccid = String(lastIccid += 1n);
  const lineId = newId();
  const now = ground.clock.now();
  lines.set(iccid, { lineId, profileId: iccid, operatorId, createdAt: new Date(now.getTime() - 48 * hour) } as Line);
  await ground.db.transaction((tx) => usage.grant(tx, {
    lineId, allowanceId: newId(), accountId: newId(), orderId: newId(), operatorId, state: 'active', totalBytes: 1_000_000_000n, boughtAt: now,
    validityDays: 15, validFrom: new Date(now.getTime() - 48 * hour), validUntil: new Date(now.getTime() + 360 * hour), currency: 'EUR',
    paidCashMinor: 1000n, paidPromoMinor: 0n, refundRule: { kind: 'none' },
  }));
  return { iccid, lineId };
}

function csv(iccid: string, rows: number, bytes = 1000, id = (row: number) => `r-${row}`): Buffer {
  const at = (ms: number) => new Date(ground.clock.now().getTime() + ms).toISOString();
  const [start, stop] = [at(-7_200_000), at(-3_600_000)];
  const lines = Array.from({ length: rows }, (_, row) => `${id(row)},${start},${stop},${iccid},440990000000001,${bytes},,44010`);
  return Buffer.from(`${['id,start,stop,iccid,imsi,bytes,imei,mccmnc', ...lines].join('\n')}\n`);
}

const batch = (source: string) => ground.db.one<{ id: string; state: string; records: number; duplicates: number; reason: string | null; appliedRows: number }>(sql`
  select batch_id as id, state, records, duplicates, reason, applied_rows as "appliedRows" from usage.batch where source = ${source}`);
const used = async (lineId: string) => (await ground.db.one<{ n: bigint }>(sql`select used_bytes as n from usage.allowance where line_id = ${lineId}`)).n;
const recorded = async (lineId: string) => (await ground.db.one<{ n: bigint }>(sql`select count(*) as n from usage.record where line_id = ${lineId}`)).n;

test('a large batch is applied in pieces; one that breaks off goes on where it stopped, and nothing counts twice', async () => {
  const { iccid, lineId } = await newLine();
  let pieces = 0;
  broken = () => ++pieces > 4;
  // Rows 6000 to 6009 repeat rows of the first piece.
  await usage.receive(operatorId, 'large.csv', csv(iccid, 12_000, 1000, (row) => `r-${row >= 6000 && row < 6010 ? row - 6000 : row}`));
  await ground.jobs.drain();
  expect(await batch('large.csv')).toMatchObject({ state: 'received', appliedRows: 10_000, records: 10_000, duplicates: 10 });
  broken = () => false;
  ground.clock.advance(10_000);
  await ground.jobs.drain();
  ground.clock.advance(10_000);
  await ground.jobs.drain();
  expect(await batch('large.csv')).toMatchObject({ state: 'applied', appliedRows: 12_000, records: 12_000, duplicates: 10, reason: null });
  expect(await used(lineId)).toBe(11_990_000n);
  expect(await recorded(lineId)).toBe(11_990n);
  const { cost } = await ground.db.one<{ cost: bigint }>(sql`
    select sum(e.amount_minor)::bigint as cost from ledger.entry e where e.account_code = 'partner-cost:EUR'`);
  expect(cost).toBe(11_990n);
}, 30_000);

test('a batch that cannot be applied holds up no other, is refused after a day, and is applied when an agent says so', async () => {
  const [poison, good] = [await newLine(), await newLine()];
  broken = () => true;
  await usage.receive(operatorId, 'poison.csv', csv(poison.iccid, 1));
  await ground.jobs.drain();
  broken = () => false;
  await usage.receive(operatorId, 'good.csv', csv(good.iccid, 1, 1000));
  await ground.jobs.drain();
  expect(await batch('good.csv')).toMatchObject({ state: 'applied' });
  broken = () => true;
  expect(await usage.pendingBatches(ground.db, ground.clock.now())).toBe(1);
  for (let passed = 0; passed < 23; passed++) {
    ground.clock.advance(hour);
    await ground.jobs.drain();
  }
  expect(await batch('poison.csv')).toMatchObject({ state: 'received' });
  ground.clock.advance(2 * hour);
  await ground.jobs.drain();
  const refused = await batch('poison.csv');
  expect(refused.state).toBe('refused');
  expect(refused.reason).toMatch(/^could not be applied: TypeError at /);
  expect(refusals).toMatchObject([{ batchId: refused.id }]);
  expect(await usage.pendingBatches(ground.db, ground.clock.now())).toBe(0);
  expect((await ground.jobs.deadLetters.list({ limit: 10 })).items).toEqual([]);

  broken = () => false;
  const agentId = randomUUID();
  const served = await serveForTest({
    endpoints: usage.endpoints, db: ground.db, problems: usageProblems,
    authenticators: [tableAuthenticator('agent', 'ag_', { ag_one: { kind: 'agent', agentId, permissions: permissionsOf(['operations']) } })],
  });
  const retry = async (id: string) => {
    const answer = await fetch(`${served.url}/v1/usage-batches/${id}/retry`, {
      method: 'POST', headers: { authorization: 'Bearer ag_one', 'content-type': 'application/json' }, body: JSON.stringify({ reason: 'tariff mended' }),
    });
    return { status: answer.status, body: await answer.json() as { code?: string; state?: string } };
  };
  expect(await retry(refused.id)).toMatchObject({ status: 202, body: { state: 'received' } });
  await ground.jobs.drain();
  expect(await batch('poison.csv')).toMatchObject({ state: 'applied', reason: null });
  expect(await used(poison.lineId)).toBe(1000n);
  expect(await retry(refused.id)).toMatchObject({ status: 409, body: { code: 'usage/batch-not-refused' } });
  expect(await retry(randomUUID())).toMatchObject({ status: 404, body: { code: 'usage/unknown-batch' } });
  const { items } = await ground.audit.ofSubject(ground.db, { kind: 'usage-batch', id: refused.id }, { limit: 10 });
  expect(items).toMatchObject([{ actor: { kind: 'agent', id: agentId }, action: 'usage.retry-batch', reason: 'tariff mended' }]);
  await served.close();
}, 30_000);

test('a file that cannot be read, or whose bytes are gone, is refused at once', async () => {
  await usage.receive(operatorId, 'nonsense.csv', Buffer.from('a,b\n1,2\n'));
  await usage.receive(operatorId, 'gone.csv', csv('8981000000000000000', 1));
  await ground.db.transaction((tx) => tx.run(sql`
    delete from blobs.blob where id = (select blob_id from usage.batch where source = 'gone.csv')`));
  await ground.jobs.drain();
  expect(await batch('nonsense.csv')).toMatchObject({ state: 'refused', reason: 'row 0: the header differs' });
  expect(await batch('gone.csv')).toMatchObject({ state: 'refused', reason: 'the raw bytes are gone' });
});

test('batches that arrived later than the instant asked for do not count as waiting', async () => {
  broken = () => true;
  const before = ground.clock.now();
  ground.clock.advance(1000);
  await usage.receive(operatorId, 'late-arrival.csv', csv((await newLine()).iccid, 1));
  expect(await usage.pendingBatches(ground.db, before)).toBe(0);
  expect(await usage.pendingBatches(ground.db, ground.clock.now())).toBe(1);
  broken = () => false;
  await ground.jobs.drain();
});

test('batches of new days that are applied at once never block each other', async () => {
  const made = [];
  for (let n = 0; n < 6; n++) {
    ground.clock.advance(24 * hour);
    const line = await newLine();
    made.push(line);
    const another = newOperator(line.iccid);
    await Promise.all(['a', 'b'].map((half) => usage.receive(another, `day-${n}-${half}.csv`, csv(line.iccid, 200, 1000, (row) => `${half}-${row}`))));
  }
  const others = [1, 2].map(() => {
    const jobs = createJobs({ db: ground.db, clock: ground.clock, log: ground.log });
    createUsage({ ...deps, outbox: jobs.outbox, schedule: jobs.schedule });
    return jobs;
  });
  await Promise.all([ground.jobs, ...others].map((jobs) => jobs.drain()));
  for (const { lineId } of made) expect(await used(lineId)).toBe(400_000n);
  const { n } = await ground.db.one<{ n: bigint }>(sql`select count(*) as n from usage.batch where source like 'day-%' and (state <> 'applied' or attempts > 0)`);
  expect(n).toBe(0n);
}, 30_000);

test('rating many lines takes time by the number of records, not by that of allowances as well', () => {
  const at = new Date('2026-11-22T08:00:00Z');
  const allowances = Array.from({ length: 20_000 }, (_, n): Allowance => ({
    lineId: `line-${n}`, allowanceId: `a-${n}`, accountId: 'x', orderId: `o-${n}`, operatorId, state: 'active', totalBytes: 1000n, usedBytes: 0n, boughtAt: at,
    validityDays: 1, validFrom: at, validUntil: new Date(at.getTime() + hour), currency: 'EUR', paidCashMinor: 10n, paidPromoMinor: 0n, earnedMinor: 0n,
    refundRule: { kind: 'none' }, toldPercent: 0, cutoffAt: null,
  }));
  const records = Array.from({ length: 40_000 }, (_, n) => ({
    rowNo: n, recordId: `r-${n}`, startedAt: at, stoppedAt: at, iccid: 'x', bytes: 10n, plmn: null, lineId: `line-${n % 20_000}`, day: '2026-11-22', late: false,
  }));
  const began = performance.now();
  const rated = rate(allowances, records);
  // In a square of both numbers this would take minutes.
  expect(performance.now() - began).toBeLessThan(3000);
  expect(rated.draws).toHaveLength(20_000);
  expect(rated.draws.every(({ usedBytes, earnedMinor }) => usedBytes === 20n && earnedMinor === 0n)).toBe(true);
  expect(rated.normalBytes).toBe(400_000n);
});
