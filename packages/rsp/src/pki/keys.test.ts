import { createECDH, createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decode, encode } from '../asn1/index.ts';
import { RspError } from '../errors.ts';
import { seededRandom } from '../testing/index.ts';
import { agree, curves, derFromRaw, ephemeralKey, importPoint, importPrivateKey, publicPointOf, rawFromDer, signerOf, verifyRaw } from './index.ts';
import type { CurveName } from './index.ts';
import { encodeTlv } from '../tlv/index.ts';
import { time } from './x509.ts';

const cases = Number(process.env['FUZZ_CASES'] ?? 2000);
const names = Object.keys(curves) as CurveName[];
const random = seededRandom('keys');
const message = Buffer.from('message');

describe.each(names)('keys on %s', (curve) => {
  it('knows the curve as OpenSSL writes it', () => {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: curves[curve].nodeName });
    const spki = publicKey.export({ type: 'spki', format: 'der' });
    expect(Buffer.from(spki.subarray(0, curves[curve].spkiPrefix.length))).toEqual(Buffer.from(curves[curve].spkiPrefix));
    const signature = sign('sha256', message, { key: privateKey, dsaEncoding: 'ieee-p1363' });
    expect(verifyRaw(importPoint(curve, spki.subarray(-65)), message, signature)).toBe(true);
  });

  it('signs what OpenSSL verifies, and nothing else', () => {
    const key = ephemeralKey(curve, random(48));
    const signature = signerOf(importPrivateKey(curve, key.privateKey))(message);
    const publicKey = createPublicKey({ key: Buffer.concat([curves[curve].spkiPrefix, key.publicKey]), format: 'der', type: 'spki' });
    expect(signature).toHaveLength(64);
    expect(verify('sha256', message, publicKey, derFromRaw(signature))).toBe(true);
    expect(verifyRaw(publicKey, message, signature)).toBe(true);
    expect(verifyRaw(publicKey, Buffer.from('massage'), signature)).toBe(false);
    expect(verifyRaw(publicKey, message, new Uint8Array(64))).toBe(false);
    expect(verifyRaw(publicKey, message, signature.subarray(1))).toBe(false);
  });

  it('agrees with a peer of another make', () => {
    const own = ephemeralKey(curve, random(48));
    const peer = createECDH(curves[curve].nodeName);
    peer.generateKeys();
    expect(Buffer.from(agree(own, peer.getPublicKey()))).toEqual(peer.computeSecret(own.publicKey));
  });

  it('makes the same key of the same randomness, within the order', () => {
    const bytes = Buffer.alloc(48, 0xff);
    const key = ephemeralKey(curve, bytes);
    expect(key).toEqual(ephemeralKey(curve, bytes));
    expect(Buffer.from(publicPointOf(curve, key.privateKey))).toEqual(Buffer.from(key.publicKey));
    expect(ephemeralKey(curve, Buffer.alloc(48)).privateKey.at(-1)).toBe(1);
  });

  it('refuses points off the curve and scalars out of range', () => {
    const own = ephemeralKey(curve, random(48));
    const off = Uint8Array.from(own.publicKey);
    off[64]! ^= 1;
    for (const bad of [off, own.publicKey.subarray(0, 64), Buffer.from([0])]) {
      expect(() => importPoint(curve, bad)).toThrow(RspError);
      expect(() => agree(own, bad)).toThrow(RspError);
    }
    const order = Buffer.from(curves[curve].order.toString(16), 'hex');
    for (const bad of [Buffer.alloc(32), order, Buffer.alloc(31, 1)]) {
      expect(() => importPrivateKey(curve, bad)).toThrow(RspError);
    }
    expect(() => ephemeralKey(curve, random(32))).toThrow(RspError);
  });
});

describe('signatures', () => {
  it('go from raw to DER and back', () => {
    fc.assert(fc.property(fc.uint8Array({ minLength: 64, maxLength: 64 }), (raw) => {
      expect(Buffer.from(rawFromDer(derFromRaw(raw)))).toEqual(Buffer.from(raw));
    }), { numRuns: cases });
  });

  it('refuse DER in any but its one form', () => {
    for (const bad of ['', '3006020100', '300602010002018000', '3007020200010201' + '01', '30060201010201ff', '300602010102010100']) {
      expect(() => rawFromDer(Buffer.from(bad, 'hex')), bad).toThrow(RspError);
    }
    expect(() => derFromRaw(new Uint8Array(63))).toThrow(RspError);
  });

  it('never crash on bytes of any kind', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
      try {
        rawFromDer(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(RspError);
      }
    }), { numRuns: cases });
  });
});

describe('times', () => {
  const read = (tag: number, text: string): Date => decode(time, encodeTlv(tag, Buffer.from(text)));

  it('go both ways, with the turn of the century where X.509 puts it', () => {
    expect(read(0x17, '491231235959Z')).toEqual(new Date('2049-12-31T23:59:59Z'));
    expect(read(0x17, '500101000000Z')).toEqual(new Date('1950-01-01T00:00:00Z'));
    expect(read(0x18, '20500101000000Z')).toEqual(new Date('2050-01-01T00:00:00Z'));
    fc.assert(fc.property(fc.date({ min: new Date('1950-01-01T00:00:00Z'), max: new Date('2200-01-01T00:00:00Z'), noInvalidDate: true }), (date) => {
      const whole = new Date(Math.floor(date.getTime() / 1000) * 1000);
      expect(decode(time, encode(time, whole))).toEqual(whole);
    }), { numRuns: cases });
  });

  it('are refused when no calendar has them', () => {
    for (const text of ['261301000000Z', '260631000000Z', '260101240000Z', '260101006000Z', '260101000060Z', '2601010000Z', '260101000000', '26010100000xZ', '260229000000Z']) {
      expect(() => read(0x17, text), text).toThrow('asn1/value');
    }
    expect(() => read(0x18, '00260101000000Z')).toThrow('asn1/value');
  });
});
