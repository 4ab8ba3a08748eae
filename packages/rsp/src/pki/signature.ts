import { Buffer } from 'node:buffer';
import { decode, octets, sequence } from '../asn1/index.ts';
import { concatBytes } from '../bytes.ts';
import { RspError } from '../errors.ts';

const value = sequence(0x30, { r: octets(0x02, { min: 1, max: 33 }), s: octets(0x02, { min: 1, max: 33 }) }, { closed: true });

/**
 * An ECDSA-Sig-Value (DER, RFC 3279 section 2.2.3) as raw r || s, 64 bytes, as SGP.22 sends signatures.
 * @throws RspError `pki/signature`
 */
export function rawFromDer(der: Uint8Array): Uint8Array {
  try {
    const { r, s } = decode(value, der);
    return concatBytes(fixed(r), fixed(s));
  } catch (cause) {
    throw new RspError('pki/signature', 'not an ECDSA-Sig-Value', { cause });
  }
}

/**
 * Raw r || s (64 bytes) as an ECDSA-Sig-Value, as X.509 carries signatures.
 * @throws RspError `pki/signature`
 */
export function derFromRaw(raw: Uint8Array): Uint8Array {
  if (raw.length !== 64) throw new RspError('pki/signature', '64 bytes belong');
  return value.encode({ r: shortest(raw.subarray(0, 32)), s: shortest(raw.subarray(32)) });
}

function fixed(number: Uint8Array): Uint8Array {
  const [first, second] = number;
  if (first! & 0x80) throw new RspError('pki/signature', 'negative');
  if (first === 0 && number.length > 1 && !(second! & 0x80)) throw new RspError('pki/signature', 'not the shortest form');
  const digits = first === 0 ? number.subarray(1) : number;
  if (digits.length > 32) throw new RspError('pki/signature', 'too large');
  const out = Buffer.alloc(32);
  out.set(digits, 32 - digits.length);
  return out;
}

function shortest(number: Uint8Array): Uint8Array {
  let start = 0;
  while (start < number.length - 1 && number[start] === 0) start += 1;
  const digits = number.subarray(start);
  return digits[0]! & 0x80 ? Buffer.concat([Buffer.of(0), digits]) : digits;
}
