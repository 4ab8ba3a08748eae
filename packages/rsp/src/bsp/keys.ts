import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import { RspError } from '../errors.ts';
import { encodeEid } from '../identity.ts';

/** The keys of one secure channel, 16 bytes each. */
export interface SessionKeys {
  readonly initialMacChainingValue: Uint8Array;
  /** S-ENC. */
  readonly encryptionKey: Uint8Array;
  /** S-MAC. */
  readonly macKey: Uint8Array;
}

/** Bytes of all three keys together. */
export const SESSION_KEY_BYTES = 48;

/**
 * Takes the three keys out of 48 bytes, in the order in which the key derivation gives them.
 * @throws RspError `bsp/key`
 */
export function splitKeys(bytes: Uint8Array): SessionKeys {
  if (bytes.length !== SESSION_KEY_BYTES) throw new RspError('bsp/key', `${SESSION_KEY_BYTES} bytes belong`);
  return {
    initialMacChainingValue: bytes.subarray(0, 16),
    encryptionKey: bytes.subarray(16, 32),
    macKey: bytes.subarray(32, 48),
  };
}

/**
 * Session keys out of the agreed secret: X9.63 key derivation with SHA-256 (SEC 1, 3.6.1), bound to both ends.
 * @param sharedSecret the x coordinate of the agreed point, 32 bytes
 * @param hostId 1 to 16 bytes, as in the control reference template
 * @param eid 32 digits
 * @throws RspError `bsp/key`, `identity/eid`
 */
export function deriveSessionKeys(sharedSecret: Uint8Array, { hostId, eid }: { readonly hostId: Uint8Array; readonly eid: string }): SessionKeys {
  if (sharedSecret.length !== 32) throw new RspError('bsp/key', 'shared secret');
  if (hostId.length < 1 || hostId.length > 16) throw new RspError('bsp/key', 'host id');
  const eidBytes = encodeEid(eid);
  const sharedInfo = Buffer.concat([
    Uint8Array.of(0x88, 0x10, hostId.length), hostId, Uint8Array.of(eidBytes.length), eidBytes,
  ]);
  return splitKeys(x963(sharedSecret, sharedInfo, SESSION_KEY_BYTES));
}

/** ANSI X9.63 key derivation function with SHA-256. */
export function x963(secret: Uint8Array, sharedInfo: Uint8Array, length: number): Uint8Array {
  const rounds: Buffer[] = [];
  for (let counter = 1; rounds.length * 32 < length; counter++) {
    const number = Buffer.alloc(4);
    number.writeUInt32BE(counter);
    rounds.push(createHash('sha256').update(secret).update(number).update(sharedInfo).digest());
  }
  return Buffer.concat(rounds).subarray(0, length);
}
