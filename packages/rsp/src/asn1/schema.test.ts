import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../bytes.ts';
import { RspError } from '../errors.ts';
import { bits, boolean, choice, decode, empty, encode, explicit, integer, octets, oid, optional, sequence, sequenceOf, utf8 } from './index.ts';

const Inner = sequence(0x30, { id: octets(0x80, { min: 1, max: 16 }), name: optional(utf8(0x0c, { max: 8 })) });
const Outer = sequence(0xbf38, { inner: Inner, flag: optional(boolean()), list: optional(sequenceOf(0xa9, octets(0x04))) });
const Closed = sequence(0x30, { id: integer(0x02) }, { closed: true });
const Either = explicit(0xa2, choice({ good: sequence(0xa0, { id: integer(0x80) }), bad: integer(0x81, { max: 127 }) }));

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof RspError) return error.code;
    throw error;
  }
  return 'none';
}

describe('sequence', () => {
  it('decodes to named fields and keeps the bytes received', () => {
    const bytes = fromHex('BF380A30038001AA0101FFA900');
    const message = decode(Outer, bytes);
    expect(toHex(message.raw)).toBe(toHex(bytes));
    expect(toHex(message.inner.raw)).toBe('30038001AA');
    expect(message).toMatchObject({ flag: true, list: [] });
    expect(message.inner.name).toBeUndefined();
    expect(toHex(encode(Outer, message))).toBe(toHex(bytes));
  });

  it('passes over unknown objects at the end, unless closed', () => {
    expect(toHex(decode(Inner, fromHex('30068001AA870100')).id)).toBe('AA');
    expect(codeOf(() => decode(Closed, fromHex('30050201018700')))).toBe('asn1/unexpected');
  });

  it.each([
    ['BF3800', 'asn1/missing'],
    ['BF3803800100', 'asn1/missing'],
    ['BF380A30038001AAA9000101FF', 'asn1/unexpected'],
    ['BF380830038001AA0101FF', 'none'],
    ['BF380830038001AA010101', 'asn1/value'],
    ['BF380430028000', 'asn1/value'],
    ['3000', 'asn1/tag'],
    ['BF380A30088001AA0C03C3288A', 'asn1/value'],
  ])('%s gives %s', (hex, code) => {
    expect(codeOf(() => decode(Outer, fromHex(hex)))).toBe(code);
  });
});

describe('choice', () => {
  it('says which alternative it holds', () => {
    expect(decode(Either, fromHex('A203810105'))).toEqual({ kind: 'bad', value: 5 });
    const good = decode(Either, fromHex('A205A003800107'));
    expect(good.kind).toBe('good');
    expect(toHex(encode(Either, good))).toBe('A205A003800107');
    expect(codeOf(() => decode(Either, fromHex('A2028200')))).toBe('asn1/tag');
    expect(codeOf(() => decode(Either, fromHex('A206810105810105')))).toBe('asn1/unexpected');
    expect(codeOf(() => decode(Either, fromHex('A200')))).toBe('asn1/missing');
  });
});

describe('primitives', () => {
  it.each([
    [0, '020100'], [127, '02017F'], [128, '02020080'], [256, '02020100'], [0xffffffff, '020500FFFFFFFF'],
  ])('integer %d is %s', (value, hex) => {
    expect(toHex(encode(integer(0x02), value))).toBe(hex);
    expect(decode(integer(0x02), fromHex(hex))).toBe(value);
  });

  it.each(['0200', '020180', '02020001', '02090000000000000000FF', '0206010000000000'])('integer refuses %s', (hex) => {
    expect(codeOf(() => decode(integer(0x02), fromHex(hex)))).toBe('asn1/value');
  });

  it.each([
    ['2.23.146.1.2.1.4', '060767811201020104'], ['1.2.840.10045.2.1', '06072A8648CE3D0201'], ['2.999.3', '0603883703'], ['0.39', '060127'],
  ])('OID %s is %s', (text, hex) => {
    const bytes = fromHex(hex);
    expect(toHex(encode(oid(), text))).toBe(toHex(bytes));
    expect(decode(oid(), bytes)).toBe(text);
  });

  it.each(['0600', '060180', '06028001', '060188', '0606888888888801'])('OID refuses %s', (hex) => {
    expect(codeOf(() => decode(oid(), fromHex(hex)))).toBe('asn1/value');
  });

  it('named bits', () => {
    const type = bits(0x81, ['install', 'enable', 'disable', 'delete']);
    expect(toHex(encode(type, ['delete']))).toBe('81020410');
    expect(toHex(encode(type, []))).toBe('810100');
    expect(decode(type, fromHex('810204F0'))).toEqual(['install', 'enable', 'disable', 'delete']);
    expect(decode(type, fromHex('81020080'))).toEqual(['install']);
    expect(codeOf(() => decode(type, fromHex('81020481')))).toBe('asn1/value');
    expect(codeOf(() => decode(type, fromHex('81020880')))).toBe('asn1/value');
    expect(codeOf(() => decode(type, fromHex('810101')))).toBe('asn1/value');
    expect(codeOf(() => decode(empty(0x05), fromHex('050100')))).toBe('asn1/value');
  });

  it('writes what it reads back', () => {
    fc.assert(fc.property(fc.nat(), fc.string({ maxLength: 20 }), (number, text) =>
      decode(integer(0x02), encode(integer(0x02), number)) === number
      && (!text.isWellFormed() || decode(utf8(0x0c), encode(utf8(0x0c), text)) === text)));
  });
});
