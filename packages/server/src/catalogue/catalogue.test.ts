import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { catalogueRoutes, plan as planSchema } from '@yuanyou/contract';
import type { Plan } from '@yuanyou/contract';
import { manualClock } from '../platform/clock/index.ts';
import { testDatabase } from '../platform/db/testing.ts';
import { newId } from '../platform/ids.ts';
import { createCatalogue, priceOf } from './index.ts';
import type { Catalogue } from './index.ts';

let database: Awaited<ReturnType<typeof testDatabase>>;
let catalogue: Catalogue;
const operatorIds = [newId(), newId()];

beforeAll(async () => {
  database = await testDatabase();
  catalogue = createCatalogue({ db: database.db, clock: manualClock(new Date('2026-11-22T08:00:00Z')) });
});

afterAll(() => database.drop());

const seed = () => database.db.transaction((tx) => catalogue.seedDemo(tx, operatorIds));
const call = (operationId: string, parsed: object) =>
  catalogue.endpoints.find(({ route }) => route.operationId === operationId)!.handle({ principal: { kind: 'public' }, ...parsed } as never) as Promise<any>;

describe('the catalogue', () => {
  it('takes the demo plans once', async () => {
    expect(await seed()).toBeGreaterThanOrEqual(12);
    expect(await seed()).toBe(0);
  });

  it('has the plan of the demo, complete', async () => {
    const [japan] = (await catalogue.list(database.db, 'JP', '', 50)).filter(({ slug }) => slug === 'japan-3gb-15d');
    const plan = await catalogue.plan(database.db, japan!.planId);
    expect(plan).toMatchObject({ dataBytes: 3_000_000_000, validityDays: 15, refund: { kind: 'pro-rata', withinDays: 14 }, onSale: true });
    expect(operatorIds).toContain(plan!.operatorId);
    expect(priceOf(plan!, 'EUR')).toBe(900);
  });

  it('lists by country: single, regional and global plans', async () => {
    const slugs = (await catalogue.list(database.db, 'TH', '', 50)).map(({ slug }) => slug);
    expect(slugs).toEqual(['south-east-asia-6gb-15d', 'thailand-3gb-10d', 'world-1gb-7d', 'world-3gb-30d']);
    expect(await catalogue.list(database.db, 'AQ', '', 50)).toEqual([]);
  });

  it('pages without a gap, in the contract’s form', async () => {
    const seen: Plan[] = [];
    let cursor: string | undefined;
    do {
      const { body } = await call('listPlans', { query: catalogueRoutes.listPlans.query.parse({ limit: 5, cursor }) });
      seen.push(...body.items);
      cursor = body.nextCursor ?? undefined;
    } while (cursor !== undefined);
    expect(seen.map(({ slug }) => slug)).toEqual(seen.map(({ slug }) => slug).toSorted());
    expect(seen).toHaveLength(14);
    for (const item of seen) expect(planSchema.strict().safeParse(item).error).toBeUndefined();
  });

  it('answers one plan, and says when there is none', async () => {
    const [first] = await catalogue.list(database.db, null, '', 1);
    expect((await call('getPlan', { params: { planId: first!.planId } })).body).toMatchObject({ slug: first!.slug });
    await expect(call('getPlan', { params: { planId: newId() } })).rejects.toThrow('catalogue/unknown-plan');
  });
});
