import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ServiceError } from '../platform/errors.ts';
import { parseUsageCsv } from './csv.ts';

const header = 'id,start,stop,iccid,imsi,bytes,imei,mccmnc';
const row = 'r-1,2026-11-22T08:00:00Z,2026-11-22T09:00:00Z,8981099000000000017,440990000000001,1500000,353000000000018,44010';
const parse = (text: string) => parseUsageCsv(Buffer.from(text));
const fault = (text: string): unknown => {
  try {
    parse(text);
    return undefined;
  } catch (error) {
    return error instanceof ServiceError ? { code: error.code, ...error.details } : error;
  }
};

describe('a usage file by the hour', () => {
  it('is read row by row', () => {
    expect(parse(`${header}\n${row}\n`)).toEqual([{
      rowNo: 1, recordId: 'r-1', startedAt: new Date('2026-11-22T08:00:00Z'), stoppedAt: new Date('2026-11-22T09:00:00Z'),
      iccid: '8981099000000000017', bytes: 1_500_000n, plmn: '44010',
    }]);
  });

  it.each([
    ['another header', `id,start\n${row}\n`, 0],
    ['a missing column', `${header}\nr-1,2026-11-22T08:00:00Z\n`, 1],
    ['an id that is empty', `${header}\n${row.replace('r-1', '')}\n`, 1],
    ['a local time', `${header}\n${row.replace('08:00:00Z', '08:00:00+09:00')}\n`, 1],
    ['a stop before the start', `${header}\n${row.replace('09:00', '07:00')}\n`, 1],
    ['negative bytes', `${header}\n${row.replace('1500000', '-1')}\n`, 1],
    ['bytes beyond bounds', `${header}\n${row.replace('1500000', '9999999999999999')}\n`, 1],
    ['a short ICCID', `${header}\n${row}\n${row.replace('8981099000000000017', '898109')}\n`, 2],
  ])('is refused whole for %s, with the row', (_what, text, at) => {
    expect(fault(text)).toMatchObject({ code: 'usage/file-refused', row: at });
  });

  it('ends in records or a refusal, whatever the bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (noise) => {
      const text = Buffer.concat([Buffer.from(`${header}\n`), Buffer.from(noise)]);
      try {
        parseUsageCsv(text);
      } catch (error) {
        expect(error).toBeInstanceOf(ServiceError);
      }
    }), { numRuns: Number(process.env['FUZZ_CASES'] ?? 500) });
  });
});
