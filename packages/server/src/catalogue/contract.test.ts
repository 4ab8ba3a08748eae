import { allProblems, catalogueRoutes } from '@yuanyou/contract';
import type { Route } from '@yuanyou/contract';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createAudit } from '../platform/audit/index.ts';
import { manualClock } from '../platform/clock/index.ts';
import { testDatabase } from '../platform/db/testing.ts';
import { drive, serveForTest, tableAuthenticator } from '../platform/http/testing.ts';
import type { RawCall } from '../platform/http/testing.ts';
import { newId } from '../platform/ids.ts';
import { createCatalogue } from './index.ts';

const clock = manualClock(new Date('2026-11-22T08:00:00Z'));
const agent = (...permissions: string[]) => ({ kind: 'agent', agentId: newId(), permissions: new Set(permissions) }) as const;
let database: Awaited<ReturnType<typeof testDatabase>>;
let served: Awaited<ReturnType<typeof serveForTest>>;
let planId: string;

beforeAll(async () => {
  database = await testDatabase();
  const catalogue = createCatalogue({ db: database.db, clock, audit: createAudit({ clock }) });
  await database.db.transaction((tx) => catalogue.seedDemo(tx, new Map([['baobab-demo', newId()]])));
  const table = { agt_write: agent('catalogue:read', 'catalogue:write'), agt_read: agent('catalogue:read'), agt_other: agent('payments:write') };
  served = await serveForTest({
    endpoints: catalogue.endpoints, db: database.db, problems: allProblems, clock, authenticators: [tableAuthenticator('agent', 'agt_', table)],
  });
  const page = await (await fetch(`${served.url}/v1/plans?limit=1`)).json() as { items: { planId: string }[] };
  planId = page.items[0]!.planId;
});

afterAll(async () => {
  await served.close();
  await database.drop();
});

/** A good call of each route. */
const calls: Readonly<Record<keyof typeof catalogueRoutes, () => Omit<RawCall, 'route'>>> = {
  listPlans: () => ({ query: { country: 'JP', region: 'world', limit: '2' } }),
  searchPlans: () => ({ query: { q: '日本 5GB', limit: '2' } }),
  getPlan: () => ({ params: { planId } }),
  listCountries: () => ({ query: { region: 'africa', limit: '3' } }),
  getCountry: () => ({ params: { country: 'JP' } }),
  listRegions: () => ({ query: { limit: '3' } }),
  listDeviceModels: () => ({ query: { q: 'pixel', limit: '3' } }),
  checkDevice: () => ({ body: { name: 'Pixel 8', eid: '1'.repeat(32), planId, country: 'JP' } }),
  listCataloguePlans: () => ({ query: { limit: '3' } }),
  changePlan: () => ({ params: { planId }, body: { onSale: true, position: 5, prices: [{ amountMinor: 500, currency: 'EUR' }] } }),
  exportCatalogueCsv: () => ({ params: { dataset: 'regions' } }),
  exportCatalogueJson: () => ({ params: { dataset: 'regions' } }),
  importCatalogue: () => ({
    headers: { 'idempotency-key': newId() },
    body: { dataset: 'networks', format: 'json', text: '[{"plmn":"44077","country":"JP","name":"N","rats":["4G"]}]', dryRun: false },
  }),
};

const routes = Object.entries(catalogueRoutes) as [keyof typeof catalogueRoutes, Route][];
const asAgent = (route: Route, secret: string) => (route.audience === 'agent' ? { authorization: `Bearer ${secret}` } : {});

it.each(routes)('%s answers what it declares, and a problem for everything wrong', async (name, route) => {
  const call = calls[name]();
  const [good, ...wrong] = await drive(served.url, { route, ...call, headers: { ...call.headers, ...asAgent(route, 'agt_write') } }, () => {});
  expect(good!.status, good!.context).toBe(200);
  for (const { status, isProblem, context } of wrong) {
    expect(status, context).toBeLessThan(500);
    if (status >= 400) expect(isProblem, context).toBe(true);
  }
  expect(served.logged.filter(({ level }) => level === 'error')).toEqual([]);
}, 60_000);

it.each(routes.filter(([, route]) => route.audience === 'agent'))('%s asks for its permission', async (name, route) => {
  const call = calls[name]();
  const path = route.path.replaceAll(/:(\w+)/g, (_match, part: string) => call.params![part]!);
  const status = async (secret: string) => (await fetch(`${served.url}${path}`, {
    method: route.method, headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json', 'idempotency-key': newId() },
    ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
  })).status;
  expect(await status('agt_other')).toBe(403);
  expect(await status('agt_read')).toBe(route.permission === 'catalogue:read' ? 200 : 403);
  expect(await status('agt_nobody')).toBe(401);
});

it('bad rows of a file are its faults, not ours', async () => {
  const hostile = [null, 1e300, -1, 1.5, '', '\u0000', '\ud800', 'x'.repeat(5000), [], {}, ['4G', '4G'], { en: 'a' }];
  const row = { plmn: '44078', country: 'JP', name: 'N', rats: ['4G'] };
  const items = Object.keys(row).flatMap((key) => hostile.map((value) => ({ ...row, [key]: value })));
  for (const text of [JSON.stringify(items), JSON.stringify(hostile), hostile.map((one) => JSON.stringify(one)).join('\n')]) {
    for (const format of ['json', 'csv']) {
      const response = await fetch(`${served.url}/v1/catalogue/imports`, {
        method: 'POST', headers: { authorization: 'Bearer agt_write', 'content-type': 'application/json', 'idempotency-key': newId() },
        body: JSON.stringify({ dataset: 'networks', format, text, dryRun: false }),
      });
      expect(response.status).toBe(200);
      const { faults, rows } = await response.json() as { faults: unknown[]; rows: number };
      expect(faults.length).toBeGreaterThan(0);
      expect(rows).toBeLessThan(items.length);
    }
  }
});
