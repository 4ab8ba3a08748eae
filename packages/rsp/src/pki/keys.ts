import { Buffer } from 'node:buffer';
import { createECDH, createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { RspError } from '../errors.ts';
import { curves } from './curve.ts';
import type { Curve, CurveName } from './curve.ts';
import { derFromRaw, rawFromDer } from './signature.ts';

/** Bytes of an uncompressed point: 04 || x || y. */
export const POINT_BYTES = 65;
/** Bytes of randomness that {@link ephemeralKey} takes. */
export const EPHEMERAL_RANDOM_BYTES = 48;

/** A key pair of one RSP session, as raw bytes so that the shell may seal it. Erase `privateKey` when the session ends. */
export interface EphemeralKey {
  readonly curve: CurveName;
  /** 32 bytes, big-endian. */
  readonly privateKey: Uint8Array;
  /** Uncompressed point, 65 bytes. */
  readonly publicKey: Uint8Array;
}

/** Turns a message into a raw signature r || s (64 bytes, ECDSA with SHA-256). Long-term keys reach this package only so. */
export type SignMessage = (message: Uint8Array) => Uint8Array;

/**
 * Imports an uncompressed point after checking that it lies on the curve.
 * @throws RspError `pki/point`
 */
export function importPoint(curve: CurveName, point: Uint8Array): KeyObject {
  if (point.length !== POINT_BYTES || point[0] !== 4) throw new RspError('pki/point', 'not an uncompressed point');
  const spki = Buffer.concat([curves[curve].spkiPrefix, point]).toString('base64');
  try {
    // As PEM: for an options object node:crypto throws and catches an error inside, which costs as much as the import.
    return createPublicKey(`-----BEGIN PUBLIC KEY-----\n${spki}\n-----END PUBLIC KEY-----`);
  } catch (cause) {
    throw new RspError('pki/point', 'not on the curve', { cause });
  }
}

/**
 * Imports a private scalar (32 bytes) for signing or agreement.
 * @throws RspError `pki/private-key` when it is not in 1..order-1
 */
export function importPrivateKey(curve: CurveName, privateKey: Uint8Array): KeyObject {
  const { sec1 } = curves[curve];
  requireScalar(curves[curve], privateKey);
  return createPrivateKey({ key: Buffer.concat([sec1.prefix, privateKey, sec1.suffix]), format: 'der', type: 'sec1' });
}

// Signatures pass through node:crypto in DER, with the key alone: asking for raw ones takes an options object, at which it throws and catches
// an error inside, for half the price of a signature.

/** A signer over a private key in memory: for tests, the development PKI and virtual eUICCs. */
export function signerOf(privateKey: KeyObject): SignMessage {
  return (message) => rawFromDer(sign('sha256', message, privateKey));
}

/** True when `signature` (raw r || s, 64 bytes) is the key's ECDSA-SHA-256 signature over exactly these bytes. Never throws. */
export function verifyRaw(publicKey: KeyObject, message: Uint8Array, signature: Uint8Array): boolean {
  if (signature.length !== 64) return false;
  return verify('sha256', message, publicKey, derFromRaw(signature));
}

/**
 * A key pair out of given randomness: the scalar is the bytes modulo order-1, plus 1; 48 bytes leave no measurable bias.
 * @throws RspError `pki/random` unless 48 bytes are given
 */
export function ephemeralKey(curve: CurveName, random: Uint8Array): EphemeralKey {
  if (random.length !== EPHEMERAL_RANDOM_BYTES) throw new RspError('pki/random', `needs ${EPHEMERAL_RANDOM_BYTES} bytes`);
  const { order } = curves[curve];
  const scalar = (BigInt(`0x${Buffer.from(random).toString('hex')}`) % (order - 1n)) + 1n;
  const privateKey = Buffer.from(scalar.toString(16).padStart(64, '0'), 'hex');
  return { curve, privateKey, publicKey: publicPointOf(curve, privateKey) };
}

/**
 * The uncompressed point that belongs to a private scalar (32 bytes).
 * @throws RspError `pki/private-key`
 */
export function publicPointOf(curve: CurveName, privateKey: Uint8Array): Uint8Array {
  requireScalar(curves[curve], privateKey);
  const ecdh = createECDH(curves[curve].nodeName);
  ecdh.setPrivateKey(privateKey);
  return ecdh.getPublicKey();
}

/**
 * The x coordinate (32 bytes) of the point that both sides agree on.
 * @throws RspError `pki/point` when the peer's point is not on the curve, `pki/private-key`
 */
export function agree(own: Pick<EphemeralKey, 'curve' | 'privateKey'>, peerPoint: Uint8Array): Uint8Array {
  if (peerPoint.length !== POINT_BYTES || peerPoint[0] !== 4) throw new RspError('pki/point', 'not an uncompressed point');
  requireScalar(curves[own.curve], own.privateKey);
  // createECDH and not diffieHellman: importing two KeyObjects costs more than the agreement itself.
  const ecdh = createECDH(curves[own.curve].nodeName);
  ecdh.setPrivateKey(own.privateKey);
  try {
    return ecdh.computeSecret(peerPoint);
  } catch (cause) {
    throw new RspError('pki/point', 'not on the curve', { cause });
  }
}

function requireScalar(curve: Curve, privateKey: Uint8Array): void {
  const scalar = privateKey.length === 32 ? BigInt(`0x${Buffer.from(privateKey).toString('hex')}`) : 0n;
  if (scalar < 1n || scalar >= curve.order) throw new RspError('pki/private-key');
}
