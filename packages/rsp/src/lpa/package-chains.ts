import { RspError } from '../errors.ts';
import { concatBytes } from '../bytes.ts';
import { readTlv, tagName } from '../tlv/index.ts';
import type { Tlv } from '../tlv/index.ts';

/** Largest bound profile package that is cut, in bytes. */
const MAX_PACKAGE_BYTES = 2_097_152;

/**
 * Cuts a bound profile package (`BF36`) into the objects that ES10b.LoadBoundProfilePackage sends one by one: the outer head with `BF23`;
 * `A0` whole; the head of `A1` and each `88`; `A2` whole; the head of `A3` and each `86`.
 * @throws RspError `lpa/package`
 */
export function packageChains(boundProfilePackage: Uint8Array): Uint8Array[] {
  try {
    const outer = readTlv(boundProfilePackage, { maxBytes: MAX_PACKAGE_BYTES });
    const [channel, ...sections] = outer.children();
    if (outer.tag !== 0xbf36 || channel?.tag !== 0xbf23) throw new RspError('lpa/package', tagName(outer.tag));
    return [concatBytes(headOf(outer), channel.raw), ...sections.flatMap(chainsOf)];
  } catch (cause) {
    if (cause instanceof RspError && cause.code === 'lpa/package') throw cause;
    throw new RspError('lpa/package', undefined, { cause });
  }
}

function chainsOf(section: Tlv): Uint8Array[] {
  if (section.tag === 0xa0 || section.tag === 0xa2) return [section.raw];
  if (section.tag === 0xa1 || section.tag === 0xa3) return [headOf(section), ...section.children().map(({ raw }) => raw)];
  throw new RspError('lpa/package', tagName(section.tag));
}

function headOf({ raw, value }: Tlv): Uint8Array {
  return raw.subarray(0, raw.length - value.length);
}
