import { hkdfSync } from 'node:crypto';
import { ServiceError } from '../errors.ts';

const keyLength = 32;

/** A master key as configured: 32 bytes of randomness. */
export function checkMasterKey(masterKey: Buffer): void {
  if (masterKey.length !== keyLength) throw new ServiceError('keys/bad-master-key', { bytes: masterKey.length });
}

/** A key for one purpose and no other (RFC 5869, SHA-256). */
export function deriveKey(masterKey: Buffer, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', masterKey, 'yuanyou', purpose, keyLength));
}

/** A name for a master key that tells nothing of it. */
export function nameOfKey(masterKey: Buffer): string {
  return deriveKey(masterKey, 'name').toString('hex').slice(0, 16);
}
