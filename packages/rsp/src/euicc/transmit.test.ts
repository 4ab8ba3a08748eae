import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../bytes.ts';
import { es10Functions, ISD_R_AID, readCommand, storeData } from '../es10/index.ts';
import { callEuicc, readEid } from '../lpa/index.ts';
import { createPkiCache } from '../pki/index.ts';
import { createTestEuicc, createTestPki, runEuicc, runWith, seededRandom, testEid } from '../testing/index.ts';
import type { RunningEuicc } from '../testing/index.ts';

const cases = Number(process.env['FUZZ_CASES'] ?? 2000);
const random = seededRandom('transmit');
const pki = createTestPki({ curve: 'P-256', random, notBefore: new Date('2026-01-01T00:00:00Z'), notAfter: new Date('2046-01-01T00:00:00Z') });
const device = createTestEuicc([pki], testEid(1), random);
const cache = createPkiCache();

function boot(answerBytes = 32_767): RunningEuicc {
  return runEuicc({ ...device, state: { ...device.state, answerBytes } }, { now: () => new Date('2026-06-01T00:00:00Z'), random, cache });
}

const exchange = (euicc: RunningEuicc, hex: string): string => toHex(euicc.transmit(fromHex(hex)));
const eidAnswer = `BF3E125A10${testEid(1)}9000`;

describe('APDUs', () => {
  it('give the EID in one block, or in several', () => {
    expect(exchange(boot(), '80E2910006BF3E035C015A')).toBe(eidAnswer);
    const euicc = boot();
    expect(exchange(euicc, '81E2110003BF3E03')).toBe('9000');
    expect(exchange(euicc, '81E29101035C015A')).toBe(eidAnswer);
  });

  it('open and select the ISD-R', () => {
    const euicc = boot();
    expect(exchange(euicc, '0070000001')).toBe('019000');
    expect(exchange(euicc, `01A4040010${toHex(ISD_R_AID)}`)).toBe('9000');
    expect(exchange(euicc, '01A4040003A00000')).toBe('6A82');
    expect(exchange(euicc, '80AA000000')).toBe('9000');
    expect(exchange(euicc, '00708001')).toBe('9000');
  });

  it('fetch long answers piece by piece', () => {
    const euicc = boot(20);
    expect(exchange(euicc, '80E2910006BF3E035C015A')).toBe('6115');
    expect(exchange(euicc, '80C0000010')).toBe(`${eidAnswer.slice(0, 32)}6105`);
    expect(exchange(euicc, '80C0000005')).toBe(`${eidAnswer.slice(32, 42)}9000`);
    expect(exchange(euicc, '80C0000005')).toBe('6985');
    expect(runWith(euicc, readEid())).toBe(testEid(1));
    expect(runWith(euicc, readEid({ channel: 1, blockBytes: 1 }))).toBe(testEid(1));
    expect(runWith(boot(0), callEuicc('getEuiccInfo2', null)).value.svn).toBe('2.3.0');
  });

  it.each([
    ['an empty command', '', '6700'], ['a wrong Lc', '80E2910007BF3E035C015A', '6700'], ['another instruction', '80CA9F7F00', '6D00'],
    ['another class', '00E2910006BF3E035C015A', '6E00'], ['another P1', '80E2900006BF3E035C015A', '6A86'],
    ['a block that does not follow', '80E2910106BF3E035C015A', '6A86'], ['an unknown object', '80E2910003BF7F00', '6A88'],
    ['a broken object', '80E2910005BF3E035C01', '6A80'], ['an object with more behind it', '80E2910007BF3E035C015A00', '6A80'],
    ['a segment without a session', '80E29100028600', '6985'],
  ])('refuse %s', (_what, command, answer) => {
    const euicc = boot();
    const before = euicc.state();
    expect(exchange(euicc, command)).toBe(answer);
    expect(euicc.state()).toEqual(before);
  });

  it('bound a chain in length', () => {
    const euicc = boot();
    let last = '';
    for (let block = 0; block < 256 && last !== '6700'; block += 1) {
      last = exchange(euicc, `80E211${block.toString(16).padStart(2, '0')}FF${'00'.repeat(255)}`);
    }
    expect(last).toBe('6700');
    expect(euicc.state().chain).toBeUndefined();
    expect(() => storeData(new Uint8Array(70_000))).toThrow('es10/apdu');
  });

  it('of any kind are answered, and change no profile', () => {
    const euicc = boot();
    const command = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.tuple(fc.constantFrom(...Object.values(es10Functions).map(({ tag }) => tag)), fc.uint8Array({ maxLength: 60 })).map(([tag, value]) => {
        const object = Buffer.concat([Buffer.of(tag >> 8, tag & 0xff, value.length), value]);
        return storeData(object)[0]!;
      }),
    );
    fc.assert(fc.property(command, (apdu) => {
      const answer = euicc.transmit(apdu);
      expect(answer.length).toBeGreaterThanOrEqual(2);
      expect(euicc.state().profiles).toHaveLength(0);
    }), { numRuns: cases });
    fc.assert(fc.property(fc.uint8Array({ maxLength: 270 }), (bytes) => {
      try {
        const { data } = readCommand(bytes);
        expect(data.length).toBeLessThanOrEqual(255);
      } catch (error) {
        expect(String(error)).toContain('es10/apdu');
      }
    }), { numRuns: cases });
  });
});
