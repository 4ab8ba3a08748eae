import { describe, expect, it } from 'vitest';
import { profileOf, readStockFile } from './stock-file.ts';

const header = 'iccid,imsi,msisdn,ki,opc,pin1,puk1,adm1';
const key = '0123456789abcdef0123456789ABCDEF';
const first = `8999901000000000013,001010000000001,,${key},${key},1234,12345678,0123456789abcdef`;
const second = `8999901000000000021,001010000000002,999700000002,${key},${key},0000,00000000,0123456789abcdef`;

const faults = (csv: string) => readStockFile(csv).faults;

describe('a stock file', () => {
  it('reads rows in any order of columns, with a byte order mark, blanks and empty lines', () => {
    const { rows, faults: wrong } = readStockFile(`\uFEFF${header}\r\n\r\n ${first}\r\n${second}\r\n`);
    expect(wrong).toEqual([]);
    expect(rows.map((row) => row.line)).toEqual([3, 4]);
    expect(profileOf(rows[0]!)).toEqual({
      iccid: '8999901000000000013', imsi: '001010000000001', msisdn: null,
      secrets: { ki: key.toLowerCase(), opc: key.toLowerCase(), pin1: '1234', puk1: '12345678', adm1: '0123456789abcdef' },
    });
    expect(faults(`imsi,iccid,ki,opc,pin1,puk1,adm1\n001010000000001,8999901000000000013,${key},${key},1234,12345678,0123456789abcdef`)).toEqual([]);
  });

  it('lists every fault with its line and column', () => {
    const bad = `8999901000000000011,00101,+1,${key.slice(1)},zz,12,1234,xy`;
    expect(faults(`${header}\n${first}\n${bad}\n${first}`)).toEqual([
      { line: 3, column: 'iccid', fault: 'bad-check-digit' },
      { line: 3, column: 'imsi', fault: 'bad-imsi' },
      { line: 3, column: 'msisdn', fault: 'bad-msisdn' },
      { line: 3, column: 'ki', fault: 'bad-ki' },
      { line: 3, column: 'opc', fault: 'bad-opc' },
      { line: 3, column: 'pin1', fault: 'bad-pin1' },
      { line: 3, column: 'puk1', fault: 'bad-puk1' },
      { line: 3, column: 'adm1', fault: 'bad-adm1' },
      { line: 4, column: 'iccid', fault: 'repeated-iccid' },
      { line: 4, column: 'imsi', fault: 'repeated-imsi' },
    ]);
  });

  it('refuses missing, unknown and repeated columns', () => {
    expect(faults('iccid,imsi,ki,opc,pin1,puk1\n')).toEqual([{ line: 1, column: 'adm1', fault: 'missing-column' }]);
    expect(faults(`${header},price\n`)).toEqual([{ line: 1, column: 'price', fault: 'unknown-column' }]);
    expect(faults(`${header},ki\n`)).toEqual([{ line: 1, column: 'ki', fault: 'unknown-column' }]);
    expect(faults(`${header},constructor\n`)).toEqual([{ line: 1, column: 'constructor', fault: 'unknown-column' }]);
    expect(faults('')).toHaveLength(7);
  });

  it('refuses what is no CSV, saying where', () => {
    expect(faults(`${header}\n${first},more`)).toEqual([{ line: 2, column: null, fault: 'unreadable' }]);
    expect(faults(`${header}\n"${first}`)).toMatchObject([{ column: null, fault: 'unreadable' }]);
    expect(faults(`${header}\n${'9'.repeat(10_000)}`)).toMatchObject([{ fault: 'unreadable' }]);
  });

  it('refuses more rows than one import takes', () => {
    expect(faults(`${header}\n${`${first}\n`.repeat(20_001)}`)).toEqual([{ line: 20_002, column: null, fault: 'too-many-rows' }]);
  });
});
