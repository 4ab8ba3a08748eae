import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js';
import { base64 as standard, base64urlnopad } from '@scure/base';
import { ProofError } from './error.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** SHA-256 (FIPS 180-4) of the concatenation of the parts, 32 bytes. */
export function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = nobleSha256.create();
  for (const part of parts) hash.update(part);
  return hash.digest();
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

export function equalBytes(left: Uint8Array, right: Uint8Array): boolean {
  if (left.length !== right.length) return false;
  for (let i = 0; i < left.length; i += 1) if (left[i] !== right[i]) return false;
  return true;
}

export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Strict: a byte order mark is kept, and anything that is not UTF-8 is refused. */
export function fromUtf8(bytes: Uint8Array, what: string): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new ProofError('proof/encoding', `${what} is not UTF-8`);
  }
}

export function base64(bytes: Uint8Array): string {
  return standard.encode(bytes);
}

export function base64url(bytes: Uint8Array): string {
  return base64urlnopad.encode(bytes);
}

/** RFC 4648 section 4 with padding; refuses every text but the one that encodes these bytes. */
export function fromBase64(text: string, what: string, length?: number): Uint8Array {
  return exactly(standard, text, what, length);
}

/** RFC 4648 section 5 without padding; refuses every text but the one that encodes these bytes. */
export function fromBase64url(text: string, what: string, length?: number): Uint8Array {
  return exactly(base64urlnopad, text, what, length);
}

interface Coder {
  encode(bytes: Uint8Array): string;
  decode(text: string): Uint8Array;
}

function exactly(coder: Coder, text: string, what: string, length: number | undefined): Uint8Array {
  let bytes: Uint8Array;
  try {
    bytes = coder.decode(text);
  } catch {
    throw new ProofError('proof/encoding', `${what} is not base64 of the expected alphabet`);
  }
  // The last character may carry bits that no byte uses; only the encoding with those bits zero is accepted.
  if (coder.encode(bytes) !== text) throw new ProofError('proof/encoding', `${what} is not canonical base64`);
  if (length !== undefined && bytes.length !== length) {
    throw new ProofError('proof/encoding', `${what} has ${bytes.length} bytes instead of ${length}`);
  }
  return bytes;
}

export function hex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0');
  return text;
}
