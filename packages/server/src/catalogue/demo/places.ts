import type { CatalogueRow } from '@yuanyou/contract';
import { countryLines } from './countries.ts';
import { sellers } from './offers.ts';
import { demoRegions } from './regions.ts';

const longMncs = new Set(['302', '310', '334', '722', '732']);

export function demoCountries(): CatalogueRow<'countries'>[] {
  return countryLines.map(([code, en, hans, hant, mcc, , , also]) => ({
    code, name: { en, 'zh-Hans': hans, 'zh-Hant': hant }, also: also === undefined ? [] : also.split(','), mccs: [mcc],
  }));
}

export function demoRegionRows(): CatalogueRow<'regions'>[] {
  return demoRegions.map(({ code, name, countries, also }) => ({
    code, name, also: [...also], countries: countries === undefined ? countryLines.map(([one]) => one) : countries.split(' '),
  }));
}

export function demoOperators(): CatalogueRow<'operators'>[] {
  return sellers.map(({ code, name, home }) => ({ code, name, homeCountry: home }));
}

/** Networks of made-up names and MNC above 90 under each country's own MCC: the dearer a country, the fewer have 5G. */
export function demoNetworks(): CatalogueRow<'networks'>[] {
  return [...sellers.map(ownNetwork), ...visitedNetworks()];
}

function ownNetwork({ plmn, home, name }: (typeof sellers)[number]): CatalogueRow<'networks'> {
  return { plmn, country: home, name: name.en, rats: ['4G', '5G'] };
}

function visitedNetworks(): CatalogueRow<'networks'>[] {
  return countryLines.flatMap(([country, en, , , mcc, , priceClass]) => {
    const network = (number: number, rats: CatalogueRow<'networks'>['rats']) => ({
      plmn: `${mcc}${longMncs.has(mcc) ? '9' : ''}9${number}`, country, name: `${en} Demo Net ${number}`, rats,
    });
    const modern = priceClass <= 2 ? (['4G', '5G'] as const) : (['3G', '4G'] as const);
    const networks = [network(1, [...modern]), network(2, priceClass === 1 ? ['4G', '5G'] : ['3G', '4G'])];
    return priceClass === 4 ? networks.slice(0, 1) : priceClass === 3 ? networks : [...networks, network(3, ['2G', '3G', '4G'])];
  });
}

/** Each operator roams on one or two networks of a country; which, and how well, differs from operator to operator. */
export function demoCoverage(): CatalogueRow<'coverage'>[] {
  const networks = visitedNetworks();
  return countryLines.flatMap(([country, , , , , letters], line) => {
    const there = networks.filter((network) => network.country === country);
    return sellers.flatMap((seller, at) => {
      if (!letters.includes(seller.letter)) return [];
      const atHome = seller.home === country ? [{ operator: seller.code, plmn: seller.plmn, rats: ownNetwork(seller).rats, quality: 5, typicalMbps: 250 }] : [];
      const first = (line + at) % there.length;
      const chosen = (line + at) % 3 === 0 ? [first, (first + 1) % there.length] : [first];
      const visited = [...new Set(chosen)].map((index, order) => {
        const { plmn, rats } = there[index]!;
        const quality = Math.max(1, (rats.includes('5G') ? 4 : 3) - order - ((line * 7 + at) % 5 === 0 ? 1 : 0));
        return { operator: seller.code, plmn, rats, quality, typicalMbps: quality * (rats.includes('5G') ? 40 : 12) };
      });
      return [...atHome, ...visited];
    });
  });
}
