import { RspError } from '../errors.ts';
import { decodeEid, decodeIccid, decodePlmn, encodeEid, encodeIccid, encodePlmn } from '../identity.ts';
import { bits, mapped, octets, raw } from './primitives.ts';
import { sequence, optional, type Type } from './schema.ts';

/** TransactionId: 1 to 16 bytes; ours have 16. */
export function transactionId(tag = 0x80): Type<Uint8Array> {
  return octets(tag, { min: 1, max: 16 });
}

/** A signature: r and s, 32 bytes each, in `5F37`. */
export const Signature = octets(0x5f37, { length: 64 });

/** A one-time public key: an uncompressed point of 65 bytes in `5F49`. */
export const OneTimePublicKey = octets(0x5f49, { length: 65 });

/** A certificate as received. */
export const RawCertificate = raw(0x30);

/** SubjectKeyIdentifier of a CI key. */
export const CiPublicKeyId = octets(0x04, { min: 1, max: 32 });

/** ICCID: a string of 18 to 20 digits in our code, 10 bytes in `5A` on the wire. */
export const Iccid = mapped(octets(0x5a, { length: 10 }), decodeIccid, encodeIccid);

/** EID: a string of 32 digits in our code, 16 bytes in `5A` on the wire. */
export const Eid = mapped(octets(0x5a, { length: 16 }), decodeEid, encodeEid);

/** VersionType: `major.minor.revision` in our code, a byte each on the wire. */
export function version(tag: number): Type<string> {
  return mapped(octets(tag, { length: 3 }), (bytes) => bytes.join('.'), encodeVersion);
}

/** NotificationEvent: a profile management operation that the operator hears of. */
export const notificationEvents = ['install', 'enable', 'disable', 'delete'] as const;
/** The name of such an operation. */
export type NotificationEventName = (typeof notificationEvents)[number];

/** NotificationEvent as a set of names. */
export function notificationEvent(tag: number): Type<readonly NotificationEventName[]> {
  return bits(tag, notificationEvents);
}

/** PprIds: the profile policy rules. PPR1 forbids disabling, PPR2 forbids deleting. */
export const profilePolicyRules = ['pprUpdateControl', 'ppr1', 'ppr2', 'ppr3'] as const;

/** PprIds as a set of names. */
export function pprIds(tag: number): Type<readonly (typeof profilePolicyRules)[number][]> {
  return bits(tag, profilePolicyRules);
}

/** OperatorID: the profile's owner. */
export function operatorId(tag: number) {
  return sequence(tag, {
    mccMnc: mapped(octets(0x80, { length: 3 }), decodePlmn, encodePlmn),
    gid1: optional(octets(0x81, { max: 32 })),
    gid2: optional(octets(0x82, { max: 32 })),
  });
}

function encodeVersion(text: string): Uint8Array {
  const parts = text.split('.').map(Number);
  if (parts.length !== 3 || parts.some((part) => !Number.isInteger(part) || part < 0 || part > 255)) {
    throw new RspError('asn1/value', 'not a version');
  }
  return Uint8Array.from(parts);
}
