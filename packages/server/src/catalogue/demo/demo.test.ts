import { catalogueRows } from '@yuanyou/contract';
import type { CatalogueSet } from '@yuanyou/contract';
import { describe, expect, it } from 'vitest';
import { keyOf } from '../sets/index.ts';
import { demoDevices } from './devices.ts';
import { demoPlans } from './offers.ts';
import { demoCountries, demoCoverage, demoNetworks, demoOperators, demoRegionRows } from './places.ts';

const rows = {
  countries: demoCountries(), regions: demoRegionRows(), operators: demoOperators(), networks: demoNetworks(), coverage: demoCoverage(), plans: demoPlans(),
  devices: demoDevices(),
} satisfies Record<CatalogueSet, unknown[]>;

describe('the demo catalogue', () => {
  it.each(Object.keys(rows) as CatalogueSet[])('fits the contract, each key once: %s', (set) => {
    const keys = new Set<string>();
    for (const row of rows[set]) {
      expect(catalogueRows[set].safeParse(row).error, JSON.stringify(row).slice(0, 200)).toBeUndefined();
      keys.add(keyOf(set, row));
    }
    expect(keys.size).toBe(rows[set].length);
  });

  it('has 60 countries and more, most with two operators or more', () => {
    const country = new Map(rows.networks.map((network) => [network.plmn, network.country]));
    const serving = Map.groupBy(rows.coverage, ({ plmn }) => country.get(plmn));
    const operators = [...serving.values()].map((coverage) => new Set(coverage.map(({ operator }) => operator)).size);
    expect(rows.countries.length).toBeGreaterThanOrEqual(60);
    expect(serving.size).toBe(rows.countries.length);
    expect(operators.filter((count) => count >= 2).length).toBeGreaterThan(rows.countries.length * 0.85);
    expect(rows.operators).toHaveLength(4);
  });

  it('sells only where the operator has a network, of every kind, in several currencies', () => {
    const country = new Map(rows.networks.map((network) => [network.plmn, network.country]));
    const covered = new Set(rows.coverage.map(({ operator, plmn }) => `${operator} ${country.get(plmn)}`));
    for (const { operator, countries, slug } of rows.plans) {
      for (const one of countries) expect(covered.has(`${operator} ${one}`), `${slug} in ${one}`).toBe(true);
    }
    expect(new Set(rows.plans.map(({ kind }) => kind))).toEqual(new Set(['single', 'regional', 'global']));
    for (const { prices } of rows.plans) expect(prices.map(({ currency }) => currency)).toEqual(['CNY', 'EUR', 'GBP', 'HKD', 'JPY', 'TWD', 'USD']);
  });

  it('names places as people do', () => {
    const named = new Map(rows.countries.map(({ code, name }) => [code, [name['zh-Hans'], name['zh-Hant']]]));
    expect(named.get('KR')).toEqual(['韩国', '韓國']);
    expect(named.get('IT')).toEqual(['意大利', '義大利']);
    expect(named.get('NZ')).toEqual(['新西兰', '紐西蘭']);
    expect(named.get('HK')).toEqual(['香港', '香港']);
  });

  it('has the plan of the demo', () => {
    const japan = rows.plans.find(({ slug }) => slug === 'japan-3gb-15d');
    expect(japan).toMatchObject({
      operator: 'sakura-demo', countries: ['JP'], dataBytes: 3_000_000_000, validityDays: 15, refund: { kind: 'pro-rata', withinDays: 14 },
      start: { kind: 'first-use' },
    });
    expect(japan!.prices).toContainEqual({ amountMinor: 900, currency: 'EUR' });
  });
});
