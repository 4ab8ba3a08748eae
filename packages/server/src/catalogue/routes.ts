import { catalogueRoutes } from '@yuanyou/contract';
import { z } from 'zod';
import type { Reader } from '../platform/db/index.ts';
import { ServiceError } from '../platform/errors.ts';
import { endpoint, pageOf, readCursor } from '../platform/http/index.ts';
import type { Endpoint } from '../platform/http/index.ts';
import { changePlan } from './change-plan.ts';
import { checkDevice } from './check-device.ts';
import type { CatalogueDeps } from './index.ts';
import { search } from './search.ts';
import { importSet } from './sets/import.ts';
import { rowsOf } from './sets/index.ts';
import { writeCsv, writeJson } from './sets/write-file.ts';
import { planOf, servingOperators } from './shop.ts';
import * as store from './store.ts';
import { termOf } from './words.ts';

const shortText = z.string().max(100).regex(/^[^\p{Cc}]*$/u);
const byText = z.tuple([shortText]);
const byPosition = z.tuple([z.int().min(-1).max(2_000_000), shortText]);
const byFit = z.tuple([z.int().min(0).max(1), z.int().min(0).max(9), z.int().min(0).max(9), z.int().min(0), z.int().min(0).max(2_000_000), shortText]);

/** The shop's window. */
export function shopEndpoints(db: Reader): Endpoint[] {
  return [
    endpoint(catalogueRoutes.listPlans, async ({ query: { country, region, operatorId, cursor, limit } }) => {
      const after = readCursor(cursor, byPosition) ?? ([-1, ''] as const);
      // A country is narrower than its region.
      const rows = await store.listPlans(db, country ?? region ?? null, operatorId ?? null, after, limit + 1);
      const { items, nextCursor } = pageOf(rows, limit, ({ position, slug }) => [position, slug]);
      return { status: 200, body: { items: items.map(planOf), nextCursor } };
    }),
    endpoint(catalogueRoutes.searchPlans, async ({ query: { q, cursor, limit } }) => {
      const after = readCursor(cursor, byFit);
      const found = await search(db, q, after === undefined ? null : { any: after[0] === 1, fit: [after[1], after[2], after[3], after[4], after[5]] }, limit + 1);
      const { items, nextCursor } = pageOf(found.plans, limit, ({ fit }) => [found.any ? 1 : 0, ...fit]);
      return { status: 200, body: { items: items.map(({ fit: _, ...row }) => planOf(row)), nextCursor, understood: found.understood } };
    }),
    endpoint(catalogueRoutes.getPlan, async ({ params: { planId } }) => {
      const row = await store.planById(db, planId);
      if (row === undefined) throw new ServiceError('catalogue/unknown-plan', { planId });
      return { status: 200, body: planOf(row) };
    }),
    endpoint(catalogueRoutes.listCountries, async ({ query: { region, cursor, limit } }) => {
      const rows = await store.listCountries(db, region ?? null, readCursor(cursor, byText)?.[0] ?? '', limit + 1);
      return { status: 200, body: pageOf(rows, limit, ({ code }) => [code]) };
    }),
    endpoint(catalogueRoutes.getCountry, async ({ params: { country } }) => {
      const [row, operators] = await Promise.all([store.countryOf(db, country), servingOperators(db, country)]);
      if (row === undefined) throw new ServiceError('catalogue/unknown-country', { country });
      return { status: 200, body: { ...row, operators } };
    }),
    endpoint(catalogueRoutes.listRegions, async ({ query: { cursor, limit } }) => {
      const rows = await store.listRegions(db, readCursor(cursor, byText)?.[0] ?? '', limit + 1);
      return { status: 200, body: pageOf(rows, limit, ({ code }) => [code]) };
    }),
    ...deviceEndpoints(db),
  ];
}

function deviceEndpoints(db: Reader): Endpoint[] {
  return [
    endpoint(catalogueRoutes.listDeviceModels, async ({ query: { q, cursor, limit } }) => {
      const term = q === undefined ? null : termOf(q);
      const rows = term === '' ? [] : await store.listDevices(db, term, readCursor(cursor, byText)?.[0] ?? '', limit + 1);
      return { status: 200, body: pageOf(rows, limit, ({ model }) => [model]) };
    }),
    endpoint(catalogueRoutes.checkDevice, async ({ body: { name, eid, planId, country } }) => ({
      status: 200, body: await checkDevice(db, { name, eid, at: await placeOf(db, planId, country) }),
    })),
  ];
}

/** Where a device shall work: in a country with a plan's operator, or with any, or wherever the plan works. */
async function placeOf(db: Reader, planId: string | undefined, country: string | undefined) {
  if (country !== undefined && await store.countryOf(db, country) === undefined) throw new ServiceError('catalogue/unknown-country', { country });
  if (planId === undefined) return country === undefined ? undefined : { operatorId: null, countries: [country] };
  const plan = await store.planById(db, planId);
  if (plan === undefined) throw new ServiceError('catalogue/unknown-plan', { planId });
  return { operatorId: plan.operatorId, countries: country === undefined ? plan.countries : [country] };
}

/** What agents see and change. */
export function agentEndpoints(deps: CatalogueDeps): Endpoint[] {
  const { db } = deps;
  return [
    endpoint(catalogueRoutes.listCataloguePlans, async ({ query: { cursor, limit } }) => {
      const rows = await store.allPlans(db, readCursor(cursor, byText)?.[0] ?? '', limit + 1);
      const { items, nextCursor } = pageOf(rows, limit, ({ slug }) => [slug]);
      return { status: 200, body: { items: items.map(planOf), nextCursor } };
    }),
    endpoint(catalogueRoutes.changePlan, async ({ params, body, principal }) => ({
      status: 200, body: await changePlan(deps, principal.agentId, params.planId, body),
    })),
    endpoint(catalogueRoutes.exportCatalogueCsv, async ({ params: { dataset } }) => ({
      status: 200, body: writeCsv(dataset, await rowsOf(db, dataset)), headers: { 'content-disposition': `attachment; filename="${dataset}.csv"` },
    })),
    endpoint(catalogueRoutes.exportCatalogueJson, async ({ params: { dataset } }) => ({
      status: 200, body: writeJson(await rowsOf(db, dataset)), headers: { 'content-disposition': `attachment; filename="${dataset}.json"` },
    })),
    endpoint(catalogueRoutes.importCatalogue, async ({ body, principal }) => ({
      status: 200, body: await importSet(deps, { agentId: principal.agentId, ...body }),
    })),
  ];
}
