import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromBase64, fromHex, toBase64, toHex } from './bytes.ts';
import { digestConfirmationCode, hashConfirmationCode } from './confirmation-code.ts';
import { decodeEid, decodeIccid, decodePlmn, encodeEid, encodeIccid, encodePlmn, parseIccid } from './identity.ts';

const digits = (length: number) => fc.stringMatching(new RegExp(`^\\d{${length}}$`));

describe('identity', () => {
  it.each([
    ['89860000000000000123', '98680000000000001032'],
    ['8986000000000000012', '986800000000000010F2'],
    ['898600000000000001', '986800000000000010FF'],
  ])('ICCID %s is %s', (iccid, hex) => {
    expect(toHex(encodeIccid(iccid))).toBe(hex);
    expect(decodeIccid(fromHex(hex))).toBe(iccid);
    expect(parseIccid(`${iccid}${'F'.repeat(20 - iccid.length)}`)).toBe(iccid);
  });

  it.each(['', '8986', '8986000000000000012A', '898600000000000001234'])('ICCID %s is refused', (iccid) => {
    expect(() => encodeIccid(iccid)).toThrow('identity/iccid');
    expect(() => parseIccid(iccid)).toThrow('identity/iccid');
  });

  it.each(['98680000000000001', 'FF680000000000001032', '9868000000000000FF32'])('coded ICCID %s is refused', (hex) => {
    expect(() => decodeIccid(fromHex(hex.length % 2 ? `${hex}0` : hex))).toThrow('identity/iccid');
  });

  it.each([['001', '01', '00F110'], ['310', '410', '130014'], ['460', '00', '64F000']])('PLMN %s-%s is %s', (mcc, mnc, hex) => {
    expect(toHex(encodePlmn({ mcc, mnc }))).toBe(hex);
    expect(decodePlmn(fromHex(hex))).toEqual({ mcc, mnc });
  });

  it('what is coded is read back', () => {
    fc.assert(fc.property(fc.integer({ min: 18, max: 20 }).chain(digits), digits(32), (iccid, eid) =>
      decodeIccid(encodeIccid(iccid)) === iccid && decodeEid(encodeEid(eid)) === eid));
  });
});

describe('base64', () => {
  it.each(['A', 'AA', 'AAA', 'AB==', 'AAB=', 'AA==AA==', 'AAAA\n', ' AAAA', 'AA-_', '===='])('%j is refused', (text) => {
    expect(() => fromBase64(text)).toThrow('base64/malformed');
  });

  it('is read back', () => {
    fc.assert(fc.property(fc.uint8Array(), (bytes) => Buffer.compare(fromBase64(toBase64(bytes)), bytes) === 0));
  });
});

it('hashCc is SHA-256 over the digest of the ASCII code and the transactionId', () => {
  const tid = fromHex('000102030405060708090A0B0C0D0E0F');
  const inner = createHash('sha256').update(Buffer.from('31323334', 'hex')).digest();
  expect(toHex(hashConfirmationCode(digestConfirmationCode('1234'), tid)))
    .toBe(createHash('sha256').update(Buffer.concat([inner, tid])).digest('hex').toUpperCase());
});
