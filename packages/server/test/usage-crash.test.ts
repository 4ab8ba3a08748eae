import { afterAll, beforeAll, expect, test } from 'vitest';
import { createAudit } from '../src/platform/audit/index.ts';
import { createBlobs } from '../src/platform/blobs/index.ts';
import { sql } from '../src/platform/db/index.ts';
import { createJobs } from '../src/platform/jobs/index.ts';
import { createUsage, type UsageDeps } from '../src/usage/index.ts';
import { expectSoundBooks } from './support/books.ts';
import { openHouse, type House } from './support/house.ts';
import { signUp } from './support/traveller.ts';
import { batches, leaveFile, usageCsv } from './support/use.ts';

let house: House;
beforeAll(async () => { house = await openHouse(); });
afterAll(() => house.stop());

/** Another process of the service, which takes files in and dies before it applies anything. */
function processThatDies(): { receive(source: string, bytes: Buffer): Promise<void> } {
  const quiet = (): void => {};
  const log = { debug: quiet, info: quiet, warn: quiet, error: quiet };
  const { db, clock } = house;
  const jobs = createJobs({ db, clock, log });
  // What applying asks of the other slices is never reached.
  const unreached = undefined as never;
  const deps = {
    db, clock, outbox: jobs.outbox, schedule: jobs.schedule, blobs: createBlobs({ db }), dataKeys: house.keys.dataKeys, log, audit: createAudit({ clock }),
    feeds: async () => [], feedEveryMs: 60_000, settledMs: 0, ledger: unreached, stock: unreached, lines: unreached, tariffs: unreached, notifications: unreached, accounts: unreached,
  } as UsageDeps;
  const usage = createUsage(deps);
  return {
    async receive(source, bytes) {
      const { id } = await db.one<{ id: string }>(sql`select l.operator_id as id from lines.line l limit 1`);
      await usage.receive(id, source, bytes);
    },
  };
}

test('a file that was taken in by a process that then died is applied by another, once, also when the file still lies there', async () => {
  const t = await signUp(house);
  await t.topUp(1000);
  const line = await t.buy();
  const bytes = Buffer.from(usageCsv(house, [{ iccid: line.iccid, bytes: 4321 }]));
  await processThatDies().receive('hour.csv', bytes);
  expect(await batches(house, 'hour.csv')).toMatchObject([{ state: 'received', records: 0 }]);
  expect((await t.allowance(line.lineId)).usedBytes).toBe(0);
  // It died before it had removed the file.
  leaveFile(house, bytes, 'hour.csv');
  await house.later(house.config.feeds.everyMs);
  expect(await batches(house, 'hour.csv')).toEqual([{ state: 'applied', records: 1, duplicates: 0, suspended: 0, reason: null }]);
  expect((await t.allowance(line.lineId)).usedBytes).toBe(4321);
  await house.run();
  expect((await t.allowance(line.lineId)).usedBytes).toBe(4321);
  await expectSoundBooks(house);
});

test('many processes that take in the same file at once make one batch of it', async () => {
  const t = await signUp(house);
  await t.topUp(1000);
  const line = await t.buy();
  const bytes = Buffer.from(usageCsv(house, [{ iccid: line.iccid, bytes: 1234 }]));
  const dying = Array.from({ length: 4 }, () => processThatDies());
  await Promise.all(dying.map((one) => one.receive('together.csv', bytes)));
  await house.run();
  expect(await batches(house, 'together.csv')).toMatchObject([{ state: 'applied', records: 1, duplicates: 0 }]);
  expect((await t.allowance(line.lineId)).usedBytes).toBe(1234);
});
