import { Buffer } from 'node:buffer';
import { RspError } from '../errors.ts';
import { encodeTlv, tagName, type Tlv } from '../tlv/index.ts';
import type { Type } from './schema.ts';

interface Size {
  readonly length?: number;
  readonly min?: number;
  readonly max?: number;
}

const utf8Decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Bytes of a fixed `length`, or from `min` to `max` of them. */
export function octets(tag: number, size: Size = {}): Type<Uint8Array> {
  return {
    tags: [tag],
    decode: (tlv) => checkSize(tag, tlv.value, size),
    encode: (value) => encodeTlv(tag, checkSize(tag, value, size)),
  };
}

/** UTF8String; sizes count bytes. */
export function utf8(tag: number, size: Size = {}): Type<string> {
  return {
    tags: [tag],
    decode(tlv) {
      checkSize(tag, tlv.value, size);
      try {
        return utf8Decoder.decode(tlv.value);
      } catch {
        throw wrong(tag, 'not UTF-8');
      }
    },
    encode(value) {
      if (!value.isWellFormed()) throw wrong(tag, 'not UTF-8');
      return encodeTlv(tag, checkSize(tag, Buffer.from(value, 'utf8'), size));
    },
  };
}

/** A non-negative INTEGER up to `max` (default 2^32 - 1), in its shortest form. */
export function integer(tag: number, limits: { readonly max?: number } = {}): Type<number> {
  const max = limits.max ?? 0xffffffff;
  return {
    tags: [tag],
    decode(tlv) {
      const value = readInteger(tlv);
      if (value > max) throw wrong(tag, 'too large');
      return value;
    },
    encode(value) {
      if (!Number.isSafeInteger(value) || value < 0 || value > max) throw wrong(tag, 'out of range');
      let hex = value.toString(16);
      if (hex.length % 2) hex = `0${hex}`;
      if (Number.parseInt(hex.slice(0, 2), 16) & 0x80) hex = `00${hex}`;
      return encodeTlv(tag, Buffer.from(hex, 'hex'));
    },
  };
}

/** BOOLEAN: DER has 00 and FF alone. */
export function boolean(tag = 0x01): Type<boolean> {
  return {
    tags: [tag],
    decode(tlv) {
      const byte = checkSize(tag, tlv.value, { length: 1 })[0];
      if (byte !== 0x00 && byte !== 0xff) throw wrong(tag, 'neither 00 nor FF');
      return byte === 0xff;
    },
    encode: (value) => encodeTlv(tag, Uint8Array.of(value ? 0xff : 0x00)),
  };
}

/** NULL, or an object that is always empty. */
export function empty(tag: number): Type<null> {
  return {
    tags: [tag],
    decode(tlv) {
      checkSize(tag, tlv.value, { length: 0 });
      return null;
    },
    encode: () => encodeTlv(tag),
  };
}

/** OBJECT IDENTIFIER in dotted form. */
export function oid(tag = 0x06): Type<string> {
  return {
    tags: [tag],
    decode: (tlv) => readOid(tag, tlv.value),
    encode: (value) => encodeTlv(tag, writeOid(tag, value)),
  };
}

/**
 * A BIT STRING with named bits: the names whose bit is set, in the table's order; bits without a name are passed over.
 * Encodes without trailing zero bits (X.690 11.2.2); reads them, since eUICCs in the field send them.
 */
export function bits<const N extends readonly string[]>(tag: number, names: N): Type<readonly N[number][]> {
  return {
    tags: [tag],
    decode(tlv) {
      const [unused, ...bytes] = checkSize(tag, tlv.value, { min: 1, max: 17 });
      const last = bytes.at(-1) ?? 0;
      if (unused! > 7 || (bytes.length === 0 && unused !== 0) || last & ((1 << unused!) - 1)) throw wrong(tag, 'unused bits');
      return names.filter((_, bit) => ((bytes[bit >> 3] ?? 0) >> (7 - (bit & 7))) & 1);
    },
    encode(set) {
      const positions = set.map((name) => names.indexOf(name));
      if (positions.includes(-1)) throw wrong(tag, 'unknown bit');
      if (positions.length === 0) return encodeTlv(tag, Uint8Array.of(0));
      const highest = Math.max(...positions);
      const bytes = new Uint8Array(2 + (highest >> 3));
      bytes[0] = 7 - (highest & 7);
      for (const bit of positions) bytes[1 + (bit >> 3)]! |= 0x80 >> (bit & 7);
      return encodeTlv(tag, bytes);
    },
  };
}

/** An object passed on as it is, tag and all: certificates, packages, what another layer reads. */
export function raw(tag: number): Type<Uint8Array> {
  return {
    tags: [tag],
    decode: (tlv) => tlv.raw,
    encode: (value) => value,
  };
}

/** A type whose values have another form in our code than on the wire. */
export function mapped<W, T>(type: Type<W>, read: (wire: W) => T, write: (value: T) => W): Type<T> {
  return {
    tags: type.tags,
    decode: (tlv) => read(type.decode(tlv)),
    encode: (value) => type.encode(write(value)),
  };
}

function readInteger(tlv: Tlv): number {
  const { tag, value } = tlv;
  const [first, second] = value;
  if (first === undefined) throw wrong(tag, 'empty');
  if (first & 0x80) throw wrong(tag, 'negative');
  if (first === 0 && second !== undefined && !(second & 0x80)) throw wrong(tag, 'not the shortest form');
  if (value.length > 7) throw wrong(tag, 'too large');
  let number = 0;
  for (const byte of value) number = number * 256 + byte;
  if (!Number.isSafeInteger(number)) throw wrong(tag, 'too large');
  return number;
}

function readOid(tag: number, value: Uint8Array): string {
  checkSize(tag, value, { min: 1, max: 63 });
  const arcs: number[] = [];
  let arc = 0;
  let begun = false;
  for (const byte of value) {
    if (!begun && byte === 0x80) throw wrong(tag, 'not the shortest form');
    if (arc > 0xffffff) throw wrong(tag, 'arc too large');
    begun = (byte & 0x80) !== 0;
    arc = arc * 128 + (byte & 0x7f);
    if (!begun) {
      arcs.push(arc);
      arc = 0;
    }
  }
  if (begun) throw wrong(tag, 'ends inside an arc');
  const [head, ...rest] = arcs;
  const root = Math.min(2, Math.floor(head! / 40));
  return [root, head! - 40 * root, ...rest].join('.');
}

function writeOid(tag: number, text: string): Uint8Array {
  if (!/^[0-2](?:\.(?:0|[1-9]\d{0,8})){1,30}$/.test(text)) throw wrong(tag, 'not an OID');
  const [root, second, ...rest] = text.split('.').map(Number);
  if (root! < 2 && second! > 39) throw wrong(tag, 'not an OID');
  const bytes: number[] = [];
  for (const arc of [root! * 40 + second!, ...rest]) {
    const groups = [arc & 0x7f];
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128)) groups.unshift((left & 0x7f) | 0x80);
    bytes.push(...groups);
  }
  return Uint8Array.from(bytes);
}

function checkSize(tag: number, value: Uint8Array, { length, min, max }: Size): Uint8Array {
  if (length !== undefined && value.length !== length) throw wrong(tag, `${length} bytes belong`);
  if (min !== undefined && value.length < min) throw wrong(tag, 'too short');
  if (max !== undefined && value.length > max) throw wrong(tag, 'too long');
  return value;
}

function wrong(tag: number, what: string): RspError {
  return new RspError('asn1/value', `${tagName(tag)}: ${what}`);
}
