import { createCipheriv, createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../bytes.ts';
import { cmacUnder, deriveSessionKeys, MAX_SEGMENT_BYTES, MAX_SEGMENT_PLAINTEXT, protectSegments, splitKeys, startBsp, unprotectSegment, x963 } from './index.ts';

/** RFC 4493 written as its text goes, block by block over ECB: shares nothing with the code under test. */
function slowCmac(key: Uint8Array, message: Buffer): Buffer {
  const aes = (block: Buffer) => createCipheriv('aes-128-ecb', key, null).setAutoPadding(false).update(block);
  const double = (block: Buffer) => {
    const number = BigInt(`0x${block.toString('hex')}`) << 1n;
    const reduced = number >> 128n ? (number & ((1n << 128n) - 1n)) ^ 0x87n : number;
    return Buffer.from(reduced.toString(16).padStart(32, '0'), 'hex');
  };
  const k1 = double(aes(Buffer.alloc(16)));
  const blocks = message.length === 0 ? 1 : Math.ceil(message.length / 16);
  let last = message.subarray((blocks - 1) * 16);
  const mask = last.length === 16 ? k1 : double(k1);
  if (last.length < 16) last = Buffer.concat([last, Buffer.from([0x80]), Buffer.alloc(15 - last.length)]);
  let x = Buffer.alloc(16);
  for (let i = 0; i < blocks; i++) {
    const block = i === blocks - 1 ? last.map((byte, at) => byte ^ mask[at]!) : message.subarray(i * 16, i * 16 + 16);
    x = aes(Buffer.from(block.map((byte, at) => byte ^ x[at]!)));
  }
  return x;
}

const keys = splitKeys(Buffer.from(Array.from({ length: 48 }, (_, i) => i)));

describe('CMAC', () => {
  const key = fromHex('2b7e151628aed2a6abf7158809cf4f3c');
  const message = fromHex('6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710');
  it.each([
    [0, 'bb1d6929e95937287fa37d129b756746'], [16, '070a16b46b4d4144f79bdd9dd04a287c'],
    [40, 'dfa66747de9ae63030ca32611497c827'], [64, '51f0bebf7e3b9d92fc49741779363cfe'],
  ])('RFC 4493 example of %d bytes', (length, mac) => {
    const cmac = cmacUnder(key);
    cmac.over(message);
    expect(cmac.over(message.subarray(0, length)).toString('hex')).toBe(mac);
  });

  it('agrees with the definition, message after message', () => {
    const cmac = cmacUnder(key);
    fc.assert(fc.property(fc.uint8Array({ maxLength: 70 }), fc.uint8Array({ maxLength: 70 }), (a, b) =>
      cmac.over(a, b).equals(slowCmac(key, Buffer.concat([a, b])))));
  });
});

describe('key derivation', () => {
  it('is X9.63 with SHA-256 over the secret, a counter from 1 and the shared information', () => {
    // ANSI X9.63 SHA-256 test vector of NIST's CAVP (shared info empty, 128 bits).
    expect(toHex(x963(fromHex('96c05619d56c328ab95fe84b18264b08725b85e33fd34f08'), new Uint8Array(), 16))).toBe('443024C3DAE66B95E6F5670601558F71');
    const secret = Buffer.alloc(32, 7);
    const hostId = Buffer.from('host');
    const eid = '89049032000000000000000000000001';
    const info = Buffer.concat([Buffer.from([0x88, 0x10, 4]), hostId, Buffer.from([16]), Buffer.from(eid, 'hex')]);
    const round = (n: number) => createHash('sha256').update(Buffer.concat([secret, Buffer.from([0, 0, 0, n]), info])).digest();
    const expected = Buffer.concat([round(1), round(2)]).subarray(0, 48);
    const derived = deriveSessionKeys(secret, { hostId, eid });
    expect(Buffer.concat([derived.initialMacChainingValue, derived.encryptionKey, derived.macKey])).toEqual(expected);
  });

  it('refuses what does not fit', () => {
    expect(() => deriveSessionKeys(Buffer.alloc(31), { hostId: Buffer.alloc(4), eid: '89'.repeat(16) })).toThrow('bsp/key');
    expect(() => deriveSessionKeys(Buffer.alloc(32), { hostId: Buffer.alloc(17), eid: '89'.repeat(16) })).toThrow('bsp/key');
  });
});

describe('segments', () => {
  it('are what the rules say, built from ECB alone', () => {
    const aes = (block: Buffer) => createCipheriv('aes-128-ecb', keys.encryptionKey, null).setAutoPadding(false).update(block);
    const first = protectSegments(startBsp(keys), 0x88, [Buffer.from('metadata')]);
    const macInput = Buffer.concat([keys.initialMacChainingValue, Buffer.from([0x88, 16]), Buffer.from('metadata')]);
    const mac = slowCmac(keys.macKey, macInput);
    expect(toHex(first.segments[0]!)).toBe(`8810${toHex(Buffer.from('metadata'))}${toHex(mac.subarray(0, 8))}`);

    const second = protectSegments(first.state, 0x86, [Buffer.from('profile')]);
    // The MAC-only segment before took number 1, so this one has number 2.
    const icv = aes(Buffer.from('00000000000000000000000000000002', 'hex'));
    const padded = Buffer.concat([Buffer.from('profile'), Buffer.from('800000000000000000', 'hex')]);
    const cipher = aes(Buffer.from(padded.map((byte, i) => byte ^ icv[i]!)));
    const mac2 = slowCmac(keys.macKey, Buffer.concat([mac, Buffer.from([0x86, 24]), cipher]));
    expect(toHex(second.segments[0]!)).toBe(`8618${toHex(cipher)}${toHex(mac2.subarray(0, 8))}`);
    expect(second.state.counter).toBe(3);
  });

  it('have a fixed vector', () => {
    const { segments } = protectSegments(startBsp(keys), 0x87, [fromHex('BF2400'), new Uint8Array()]);
    expect(segments.map(toHex)).toMatchInlineSnapshot(`
      [
        "87184B1448616E13E7E460D74D27756B5F2224EC2E9969B98CAC",
        "8718DEB11D4EFD6AE39D9B3549E19519FD79CF2AF0C9B2FBD167",
      ]
    `);
  });

  it('of the longest plaintext fit 1020 bytes, and of one more are refused', () => {
    const { segments } = protectSegments(startBsp(keys), 0x86, [new Uint8Array(MAX_SEGMENT_PLAINTEXT)]);
    expect(segments[0]!.length).toBe(MAX_SEGMENT_BYTES);
    expect(() => protectSegments(startBsp(keys), 0x86, [new Uint8Array(MAX_SEGMENT_PLAINTEXT + 1)])).toThrow('bsp/segment');
    expect(() => protectSegments(startBsp(keys), 0x85, [])).toThrow('bsp/segment');
  });

  it('come back as they were', () => {
    const segment = fc.tuple(fc.constantFrom(0x86, 0x87, 0x88), fc.uint8Array({ maxLength: 60 }));
    fc.assert(fc.property(fc.array(segment, { maxLength: 8 }), (list) => {
      let out = startBsp(keys);
      let back = startBsp(keys);
      return list.every(([tag, plaintext]) => {
        const sent = protectSegments(out, tag, [plaintext]);
        const got = unprotectSegment(back, sent.segments[0]!);
        out = sent.state;
        back = got.state;
        return Buffer.compare(got.plaintext, plaintext) === 0;
      });
    }), { numRuns: 300 });
  });

  it('with any bit changed, doubled or out of order are refused', () => {
    const { segments, state } = protectSegments(startBsp(keys), 0x86, [Buffer.from('one'), Buffer.from('two')]);
    const [one, two] = segments;
    for (let bit = 0; bit < one!.length * 8; bit++) {
      const bad = Buffer.from(one!);
      bad[bit >> 3]! ^= 1 << (bit & 7);
      expect(() => unprotectSegment(startBsp(keys), bad)).toThrow(/^(?:bsp|tlv)\//);
    }
    expect(() => unprotectSegment(startBsp(keys), two!)).toThrow('bsp/mac');
    expect(() => unprotectSegment(state, one!)).toThrow('bsp/mac');
  });

  it('with a right MAC over bad padding are refused', () => {
    const forged = (plain: string) => {
      const icv = createCipheriv('aes-128-ecb', keys.encryptionKey, null).setAutoPadding(false).update(fromHex('00'.repeat(15) + '01'));
      const body = createCipheriv('aes-128-cbc', keys.encryptionKey, icv).setAutoPadding(false).update(fromHex(plain));
      const mac = slowCmac(keys.macKey, Buffer.concat([keys.initialMacChainingValue, Buffer.from([0x86, body.length + 8]), body]));
      return Buffer.concat([Buffer.from([0x86, body.length + 8]), body, mac.subarray(0, 8)]);
    };
    expect(() => unprotectSegment(startBsp(keys), forged('00'.repeat(16)))).toThrow('bsp/padding');
    expect(() => unprotectSegment(startBsp(keys), forged('11'.repeat(15) + '81'))).toThrow('bsp/padding');
    expect(() => unprotectSegment(startBsp(keys), forged(`${'11'.repeat(15)}80${'00'.repeat(16)}`))).toThrow('bsp/padding');
    expect(unprotectSegment(startBsp(keys), forged(`${'11'.repeat(16)}80${'00'.repeat(15)}`)).plaintext.length).toBe(16);
  });
});
