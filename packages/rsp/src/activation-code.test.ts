import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RspError } from './errors.ts';
import { formatActivationCode, parseActivationCode } from './activation-code.ts';

const runs = Number(process.env.FUZZ_CASES ?? 2000);

describe('activation code', () => {
  it.each([
    [{ smdpAddress: 'rsp.example', matchingId: 'ABC-1', confirmationCodeRequired: false }, 'LPA:1$rsp.example$ABC-1'],
    [{ smdpAddress: 'rsp.example:8443', matchingId: '', confirmationCodeRequired: false }, 'LPA:1$rsp.example:8443$'],
    [{ smdpAddress: 'rsp.example', matchingId: 'A', smdpOid: '2.999.1', confirmationCodeRequired: false }, 'LPA:1$rsp.example$A$2.999.1'],
    [{ smdpAddress: 'rsp.example', matchingId: 'A', confirmationCodeRequired: true }, 'LPA:1$rsp.example$A$$1'],
    [{ smdpAddress: 'rsp.example', matchingId: 'A', smdpOid: '2.999.1', confirmationCodeRequired: true }, 'LPA:1$rsp.example$A$2.999.1$1'],
  ])('%j is %s', (code, text) => {
    expect(formatActivationCode(code)).toBe(text);
    expect(parseActivationCode(text)).toEqual(code);
    expect(parseActivationCode(text.slice(4))).toEqual(code);
  });

  it('empty fields at the end ask for no confirmation code', () => {
    expect(parseActivationCode('LPA:1$rsp.example$A$$').confirmationCodeRequired).toBe(false);
  });

  it.each(['', '1', 'LPA:1$', 'LPA:2$rsp.example$A', 'LPA:1$rsp example$A', 'LPA:1$rsp.example', 'LPA:1$rsp.example$A_B', 'LPA:1$rsp.example$A$x',
    'LPA:1$rsp.example$A$$2', `LPA:1$rsp.example$${'A'.repeat(600)}`])('%j is refused', (text) => {
    expect(() => parseActivationCode(text)).toThrow('activation-code/malformed');
  });

  it('any text gives a code or an RspError', () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.string().map((rest) => `LPA:1$${rest}`)), (text) => {
      try {
        parseActivationCode(text);
      } catch (error) {
        return error instanceof RspError;
      }
      return true;
    }), { numRuns: runs });
  }, 300_000);
});
