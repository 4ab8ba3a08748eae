import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ServiceError } from '../platform/errors.ts';
import { parseUsageCsv } from './csv.ts';

const header = 'id,start,stop,iccid,imsi,bytes,imei,mccmnc';
const row = 'r-1,2026-11-22T08:00:00Z,2026-11-22T09:00:00Z,8981099000000000017,440990000000001,1500000,353000000000018,44010';
const parse = (text: string) => parseUsageCsv(Buffer.from(text));
const fault = async (text: string): Promise<unknown> => {
  try {
    await parse(text);
    return undefined;
  } catch (error) {
    return error instanceof ServiceError ? { code: error.code, ...error.details } : error;
  }
};

describe('a usage file by the hour', () => {
  it('is read row by row', async () => {
    expect(await parse(`${header}\n${row}\n`)).toEqual([{
      rowNo: 1, recordId: 'r-1', startedAt: new Date('2026-11-22T08:00:00Z'), stoppedAt: new Date('2026-11-22T09:00:00Z'),
      iccid: '8981099000000000017', bytes: 1_500_000n, plmn: '44010',
    }]);
  });

  it.each([
    ['nothing at all', '', 0],
    ['another header', `id,start\n${row}\n`, 0],
    ['a missing column', `${header}\nr-1,2026-11-22T08:00:00Z\n`, 1],
    ['an id that is empty', `${header}\n${row.replace('r-1', '')}\n`, 1],
    ['a local time', `${header}\n${row.replace('08:00:00Z', '08:00:00+09:00')}\n`, 1],
    ['a stop before the start', `${header}\n${row.replace('09:00', '07:00')}\n`, 1],
    ['negative bytes', `${header}\n${row.replace('1500000', '-1')}\n`, 1],
    ['bytes beyond bounds', `${header}\n${row.replace('1500000', '9999999999999999')}\n`, 1],
    ['a short ICCID', `${header}\n${row}\n${row.replace('8981099000000000017', '898109')}\n`, 2],
  ])('is refused whole for %s, with the row', async (_what, text, at) => {
    expect(await fault(text)).toMatchObject({ code: 'usage/file-refused', row: at });
  });

  it('may begin with a byte order mark, quote its cells, and break a letter between two pieces', async () => {
    const many = Array.from({ length: 4000 }, (_, n) => row.replace('r-1', `r-${n}`).replace('44010', '"44010"')).join('\r\n');
    const records = await parse(`\ufeff${header}\r\n${many}`);
    expect(records.map(({ recordId }) => recordId)).toEqual(Array.from({ length: 4000 }, (_, n) => `r-${n}`));
    expect(await fault(`${header}\n${'é'.repeat(70_000)}`)).toMatchObject({ row: 0, why: 'not CSV in UTF-8' });
    expect(await fault(`${header}\n${row}\n\ud800`)).toMatchObject({ code: 'usage/file-refused' });
  });

  it('of a hundred thousand rows leaves turns to everybody else', async () => {
    const text = Buffer.from(`${header}\n${`${row}\n`.repeat(100_000)}`);
    let turns = 0;
    const ticking = setInterval(() => { turns += 1; }, 1);
    expect(await parseUsageCsv(text)).toHaveLength(100_000);
    clearInterval(ticking);
    expect(turns).toBeGreaterThan(5);
  });

  it('ends in records or a refusal, whatever the bytes', async () => {
    await fc.assert(fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (noise) => {
      const text = Buffer.concat([Buffer.from(`${header}\n`), Buffer.from(noise)]);
      try {
        await parseUsageCsv(text);
      } catch (error) {
        expect(error).toBeInstanceOf(ServiceError);
      }
    }), { numRuns: Number(process.env['FUZZ_CASES'] ?? 500) });
  });
});
