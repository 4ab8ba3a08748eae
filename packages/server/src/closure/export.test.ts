import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { csvOf, openExport, sealExport, vcardOf } from './export.ts';

describe('CSV', () => {
  it('is read back by any reader, cell by cell', () => {
    const row = fc.record({ name: fc.string({ maxLength: 30 }), note: fc.option(fc.string({ unit: 'binary', maxLength: 30 })), bytes: fc.integer() });
    fc.assert(fc.property(fc.array(row, { minLength: 1, maxLength: 5 }), (rows) => {
      const read = parse(csvOf(rows), { columns: true, record_delimiter: '\r\n' }) as Record<string, string>[];
      expect(read.map(({ bytes }) => Number(bytes))).toEqual(rows.map(({ bytes }) => bytes));
      expect(read.map(({ name }, at) => name === rows[at]!.name || name === `'${rows[at]!.name}`)).toEqual(rows.map(() => true));
    }), { numRuns: 30 });
  });

  it('holds no text that a spreadsheet would take for a formula; numbers stay numbers', () => {
    for (const text of ['=1+1', '+1', '-1', '@cmd', '\tx', '\rx']) expect(csvOf([{ text }])).toMatch(/\r\n"?'/);
    expect(csvOf([{ amount: -5, ok: true, none: null }])).toBe('amount,ok,none\r\n-5,true,\r\n');
    expect(csvOf([])).toBe('\r\n');
  });
});

describe('vCard', () => {
  it('keeps each contact one card and each value on its line', () => {
    const cards = vcardOf([{ name: 'A; B, C\\D', phone: '+81 75', email: null, note: 'one\ntwo\r\nthree' }, { name: 'E', phone: null, email: 'e@example.test', note: null }]);
    expect(cards).toBe('BEGIN:VCARD\r\nVERSION:4.0\r\nFN:A\\; B\\, C\\\\D\r\nTEL:+81 75\r\nNOTE:one\\ntwo\\nthree\r\nEND:VCARD\r\n'
      + 'BEGIN:VCARD\r\nVERSION:4.0\r\nFN:E\r\nEMAIL:e@example.test\r\nEND:VCARD\r\n');
  });
});

describe('a sealed export', () => {
  it('opens with its token alone, and not when a byte was changed', () => {
    const zip = Buffer.from('PK and whatever follows');
    const sealed = sealExport(zip, 'a token of many letters');
    expect(openExport(sealed, 'a token of many letters').equals(zip)).toBe(true);
    expect(() => openExport(sealed, 'another token')).toThrow();
    for (const at of [0, 16, 28, 44, sealed.length - 1]) {
      const changed = Buffer.from(sealed);
      changed[at] = changed[at]! ^ 1;
      expect(() => openExport(changed, 'a token of many letters')).toThrow();
    }
    expect(sealExport(zip, 'a token of many letters').equals(sealed)).toBe(false);
  });
});
