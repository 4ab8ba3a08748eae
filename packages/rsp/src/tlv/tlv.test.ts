import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../bytes.ts';
import { RspError } from '../errors.ts';
import { encodeTlv, readTlv, readTlvHead, readTlvs, type Tlv } from './index.ts';

const runs = Number(process.env.FUZZ_CASES ?? 2000);

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof RspError) return error.code;
    throw error;
  }
  return 'none';
}

function walk(tlv: Tlv): number {
  return tlv.constructed ? 1 + tlv.children().reduce((sum, child) => sum + walk(child), 0) : 1;
}

describe('readTlv', () => {
  it.each([
    ['', 'tlv/truncated'],
    ['30', 'tlv/truncated'],
    ['3002', 'tlv/truncated'],
    ['300201', 'tlv/truncated'],
    ['BF', 'tlv/truncated'],
    ['0400 00', 'tlv/trailing'],
    ['3080 0000', 'tlv/length'],
    ['048101 AA', 'tlv/length'],
    ['04820080', 'tlv/length'],
    ['0485 0000000001 AA', 'tlv/length'],
    ['04FF', 'tlv/length'],
    ['1F0100', 'tlv/tag'],
    ['1F800100', 'tlv/tag'],
    ['BF81808000', 'tlv/tag'],
    ['0000', 'tlv/tag'],
  ])('refuses %s with %s', (hex, code) => {
    expect(codeOf(() => readTlv(fromHex(hex.replaceAll(' ', ''))))).toBe(code);
  });

  it('refuses input beyond its bounds before reading it', () => {
    expect(codeOf(() => readTlv(new Uint8Array(11), { maxBytes: 10 }))).toBe('tlv/size');
    expect(codeOf(() => readTlvs(fromHex('040004000400'), { maxChildren: 2 }))).toBe('tlv/size');
    let nested = encodeTlv(0x30);
    for (let i = 0; i < 16; i++) nested = encodeTlv(0x30, nested);
    expect(codeOf(() => walk(readTlv(nested)))).toBe('tlv/depth');
    expect(walk(readTlv(nested, { maxDepth: 17 }))).toBe(17);
  });

  it('gives slices of its input, not copies', () => {
    const bytes = fromHex('BF3805A003800101');
    const outer = readTlv(bytes);
    const [a0] = outer.children();
    expect(outer.tag).toBe(0xbf38);
    expect(toHex(a0!.raw)).toBe('A003800101');
    expect(a0!.raw.buffer).toBe(bytes.buffer);
    expect(codeOf(() => a0!.children()[0]!.children())).toBe('tlv/primitive');
  });

  it('reads a head whose value has not arrived', () => {
    expect(readTlvHead(fromHex('BF36821234'))).toEqual({ tag: 0xbf36, length: 0x1234, headBytes: 5 });
  });

  it('reads what encodeTlv writes, at every length form', () => {
    fc.assert(fc.property(
      fc.constantFrom(0x04, 0x30, 0x5a, 0x5f37, 0xbf38, 0x9f8101), fc.constantFrom(0, 1, 127, 128, 255, 256, 65_535, 65_536).map((length) => new Uint8Array(length).fill(0xa5)),
      (tag, value) => {
        const tlv = readTlv(encodeTlv(tag, value));
        return tlv.tag === tag && Buffer.compare(tlv.value, value) === 0;
      },
    ), { numRuns: 50 });
  });

  it('ends with an answer or an RspError on any input', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const code = codeOf(() => readTlvs(bytes).forEach(walk));
      return code === 'none' || code.startsWith('tlv/');
    }), { numRuns: runs });
  }, 300_000);

  it('accepts only what it would write itself', () => {
    const rewrite = (tlv: Tlv): Uint8Array => encodeTlv(tlv.tag, ...(tlv.constructed ? tlv.children().map(rewrite) : [tlv.value]));
    fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      const code = codeOf(() => {
        const digest = (of: Uint8Array) => createHash('sha256').update(of).digest('hex');
        if (digest(rewrite(readTlv(bytes))) !== digest(bytes)) throw new Error('accepted another encoding');
      });
      return code === 'none' || code.startsWith('tlv/');
    }), { numRuns: runs });
  }, 300_000);
});
