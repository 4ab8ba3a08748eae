import { Buffer } from 'node:buffer';
import { RspError } from './errors.ts';

const HEX = /^(?:[0-9a-f]{2})*$/i;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** Joins byte strings into one new one. */
export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
}

/** True when both hold the same bytes. Not constant-time: for public values. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && Buffer.compare(a, b) === 0;
}

/** Upper-case hexadecimal. */
export function toHex(bytes: Uint8Array): string {
  return view(bytes).toString('hex').toUpperCase();
}

/**
 * Bytes of a hexadecimal string, in either case.
 * @throws RspError `hex/malformed`
 */
export function fromHex(text: string): Uint8Array {
  if (!HEX.test(text)) throw new RspError('hex/malformed');
  return Buffer.from(text, 'hex');
}

/** Base64 (RFC 4648 section 4) with padding. */
export function toBase64(bytes: Uint8Array): string {
  return view(bytes).toString('base64');
}

/**
 * Bytes of a base64 string (RFC 4648 section 4): padded, without line breaks, unused bits zero.
 * @throws RspError `base64/malformed`
 */
export function fromBase64(text: string): Uint8Array {
  if (!BASE64.test(text)) throw new RspError('base64/malformed');
  const bytes = Buffer.from(text, 'base64');
  // Only the last quantum can hide bits that decoding drops.
  if (text.endsWith('=') && bytes.subarray(bytes.length - bytes.length % 3).toString('base64') !== text.slice(-4)) {
    throw new RspError('base64/malformed', 'unused bits are set');
  }
  return bytes;
}

function view(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
