import type { LocalText, Plan } from '@yuanyou/contract';

const gigabyte = 1_000_000_000;

/** A demo plan; `operator` picks one of the operators given to the seed. */
export interface DemoPlan {
  readonly planId: string;
  readonly slug: string;
  readonly operator: number;
  readonly countries: readonly string[];
  readonly dataBytes: number;
  readonly validityDays: number;
  readonly refund: Plan['refund'];
  readonly name: LocalText;
  readonly description: LocalText;
  readonly prices: Plan['prices'];
}

interface Place {
  readonly slug: string;
  readonly countries: readonly string[];
  readonly name: LocalText;
}

const japan: Place = { slug: 'japan', countries: ['JP'], name: { en: 'Japan', 'zh-Hans': '日本', 'zh-Hant': '日本' } };
const korea: Place = { slug: 'korea', countries: ['KR'], name: { en: 'South Korea', 'zh-Hans': '韩国', 'zh-Hant': '韓國' } };
const thailand: Place = { slug: 'thailand', countries: ['TH'], name: { en: 'Thailand', 'zh-Hans': '泰国', 'zh-Hant': '泰國' } };
const singapore: Place = { slug: 'singapore', countries: ['SG'], name: { en: 'Singapore', 'zh-Hans': '新加坡', 'zh-Hant': '新加坡' } };
const hongKongMacao: Place = {
  slug: 'hong-kong-macao', countries: ['HK', 'MO'], name: { en: 'Hong Kong and Macao', 'zh-Hans': '港澳', 'zh-Hant': '港澳' },
};
const france: Place = { slug: 'france', countries: ['FR'], name: { en: 'France', 'zh-Hans': '法国', 'zh-Hant': '法國' } };
const unitedStates: Place = { slug: 'usa', countries: ['US'], name: { en: 'United States', 'zh-Hans': '美国', 'zh-Hant': '美國' } };
const europe: Place = {
  slug: 'europe',
  countries: ['AT', 'BE', 'CH', 'CZ', 'DE', 'DK', 'ES', 'FI', 'FR', 'GB', 'GR', 'HU', 'IE', 'IT', 'NL', 'NO', 'PL', 'PT', 'SE'],
  name: { en: 'Europe', 'zh-Hans': '欧洲', 'zh-Hant': '歐洲' },
};
const southEastAsia: Place = {
  slug: 'south-east-asia', countries: ['ID', 'MY', 'PH', 'SG', 'TH', 'VN'], name: { en: 'South-East Asia', 'zh-Hans': '东南亚', 'zh-Hant': '東南亞' },
};
const world: Place = {
  slug: 'world',
  countries: ['AT', 'AU', 'BE', 'CA', 'CH', 'DE', 'DK', 'ES', 'FR', 'GB', 'HK', 'ID', 'IT', 'JP', 'KR', 'MO', 'MY', 'NL', 'NZ', 'PT', 'SE', 'SG', 'TH', 'TW', 'US', 'VN'],
  name: { en: 'World', 'zh-Hans': '全球', 'zh-Hant': '全球' },
};

/** Columns: id's last digits, operator, place, GB, days, EUR cents, refundable. */
const offers: readonly (readonly [number, number, Place, number, number, number, boolean])[] = [
  [1, 0, japan, 1, 7, 400, true],
  [2, 0, japan, 3, 15, 900, true],
  [3, 1, japan, 10, 30, 2200, true],
  [4, 0, korea, 5, 15, 1200, true],
  [5, 1, thailand, 3, 10, 700, true],
  [6, 1, singapore, 2, 7, 600, true],
  [7, 0, hongKongMacao, 3, 7, 700, true],
  [8, 1, france, 5, 30, 1100, true],
  [9, 0, unitedStates, 5, 15, 1500, true],
  [10, 1, europe, 10, 30, 1900, true],
  [11, 0, europe, 30, 30, 3900, true],
  [12, 1, southEastAsia, 6, 15, 1600, true],
  [13, 0, world, 3, 30, 2500, true],
  [14, 1, world, 1, 7, 900, false],
];

function demoPlan([number, operator, place, gigabytes, days, cents, refundable]: (typeof offers)[number]): DemoPlan {
  return {
    planId: `0198c5d2-0000-7000-8000-${String(number).padStart(12, '0')}`,
    slug: `${place.slug}-${gigabytes}gb-${days}d`,
    operator,
    countries: place.countries,
    dataBytes: gigabytes * gigabyte,
    validityDays: days,
    refund: refundable ? { kind: 'pro-rata', withinDays: 14 } : { kind: 'none' },
    name: {
      en: `${place.name.en} ${gigabytes} GB, ${days} days`,
      'zh-Hans': `${place.name['zh-Hans']} ${gigabytes} GB，${days} 天`,
      'zh-Hant': `${place.name['zh-Hant']} ${gigabytes} GB，${days} 天`,
    },
    description: {
      en: `${gigabytes} GB of data for ${days} days from the first use. Data only; no calls or text messages.`,
      'zh-Hans': `自首次使用起 ${days} 天内可用 ${gigabytes} GB 流量。仅含流量，不含通话和短信。`,
      'zh-Hant': `自首次使用起 ${days} 天內可用 ${gigabytes} GB 流量。僅含流量，不含通話與簡訊。`,
    },
    prices: [
      { amountMinor: Math.round(cents * 7.8), currency: 'CNY' },
      { amountMinor: cents, currency: 'EUR' },
      { amountMinor: Math.round(cents * 1.1), currency: 'USD' },
    ],
  };
}

/** The demo catalogue: the same ids at every start. */
export const demoPlans: readonly DemoPlan[] = offers.map(demoPlan);

/** The first use must come within these days of the purchase. */
export const demoStart = { kind: 'first-use', withinDays: 180 } as const;
