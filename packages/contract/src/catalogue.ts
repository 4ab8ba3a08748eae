import { z } from 'zod';
import { id, page, paging } from './core/ids.ts';
import { currency, money } from './core/money.ts';
import { problems } from './core/problem.ts';
import { route } from './core/route.ts';

// Nothing that a database or a screen chokes on: no control characters but tab and line feed, no halves of surrogate pairs.
const writing = z.string().regex(/^(?:[^\p{Cc}\p{Cs}]|[\t\n])*$/u);
const text = writing.min(1).max(2000);
const otherNames = z.array(writing.trim().min(1).max(60)).max(100);

/** A text in each language of the shop. */
export const localText = z.object({ en: text, 'zh-Hans': text, 'zh-Hant': text }).meta({ id: 'LocalText' });

/** A country or territory: ISO 3166-1 alpha-2. */
export const country = z.string().regex(/^[A-Z]{2}$/).meta({ example: 'JP' });

/** The short name of a region. */
export const regionCode = z.string().regex(/^[a-z][a-z-]{1,38}[a-z]$/).meta({ example: 'south-east-asia' });

/** The short name of an operator, the same as at its partner's entry. */
export const operatorCode = z.string().regex(/^[a-z0-9][a-z0-9-]{1,39}$/).meta({ example: 'sakura-demo' });

/** MCC and MNC of a network: five or six digits. */
export const plmn = z.string().regex(/^\d{5,6}$/).meta({ example: '44010' });

/** Generation of the radio access. */
export const rat = z.enum(['2G', '3G', '4G', '5G']).meta({ id: 'Rat' });

const rats = z.array(rat).min(1).max(4);

/** When the validity period begins: with the purchase, with the first use (which must come within some days), or on a day the buyer names. */
export const startRule = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('purchase') }),
  z.object({ kind: z.literal('first-use'), withinDays: z.int().positive().max(3650) }),
  z.object({ kind: z.literal('date'), withinDays: z.int().positive().max(3650) }),
]).meta({ id: 'StartRule' });

/** What goes back when a plan ends early: the unused part within some days of the purchase, or nothing. */
export const refundRule = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('pro-rata'), withinDays: z.int().positive().max(3650) }),
  z.object({ kind: z.literal('none') }),
]).meta({ id: 'RefundRule' });

/** `single`: one country. `regional`: the countries of a region. `global`: wherever a world plan reaches. */
export const planKind = z.enum(['single', 'regional', 'global']).meta({ id: 'PlanKind' });

/** Speed in megabits a second while data lasts (null: what the network gives) and in kilobits a second afterwards (null: data stops). */
export const speed = z.object({
  maxMbps: z.int().positive().max(100_000).nullable(), afterAllowanceKbps: z.int().positive().max(100_000).nullable(),
}).meta({ id: 'Speed' });

const prices = z.array(z.object({ amountMinor: z.int().positive(), currency })).min(1).max(20);

/** More data for a line of the plan: `validityDays` more days, or null where the period stays. */
export const topUpOffer = z.object({
  code: z.string().regex(/^[a-z0-9][a-z0-9-]{1,39}$/).meta({ example: 'plus-1gb' }),
  dataBytes: z.int().positive(), validityDays: z.int().positive().max(3650).nullable(), prices,
}).meta({ id: 'TopUpOffer' });

const slug = z.string().regex(/^[a-z0-9-]{3,60}$/).meta({ example: 'japan-3gb-15d' });
const planTerms = {
  kind: planKind,
  /** The region of a regional or global plan. */
  region: regionCode.nullable(),
  countries: z.array(country).min(1).max(250),
  dataBytes: z.int().positive(),
  validityDays: z.int().positive().max(3650),
  start: startRule,
  refund: refundRule,
  topUps: z.array(topUpOffer).max(20),
  /** Whether other devices may be connected through the phone. */
  hotspot: z.boolean(),
  speed,
  name: localText,
  description: localText,
};

/** A product offering: so much data in these countries for so long. 1 GB is 1,000,000,000 bytes. */
export const plan = z.object({
  planId: id, slug, operatorId: id, ...planTerms, refundText: localText, startText: localText, prices: z.array(money).min(1),
}).meta({ id: 'Plan' });

/** A plan as agents see it: `position` orders the shop, the lowest first. */
export const listedPlan = plan.extend({ onSale: z.boolean(), position: z.int() }).meta({ id: 'ListedPlan' });

export type LocalText = z.infer<typeof localText>;
export type StartRule = z.infer<typeof startRule>;
export type RefundRule = z.infer<typeof refundRule>;
export type TopUpOffer = z.infer<typeof topUpOffer>;
export type Plan = z.infer<typeof plan>;
export type ListedPlan = z.infer<typeof listedPlan>;

/** 1 poor to 5 excellent, as the operator declares it. */
export const quality = z.int().min(1).max(5).meta({ example: 4 });

const esimSupport = z.enum(['yes', 'no', 'depends']);
const deviceSlug = z.string().regex(/^[a-z0-9-]{2,80}$/).meta({ example: 'apple-iphone-15-pro' });
const mbps = z.int().positive().max(100_000).nullable();
const flag = z.boolean();

/** The rows of the catalogue's files, by data set: what export writes and import reads. The first member is the key. */
export const catalogueRows = {
  countries: z.strictObject({ code: country, name: localText, also: otherNames.default([]), mccs: z.array(z.string().regex(/^\d{3}$/)).max(20).default([]) }),
  regions: z.strictObject({ code: regionCode, name: localText, countries: z.array(country).min(1).max(250), also: otherNames.default([]) }),
  operators: z.strictObject({ code: operatorCode, name: localText, homeCountry: country }),
  networks: z.strictObject({ plmn, country, name: writing.trim().min(1).max(100), rats }),
  coverage: z.strictObject({ operator: operatorCode, plmn, rats, quality, typicalMbps: mbps.default(null) }),
  plans: z.strictObject({ slug, operator: operatorCode, ...planTerms, prices, onSale: flag.default(true), position: z.int().min(0).max(1_000_000).default(1000) }),
  devices: z.strictObject({
    model: deviceSlug, brand: writing.trim().min(1).max(60), name: writing.trim().min(1).max(100), also: otherNames.default([]), esim: esimSupport,
    rats, note: localText.nullable().default(null),
  }),
} as const;

/** A data set of the catalogue. */
export const catalogueSet = z.enum(Object.keys(catalogueRows) as [CatalogueSet, ...CatalogueSet[]]).meta({ id: 'CatalogueSet' });

export type CatalogueSet = keyof typeof catalogueRows;
/** A row of a data set. */
export type CatalogueRow<S extends CatalogueSet = CatalogueSet> = z.output<(typeof catalogueRows)[S]>;

/** One thing wrong in a catalogue file; `line` counts from 1, in CSV with the header, in JSON where the row begins. */
export const catalogueFault = z.object({
  line: z.int().positive(),
  column: z.string().nullable(),
  fault: z.enum([
    'unreadable', 'missing-column', 'unknown-column', 'too-many-rows', 'bad-value', 'repeated-key', 'repeated-value', 'unknown-country', 'unknown-region',
    'unknown-operator', 'unknown-network', 'not-covered', 'wrong-kind', 'rat-not-there',
  ]),
  /** The value that is wrong, shortened. */
  value: z.string().nullable(),
}).meta({ id: 'CatalogueFault' });

export type CatalogueFault = z.infer<typeof catalogueFault>;

/** What a catalogue import did, or would do in a dry run. Nothing is changed when there is any fault. */
export const catalogueReport = z.object({
  dryRun: z.boolean(),
  rows: z.int().nonnegative(),
  added: z.int().nonnegative(),
  changed: z.int().nonnegative(),
  unchanged: z.int().nonnegative(),
  faults: z.array(catalogueFault),
  /** More faults than the list holds. */
  moreFaults: z.int().nonnegative(),
}).meta({ id: 'CatalogueReport' });

export type CatalogueReport = z.infer<typeof catalogueReport>;

/** A country or territory where plans reach; `operators` counts those that serve it. */
export const countryShown = z.object({
  code: country, name: localText, regions: z.array(regionCode), operators: z.int().nonnegative(),
}).meta({ id: 'Country' });

/** An operator in a country: its best network there, the networks it uses, and the lowest price of a plan of its own that works there, by currency. */
export const servingOperator = z.object({
  operatorId: id, code: operatorCode, name: localText, quality, typicalMbps: mbps, rats,
  networks: z.array(z.object({ plmn, name: z.string(), rats, quality })),
  plans: z.int().nonnegative(), fromPrices: z.array(money),
}).meta({ id: 'ServingOperator' });

/** A region: a group of countries that plans are made for. */
export const regionShown = z.object({ code: regionCode, name: localText, countries: z.array(country) }).meta({ id: 'Region' });

/** A phone, tablet or watch, and whether it takes profiles; `depends`: on the market it was made for, told by the note. */
export const deviceModel = z.object({
  model: deviceSlug, brand: z.string(), name: z.string(), esim: esimSupport, rats, note: localText.nullable(),
}).meta({ id: 'DeviceModel' });

export type DeviceModel = z.infer<typeof deviceModel>;

/** What was understood of a search: the places found, the amount and the period wanted, and words that say nothing to us. */
export const understood = z.object({
  places: z.array(z.object({ code: z.string(), name: localText })),
  dataBytes: z.int().positive().nullable(), validityDays: z.int().positive().nullable(), unknownWords: z.array(z.string()),
}).meta({ id: 'Understood' });

const deviceReason = z.enum([
  'takes-profiles', 'takes-no-profiles', 'depends-on-market', 'not-in-list', 'has-eid', 'wrong-eid', 'no-common-network', 'slower-than-network', 'unlock',
]);

/** Whether a device will work, and why; `reasons` is never empty. */
export const deviceVerdict = z.object({
  verdict: z.enum(['works', 'depends', 'does-not-work', 'unknown']),
  device: deviceModel.nullable(),
  reasons: z.array(z.object({ code: deviceReason, text: localText })).min(1),
}).meta({ id: 'DeviceVerdict' });

const files = { dataset: catalogueSet };

export const catalogueRoutes = {
  listPlans: route({
    operationId: 'listPlans', method: 'GET', path: '/v1/plans', tag: 'Plans', audience: 'public',
    summary: 'Plans on sale in the shop’s order; of one country, region or operator when asked',
    query: paging.extend({ country: country.optional(), region: regionCode.optional(), operatorId: id.optional() }), responses: { 200: page(plan) },
  }),
  searchPlans: route({
    operationId: 'searchPlans', method: 'GET', path: '/v1/plans/search', tag: 'Plans', audience: 'public',
    summary: 'Plans on sale for words in any of the languages, such as “日本 10GB”, “Nihon” or “korea 5gb”, the best fit first',
    query: paging.extend({ q: z.string().trim().min(1).max(200) }), responses: { 200: page(plan).extend({ understood }) },
  }),
  getPlan: route({
    operationId: 'getPlan', method: 'GET', path: '/v1/plans/:planId', tag: 'Plans', audience: 'public',
    summary: 'One plan', params: z.object({ planId: id }), responses: { 200: plan }, problems: ['catalogue/unknown-plan'],
  }),
  listCountries: route({
    operationId: 'listCountries', method: 'GET', path: '/v1/countries', tag: 'Plans', audience: 'public',
    summary: 'Countries and territories that operators serve, by code; of one region when asked',
    query: paging.extend({ region: regionCode.optional() }), responses: { 200: page(countryShown) },
  }),
  getCountry: route({
    operationId: 'getCountry', method: 'GET', path: '/v1/countries/:country', tag: 'Plans', audience: 'public',
    summary: 'A country with the operators that serve it: networks, known quality, lowest prices', params: z.object({ country }),
    responses: { 200: countryShown.omit({ operators: true }).extend({ operators: z.array(servingOperator) }) }, problems: ['catalogue/unknown-country'],
  }),
  listRegions: route({
    operationId: 'listRegions', method: 'GET', path: '/v1/regions', tag: 'Plans', audience: 'public',
    summary: 'Regions, by code', query: paging, responses: { 200: page(regionShown) },
  }),
  listDeviceModels: route({
    operationId: 'listDeviceModels', method: 'GET', path: '/v1/device-models', tag: 'Plans', audience: 'public',
    summary: 'Devices and whether they take profiles, by model; those of a name when asked',
    query: paging.extend({ q: z.string().trim().min(1).max(100).optional() }), responses: { 200: page(deviceModel) },
  }),
  checkDevice: route({
    operationId: 'checkDevice', method: 'POST', path: '/v1/device-checks', tag: 'Plans', audience: 'public',
    summary: 'Whether a device will work, before buying; by its model’s name, by its EID, or both; with a plan or a country also its networks. Nothing is kept.',
    body: z.strictObject({
      name: z.string().trim().min(1).max(100).optional(), eid: z.string().max(60).optional(), planId: id.optional(), country: country.optional(),
    }),
    responses: { 200: deviceVerdict }, problems: ['catalogue/unknown-plan', 'catalogue/unknown-country'],
  }),
  listCataloguePlans: route({
    operationId: 'listCataloguePlans', method: 'GET', path: '/v1/catalogue/plans', tag: 'Catalogue', audience: 'agent', permission: 'catalogue:read',
    summary: 'All plans, by slug, also those not on sale', query: paging, responses: { 200: page(listedPlan) },
  }),
  changePlan: route({
    operationId: 'changePlan', method: 'PATCH', path: '/v1/catalogue/plans/:planId', tag: 'Catalogue', audience: 'agent', permission: 'catalogue:write',
    summary: 'Puts a plan on sale or takes it off, moves it in the shop, or sets its prices; lines already bought keep their terms',
    params: z.object({ planId: id }),
    body: z.strictObject({ onSale: z.boolean().optional(), position: z.int().min(0).max(1_000_000).optional(), prices: prices.optional() }),
    responses: { 200: listedPlan }, problems: ['catalogue/unknown-plan', 'catalogue/repeated-currency'],
  }),
  exportCatalogueCsv: route({
    operationId: 'exportCatalogueCsv', method: 'GET', path: '/v1/catalogue/sets/:dataset/csv', tag: 'Catalogue', audience: 'agent', permission: 'catalogue:read',
    summary: 'A data set as CSV, as import reads it', params: z.object(files), responses: { 200: 'text/csv; charset=utf-8' },
  }),
  exportCatalogueJson: route({
    operationId: 'exportCatalogueJson', method: 'GET', path: '/v1/catalogue/sets/:dataset/json', tag: 'Catalogue', audience: 'agent', permission: 'catalogue:read',
    summary: 'A data set as a JSON array, a row a line, as import reads it', params: z.object(files), responses: { 200: 'application/json; charset=utf-8' },
  }),
  importCatalogue: route({
    operationId: 'importCatalogue', method: 'POST', path: '/v1/catalogue/imports', tag: 'Catalogue', audience: 'agent', permission: 'catalogue:write',
    idempotent: true, bodyLimit: 12_000_000,
    summary: 'Adds and changes rows of a data set by their keys; all or nothing. A dry run lists every fault with its line',
    body: z.strictObject({
      dataset: catalogueSet, format: z.enum(['csv', 'json']), text: z.string().max(4_000_000), dryRun: z.boolean().default(true),
    }),
    responses: { 200: catalogueReport },
  }),
} as const;

export const catalogueProblems = problems({
  'catalogue/unknown-plan': { status: 404, title: { en: 'There is no such plan.', 'zh-Hans': '没有这个套餐。', 'zh-Hant': '沒有這個方案。' } },
  'catalogue/unknown-country': {
    status: 404,
    title: { en: 'We do not serve this country or territory.', 'zh-Hans': '我们尚未覆盖该国家或地区。', 'zh-Hant': '我們尚未涵蓋此國家或地區。' },
  },
  'catalogue/repeated-currency': {
    status: 422,
    title: { en: 'A currency has one price.', 'zh-Hans': '同一币种只能有一个价格。', 'zh-Hant': '同一幣別只能有一個價格。' },
  },
  'catalogue/start-not-possible': {
    status: 422,
    title: { en: 'The plan cannot begin on this day.', 'zh-Hans': '套餐无法从这一天开始。', 'zh-Hant': '方案無法從這一天開始。' },
  },
});
