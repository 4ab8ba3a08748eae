import { Buffer } from 'node:buffer';
import { RspError } from '../errors.ts';
import { concatBytes } from '../bytes.ts';
import { encodeTlv } from '../tlv/index.ts';

/** File Control Parameters that differ from the template's. Hexadecimal without spaces. */
export interface FileDescriptor {
  /** `82`: for record files with the record length. */
  readonly fileDescriptor?: string;
  /** `83`. */
  readonly fileId?: string;
  /** `84`: AID of an ADF. */
  readonly dfName?: string;
  /** `8B`: reference to a record of EF.ARR. */
  readonly access?: string;
  /** `80`: bytes of an EF, where the template leaves it open. */
  readonly size?: number;
  /** `C6`: key references of a DF's PINs. */
  readonly pinStatus?: string;
}

/** A file of a template: its descriptor, and its content from the first byte or record on. */
export function file(descriptor: FileDescriptor, ...contents: readonly Uint8Array[]): Uint8Array {
  const fcp = encodeTlv(
    0xa1,
    ...hexField(0x82, descriptor.fileDescriptor), ...hexField(0x83, descriptor.fileId), ...hexField(0x84, descriptor.dfName),
    ...hexField(0x8b, descriptor.access),
    ...(descriptor.size === undefined ? [] : [encodeTlv(0x80, shortestSize(descriptor.size))]),
    ...hexField(0xc6, descriptor.pinStatus),
  );
  return concatBytes(fcp, ...contents.map((content) => encodeTlv(0x83, content)));
}

/** Records of one length, filled up with FF: the whole content of a linear fixed file. */
export function records(length: number, ...list: readonly Uint8Array[]): Uint8Array {
  return concatBytes(...list.map((record) => {
    if (record.length > length) throw new RspError('saip/value', 'record too long');
    return Buffer.concat([record, Buffer.alloc(length - record.length, 0xff)]);
  }));
}

/**
 * EF.IMSI: its length, then parity and digits, swapped (3GPP TS 31.102).
 * @param imsi 6 to 15 digits
 * @throws RspError `saip/value`
 */
export function encodeImsi(imsi: string): Uint8Array {
  if (!/^\d{6,15}$/.test(imsi)) throw new RspError('saip/value', 'IMSI');
  const nibbles = `${imsi.length % 2 ? '9' : '1'}${imsi}`.padEnd(16, 'F');
  const bytes = Buffer.from(nibbles.replace(/(.)(.)/g, '$2$1'), 'hex');
  return Buffer.concat([Uint8Array.of(Math.ceil((imsi.length + 1) / 2)), bytes]);
}

/**
 * The digits of an EF.IMSI.
 * @throws RspError `saip/value`
 */
export function decodeImsi(content: Uint8Array): string {
  const length = content[0] ?? 0;
  const text = Buffer.from(content.subarray(1, 1 + length)).toString('hex').toUpperCase().replace(/(.)(.)/g, '$2$1');
  const match = /^(?:9(\d{5,15})|1(\d{6,14})F)$/.exec(text);
  const imsi = match?.[1] ?? match?.[2];
  if (content.length !== 9 || text.length !== 2 * length || imsi === undefined) throw new RspError('saip/value', 'IMSI');
  return imsi;
}

/** A PIN or PUK as the card compares it: ASCII digits, filled up to 8 bytes with FF. */
export function encodePin(digits: string): Uint8Array {
  if (!/^\d{4,8}$/.test(digits)) throw new RspError('saip/value', 'PIN');
  return Buffer.concat([Buffer.from(digits, 'ascii'), Buffer.alloc(8 - digits.length, 0xff)]);
}

function hexField(tag: number, hex: string | undefined): Uint8Array[] {
  return hex === undefined ? [] : [encodeTlv(tag, Buffer.from(hex, 'hex'))];
}

function shortestSize(size: number): Uint8Array {
  return size < 256 ? Uint8Array.of(size) : Uint8Array.of(size >> 8, size & 0xff);
}
