import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { beginningsOf, folded, placesOf, spansOf, termOf, unitsOf, wishOf } from './words.ts';

const gigabyte = 1_000_000_000;

describe('a search', () => {
  it.each([
    ['日本 10GB', 10 * gigabyte, null, ['日本']],
    ['日本10g流量套餐', 10 * gigabyte, null, ['日本']],
    ['korea 5gb', 5 * gigabyte, null, ['korea']],
    ['eSIM for South Korea, 500 MB', 500_000_000, null, ['south', 'korea']],
    ['３ＧＢ　７天　泰国', 3 * gigabyte, 7, ['泰国']],
    ['泰國一個月20G', 20 * gigabyte, 30, ['泰國']],
    ['两周 法国', null, 14, ['法国']],
    ['1.5 GB México 15-days', 1.5 * gigabyte, 15, ['mexico']],
    ['7日日本', null, 7, ['日本']],
    ['15 days UK', null, 15, ['uk']],
    ['0 GB Japan', null, null, ['japan']],
    ['5 giraffes', null, null, ['5', 'giraffes']],
  ])('%s', (query, dataBytes, validityDays, pieces) => {
    expect(wishOf(query)).toEqual({ dataBytes, validityDays, pieces });
  });

  it('folds what people write differently', () => {
    expect(termOf('Ｈｏｎｇ－Ｋｏｎｇ')).toBe('hongkong');
    expect(folded('Türkiye')).toBe('turkiye');
  });

  it('takes the longest name from the left, then beginnings', () => {
    const known = new Map([['日', ['X']], ['日本', ['JP']], ['韩国', ['KR']], ['southkorea', ['KR']], ['korea', ['KR']]]);
    expect(placesOf(unitsOf(['日本韩国']), known, new Map())).toEqual({ groups: [['JP'], ['KR']], unknown: [] });
    expect(placesOf(['south', 'korea', 'now'], known, new Map())).toEqual({ groups: [['KR']], unknown: ['now'] });
    expect(placesOf(unitsOf(['马来']), known, new Map([['马来', ['MY']]])).groups).toEqual([['MY']]);
  });

  it('stays small and whole whatever is typed', () => {
    fc.assert(fc.property(fc.string({ maxLength: 200, unit: 'grapheme' }), (query) => {
      const { dataBytes, validityDays, pieces } = wishOf(query);
      const units = unitsOf(pieces);
      const spans = spansOf(units);
      expect(units.length).toBeLessThanOrEqual(40);
      expect(spans.length).toBeLessThanOrEqual(320);
      expect(beginningsOf(spans).length).toBeLessThanOrEqual(320);
      for (const number of [dataBytes, validityDays]) expect(number === null || (Number.isSafeInteger(number) && number > 0)).toBe(true);
      expect(placesOf(units, new Map(), new Map()).unknown).toEqual(units);
    }));
  });
});
