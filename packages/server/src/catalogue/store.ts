import type { CatalogueRow, LocalText, Plan, RefundRule, StartRule, TopUpOffer } from '@yuanyou/contract';
import { sql } from '../platform/db/index.ts';
import type { Reader, Tx } from '../platform/db/index.ts';
import type { PlanWording } from './model.ts';

/** A plan as it is stored, with its prices. */
export interface PlanRow {
  readonly planId: string;
  readonly slug: string;
  readonly operatorId: string;
  readonly operator: string | null;
  readonly kind: Plan['kind'];
  readonly region: string | null;
  readonly countries: string[];
  readonly dataBytes: bigint;
  readonly validityDays: number;
  readonly start: StartRule;
  readonly refund: RefundRule;
  readonly topUps: TopUpOffer[];
  readonly hotspot: boolean;
  readonly speed: Plan['speed'];
  readonly wording: PlanWording;
  readonly onSale: boolean;
  readonly position: number;
  readonly prices: Plan['prices'];
}

const shown = sql.raw(`
  p.id as "planId", p.slug, p.operator_id as "operatorId", (select o.code from catalogue.operator o where o.id = p.operator_id) as operator,
  p.kind, p.region, p.countries, p.data_bytes as "dataBytes", p.validity_days as "validityDays",
  p.start_rule as start, p.refund_rule as refund, p.top_ups as "topUps", p.hotspot, p.speed, p.wording, p.on_sale as "onSale", p.position,
  (select jsonb_agg(jsonb_build_object('amountMinor', r.amount_minor, 'currency', r.currency) order by r.currency)
     from catalogue.price r where r.plan_id = p.id) as prices`);

export function planById(db: Reader, planId: string): Promise<PlanRow | undefined> {
  return db.maybe<PlanRow>(sql`select ${shown} from catalogue.plan p where p.id = ${planId}`);
}

export function lockPlan(tx: Tx, planId: string): Promise<PlanRow | undefined> {
  return tx.maybe<PlanRow>(sql`select ${shown} from catalogue.plan p where p.id = ${planId} for update of p`);
}

/** Where a page of the shop begins: after this position and slug. */
export type After = readonly [position: number, slug: string];

/** Plans on sale in the shop's order; at one place (a country or a region), or of one operator there or anywhere. */
export function listPlans(db: Reader, place: string | null, operatorId: string | null, [position, slug]: After, limit: number): Promise<PlanRow[]> {
  if (place !== null) {
    return db.all<PlanRow>(sql`
      select ${shown} from catalogue.plan p
       where p.on_sale and p.places @> array[${place}]::text[] and (${operatorId}::uuid is null or p.operator_id = ${operatorId}::uuid)
         and (p.position, p.slug) > (${position}::integer, ${slug}) order by p.position, p.slug limit ${limit}`);
  }
  if (operatorId !== null) {
    return db.all<PlanRow>(sql`
      select ${shown} from catalogue.plan p
       where p.on_sale and p.operator_id = ${operatorId} and (p.position, p.slug) > (${position}::integer, ${slug}) order by p.position, p.slug limit ${limit}`);
  }
  return db.all<PlanRow>(sql`
    select ${shown} from catalogue.plan p
     where p.on_sale and (p.position, p.slug) > (${position}::integer, ${slug}) order by p.position, p.slug limit ${limit}`);
}

/** All plans by slug, also those not on sale. */
export function allPlans(db: Reader, afterSlug: string, limit: number): Promise<PlanRow[]> {
  return db.all<PlanRow>(sql`select ${shown} from catalogue.plan p where p.slug > ${afterSlug} order by p.slug limit ${limit}`);
}

/** How well a plan fits: `missed` counts what it misses of amount and period, `distance` the bytes between. */
export type Fit = readonly [missed: number, breadth: number, distance: number, position: number, slug: string];

/** What a search looks for: a plan reaches one place of each group; without a place the amount decides. */
export interface Search {
  readonly groups: readonly (readonly string[])[];
  readonly dataBytes: number | null;
  readonly validityDays: number | null;
}

const fit = sql.raw(`missed, breadth, distance, position, slug`);

/** Plans on sale by their fit. */
export function searchPlans(db: Reader, { groups, dataBytes, validityDays }: Search, after: Fit | null, limit: number): Promise<(PlanRow & { fit: Fit })[]> {
  const [first, second = null, third = null] = groups;
  const [missed, breadth, distance, position, slug] = after ?? [-1, -1, -1, -1, ''];
  const scored = sql`
    select p.id as found_id, p.slug, p.position,
           (coalesce(p.data_bytes <> ${dataBytes}::bigint, false)::integer * 2 + coalesce(p.validity_days <> ${validityDays}::integer, false)::integer) as missed,
           (case p.kind when 'single' then 0 when 'regional' then 1 else 2 end) as breadth, coalesce(abs(p.data_bytes - ${dataBytes}::bigint), 0) as distance`;
  const page = sql`
    select ${shown}, jsonb_build_array(f.missed, f.breadth, f.distance, f.position, f.slug) as fit
      from (select * from found where (${fit}) > (${missed}::integer, ${breadth}::integer, ${distance}::bigint, ${position}::integer, ${slug})
             order by ${fit} limit ${limit}) f
      join catalogue.plan p on p.id = f.found_id order by f.missed, f.breadth, f.distance, f.position, f.slug`;
  if (first === undefined) {
    return db.all(sql`
      with found as (${scored} from catalogue.plan p
                      where p.on_sale and p.data_bytes between ${dataBytes}::bigint / 2 and ${dataBytes}::bigint * 2) ${page}`);
  }
  return db.all(sql`
    with found as (${scored} from catalogue.plan p
                    where p.on_sale and p.places && ${first}::text[] and (${second}::text[] is null or p.places && ${second}::text[])
                      and (${third}::text[] is null or p.places && ${third}::text[])) ${page}`);
}

/** The places of these terms, and of terms that begin so; of a beginning at most eight. */
export function placeTerms(
  db: Reader, terms: readonly string[], beginnings: readonly string[],
): Promise<{ asked: string; place: string; whole: boolean; name: LocalText }[]> {
  return db.all(sql`
    select f.asked, f.place, f.whole, coalesce(c.name, g.name) as name from (
    select t.term as asked, t.place, true as whole from catalogue.place_term t where t.term = any(${terms}::text[] collate "C")
    union all
    select b.beginning, t.place, false
      from unnest(${beginnings}::text[]) as b (beginning)
      cross join lateral (select distinct place from (
        select i.place from catalogue.place_term i where i.term >= b.beginning collate "C" and i.term < (b.beginning || chr(1114111)) collate "C"
         order by i.term limit 24) near limit 8) t) f
      left join catalogue.country c on c.code = f.place left join catalogue.region g on g.code = f.place`);
}

interface CountryRow {
  readonly code: string;
  readonly name: LocalText;
  readonly regions: string[];
  readonly operators: number;
}

const countryColumns = sql.raw(`
  c.code, c.name, array(select r.code from catalogue.region r where r.countries @> array[c.code] order by r.code) as regions,
  (select count(distinct v.operator_id)::integer from catalogue.network n join catalogue.coverage v using (plmn) where n.country = c.code) as operators`);

export function listCountries(db: Reader, region: string | null, afterCode: string, limit: number): Promise<CountryRow[]> {
  if (region !== null) {
    return db.all(sql`
      select ${countryColumns} from catalogue.country c
       where c.code = any(array(select unnest(g.countries) from catalogue.region g where g.code = ${region})) and c.code > ${afterCode}
       order by c.code limit ${limit}`);
  }
  return db.all(sql`select ${countryColumns} from catalogue.country c where c.code > ${afterCode} order by c.code limit ${limit}`);
}

export function countryOf(db: Reader, code: string): Promise<CountryRow | undefined> {
  return db.maybe(sql`select ${countryColumns} from catalogue.country c where c.code = ${code}`);
}

export interface CoverageRow {
  readonly operatorId: string;
  readonly code: string;
  readonly name: LocalText;
  readonly plmn: string;
  readonly networkName: string;
  readonly rats: CatalogueRow<'coverage'>['rats'];
  readonly quality: number;
  readonly typicalMbps: number | null;
}

/** Who serves a country over which networks, the best first. */
export function coverageOf(db: Reader, country: string): Promise<CoverageRow[]> {
  return db.all(sql`
    select v.operator_id as "operatorId", o.code, o.name, v.plmn, n.name as "networkName", v.rats, v.quality, v.typical_mbps as "typicalMbps"
      from catalogue.network n join catalogue.coverage v using (plmn) join catalogue.operator o on o.id = v.operator_id
     where n.country = ${country} order by v.quality desc, v.typical_mbps desc nulls last, o.code, v.plmn`);
}

/** What plans that work in a country cost at least, by operator and currency. */
export function lowestPrices(db: Reader, country: string): Promise<{ operatorId: string; currency: string; amountMinor: bigint; plans: number }[]> {
  return db.all(sql`
    select p.operator_id as "operatorId", r.currency, min(r.amount_minor) as "amountMinor", count(*)::integer as plans
      from catalogue.plan p join catalogue.price r on r.plan_id = p.id
     where p.on_sale and p.places @> array[${country}]::text[] group by p.operator_id, r.currency order by p.operator_id, r.currency`);
}

export function listRegions(db: Reader, afterCode: string, limit: number): Promise<{ code: string; name: LocalText; countries: string[] }[]> {
  return db.all(sql`select code, name, countries from catalogue.region where code > ${afterCode} order by code limit ${limit}`);
}

export async function setPlan(tx: Tx, planId: string, onSale: boolean, position: number, prices: Plan['prices'] | null): Promise<void> {
  await tx.run(sql`update catalogue.plan set on_sale = ${onSale}, position = ${position} where id = ${planId}`);
  if (prices === null) return;
  await tx.run(sql`delete from catalogue.price where plan_id = ${planId}`);
  await tx.run(sql`
    insert into catalogue.price (plan_id, currency, amount_minor)
    select ${planId}::uuid, r.currency, r."amountMinor" from jsonb_to_recordset(${JSON.stringify(prices)}::jsonb) as r (currency text, "amountMinor" bigint)`);
}

export async function seeded(db: Reader, what: string): Promise<string | undefined> {
  return (await db.maybe<{ digest: string }>(sql`select digest from catalogue.seeding where what = ${what}`))?.digest;
}

export async function noteSeeding(tx: Tx, what: string, digest: string, at: Date): Promise<void> {
  await tx.run(sql`
    insert into catalogue.seeding (what, digest, at) values (${what}, ${digest}, ${at})
    on conflict (what) do update set digest = excluded.digest, at = excluded.at`);
}

type DeviceRow = CatalogueRow<'devices'>;
const deviceColumns = sql.raw('d.model, d.brand, d.name, d.esim, d.rats, d.note');

/** Devices by model; those with a word or name that begins so when a term is given. */
export function listDevices(db: Reader, term: string | null, afterModel: string, limit: number): Promise<Omit<DeviceRow, 'also'>[]> {
  if (term === null) {
    return db.all(sql`select ${deviceColumns} from catalogue.device d where d.model > ${afterModel} order by d.model limit ${limit}`);
  }
  return db.all(sql`
    select ${deviceColumns} from catalogue.device d
     where d.model > ${afterModel} and d.model in (
             select t.model from catalogue.device_term t where t.term >= ${term}::text collate "C" and t.term < (${term}::text || chr(1114111)) collate "C")
     order by d.model limit ${limit}`);
}

/** Devices that are called exactly so. */
export function devicesCalled(db: Reader, term: string): Promise<Omit<DeviceRow, 'also'>[]> {
  return db.all(sql`
    select ${deviceColumns} from catalogue.device_term t join catalogue.device d using (model) where t.term = ${term} order by d.model limit 2`);
}

/** The radio access an operator has in each of these countries; of every operator where none is given. */
export function ratsIn(db: Reader, operatorId: string | null, countries: readonly string[]): Promise<{ country: string; rats: DeviceRow['rats'] }[]> {
  return db.all(sql`
    select n.country, array_agg(distinct r.rat) as rats
      from catalogue.network n join catalogue.coverage v using (plmn) cross join lateral unnest(v.rats) as r (rat)
     where n.country = any(${countries}::text[]) and (${operatorId}::uuid is null or v.operator_id = ${operatorId}::uuid) group by n.country`);
}
