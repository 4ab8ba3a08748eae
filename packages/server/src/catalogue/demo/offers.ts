import type { CatalogueRow, LocalText } from '@yuanyou/contract';
import { countryLines } from './countries.ts';
import { demoRegions } from './regions.ts';

const gigabyte = 1_000_000_000;
type PlanRow = CatalogueRow<'plans'>;
type Tier = readonly [gigabytes: number, days: number];

/** A demo operator: its letter in the country lines, what it sells, and how its prices stand to the others'. */
interface Seller {
  readonly letter: string;
  readonly code: string;
  readonly home: string;
  /** Its own network at home. */
  readonly plmn: string;
  readonly name: LocalText;
  readonly suffix: string;
  readonly factor: number;
  readonly tiers: readonly Tier[];
  readonly regionTiers: readonly Tier[];
  readonly regions: readonly string[];
  readonly hotspot: boolean;
  readonly maxMbps: number | null;
  readonly start: PlanRow['start'];
  readonly refund: PlanRow['refund'];
}

const proRata = { kind: 'pro-rata', withinDays: 14 } as const;
const onFirstUse = { kind: 'first-use', withinDays: 180 } as const;

export const sellers: readonly Seller[] = [
  {
    letter: 's', code: 'sakura-demo', home: 'JP', plmn: '44099', suffix: '', factor: 1, hotspot: true, maxMbps: null, start: onFirstUse, refund: proRata,
    name: { en: 'Sakura Mobile (demo)', 'zh-Hans': '樱花移动（演示）', 'zh-Hant': '櫻花行動（示範）' },
    tiers: [[1, 7], [3, 15], [10, 30]], regionTiers: [[6, 15], [10, 30], [30, 30]],
    regions: ['europe', 'south-east-asia', 'singapore-malaysia-thailand', 'japan-korea', 'hong-kong-macao', 'china-hong-kong-macao-taiwan', 'asia-pacific', 'world'],
  },
  {
    letter: 'a', code: 'alpen-demo', home: 'CH', plmn: '22899', suffix: '-alpen', factor: 0.9, hotspot: true, maxMbps: 100, start: onFirstUse, refund: proRata,
    name: { en: 'Alpen Mobil (demo)', 'zh-Hans': '阿尔卑斯移动（演示）', 'zh-Hant': '阿爾卑斯行動（示範）' },
    tiers: [[3, 30], [10, 30]], regionTiers: [[5, 15], [20, 30]],
    regions: ['europe', 'nordics', 'balkans', 'latin-america', 'middle-east', 'gulf', 'central-asia-caucasus'],
  },
  {
    letter: 'p', code: 'prairie-demo', home: 'US', plmn: '310999', suffix: '-prairie', factor: 1.15, hotspot: true, maxMbps: null,
    start: { kind: 'purchase' }, refund: { kind: 'pro-rata', withinDays: 7 },
    name: { en: 'Prairie Wireless (demo)', 'zh-Hans': '草原无线（演示）', 'zh-Hant': '草原無線（示範）' },
    tiers: [[5, 15], [20, 30]], regionTiers: [[5, 15], [15, 30]],
    regions: ['north-america', 'latin-america', 'europe', 'japan-korea', 'australia-new-zealand', 'south-east-asia', 'world'],
  },
  {
    letter: 'b', code: 'baobab-demo', home: 'ZA', plmn: '65599', suffix: '-baobab', factor: 1.05, hotspot: false, maxMbps: 50, start: onFirstUse, refund: { kind: 'none' },
    name: { en: 'Baobab Telecom (demo)', 'zh-Hans': '猴面包树电信（演示）', 'zh-Hant': '猴麵包樹電信（示範）' },
    tiers: [[2, 10], [5, 30]], regionTiers: [[3, 15], [10, 30]], regions: ['africa', 'gulf', 'middle-east', 'asia-pacific', 'world'],
  },
];

/** The first in the shop, at prices of their own: place, gigabytes, days, EUR cents, refundable. */
const firstOffers: readonly (readonly [string, number, number, number, boolean])[] = [
  ['japan', 3, 15, 900, true], ['japan', 1, 7, 400, true], ['japan', 10, 30, 2200, true], ['south-korea', 5, 15, 1200, true],
  ['thailand', 3, 10, 700, true], ['singapore', 2, 7, 600, true], ['hong-kong-macao', 3, 7, 700, true], ['france', 5, 30, 1100, true],
  ['united-states', 5, 15, 1500, true], ['europe', 10, 30, 1900, true], ['europe', 30, 30, 3900, true], ['south-east-asia', 6, 15, 1600, true],
  ['world', 3, 30, 2500, true], ['world', 1, 7, 900, false],
];
const firstSlugs: Readonly<Record<string, string>> = { 'south-korea': 'korea', 'united-states': 'usa' };

/** Units of each currency for one euro, and the step that its prices go by, in minor units. */
const currencies: Readonly<Record<string, readonly [rate: number, minor: number, step: number]>> = {
  CNY: [7.8, 100, 10], EUR: [1, 100, 10], GBP: [0.86, 100, 10], HKD: [8.6, 100, 50], JPY: [165, 1, 10], TWD: [35, 100, 100], USD: [1.1, 100, 10],
};

function pricesOf(cents: number): PlanRow['prices'] {
  return Object.entries(currencies).map(([currency, [rate, minor, step]]) => ({
    amountMinor: Math.max(step, Math.round(((cents / 100) * rate * minor) / step) * step), currency,
  }));
}

function centsOf([gigabytes, days]: Tier, priceClass: number, factor: number): number {
  return Math.max(150, Math.round((factor * (80 + gigabytes ** 0.78 * 200 * 1.5 ** priceClass + days * 4)) / 50) * 50);
}

interface Place {
  readonly slug: string;
  readonly kind: PlanRow['kind'];
  readonly region: string | null;
  readonly countries: readonly string[];
  readonly name: LocalText;
  readonly priceClass: number;
}

const slugOf = (name: string): string => name.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase().replaceAll(/[^a-z]+/g, '-');

function placesOf(seller: Seller): Place[] {
  const served = countryLines.filter(([, , , , , operators]) => operators.includes(seller.letter));
  const singles = served.map(([code, en, hans, hant, , , priceClass]): Place => ({
    slug: slugOf(en), kind: 'single', region: null, countries: [code], name: { en, 'zh-Hans': hans, 'zh-Hant': hant }, priceClass,
  }));
  const regions = demoRegions.filter(({ code }) => seller.regions.includes(code)).map(({ code, name, countries }): Place => {
    const within = served.filter(([one]) => countries === undefined || countries.split(' ').includes(one));
    return {
      slug: code, kind: code === 'world' ? 'global' : 'regional', region: code, countries: within.map(([one]) => one).toSorted(), name,
      priceClass: code === 'world' ? 3 : 0.7 + Math.max(...within.map(([, , , , , , one]) => one)) / 2,
    };
  });
  return [...singles, ...regions];
}

function nameOf(place: LocalText, gigabytes: number, days: number): LocalText {
  return {
    en: `${place.en} ${gigabytes} GB, ${days} days`,
    'zh-Hans': `${place['zh-Hans']} ${gigabytes} GB，${days} 天`, 'zh-Hant': `${place['zh-Hant']} ${gigabytes} GB，${days} 天`,
  };
}

function descriptionOf(seller: Seller, gigabytes: number, days: number): LocalText {
  const first = seller.start.kind === 'first-use';
  const shared = seller.hotspot
    ? { en: 'Hotspot allowed.', 'zh-Hans': '支持热点分享。', 'zh-Hant': '支援熱點分享。' }
    : { en: 'No hotspot.', 'zh-Hans': '不支持热点分享。', 'zh-Hant': '不支援熱點分享。' };
  return {
    en: `${gigabytes} GB of data for ${days} days from the ${first ? 'first use' : 'purchase'}. Data only; no calls or text messages. ${shared.en}`,
    'zh-Hans': `自${first ? '首次使用' : '购买'}起 ${days} 天内可用 ${gigabytes} GB 流量。仅含流量，不含通话和短信。${shared['zh-Hans']}`,
    'zh-Hant': `自${first ? '首次使用' : '購買'}起 ${days} 天內可用 ${gigabytes} GB 流量。僅含流量，不含通話與簡訊。${shared['zh-Hant']}`,
  };
}

function offer(seller: Seller, place: Place, tier: Tier, said: Partial<PlanRow> & { readonly slug: string }, cents: number): PlanRow {
  const [gigabytes, days] = tier;
  return {
    operator: seller.code, kind: place.kind, region: place.region, countries: [...place.countries], dataBytes: gigabytes * gigabyte, validityDays: days,
    start: seller.start, refund: seller.refund, hotspot: seller.hotspot, speed: { maxMbps: seller.maxMbps, afterAllowanceKbps: null },
    topUps: [1, 3].map((more) => ({
      code: `plus-${more}gb`, dataBytes: more * gigabyte, validityDays: more === 1 ? null : 7, prices: pricesOf(centsOf([more, 0], place.priceClass, seller.factor)),
    })),
    name: nameOf(place.name, gigabytes, days), description: descriptionOf(seller, gigabytes, days), prices: pricesOf(cents), onSale: true, position: 1000, ...said,
  };
}

function firstPlans(): PlanRow[] {
  const [sakura] = sellers;
  const places = new Map(placesOf(sakura!).map((place) => [place.slug, place]));
  return firstOffers.map(([slug, gigabytes, days, cents, refundable], at) => offer(sakura!, places.get(slug)!, [gigabytes, days], {
    slug: `${firstSlugs[slug] ?? slug}-${gigabytes}gb-${days}d`, position: at + 1, ...(refundable ? {} : { refund: { kind: 'none' } as const }),
  }, cents));
}

function otherPlans(seller: Seller): PlanRow[] {
  return placesOf(seller).flatMap((place) => (place.kind === 'single' ? seller.tiers : seller.regionTiers).map((tier) => offer(seller, place, tier, {
    slug: `${firstSlugs[place.slug] ?? place.slug}-${tier[0]}gb-${tier[1]}d${seller.suffix}`, position: 100 * (1 + Math.round(place.priceClass)),
  }, centsOf(tier, place.priceClass, seller.factor))));
}

/** Every demo plan, one of each slug: the first offers before the rest. */
export function demoPlans(): PlanRow[] {
  const bySlug = new Map<string, PlanRow>();
  for (const plan of [...firstPlans(), ...sellers.flatMap(otherPlans)]) if (!bySlug.has(plan.slug)) bySlug.set(plan.slug, plan);
  return [...bySlug.values()];
}
