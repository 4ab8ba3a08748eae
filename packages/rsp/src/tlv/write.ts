import { Buffer } from 'node:buffer';
import { RspError } from '../errors.ts';

/** A tag as its bytes read big-endian (`0xBF38`), turned back into those bytes. */
export function encodeTag(tag: number): Uint8Array {
  return Buffer.from(tagBytes(tag));
}

/** A DER length: the short form up to 127, then the fewest bytes. */
export function encodeLength(length: number): Uint8Array {
  return Buffer.from(lengthBytes(length));
}

/** One data object: tag, minimal length, and the parts as its value. */
export function encodeTlv(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const head = [...tagBytes(tag), ...lengthBytes(length)];
  const bytes = Buffer.allocUnsafe(head.length + length);
  bytes.set(head, 0);
  let offset = head.length;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}

function tagBytes(tag: number): number[] {
  if (!Number.isInteger(tag) || tag < 0 || tag > 0xffffff) throw new RspError('tlv/tag');
  if (tag > 0xffff) return [tag >>> 16, (tag >>> 8) & 0xff, tag & 0xff];
  return tag > 0xff ? [tag >>> 8, tag & 0xff] : [tag];
}

function lengthBytes(length: number): number[] {
  if (length < 0x80) return [length];
  if (length < 0x100) return [0x81, length];
  if (length < 0x10000) return [0x82, length >>> 8, length & 0xff];
  if (length < 0x1000000) return [0x83, length >>> 16, (length >>> 8) & 0xff, length & 0xff];
  throw new RspError('tlv/length', 'longer than 16 MiB');
}
