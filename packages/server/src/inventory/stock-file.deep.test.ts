import fc from 'fast-check';
import { describe, it } from 'vitest';
import { importFault } from '@yuanyou/contract';
import { readStockFile } from './stock-file.ts';

const numRuns = Number(process.env['FUZZ_CASES'] ?? 1_000);
const header = 'iccid,imsi,msisdn,ki,opc,pin1,puk1,adm1\n';

describe('a stock file of anything', () => {
  it('is read or refused with known faults, never thrown on', () => {
    const cell = fc.oneof(fc.string({ maxLength: 24 }), fc.constantFrom('"', ',', '\n', '\r', '\0', '8999901000000000013', '001010000000001'));
    fc.assert(fc.property(fc.boolean(), fc.array(cell, { maxLength: 40 }), (headed, cells) => {
      const { rows, faults } = readStockFile((headed ? header : '') + cells.join(','));
      return rows.length <= 20_000 && faults.every((fault) => importFault.safeParse(fault).success);
    }), { numRuns });
  });
});
