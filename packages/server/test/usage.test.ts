import { usageRoutes } from '@yuanyou/contract';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sql } from '../src/platform/db/index.ts';
import { expectSoundBooks, standsAt } from './support/books.ts';
import { openHouse, type House } from './support/house.ts';
import { refusal, signUp, type LineShown, type Traveller } from './support/traveller.ts';
import { batches, gigabyte, leaveFile, usageCsv, use } from './support/use.ts';

let house: House;
beforeAll(async () => { house = await openHouse(); });
afterAll(() => house.stop());

const hour = 3_600_000;
const arrive = () => house.later(house.config.feeds.everyMs);
const feedFolder = () => house.config.demo!.operator.feedFolder;

async function inUse(slug = 'japan-3gb-15d'): Promise<{ t: Traveller; line: LineShown & { iccid: string } }> {
  const t = await signUp(house);
  await t.topUp(3000);
  return { t, line: await t.buy(slug) };
}

async function revenue(): Promise<bigint> {
  return -await standsAt(house, 'revenue:plans:EUR');
}

describe('a file of an hour', () => {
  test('goes from the operator’s network to the allowance, the books and the traveller', async () => {
    const { t, line } = await inUse();
    const earned = await revenue();
    const { record } = await house.operator.post<{ record: { id: string } }>('/_control/usage', {
      iccid: line.iccid, bytes: gigabyte, at: house.clock.now().toISOString(), seconds: 60, mccmnc: '44010', write: true,
    });
    const [name] = readdirSync(feedFolder()).filter((file) => file.endsWith('.csv'));
    await arrive();
    expect(await batches(house, name!)).toEqual([{ state: 'applied', records: 1, duplicates: 0, suspended: 0, reason: null }]);
    expect(existsSync(join(feedFolder(), name!))).toBe(false);
    expect(await t.allowance(line.lineId)).toMatchObject({ state: 'active', usedBytes: gigabyte });
    expect(await revenue() - earned).toBe(300n);
    expect(await house.db.one(sql`select record_id as id, bytes, plmn, late from usage.record where line_id = ${line.lineId}`))
      .toEqual({ id: record.id, bytes: BigInt(gigabyte), plmn: '44010', late: false });
    const days = (await t.client.call(usageRoutes.listUsage, { params: { lineId: line.lineId } })).body.items;
    expect(days.map(({ plmn, bytes }) => [plmn, bytes])).toEqual([['44010', gigabyte]]);
    await expectSoundBooks(house);
  });

  test('lies sealed: nothing in it can be read from the database', async () => {
    const { line } = await inUse();
    const name = leaveFile(house, usageCsv(house, [{ iccid: line.iccid, bytes: 1000 }]));
    await arrive();
    const row = await house.db.one<{ chunk: string }>(sql`
      select (select string_agg(encode(c.bytes, 'hex'), '') from blobs.chunk c where c.blob_id = b.blob_id) as chunk from usage.batch b where source = ${name}`);
    expect(row.chunk.length).toBeGreaterThan(100);
    for (const value of [line.iccid, 'iccid', '44010']) expect(row.chunk).not.toContain(Buffer.from(value).toString('hex'));
  });

  test('sent twice counts once; a record that stands in two files, or twice in one, counts once', async () => {
    const { t, line } = await inUse();
    const at = house.clock.now();
    const record = (id: string, bytes = 1000) => ({ iccid: line.iccid, bytes, id, at });
    const text = usageCsv(house, [record('a'), record('b'), record('b')]);
    const name = leaveFile(house, text);
    await arrive();
    expect(await batches(house, name)).toEqual([{ state: 'applied', records: 3, duplicates: 1, suspended: 0, reason: null }]);
    leaveFile(house, text, name);
    await arrive();
    expect(await batches(house, name)).toHaveLength(1);
    const second = leaveFile(house, usageCsv(house, [record('b'), record('c', 500)]));
    const third = leaveFile(house, text, `copy-of-${name}`);
    await arrive();
    expect(await batches(house, second)).toMatchObject([{ records: 2, duplicates: 1 }]);
    expect(await batches(house, third)).toMatchObject([{ records: 3, duplicates: 3 }]);
    expect((await t.allowance(line.lineId)).usedBytes).toBe(2500);
    await expectSoundBooks(house);
  });

  test('a record that stands twice in a file, on two days, counts once and is shown once', async () => {
    const { t, line } = await inUse();
    const now = house.clock.now();
    house.clock.advance(2 * 24 * hour);
    const later = new Date(now.getTime() + 24 * hour);
    const name = leaveFile(house, usageCsv(house, [
      { iccid: line.iccid, bytes: 700, id: 'moved', at: now }, { iccid: line.iccid, bytes: 700, id: 'moved', at: later, startedAt: later }]));
    await arrive();
    expect(await batches(house, name)).toMatchObject([{ records: 2, duplicates: 1 }]);
    expect((await t.allowance(line.lineId)).usedBytes).toBe(700);
    const { body } = await t.client.call(usageRoutes.listUsage, { params: { lineId: line.lineId } });
    expect(body.items.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(700);
  });

  test('with use of several lines serves each its own', async () => {
    const [one, two] = [await inUse(), await inUse('japan-1gb-7d')];
    await use(house, { iccid: one.line.iccid, bytes: 3000 }, { iccid: two.line.iccid, bytes: 5000 }, { iccid: one.line.iccid, bytes: 4000 });
    expect((await one.t.allowance(one.line.lineId)).usedBytes).toBe(7000);
    expect((await two.t.allowance(two.line.lineId)).usedBytes).toBe(5000);
    await expectSoundBooks(house);
  });

  test('that cannot be read is refused whole, and kept with the reason', async () => {
    const { t, line } = await inUse();
    const name = leaveFile(house, usageCsv(house, [{ iccid: line.iccid, bytes: 1000 }, { iccid: 'not-a-number', bytes: 1000 }]));
    const other = leaveFile(house, usageCsv(house, [{ iccid: line.iccid, bytes: 10 }]));
    await arrive();
    expect(await batches(house, name)).toEqual([{ state: 'refused', records: 0, duplicates: 0, suspended: 0, reason: 'row 2: the ICCID has not 18 to 20 digits' }]);
    expect(await batches(house, other)).toMatchObject([{ state: 'applied' }]);
    expect((await t.allowance(line.lineId)).usedBytes).toBe(10);
    const agent = await house.agent('operations');
    const { body } = await agent.call(usageRoutes.listUsageBatches, { query: { limit: 100 } });
    expect(body.items.find(({ source }) => source === name)).toMatchObject({ state: 'refused', reason: expect.stringContaining('row 2') });
    expect(await refusal(t.client.call(usageRoutes.listUsageBatches, {}))).toMatch(/^40[13] /);
    const kept = await house.db.one<{ n: bigint }>(sql`
      select count(*) as n from blobs.blob join usage.batch on blob.id = batch.blob_id where batch.source = ${name}`);
    expect(kept.n).toBe(1n);
  });

  test('too large to be read is refused unread: its digest and the reason stay, it goes, and nothing waits behind it', async () => {
    const { t, line } = await inUse();
    const huge = Buffer.alloc(64 * 1024 * 1024 + 1, 'a');
    leaveFile(house, huge, 'a-too-large.csv');
    leaveFile(house, usageCsv(house, [{ iccid: line.iccid, bytes: 12 }]), 'b-good.csv');
    await arrive();
    expect((await t.allowance(line.lineId)).usedBytes).toBe(12);
    expect(readdirSync(feedFolder()).filter((file) => file.includes('too-large'))).toEqual([]);
    expect(await batches(house, 'a-too-large.csv')).toMatchObject([{ state: 'refused', records: 0, reason: 'the file is larger than 67108864 bytes' }]);
    const { digest } = await house.db.one<{ digest: Buffer }>(sql`select digest from usage.batch where source = 'a-too-large.csv'`);
    expect(digest).toEqual(createHash('sha256').update(huge).digest());
    expect(house.logged.some((entry) => entry.includes('a-too-large.csv'))).toBe(true);
  });
});

describe('what cannot be given to a line', () => {
  test('is set aside with a reason, and nothing is dropped', async () => {
    const { t, line } = await inUse();
    const now = house.clock.now();
    const at = (ms: number) => new Date(now.getTime() + ms);
    const name = leaveFile(house, usageCsv(house, [
      { iccid: line.iccid, bytes: 1000 }, { iccid: '8981099000000099999', bytes: 1 }, { iccid: line.iccid, bytes: 2, at: at(3 * hour) },
      { iccid: line.iccid, bytes: 3, at: at(-3 * hour) }, { iccid: line.iccid, bytes: 4, at: at(-100 * 24 * hour) }]));
    await arrive();
    expect(await batches(house, name)).toEqual([{ state: 'applied', records: 5, duplicates: 0, suspended: 4, reason: null }]);
    const set = await house.db.all<{ reason: string; bytes: bigint }>(sql`
      select s.reason, s.bytes from usage.suspense s join usage.batch using (batch_id) where source = ${name} order by row_no`);
    expect(set).toEqual([
      { reason: 'unknown profile', bytes: 1n }, { reason: 'in the future', bytes: 2n }, { reason: 'before the line began', bytes: 3n },
      { reason: 'before the line began', bytes: 4n }]);
    expect((await t.allowance(line.lineId)).usedBytes).toBe(1000);
    await expectSoundBooks(house);
  });
});

test('use by day and network is paged by whole days, newest first', async () => {
  const { t, line } = await inUse();
  for (let day = 0; day < 3; day++) {
    await use(house, { iccid: line.iccid, bytes: 100 + day, plmn: '44010' }, { iccid: line.iccid, bytes: 200 + day, plmn: '44020' });
    house.clock.advance(24 * hour);
  }
  const ask = async (cursor?: string) => (await t.client.call(usageRoutes.listUsage, {
    params: { lineId: line.lineId }, query: { limit: 2, ...(cursor === undefined ? {} : { cursor }) },
  })).body;
  const first = await ask();
  expect(first.items.map(({ plmn, bytes }) => [plmn, bytes])).toEqual([['44010', 102], ['44020', 202], ['44010', 101], ['44020', 201]]);
  const second = await ask(first.nextCursor!);
  expect(second).toMatchObject({ items: [{ plmn: '44010', bytes: 100 }, { plmn: '44020', bytes: 200 }], nextCursor: null });
});
