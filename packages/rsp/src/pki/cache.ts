import type { KeyObject } from 'node:crypto';
import { toHex } from '../bytes.ts';
import { certificateHash, parseCertificate } from './certificate.ts';
import type { Certificate } from './certificate.ts';
import type { CurveName } from './curve.ts';
import { importPoint, verifyRaw } from './keys.ts';

/**
 * What verification remembers between calls: imported public keys, certificates that come often, and the CA certificates whose signature was found right. Bounded; the
 * entry unused for longest goes first. Holds nothing secret; one for a whole process will do.
 */
export interface PkiCache {
  readonly keys: Map<string, KeyObject>;
  readonly signedBy: Map<string, true>;
  readonly certificates: Map<string, Certificate>;
  readonly maxEntries: number;
}

/** An empty cache for at most `maxEntries` keys (default 1024, some 2 KB each). */
export function createPkiCache(maxEntries = 1024): PkiCache {
  return { keys: new Map(), signedBy: new Map(), certificates: new Map(), maxEntries };
}

/**
 * The certificate's public key, ready to verify with.
 * @throws RspError `pki/point` when the point is not on its curve
 */
export function publicKeyOf(certificate: Certificate, cache: PkiCache): KeyObject {
  const { curve, point } = certificate.publicKey;
  return remember(cache, cache.keys, certificateHash(certificate.raw), () => importPoint(curve, point));
}

/**
 * An uncompressed point as a key to verify with, for signers whose certificate was verified before: importing costs as much as verifying.
 * @throws RspError `pki/point` when it is not on the curve
 */
export function pointKey(curve: CurveName, point: Uint8Array, cache: PkiCache): KeyObject {
  return remember(cache, cache.keys, `${curve}:${toHex(point)}`, () => importPoint(curve, point));
}

/**
 * Reads a certificate that comes again and again, such as an EUM's: once.
 * @throws RspError as `parseCertificate`
 */
export function readCached(bytes: Uint8Array, cache: PkiCache): Certificate {
  return remember(cache, cache.certificates, certificateHash(bytes), () => parseCertificate(Uint8Array.from(bytes)));
}

/** True when `issuer`'s key made the certificate's signature. CA certificates are verified once, end entities each time. */
export function isSignedBy(certificate: Certificate, issuer: Certificate, cache: PkiCache): boolean {
  const check = (): boolean => verifyRaw(publicKeyOf(issuer, cache), certificate.tbs, certificate.signature);
  if (!certificate.isCa) return check();
  const pair = `${certificateHash(certificate.raw)}:${certificateHash(issuer.raw)}`;
  if (cache.signedBy.has(pair)) return true;
  return check() && remember(cache, cache.signedBy, pair, () => true as const);
}

function remember<V>(cache: PkiCache, entries: Map<string, V>, key: string, make: () => V): V {
  const found = entries.get(key);
  const value = found ?? make();
  // Deleting and setting again moves the entry to the end of the map's order, so the first one is the least used.
  if (found !== undefined) entries.delete(key);
  else if (entries.size >= cache.maxEntries) entries.delete(entries.keys().next().value!);
  entries.set(key, value);
  return value;
}
