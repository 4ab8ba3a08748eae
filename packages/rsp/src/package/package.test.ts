import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BoundProfilePackage, ConfigureIsdpRequest, decode, ProfileMetadata } from '../asn1/index.ts';
import { MAX_SEGMENT_BYTES, splitKeys } from '../bsp/index.ts';
import { fromHex, toHex } from '../bytes.ts';
import { readTlv } from '../tlv/index.ts';
import { beginOpening, bindProfile, enterSection, isOpened, openSegment, protectProfile, secureChannelToBeSigned, type Opening } from './index.ts';

const keysFrom = (first: number) => splitKeys(Buffer.from(Array.from({ length: 48 }, (_, i) => (first + i) & 0xff)));
const sessionKeys = keysFrom(1);
const channel = {
  transactionId: Buffer.alloc(16, 9), hostId: Buffer.from('host-1'),
  smdpOtpk: Buffer.concat([Buffer.from([4]), Buffer.alloc(64, 1)]), euiccOtpk: Buffer.concat([Buffer.from([4]), Buffer.alloc(64, 2)]),
};
const metadata = { iccid: '89860000000000000123', serviceProviderName: 'Yuanyou', profileName: 'Japan' };

function bound(upp: Uint8Array, icon?: Uint8Array): Uint8Array {
  return bindProfile({
    channel, smdpSign: Buffer.alloc(64, 3), sessionKeys, smdpOid: '2.999.1', profile: protectProfile(upp, keysFrom(100)),
    metadata: icon ? { ...metadata, iconType: 1, icon } : metadata,
  });
}

/** As the eUICC meets it: heads and segments one by one. */
function open(bpp: Uint8Array): { contents: Map<string, Uint8Array>; opening: Opening; segments: number } {
  let opening = beginOpening(sessionKeys);
  const contents = new Map<string, Uint8Array>();
  let segments = 0;
  for (const section of readTlv(bpp).children().slice(1)) {
    opening = enterSection(opening, section.tag, section.value.length);
    for (const segment of section.children()) {
      const step = openSegment(opening, segment.raw);
      opening = step.opening;
      segments += 1;
      if (step.ended) contents.set(step.ended.section, step.ended.content);
    }
  }
  return { contents, opening, segments };
}

describe('bound profile package', () => {
  it('gives back what went in, whatever its length', () => {
    fc.assert(fc.property(fc.oneof(fc.integer({ min: 1, max: 5000 }), fc.constantFrom(1006, 1007, 1008, 2014, 2015)), (length) => {
      const upp = Buffer.alloc(length, 0xa5);
      const { contents, opening } = open(bound(upp));
      return Buffer.compare(contents.get('profileElements')!, upp) === 0 && isOpened(opening);
    }), { numRuns: 60 });
  });

  it('carries configuration and metadata in their places', () => {
    const icon = Buffer.alloc(1024, 7);
    const bpp = bound(Buffer.alloc(3000, 1), icon);
    const { contents, segments } = open(bpp);
    expect(decode(ProfileMetadata, contents.get('storeMetadata')!)).toMatchObject({ ...metadata, iconType: 1, icon });
    expect(decode(ConfigureIsdpRequest, contents.get('configureIsdp')!).dpProprietaryData).toEqual(fromHex('B8058003883701'));
    expect(segments).toBe(1 + 2 + 1 + 3);
    const read = decode(BoundProfilePackage, bpp);
    expect(read.profileElements.every((segment) => segment.length <= MAX_SEGMENT_BYTES)).toBe(true);
    expect(toHex(secureChannelToBeSigned(channel))).toBe(
      `8201018010${'09'.repeat(16)}A60E8001888101108406${toHex(Buffer.from('host-1'))}5F4941${toHex(channel.smdpOtpk)}5F4941${toHex(channel.euiccOtpk)}`,
    );
  });

  it('refuses sections and segments out of order', () => {
    const [, a0, a1, a2, a3] = readTlv(bound(Buffer.alloc(10))).children();
    const start = beginOpening(sessionKeys);
    expect(() => enterSection(start, 0xa1, 30)).toThrow('package/order');
    expect(() => enterSection(start, 0xa4, 30)).toThrow('package/structure');
    expect(() => enterSection(start, 0xa0, 1_000_000)).toThrow('package/structure');
    expect(() => openSegment(start, a0!.value)).toThrow('package/order');
    const inA0 = enterSection(start, 0xa0, a0!.value.length);
    expect(() => enterSection(inA0, 0xa1, 30)).toThrow('package/order');
    expect(() => openSegment(inA0, a1!.value)).toThrow('package/order');
    expect(() => openSegment({ ...inA0, remaining: 5 }, a0!.value)).toThrow('package/structure');
    const afterA0 = openSegment(inA0, a0!.value).opening;
    const afterA1 = openSegment(enterSection(afterA0, 0xa1, a1!.value.length), a1!.value).opening;
    // Skipping the key replacement leaves the session keys in force, under which the profile does not open.
    const early = enterSection(afterA1, 0xa3, a3!.value.length);
    expect(() => openSegment(early, a3!.value)).toThrow('bsp/mac');
    const afterA2 = openSegment(enterSection(afterA1, 0xa2, a2!.value.length), a2!.value).opening;
    expect(afterA2.bsp.counter).toBe(1);
  });
});
