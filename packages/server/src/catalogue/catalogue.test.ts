import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { catalogueRoutes } from '@yuanyou/contract';
import type { Plan } from '@yuanyou/contract';
import { createAudit } from '../platform/audit/index.ts';
import { manualClock } from '../platform/clock/index.ts';
import { testDatabase } from '../platform/db/testing.ts';
import { newId } from '../platform/ids.ts';
import { createCatalogue, priceOf } from './index.ts';
import type { Catalogue } from './index.ts';

let database: Awaited<ReturnType<typeof testDatabase>>;
let catalogue: Catalogue;
const operatorIds = new Map(['sakura-demo', 'alpen-demo', 'prairie-demo', 'baobab-demo'].map((code) => [code, newId()]));
const clock = manualClock(new Date('2026-11-22T08:00:00Z'));
const agentId = newId();

type Name = keyof typeof catalogueRoutes;

/** Calls a route as the edge does: parts parsed, the answer held against the contract. */
async function call(name: Name, { params, query, body }: { params?: object; query?: object; body?: object } = {}): Promise<any> {
  const route = catalogueRoutes[name] as any;
  const { handle } = catalogue.endpoints.find((one) => one.route === route)!;
  const reply = await handle({
    principal: { kind: 'agent', agentId }, params, query: route.query?.parse(query ?? {}), body: route.body?.parse(body), idempotencyKey: randomUUID(),
  } as never) as any;
  const declared = route.responses[reply.status];
  return typeof declared === 'string' ? reply.body : declared.parse(reply.body);
}

async function every(name: Name, query: object): Promise<any[]> {
  const items: any[] = [];
  let cursor: string | undefined;
  do {
    const page = await call(name, { query: { ...query, ...(cursor === undefined ? {} : { cursor }) } });
    items.push(...page.items);
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
  return items;
}

beforeAll(async () => {
  database = await testDatabase();
  catalogue = createCatalogue({ db: database.db, clock, audit: createAudit({ clock }) });
});

afterAll(() => database.drop());

const seed = () => database.db.transaction((tx) => catalogue.seedDemo(tx, operatorIds));

describe('the catalogue', () => {
  it('takes the demo once, and soon', async () => {
    expect(await seed()).toBeGreaterThan(400);
    const began = performance.now();
    expect(await seed()).toBe(0);
    expect(performance.now() - began).toBeLessThan(500);
  });

  it('has the plan of the demo, complete', async () => {
    const [japan] = (await call('listPlans', { query: { country: 'JP' } })).items;
    const plan = await catalogue.plan(database.db, japan.planId);
    expect(plan).toMatchObject({
      slug: 'japan-3gb-15d', operatorId: operatorIds.get('sakura-demo'), kind: 'single', dataBytes: 3_000_000_000, validityDays: 15, hotspot: true,
      refund: { kind: 'pro-rata', withinDays: 14 }, start: { kind: 'first-use', withinDays: 180 }, onSale: true,
    });
    expect(plan!.topUps.map(({ code }) => code)).toEqual(['plus-1gb', 'plus-3gb']);
    expect([priceOf(plan!, 'EUR'), priceOf(plan!, 'USD'), priceOf(plan!, 'CNY')]).toEqual([900, 990, 7020]);
  });

  it('lists by country: single, regional and global plans; by region; by operator', async () => {
    const thai: Plan[] = await every('listPlans', { country: 'TH', limit: 100 });
    expect(new Set(thai.map(({ kind }) => kind))).toEqual(new Set(['single', 'regional', 'global']));
    expect(thai.every(({ countries }) => countries.includes('TH'))).toBe(true);
    expect((await every('listPlans', { country: 'AQ' }))).toEqual([]);
    const nordics: Plan[] = await every('listPlans', { region: 'nordics' });
    expect(nordics.length).toBeGreaterThan(0);
    expect(nordics.every(({ region }) => region === 'nordics')).toBe(true);
    const baobab: Plan[] = await every('listPlans', { country: 'JP', operatorId: operatorIds.get('baobab-demo')! });
    expect(baobab.length).toBeGreaterThan(0);
    expect(new Set(baobab.map(({ operatorId }) => operatorId))).toEqual(new Set([operatorIds.get('baobab-demo')]));
  });

  it('pages without a gap', async () => {
    const small: Plan[] = await every('listPlans', { limit: 37 });
    const large: Plan[] = await every('listPlans', { limit: 100 });
    expect(small.map(({ slug }) => slug)).toEqual(large.map(({ slug }) => slug));
    expect(new Set(small.map(({ planId }) => planId)).size).toBe(small.length);
  });

  it('answers one plan, and says when there is none', async () => {
    const [first] = (await call('listPlans', { query: { limit: 1 } })).items;
    expect(await call('getPlan', { params: { planId: first.planId } })).toEqual(first);
    await expect(call('getPlan', { params: { planId: newId() } })).rejects.toThrow('catalogue/unknown-plan');
  });

  it('tells who serves a country, over which networks, how well and for how much', async () => {
    const countries = await every('listCountries', { limit: 50 });
    expect(countries.length).toBeGreaterThanOrEqual(60);
    expect(countries.filter(({ operators }) => operators >= 2).length).toBeGreaterThan(countries.length * 0.85);
    const japan = await call('getCountry', { params: { country: 'JP' } });
    expect(japan).toMatchObject({ name: { en: 'Japan', 'zh-Hans': '日本' }, regions: ['asia-pacific', 'japan-korea', 'world'] });
    expect(japan.operators[0]).toMatchObject({ code: 'sakura-demo', quality: 5 });
    expect(japan.operators).toHaveLength(3);
    for (const { networks, rats, fromPrices, plans } of japan.operators) {
      expect(networks.length).toBeGreaterThan(0);
      expect(rats).toContain('4G');
      expect(plans).toBeGreaterThan(0);
      expect(fromPrices.map(({ currency }: { currency: string }) => currency)).toContain('EUR');
    }
    await expect(call('getCountry', { params: { country: 'AQ' } })).rejects.toThrow('catalogue/unknown-country');
    expect((await every('listCountries', { region: 'gulf' })).map(({ code }) => code)).toEqual(['AE', 'BH', 'KW', 'OM', 'QA', 'SA']);
    expect((await every('listRegions', {})).find(({ code }) => code === 'nordics').countries).toContain('IS');
  });
});

describe('agents', () => {
  it('take a plan off sale, price it anew, and find it still', async () => {
    const [plan] = (await call('searchPlans', { query: { q: 'Fiji' } })).items;
    const changed = await call('changePlan', { params: { planId: plan.planId }, body: { onSale: false, prices: [{ amountMinor: 1234, currency: 'EUR' }] } });
    expect(changed).toMatchObject({ onSale: false, prices: [{ amountMinor: 1234, currency: 'EUR' }] });
    expect((await call('searchPlans', { query: { q: 'Fiji' } })).items.map(({ planId }: Plan) => planId)).not.toContain(plan.planId);
    expect((await every('listCataloguePlans', { limit: 100 })).map(({ planId }) => planId)).toContain(plan.planId);
    expect(await catalogue.plan(database.db, plan.planId)).toMatchObject({ onSale: false });
    const repeated = { prices: [{ amountMinor: 1, currency: 'EUR' }, { amountMinor: 2, currency: 'EUR' }] };
    await expect(call('changePlan', { params: { planId: plan.planId }, body: repeated })).rejects.toThrow('catalogue/repeated-currency');
    await expect(call('changePlan', { params: { planId: newId() }, body: {} })).rejects.toThrow('catalogue/unknown-plan');
    // What an agent changed stays when the demo is brought in again.
    await seed();
    expect(await catalogue.plan(database.db, plan.planId)).toMatchObject({ onSale: false });
  });
});

describe('files', () => {
  const bring = (dataset: string, format: string, text: string, dryRun: boolean) => call('importCatalogue', { body: { dataset, format, text, dryRun } });

  it.each(['countries', 'regions', 'operators', 'networks', 'coverage', 'plans', 'devices'])('go out and come in again without a change: %s', async (dataset) => {
    for (const [format, name] of [['csv', 'exportCatalogueCsv'], ['json', 'exportCatalogueJson']] as const) {
      const text: string = await call(name, { params: { dataset } });
      const report = await bring(dataset, format, text, false);
      expect(report).toMatchObject({ added: 0, changed: 0, faults: [] });
      expect(report.rows).toBe(report.unchanged);
      expect(report.rows).toBeGreaterThan(3);
    }
  });

  it('are only tried in a dry run, and come in whole or not at all', async () => {
    const atlantis = { code: 'AQ', name: { en: 'Antarctica', 'zh-Hans': '南极', 'zh-Hant': '南極' }, also: ['Ice'] };
    const tried = await bring('countries', 'json', JSON.stringify([atlantis]), true);
    expect(tried).toMatchObject({ dryRun: true, rows: 1, added: 1, faults: [] });
    await expect(call('getCountry', { params: { country: 'AQ' } })).rejects.toThrow('catalogue/unknown-country');
    const broken = await bring('countries', 'json', `[${JSON.stringify(atlantis)},\n${JSON.stringify(atlantis)},\n{}]`, false);
    expect(broken.faults.map(({ line, fault }: any) => `${line} ${fault}`)).toEqual(['2 repeated-key', '3 missing-column', '3 missing-column']);
    await expect(call('getCountry', { params: { country: 'AQ' } })).rejects.toThrow('catalogue/unknown-country');
  });

  it('bring a country, its network, its coverage and its plan, which then is found', async () => {
    const names = 'name_en,name_zh-Hans,name_zh-Hant';
    expect(await bring('countries', 'csv', `code,${names},also\nAQ,Antarctica,南极,南極,Penguin Land\n`, false)).toMatchObject({ added: 1, faults: [] });
    const plan = (countries: string) => `slug,operator,kind,region,countries,data_bytes,validity_days,start,refund,top_ups,hotspot,max_mbps,after_allowance_kbps,${names},`
      + 'description_en,description_zh-Hans,description_zh-Hant,prices\n'
      + `ice-1gb-7d,baobab-demo,single,,${countries},1000000000,7,date:60,pro-rata:14,plus-1gb 1000000000 0 EUR=500,yes,,128,Ice,冰,冰,Cold.,冷。,冷。,EUR=900 JPY=1500\n`;
    expect((await bring('plans', 'csv', plan('AQ'), true)).faults).toEqual([{ line: 2, column: 'countries', fault: 'not-covered', value: 'AQ' }]);
    expect(await bring('networks', 'csv', 'plmn,country,name,rats\n90199,AQ,Ice Net,3G 4G\n', false)).toMatchObject({ added: 1, faults: [] });
    expect(await bring('coverage', 'csv', 'operator,plmn,rats,quality\nbaobab-demo,90199,4G,2\n', false)).toMatchObject({ added: 1, faults: [] });
    expect(await bring('plans', 'csv', plan('AQ'), false)).toMatchObject({ added: 1, faults: [] });
    const { items } = await call('searchPlans', { query: { q: 'penguin land 1gb' } });
    expect(items[0]).toMatchObject({
      slug: 'ice-1gb-7d', start: { kind: 'date', withinDays: 60 }, speed: { maxMbps: null, afterAllowanceKbps: 128 },
      topUps: [{ code: 'plus-1gb', validityDays: null }], prices: [{ amountMinor: 900, currency: 'EUR' }, { amountMinor: 1500, currency: 'JPY' }],
    });
    const cheaper = plan('AQ').replace('EUR=900 JPY=1500', 'EUR=800');
    expect(await bring('plans', 'csv', cheaper, false)).toMatchObject({ added: 0, changed: 1 });
    expect(await catalogue.plan(database.db, items[0].planId)).toMatchObject({ prices: [{ amountMinor: 800, currency: 'EUR' }] });
  });
});

describe('searching', () => {
  const search = async (q: string) => (await call('searchPlans', { query: { q, limit: 10 } })) as { items: Plan[]; understood: any };

  it.each([
    ['日本 10GB', 'JP', 10], ['日本10G', 'JP', 10], ['Nihon', 'JP', null], ['nihon 3gb', 'JP', 3], ['korea 5gb', 'KR', 5], ['Hanguk', 'KR', null], ['南韓 5GB', 'KR', 5],
    ['tokyo 10gb', 'JP', 10], ['泰国 3G流量', 'TH', 3], ['泰國7天', 'TH', null], ['thai', 'TH', null], ['Bali 3 gb', 'ID', 3], ['峇里島', 'ID', null],
    ['澳洲', 'AU', null], ['the UK 10 gb', 'GB', 10], ['usa esim', 'US', null], ['Türkiye', 'TR', null], ['turkey', 'TR', null], ['阿拉伯聯合大公國', 'AE', null],
    ['dubai', 'AE', null], ['义大利', null, null], ['義大利', 'IT', null], ['紐西蘭 5GB', 'NZ', 5], ['马来', 'MY', null],
  ])('%s', async (q, country, gigabytes) => {
    const { items, understood } = await search(q);
    if (country === null) return expect(items).toEqual([]);
    expect(items.length).toBeGreaterThan(0);
    expect(understood.places.map(({ code }: { code: string }) => code)).toContain(country);
    expect(items[0]!.countries).toEqual([country]);
    if (gigabytes !== null) expect(items[0]!.dataBytes).toBe(gigabytes * 1_000_000_000);
  });

  it('finds plans for regions, and for several countries at once', async () => {
    expect((await search('欧洲 10GB')).items[0]).toMatchObject({ region: 'europe', dataBytes: 10_000_000_000 });
    expect((await search('新马泰')).items[0]).toMatchObject({ region: 'singapore-malaysia-thailand' });
    expect((await search('global 3gb')).items[0]).toMatchObject({ kind: 'global' });
    const both = (await search('日本韩国')).items;
    expect(both[0]!.region).toBe('japan-korea');
    expect(both.every(({ countries }) => countries.includes('JP') && countries.includes('KR'))).toBe(true);
    const apart: Plan[] = await every('searchPlans', { q: 'Guatemala Georgia Mongolia', limit: 7 });
    expect(new Set(apart.flatMap(({ kind, countries }) => (kind === 'single' ? countries : [])))).toEqual(new Set(['GT', 'GE', 'MN']));
  });

  it('pages by fit without a gap', async () => {
    const few: Plan[] = await every('searchPlans', { q: 'korea 5gb 15 days', limit: 4 });
    const many: Plan[] = await every('searchPlans', { q: 'korea 5gb 15 days', limit: 100 });
    expect(few.map(({ slug }) => slug)).toEqual(many.map(({ slug }) => slug));
    expect(few.length).toBeGreaterThan(10);
  });

  it('says what it did not understand', async () => {
    expect((await search('blorptown 3gb')).understood).toMatchObject({ places: [], dataBytes: 3_000_000_000, unknownWords: ['blorptown'] });
    expect((await search('blorptown')).items).toEqual([]);
    expect((await search('%_\\ \' 日本')).items.length).toBeGreaterThan(0);
  });

  it('takes less than 20 ms', async () => {
    const queries = ['日本 10GB', 'Nihon', 'korea 5gb', '欧洲', 'united states 20gb 30 days', '新马泰 一周'];
    for (const q of queries) {
      let bestMs = Infinity;
      // The best of some: what else the machine does is not the search's.
      for (let round = 0; round < 10; round += 1) {
        const began = performance.now();
        await search(q);
        bestMs = Math.min(bestMs, performance.now() - began);
      }
      expect(bestMs, q).toBeLessThan(20);
    }
  });
});

describe('devices', () => {
  const check = (body: object) => call('checkDevice', { body });
  const reasons = ({ reasons: all }: any) => all.map(({ code }: any) => code);

  it('are found by any of their words', async () => {
    const names = async (q: string) => (await every('listDeviceModels', { q, limit: 5 })).map(({ name }) => name);
    expect(await names('iphone 15')).toEqual(['iPhone 15', 'iPhone 15 Plus', 'iPhone 15 Pro', 'iPhone 15 Pro Max']);
    expect(await names('苹果 iPhone X')).toContain('iPhone XR');
    expect(await names('!!')).toEqual([]);
    expect((await every('listDeviceModels', {})).length).toBeGreaterThan(80);
  });

  it('are checked by name, with the reason', async () => {
    expect(await check({ name: 'Google Pixel 8' })).toMatchObject({ verdict: 'works', device: { model: 'google-pixel-8' } });
    expect(reasons(await check({ name: 'pixel 8' }))).toEqual(['takes-profiles', 'unlock']);
    expect(await check({ name: 'iPhone 8' })).toMatchObject({ verdict: 'does-not-work' });
    expect(await check({ name: 'iPhone 15 Pro' })).toMatchObject({ verdict: 'depends', device: { note: { en: expect.stringContaining('mainland China') } } });
    expect(await check({ name: 'toaster' })).toMatchObject({ verdict: 'unknown', device: null });
    expect(reasons(await check({}))).toEqual(['not-in-list']);
  });

  it('are checked by the EID they show', async () => {
    const eid = '89049032000000000000000000000000';
    const good = String(BigInt(eid) + (98n - BigInt(eid) % 97n)).padStart(32, '0');
    expect(await check({ eid: good.replaceAll(/(.{4})/g, '$1 ') })).toMatchObject({ verdict: 'works' });
    expect(reasons(await check({ name: 'iPhone 15', eid: good }))).toEqual(['has-eid', 'unlock']);
    expect(reasons(await check({ eid: `${good.slice(0, 31)}${(Number(good[31]) + 1) % 10}` }))).toEqual(['wrong-eid']);
  });

  it('are checked against the networks of the place', async () => {
    expect(reasons(await check({ name: 'Pixel 4', country: 'JP' }))).toContain('slower-than-network');
    expect(reasons(await check({ name: 'Pixel 8', country: 'JP' }))).toEqual(['takes-profiles', 'unlock']);
    const [plan] = (await call('listPlans', { query: { country: 'JP' } })).items;
    expect(reasons(await check({ name: 'Pixel 4', planId: plan.planId }))).toContain('slower-than-network');
    await expect(check({ name: 'Pixel 4', country: 'ZZ' })).rejects.toThrow('catalogue/unknown-country');
    await expect(check({ name: 'Pixel 4', planId: newId() })).rejects.toThrow('catalogue/unknown-plan');
  });
});
