import { Buffer } from 'node:buffer';
import { bits, boolean, choice, decode, explicit, integer, mapped, octets, oid, optional, raw, sequence, sequenceOf } from '../asn1/index.ts';
import type { Output, Type } from '../asn1/index.ts';
import { RspError } from '../errors.ts';
import { encodeTlv } from '../tlv/index.ts';
import type { Tlv } from '../tlv/index.ts';

/** Object identifiers that certificates of SGP.22 use. */
export const oids = {
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  ecPublicKey: '1.2.840.10045.2.1',
  commonName: '2.5.4.3',
  serialNumber: '2.5.4.5',
  country: '2.5.4.6',
  organization: '2.5.4.10',
  organizationalUnit: '2.5.4.11',
  subjectKeyId: '2.5.29.14',
  keyUsage: '2.5.29.15',
  subjectAltName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  crlNumber: '2.5.29.20',
  nameConstraints: '2.5.29.30',
  crlDistributionPoints: '2.5.29.31',
  certificatePolicies: '2.5.29.32',
  authorityKeyId: '2.5.29.35',
  extendedKeyUsage: '2.5.29.37',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
} as const;

/** A BIT STRING of whole bytes. */
export function bitString(tag = 0x03): Type<Uint8Array> {
  return mapped(octets(tag, { min: 1 }), (wire) => {
    if (wire[0] !== 0) throw new RspError('asn1/value', 'bit string of whole bytes expected');
    return wire.subarray(1);
  }, (value) => Buffer.concat([Buffer.of(0), value]));
}

/** UTCTime through 2049, GeneralizedTime from 2050 (RFC 5280 section 4.1.2.5), always in seconds and Zulu. */
export const time: Type<Date> = {
  tags: [0x17, 0x18],
  decode: readTime,
  encode(value) {
    const digits = value.toISOString().replaceAll(/[-:T]|\.\d+/g, '');
    return value.getUTCFullYear() < 2050 ? encodeTlv(0x17, Buffer.from(digits.slice(2))) : encodeTlv(0x18, Buffer.from(digits));
  },
};

/** One attribute of a distinguished name; each stands in a set of its own. */
export interface NameAttribute {
  /** Dotted object identifier of the attribute's type. */
  readonly type: string;
  readonly value: string;
}

/** A distinguished name and the bytes it came in. */
export interface Name {
  readonly raw: Uint8Array;
  readonly attributes: readonly NameAttribute[];
}

const text: Type<string> = {
  // UTF8String, PrintableString, IA5String: what SGP.22 and its test certificates use.
  tags: [0x0c, 0x13, 0x16],
  decode(tlv) {
    const value = Buffer.from(tlv.value).toString(tlv.tag === 0x0c ? 'utf8' : 'latin1');
    if (value.length > 256 || value.includes('�')) throw new RspError('asn1/value', 'text of a name');
    return value;
  },
  encode: (value) => encodeTlv(0x0c, Buffer.from(value)),
};

const attribute = sequence(0x30, { type: oid(), value: text }, { closed: true });
const attributes = sequenceOf(0x30, sequenceOf(0x31, attribute, { min: 1, max: 4 }), { max: 16 });

/** Reads a distinguished name. */
export function readName(bytes: Uint8Array): Name {
  return { raw: bytes, attributes: decode(attributes, bytes).flat().map(({ type, value }) => ({ type, value })) };
}

/** Writes a distinguished name, one attribute to a set. */
export function writeName(value: readonly NameAttribute[]): Uint8Array {
  return attributes.encode(value.map((one) => [one]));
}

export const subjectPublicKeyInfo = sequence(0x30, {
  algorithm: sequence(0x30, { algorithm: oid(), curve: oid() }, { closed: true }),
  point: bitString(),
}, { closed: true });

const extension = sequence(0x30, { id: oid(), critical: optional(boolean()), value: octets(0x04) }, { closed: true });
const algorithm = sequence(0x30, { id: oid() }, { closed: true });

export const tbsCertificate = sequence(0x30, {
  version: explicit(0xa0, integer(0x02, { max: 2 })),
  serial: octets(0x02, { min: 1, max: 20 }),
  algorithm,
  issuer: raw(0x30),
  validity: sequence(0x30, { notBefore: time, notAfter: time }, { closed: true }),
  subject: raw(0x30),
  publicKey: subjectPublicKeyInfo,
  extensions: explicit(0xa3, sequenceOf(0x30, extension, { min: 1, max: 32 })),
}, { closed: true });

export const tbsCertList = sequence(0x30, {
  version: integer(0x02, { max: 1 }),
  algorithm,
  issuer: raw(0x30),
  thisUpdate: time,
  nextUpdate: time,
  revoked: optional(sequenceOf(0x30, sequence(0x30, {
    serial: octets(0x02, { min: 1, max: 20 }), at: time, extensions: optional(raw(0x30)),
  }, { closed: true }), { max: 4096 })),
  extensions: optional(explicit(0xa0, sequenceOf(0x30, extension, { min: 1, max: 32 }))),
}, { closed: true });

/** Certificate and CertificateList share this frame: what is signed, the algorithm again, the signature. */
export const signed = sequence(0x30, { tbs: raw(0x30), algorithm, signature: bitString() }, { closed: true });

const keyUsageBits = [
  'digitalSignature', 'contentCommitment', 'keyEncipherment', 'dataEncipherment', 'keyAgreement',
  'keyCertSign', 'cRLSign', 'encipherOnly', 'decipherOnly',
] as const;

/** Names of the bits of the key usage extension (RFC 5280 section 4.2.1.3). */
export type KeyUsage = (typeof keyUsageBits)[number];

/** The values of the extensions that this package reads, by object identifier. */
export const extensionValues = {
  subjectKeyId: octets(0x04, { min: 1, max: 64 }),
  // issuer and serial may stand beside the key id and decide nothing here.
  authorityKeyId: sequence(0x30, { keyId: octets(0x80, { min: 1, max: 64 }) }),
  keyUsage: bits(0x03, keyUsageBits),
  certificatePolicies: sequenceOf(0x30, sequence(0x30, { id: oid() }), { min: 1, max: 16 }),
  subjectAltName: sequenceOf(0x30, choice({
    registeredId: oid(0x88), dns: ia5(0x82), email: ia5(0x81), uri: ia5(0x86), ip: octets(0x87, { min: 4, max: 16 }),
    directory: raw(0xa4), other: raw(0xa0),
  }), { min: 1, max: 32 }),
  basicConstraints: sequence(0x30, { ca: optional(boolean()), pathLength: optional(integer(0x02, { max: 255 })) }, { closed: true }),
  nameConstraints: sequence(0x30, {
    permitted: optional(sequenceOf(0xa0, sequence(0x30, { base: explicit(0xa4, raw(0x30)) }, { closed: true }), { min: 1, max: 64 })),
  }, { closed: true }),
  extendedKeyUsage: sequenceOf(0x30, oid(), { min: 1, max: 16 }),
} as const;

/** What one of {@link extensionValues} decodes to. */
export type ExtensionValue<K extends keyof typeof extensionValues> = Output<(typeof extensionValues)[K]>;

function ia5(tag: number): Type<string> {
  return mapped(octets(tag, { min: 1, max: 2048 }), (wire) => {
    if (wire.some((byte) => byte > 0x7f)) throw new RspError('asn1/value', 'IA5String');
    return Buffer.from(wire).toString('latin1');
  }, (value) => Buffer.from(value, 'latin1'));
}

function readTime({ tag, value }: Tlv): Date {
  // YYMMDDHHMMSSZ or YYYYMMDDHHMMSSZ, digit by digit: two of these stand in every certificate.
  const yearDigits = tag === 0x17 ? 2 : 4;
  if (value.length !== yearDigits + 11 || value[value.length - 1] !== 0x5a) throw wrongTime();
  const short = digits(value, 0, yearDigits);
  const year = yearDigits === 4 ? short : short + (short < 50 ? 2000 : 1900);
  const [month, day, hour, minute, second] = [0, 2, 4, 6, 8].map((at) => digits(value, yearDigits + at, 2)) as [number, number, number, number, number];
  const at = new Date(Date.UTC(year, month - 1, day, hour, minute, second));
  // A month of 13, a 31st of June or a 61st second would otherwise roll over.
  const same = at.getUTCMonth() === month - 1 && at.getUTCDate() === day && at.getUTCHours() === hour && at.getUTCMinutes() === minute;
  if (!same || at.getUTCFullYear() !== year || at.getUTCSeconds() !== second) throw wrongTime();
  return at;
}

function digits(value: Uint8Array, at: number, count: number): number {
  let number = 0;
  for (let index = at; index < at + count; index += 1) {
    const digit = value[index]! - 0x30;
    if (digit < 0 || digit > 9) throw wrongTime();
    number = number * 10 + digit;
  }
  return number;
}

function wrongTime(): RspError {
  return new RspError('asn1/value', 'time');
}
