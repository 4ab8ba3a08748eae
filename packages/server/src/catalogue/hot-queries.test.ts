import { afterAll, beforeAll, expect, it } from 'vitest';
import { catalogueRoutes } from '@yuanyou/contract';
import { createAudit } from '../platform/audit/index.ts';
import { manualClock } from '../platform/clock/index.ts';
import { sql } from '../platform/db/index.ts';
import type { Reader, Transactor } from '../platform/db/index.ts';
import { testDatabase } from '../platform/db/testing.ts';
import { newId } from '../platform/ids.ts';
import { createCatalogue } from './index.ts';
import type { Catalogue } from './index.ts';

let database: Awaited<ReturnType<typeof testDatabase>>;
let catalogue: Catalogue;
let plans: string[] = [];

/** Reads as asked, and keeps the plan that PostgreSQL makes for each query when it has a choice of indexes. */
function watched(db: Transactor): Transactor {
  const explain = async (query: Parameters<Reader['all']>[0]): Promise<void> => {
    await db.transaction(async (tx) => {
      await tx.run(sql`set local enable_seqscan = off`);
      const lines = await tx.all(sql<{ 'QUERY PLAN': string }>`explain ${query}`);
      plans.push(lines.map((line) => line['QUERY PLAN']).join('\n'));
    });
  };
  return {
    ...db,
    all: async (query) => { await explain(query); return db.all(query); },
    maybe: async (query) => { await explain(query); return db.maybe(query); },
    one: async (query) => { await explain(query); return db.one(query); },
    transaction: (work) => db.transaction(work),
  };
}

beforeAll(async () => {
  database = await testDatabase();
  const clock = manualClock(new Date('2026-11-22T08:00:00Z'));
  catalogue = createCatalogue({ db: watched(database.db), clock, audit: createAudit({ clock }) });
  await database.db.transaction((tx) => catalogue.seedDemo(tx, new Map([['sakura-demo', newId()], ['alpen-demo', newId()], ['baobab-demo', newId()]])));
  plans = [];
});

afterAll(() => database.drop());

it.each([
  ['listPlans', {}, {}], ['listPlans', {}, { country: 'JP' }], ['listPlans', {}, { operatorId: newId() }], ['searchPlans', {}, { q: 'korea 5gb' }],
  ['searchPlans', {}, { q: '日本韩国 10GB' }], ['searchPlans', {}, { q: '5 GB' }], ['searchPlans', {}, { q: 'sing' }], ['getPlan', { planId: newId() }, {}],
  ['listCountries', {}, {}], ['listCountries', {}, { region: 'gulf' }], ['getCountry', { country: 'JP' }, {}], ['listRegions', {}, {}],
  ['listDeviceModels', {}, {}], ['listDeviceModels', {}, { q: 'iphone' }],
] as const)('%s %o %o reads no table from end to end', async (name, params, query) => {
  const route = catalogueRoutes[name] as any;
  plans = [];
  await catalogue.endpoints.find((one) => one.route === route)!.handle({ principal: { kind: 'public' }, params, query: route.query?.parse(query) } as never)
    .catch((error: Error) => { expect(error.message).toContain('catalogue/unknown-plan'); });
  expect(plans.length).toBeGreaterThan(0);
  for (const plan of plans) expect(plan).not.toContain('Seq Scan');
});
