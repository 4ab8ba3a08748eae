import { Buffer } from 'node:buffer';
import { RspError } from '../errors.ts';

// By hand and not by the schema: every signature passes through here twice.

const SEQUENCE = 0x30;
const INTEGER = 0x02;
const SCALAR_BYTES = 32;

/**
 * An ECDSA-Sig-Value (DER, RFC 3279 section 2.2.3) as raw r || s, 64 bytes, as SGP.22 sends signatures.
 * @throws RspError `pki/signature`
 */
export function rawFromDer(der: Uint8Array): Uint8Array {
  if (der[0] !== SEQUENCE || der[1] !== der.length - 2) throw malformed('not a sequence');
  const raw = Buffer.alloc(2 * SCALAR_BYTES);
  const between = readScalar(der, 2, raw, SCALAR_BYTES);
  if (readScalar(der, between, raw, 2 * SCALAR_BYTES) !== der.length) throw malformed('trailing bytes');
  return raw;
}

/**
 * Raw r || s (64 bytes) as an ECDSA-Sig-Value, as X.509 carries signatures.
 * @throws RspError `pki/signature`
 */
export function derFromRaw(raw: Uint8Array): Uint8Array {
  if (raw.length !== 2 * SCALAR_BYTES) throw malformed('64 bytes belong');
  const [r, s] = [firstDigit(raw, 0), firstDigit(raw, SCALAR_BYTES)];
  const [rBytes, sBytes] = [lengthFrom(raw, r, SCALAR_BYTES), lengthFrom(raw, s, 2 * SCALAR_BYTES)];
  // Zeroed, so that the sign byte of a number with its first bit set is there already.
  const der = Buffer.alloc(6 + rBytes + sBytes);
  der[0] = SEQUENCE;
  der[1] = der.length - 2;
  writeScalar(der, 2, rBytes, raw.subarray(r, SCALAR_BYTES));
  writeScalar(der, 4 + rBytes, sBytes, raw.subarray(s));
  return der;
}

/** Reads one INTEGER right-aligned into `raw` before `end`; returns where the next begins. */
function readScalar(der: Uint8Array, at: number, raw: Uint8Array, end: number): number {
  const length = der[at + 1];
  const next = at + 2 + (length ?? 0);
  if (der[at] !== INTEGER || length === undefined || length < 1 || next > der.length) throw malformed('not an integer');
  const first = der[at + 2]!;
  if (first & 0x80) throw malformed('negative');
  if (first === 0 && length > 1 && !(der[at + 3]! & 0x80)) throw malformed('not the shortest form');
  const digits = first === 0 ? der.subarray(at + 3, next) : der.subarray(at + 2, next);
  if (digits.length > SCALAR_BYTES) throw malformed('too large');
  raw.set(digits, end - digits.length);
  return next;
}

function writeScalar(der: Uint8Array, at: number, length: number, digits: Uint8Array): void {
  der[at] = INTEGER;
  der[at + 1] = length;
  der.set(digits, at + 2 + length - digits.length);
}

/** Where the number's first digit that is not 0 stands; its last byte when there is none. */
function firstDigit(raw: Uint8Array, start: number): number {
  let at = start;
  while (at < start + SCALAR_BYTES - 1 && raw[at] === 0) at += 1;
  return at;
}

function lengthFrom(raw: Uint8Array, first: number, end: number): number {
  return end - first + (raw[first]! & 0x80 ? 1 : 0);
}

function malformed(what: string): RspError {
  return new RspError('pki/signature', what);
}
