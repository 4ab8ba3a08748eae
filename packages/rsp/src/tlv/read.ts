import { RspError } from '../errors.ts';

/** Bounds on what is read; a reader never allocates more than it was given. */
export interface TlvLimits {
  /** Largest input in bytes. Default 256 KiB. */
  readonly maxBytes?: number;
  /** Deepest nesting; the outermost object has depth 1. Default 16. */
  readonly maxDepth?: number;
  /** Most children of one object, or objects in a row. Default 4096. */
  readonly maxChildren?: number;
}

/** Tag and length as they stand at the start of a data object. */
export interface TlvHead {
  readonly tag: number;
  /** Bytes of the value. */
  readonly length: number;
  /** Bytes of tag and length together. */
  readonly headBytes: number;
}

interface Bounds {
  readonly maxDepth: number;
  readonly maxChildren: number;
}

/** One data object of the input: slices of it, never copies. */
export class Tlv {
  /** The tag's bytes read big-endian: `0x30`, `0x5F37`, `0xBF38`. */
  readonly tag: number;
  readonly value: Uint8Array;
  /** Tag, length and value as received: what signatures cover. */
  readonly raw: Uint8Array;
  readonly #depth: number;
  readonly #bounds: Bounds;

  constructor(tag: number, value: Uint8Array, raw: Uint8Array, depth: number, bounds: Bounds) {
    this.tag = tag;
    this.value = value;
    this.raw = raw;
    this.#depth = depth;
    this.#bounds = bounds;
  }

  /** True when the tag says that the value consists of data objects. */
  get constructed(): boolean {
    return isConstructed(this.tag);
  }

  /**
   * The objects that make up the value, which they must fill exactly.
   * @throws RspError `tlv/primitive`, `tlv/depth` and every code of {@link readTlv}
   */
  children(): Tlv[] {
    if (!this.constructed) throw new RspError('tlv/primitive', tagName(this.tag));
    return readRow(this.value, this.#depth + 1, this.#bounds);
  }
}

/**
 * Reads exactly one data object (X.690 DER: definite and minimal lengths, minimal tags of up to three bytes).
 * @throws RspError `tlv/truncated`, `tlv/tag`, `tlv/length`, `tlv/trailing`, `tlv/depth`, `tlv/size`
 */
export function readTlv(bytes: Uint8Array, limits: TlvLimits = {}): Tlv {
  const bounds = boundsOf(bytes, limits);
  const tlv = readAt(bytes, 0, 1, bounds);
  if (tlv.raw.length !== bytes.length) throw new RspError('tlv/trailing');
  return tlv;
}

/**
 * Reads data objects one after another until the input ends; an empty input has none.
 * @throws RspError as {@link readTlv}
 */
export function readTlvs(bytes: Uint8Array, limits: TlvLimits = {}): Tlv[] {
  return readRow(bytes, 1, boundsOf(bytes, limits));
}

/**
 * Reads tag and length alone; the value may still be on its way.
 * @throws RspError `tlv/truncated`, `tlv/tag`, `tlv/length`
 */
export function readTlvHead(bytes: Uint8Array, offset = 0): TlvHead {
  let at = offset;
  const first = byteAt(bytes, at++);
  let tag = first;
  if ((first & 0x1f) === 0x1f) {
    const second = byteAt(bytes, at++);
    if (second === 0x80 || second < 0x1f) throw new RspError('tlv/tag', 'not the shortest form');
    tag = (tag << 8) | second;
    if (second & 0x80) {
      const third = byteAt(bytes, at++);
      if (third & 0x80) throw new RspError('tlv/tag', 'longer than three bytes');
      tag = (tag << 8) | third;
    }
  }
  if (first === 0) throw new RspError('tlv/tag', 'zero');
  const form = byteAt(bytes, at++);
  if (form < 0x80) return { tag, length: form, headBytes: at - offset };
  const count = form & 0x7f;
  if (count === 0) throw new RspError('tlv/length', 'indefinite');
  if (count > 3) throw new RspError('tlv/length', 'too long');
  let length = 0;
  for (let i = 0; i < count; i++) length = (length << 8) | byteAt(bytes, at++);
  if (length < 0x80 || length < 1 << (8 * (count - 1))) throw new RspError('tlv/length', 'not the shortest form');
  return { tag, length, headBytes: at - offset };
}

/** True when the tag's first byte marks a constructed object. */
export function isConstructed(tag: number): boolean {
  const first = tag > 0xffff ? tag >>> 16 : tag > 0xff ? tag >>> 8 : tag;
  return (first & 0x20) !== 0;
}

/** A tag as people write it: `BF38`. */
export function tagName(tag: number): string {
  const hex = tag.toString(16).toUpperCase();
  return hex.length % 2 ? `0${hex}` : hex;
}

function readRow(bytes: Uint8Array, depth: number, bounds: Bounds): Tlv[] {
  const row: Tlv[] = [];
  for (let offset = 0; offset < bytes.length;) {
    if (row.length === bounds.maxChildren) throw new RspError('tlv/size', 'too many objects');
    const tlv = readAt(bytes, offset, depth, bounds);
    row.push(tlv);
    offset += tlv.raw.length;
  }
  return row;
}

function readAt(bytes: Uint8Array, offset: number, depth: number, bounds: Bounds): Tlv {
  if (depth > bounds.maxDepth) throw new RspError('tlv/depth');
  const { tag, length, headBytes } = readTlvHead(bytes, offset);
  const start = offset + headBytes;
  const end = start + length;
  if (end > bytes.length) throw new RspError('tlv/truncated', tagName(tag));
  return new Tlv(tag, bytes.subarray(start, end), bytes.subarray(offset, end), depth, bounds);
}

function boundsOf(bytes: Uint8Array, limits: TlvLimits): Bounds {
  if (bytes.length > (limits.maxBytes ?? 262_144)) throw new RspError('tlv/size');
  return { maxDepth: limits.maxDepth ?? 16, maxChildren: limits.maxChildren ?? 4096 };
}

function byteAt(bytes: Uint8Array, at: number): number {
  const byte = bytes[at];
  if (byte === undefined) throw new RspError('tlv/truncated');
  return byte;
}
