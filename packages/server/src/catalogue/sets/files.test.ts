import { catalogueRows } from '@yuanyou/contract';
import type { CatalogueRow, CatalogueSet } from '@yuanyou/contract';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { demoPlans } from '../demo/offers.ts';
import { demoCountries, demoNetworks } from '../demo/places.ts';
import { faultsBeside, saysTheSame } from './model.ts';
import type { Known } from './model.ts';
import { readFile } from './read-file.ts';
import { writeCsv, writeJson } from './write-file.ts';

const said = fc.string({ minLength: 1, maxLength: 30, unit: 'grapheme' }).map((text) => text.replaceAll(/[^\t\n\P{C}]/gu, '').trim()).filter((text) => text !== '');
const texts = fc.record({ en: said, 'zh-Hans': said, 'zh-Hant': said });
const money = fc.uniqueArray(fc.record({ amountMinor: fc.integer({ min: 1, max: 1e9 }), currency: fc.constantFrom('EUR', 'USD', 'CNY') }),
  { minLength: 1, selector: ({ currency }) => currency });
const days = fc.integer({ min: 1, max: 3650 });
const bytes = fc.integer({ min: 1, max: 1e12 });

const plans: fc.Arbitrary<CatalogueRow<'plans'>> = fc.record({
  slug: fc.stringMatching(/^[a-z0-9-]{3,60}$/), operator: fc.stringMatching(/^[a-z0-9][a-z0-9-]{1,20}$/), kind: fc.constantFrom('single', 'regional', 'global'),
  region: fc.option(fc.constant('nordics')), countries: fc.array(fc.stringMatching(/^[A-Z]{2}$/), { minLength: 1, maxLength: 5 }),
  dataBytes: bytes, validityDays: days,
  start: fc.oneof(fc.constant({ kind: 'purchase' as const }), days.map((withinDays) => ({ kind: 'date' as const, withinDays }))),
  refund: fc.oneof(fc.constant({ kind: 'none' as const }), days.map((withinDays) => ({ kind: 'pro-rata' as const, withinDays }))),
  topUps: fc.array(fc.record({ code: fc.stringMatching(/^[a-z0-9][a-z0-9-]{1,20}$/), dataBytes: bytes, validityDays: fc.option(days), prices: money }), { maxLength: 3 }),
  hotspot: fc.boolean(), speed: fc.record({ maxMbps: fc.option(fc.integer({ min: 1, max: 1000 })), afterAllowanceKbps: fc.option(fc.integer({ min: 1, max: 1000 })) }),
  name: texts, description: texts, prices: money, onSale: fc.boolean(), position: fc.integer({ min: 0, max: 1000 }),
});

describe('a file of a data set', () => {
  it('reads what was written, in CSV and JSON', () => {
    fc.assert(fc.property(fc.array(plans, { maxLength: 5 }), (rows) => {
      for (const format of ['csv', 'json'] as const) {
        const file = readFile('plans', format, format === 'csv' ? writeCsv('plans', rows) : writeJson(rows));
        expect(file.faults).toEqual([]);
        expect(file.rows.map(({ row }) => row)).toEqual(rows);
      }
    }), { numRuns: 60 });
  });

  it('names the line on which a row begins', () => {
    const csv = `\uFEFFcode,name_en,name_zh-Hans,name_zh-Hant,also\r\nJP,"Ja\npan",日本,日本,Nihon; Nippon\r\n\r\nxx,Korea,韩国,,\r\nKR,South Korea\r\n`;
    expect(readFile('countries', 'csv', csv)).toEqual({
      rows: [{ line: 2, row: { code: 'JP', name: { en: 'Ja\npan', 'zh-Hans': '日本', 'zh-Hant': '日本' }, also: ['Nihon', 'Nippon'], mccs: [] } }],
      faults: [
        { line: 6, column: null, fault: 'unreadable', value: '2 cells, 5 columns' },
        { line: 5, column: 'code', fault: 'bad-value', value: 'xx' },
        { line: 5, column: 'name_zh-Hant', fault: 'bad-value', value: '' },
      ],
    });
    const json = '[\n  {"plmn": "44010", "country": "JP", "name": "N,[]", "rats": ["4G"]},\n\n  {"plmn": "1",\n   "country": "JP", "name": "\\"}", "rats": [], "x": 1},\n  {oops},\n  7\n]\n';
    const { rows, faults } = readFile('networks', 'json', json);
    expect(rows.map(({ line }) => line)).toEqual([2]);
    expect(faults.map(({ line, column, fault }) => [line, column, fault])).toEqual([
      [6, null, 'unreadable'], [4, 'plmn', 'bad-value'], [4, 'rats', 'bad-value'], [4, 'x', 'unknown-column'], [7, null, 'bad-value'],
    ]);
  });

  it('lists columns that are missing, unknown or twice', () => {
    expect(readFile('networks', 'csv', 'plmn,country,name,name,colour\n').faults.map(({ line, column, fault }) => [line, column, fault])).toEqual([
      [1, 'rats', 'missing-column'], [1, 'name', 'unknown-column'], [1, 'colour', 'unknown-column'],
    ]);
  });

  it('goes on after a broken quote', () => {
    const { rows, faults } = readFile('networks', 'csv', 'plmn,country,name,rats\n44010,JP,a"b,4G\n44011,JP,Good,4G 5G\n');
    expect(faults.map(({ line, fault }) => [line, fault])).toEqual([[2, 'unreadable']]);
    expect(rows.map(({ row }) => row.plmn)).toEqual(['44011']);
  });

  it('refuses what no database or screen takes', () => {
    const names = ['a\u0000b', '\u001b[1m', '\ud800'].map((name, at) => `{"plmn":"4401${at}","country":"JP","name":${JSON.stringify(name)},"rats":["4G"]}`);
    expect(readFile('networks', 'json', `[${names.join(',\n')}]`).faults.map(({ line, column }) => `${line} ${column}`)).toEqual(['1 name', '2 name', '3 name']);
  });

  it.each(['', '[', ']', '[]]', 'null', '[,]', '[{},]', '"', `${'['.repeat(50_000)}${']'.repeat(50_000)}`, 'code', '"""', '\u0000'])('never breaks: %#', (text) => {
    for (const set of Object.keys(catalogueRows) as CatalogueSet[]) {
      for (const format of ['csv', 'json'] as const) expect(readFile(set, format, text).rows).toEqual([]);
    }
  });
});

describe('a row beside the catalogue', () => {
  const countries = demoCountries();
  const known: Known = {
    countries: new Set(countries.map(({ code }) => code)), regions: new Set(['europe']), operators: new Set(['sakura-demo']),
    networks: new Map(demoNetworks().map((row) => [row.plmn, row])), covered: new Set(['sakura-demo JP', 'sakura-demo KR']),
  };
  const japan = demoPlans().find(({ slug }) => slug === 'japan-3gb-15d')!;
  const kinds = (row: CatalogueRow<'plans'>) => faultsBeside('plans', row, known).map(([member, fault, value]) => `${member} ${fault} ${value}`);

  it('points only to what is there', () => {
    expect(kinds(japan)).toEqual([]);
    expect(kinds({ ...japan, operator: 'nobody', region: 'moon', countries: ['JP', 'ZZ'] })).toEqual([
      'operator unknown-operator nobody', 'countries unknown-country ZZ', 'kind wrong-kind single', 'region unknown-region moon',
    ]);
    expect(kinds({ ...japan, countries: ['FR'] })).toEqual(['countries not-covered FR']);
    expect(kinds({ ...japan, kind: 'regional', countries: ['JP', 'KR', 'JP'], prices: [...japan.prices, japan.prices[0]!] }))
      .toEqual(['countries repeated-value JP', 'prices repeated-value CNY']);
    expect(faultsBeside('coverage', { operator: 'sakura-demo', plmn: '44093', rats: ['5G'], quality: 3, typicalMbps: null }, known)).toEqual([['rats', 'rat-not-there', '5G']]);
    expect(faultsBeside('coverage', { operator: 'sakura-demo', plmn: '00101', rats: ['5G'], quality: 3, typicalMbps: null }, known)).toEqual([['plmn', 'unknown-network', '00101']]);
  });

  it('says the same whatever the order of its members and prices', () => {
    expect(saysTheSame(japan, { ...Object.fromEntries(Object.entries(japan).toReversed()), prices: japan.prices.toReversed() } as CatalogueRow)).toBe(true);
    expect(saysTheSame(japan, { ...japan, hotspot: false })).toBe(false);
  });
});
