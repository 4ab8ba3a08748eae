import type { CatalogueRow, CatalogueSet } from '@yuanyou/contract';
import { sql } from '../../platform/db/index.ts';
import type { Reader, Tx } from '../../platform/db/index.ts';

/** Something with the terms it is searched by. */
export interface Terms {
  readonly key: string;
  readonly terms: readonly string[];
}

type Rows<S extends CatalogueSet> = readonly CatalogueRow<S>[];
type Found<S extends CatalogueSet> = Promise<{ row: CatalogueRow<S> }[]>;

/** Every row of a data set by its key, as files have it. */
export const readSet: { readonly [S in CatalogueSet]: (db: Reader) => Found<S> } = {
  countries: (db) => db.all(sql`
    select jsonb_build_object('code', code, 'name', name, 'also', also, 'mccs', mccs) as row from catalogue.country order by code`),
  regions: (db) => db.all(sql`
    select jsonb_build_object('code', code, 'name', name, 'countries', countries, 'also', also) as row from catalogue.region order by code`),
  operators: (db) => db.all(sql`
    select jsonb_build_object('code', code, 'name', name, 'homeCountry', home_country) as row from catalogue.operator order by code`),
  networks: (db) => db.all(sql`
    select jsonb_build_object('plmn', plmn, 'country', country, 'name', name, 'rats', rats) as row from catalogue.network order by plmn`),
  coverage: (db) => db.all(sql`
    select jsonb_build_object('operator', o.code, 'plmn', v.plmn, 'rats', v.rats, 'quality', v.quality, 'typicalMbps', v.typical_mbps) as row
      from catalogue.coverage v join catalogue.operator o on o.id = v.operator_id order by o.code, v.plmn`),
  plans: (db) => db.all(sql`
    select jsonb_build_object(
             'slug', p.slug, 'operator', o.code, 'kind', p.kind, 'region', p.region, 'countries', p.countries, 'dataBytes', p.data_bytes,
             'validityDays', p.validity_days, 'start', p.start_rule, 'refund', p.refund_rule, 'topUps', p.top_ups, 'hotspot', p.hotspot, 'speed', p.speed,
             'name', p.wording -> 'name', 'description', p.wording -> 'description', 'onSale', p.on_sale, 'position', p.position,
             'prices', (select jsonb_agg(jsonb_build_object('amountMinor', r.amount_minor, 'currency', r.currency) order by r.currency)
                          from catalogue.price r where r.plan_id = p.id)) as row
      from catalogue.plan p join catalogue.operator o on o.id = p.operator_id order by p.slug`),
  devices: (db) => db.all(sql`
    select jsonb_build_object('model', model, 'brand', brand, 'name', name, 'also', also, 'esim', esim, 'rats', rats, 'note', note) as row
      from catalogue.device order by model`),
};

export async function putCountries(tx: Tx, rows: Rows<'countries'>): Promise<void> {
  await tx.run(sql`
    insert into catalogue.country (code, name, also, mccs)
    select code, name, also, mccs from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as r (code text, name jsonb, also text[], mccs text[])
    on conflict (code) do update set name = excluded.name, also = excluded.also, mccs = excluded.mccs`);
}

export async function putRegions(tx: Tx, rows: Rows<'regions'>): Promise<void> {
  await tx.run(sql`
    insert into catalogue.region (code, name, countries, also)
    select code, name, countries, also from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as r (code text, name jsonb, countries text[], also text[])
    on conflict (code) do update set name = excluded.name, countries = excluded.countries, also = excluded.also`);
}

/** The terms of places, in the stead of those they had. */
export async function putPlaceTerms(tx: Tx, rows: readonly Terms[]): Promise<void> {
  await tx.run(sql`delete from catalogue.place_term where place = any(${rows.map(({ key }) => key)}::text[])`);
  await tx.run(sql`
    insert into catalogue.place_term (term, place)
    select unnest(r.terms), r.key from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as r (key text, terms text[]) on conflict do nothing`);
}

/** Brings in operators under the ids of their partners, or changes what is said of those there. */
export async function ensureOperators(tx: Tx, rows: readonly (CatalogueRow<'operators'> & { readonly operatorId: string })[]): Promise<void> {
  await tx.run(sql`
    insert into catalogue.operator (id, code, name, home_country)
    select "operatorId", code, name, "homeCountry"
      from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as r ("operatorId" uuid, code text, name jsonb, "homeCountry" text)
    on conflict do nothing`);
}

export async function putOperators(tx: Tx, rows: Rows<'operators'>): Promise<void> {
  await tx.run(sql`
    update catalogue.operator o set name = r.name, home_country = r."homeCountry"
      from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as r (code text, name jsonb, "homeCountry" text) where o.code = r.code`);
}

export async function putNetworks(tx: Tx, rows: Rows<'networks'>): Promise<void> {
  await tx.run(sql`
    insert into catalogue.network (plmn, country, name, rats)
    select plmn, country, name, rats from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as r (plmn text, country text, name text, rats text[])
    on conflict (plmn) do update set country = excluded.country, name = excluded.name, rats = excluded.rats`);
}

export async function putCoverage(tx: Tx, rows: Rows<'coverage'>): Promise<void> {
  await tx.run(sql`
    insert into catalogue.coverage (operator_id, plmn, rats, quality, typical_mbps)
    select o.id, r.plmn, r.rats, r.quality, r."typicalMbps"
      from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as r (operator text, plmn text, rats text[], quality smallint, "typicalMbps" integer)
      join catalogue.operator o on o.code = r.operator
    on conflict (operator_id, plmn) do update set rats = excluded.rats, quality = excluded.quality, typical_mbps = excluded.typical_mbps`);
}

/** Plans by slug: a new one takes the id given, one that is there keeps its own. */
export async function putPlans(tx: Tx, rows: readonly (CatalogueRow<'plans'> & { readonly planId: string })[], at: Date): Promise<void> {
  const json = JSON.stringify(rows);
  await tx.run(sql`
    insert into catalogue.plan (id, slug, operator_id, kind, region, countries, data_bytes, validity_days, start_rule, refund_rule, top_ups, hotspot, speed,
                                wording, on_sale, position, added_at)
    select r."planId", r.slug, o.id, r.kind, r.region, r.countries, r."dataBytes", r."validityDays", r.start, r.refund, r."topUps", r.hotspot, r.speed,
           jsonb_build_object('name', r.name, 'description', r.description), r."onSale", r.position, ${at}
      from jsonb_to_recordset(${json}::jsonb) as r (
             "planId" uuid, slug text, operator text, kind text, region text, countries text[], "dataBytes" bigint, "validityDays" integer, start jsonb,
             refund jsonb, "topUps" jsonb, hotspot boolean, speed jsonb, name jsonb, description jsonb, "onSale" boolean, position integer)
      join catalogue.operator o on o.code = r.operator
    on conflict (slug) do update set
       operator_id = excluded.operator_id, kind = excluded.kind, region = excluded.region, countries = excluded.countries, data_bytes = excluded.data_bytes,
       validity_days = excluded.validity_days, start_rule = excluded.start_rule, refund_rule = excluded.refund_rule, top_ups = excluded.top_ups,
       hotspot = excluded.hotspot, speed = excluded.speed, wording = excluded.wording, on_sale = excluded.on_sale, position = excluded.position`);
  await tx.run(sql`
    delete from catalogue.price where plan_id in (select id from catalogue.plan where slug = any(${rows.map(({ slug }) => slug)}::text[]))`);
  await tx.run(sql`
    insert into catalogue.price (plan_id, currency, amount_minor)
    select p.id, price.currency, price."amountMinor"
      from jsonb_to_recordset(${json}::jsonb) as r (slug text, prices jsonb)
      join catalogue.plan p on p.slug = r.slug
      cross join lateral jsonb_to_recordset(r.prices) as price (currency text, "amountMinor" bigint)`);
}

export async function putDevices(tx: Tx, rows: Rows<'devices'>, terms: readonly Terms[]): Promise<void> {
  await tx.run(sql`
    insert into catalogue.device (model, brand, name, also, esim, rats, note)
    select model, brand, name, also, esim, rats, case when jsonb_typeof(note) = 'null' then null else note end
      from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as r (model text, brand text, name text, also text[], esim text, rats text[], note jsonb)
    on conflict (model) do update set
       brand = excluded.brand, name = excluded.name, also = excluded.also, esim = excluded.esim, rats = excluded.rats, note = excluded.note`);
  await tx.run(sql`delete from catalogue.device_term where model = any(${rows.map(({ model }) => model)}::text[])`);
  await tx.run(sql`
    insert into catalogue.device_term (term, model)
    select unnest(r.terms), r.key from jsonb_to_recordset(${JSON.stringify(terms)}::jsonb) as r (key text, terms text[]) on conflict do nothing`);
}
