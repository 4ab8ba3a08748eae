import { Buffer } from 'node:buffer';
import { concatBytes, toHex } from '../bytes.ts';
import { RspError } from '../errors.ts';

/** AID of the ISD-R, which a channel to the eUICC selects. */
export const ISD_R_AID = Buffer.from('A0000005591010FFFFFFFF8900000100', 'hex');

/** Status words that this package gives or understands, SW1 and SW2 together. */
export const statusWords = {
  ok: 0x9000, wrongLength: 0x6700, channelUnsupported: 0x6881, conditionsNotSatisfied: 0x6985, wrongData: 0x6a80, applicationNotFound: 0x6a82,
  wrongP1P2: 0x6a86, referencedDataNotFound: 0x6a88, instructionUnsupported: 0x6d00, classUnsupported: 0x6e00,
} as const;

/** A command APDU in its short form. */
export interface CommandApdu {
  /** The class with its channel taken out. */
  readonly cla: number;
  readonly channel: number;
  readonly ins: number;
  readonly p1: number;
  readonly p2: number;
  readonly data: Uint8Array;
  /** Expected bytes, 1 to 256; undefined without Le. */
  readonly le?: number;
}

/**
 * Reads a command APDU (ISO/IEC 7816-4, short lengths).
 * @throws RspError `es10/apdu`
 */
export function readCommand(apdu: Uint8Array): CommandApdu {
  const [cla, ins, p1, p2, third] = apdu;
  if (cla === undefined || ins === undefined || p1 === undefined || p2 === undefined || apdu.length > 261) throw new RspError('es10/apdu', 'length');
  const head = { cla: cla & 0xfc, channel: cla & 0x03, ins, p1, p2 };
  const none = new Uint8Array(0);
  if (third === undefined) return { ...head, data: none };
  if (apdu.length === 5) return { ...head, data: none, le: third || 256 };
  const end = 5 + third;
  if (third === 0 || apdu.length < end || apdu.length > end + 1) throw new RspError('es10/apdu', 'Lc');
  return { ...head, data: apdu.subarray(5, end), ...(apdu.length > end ? { le: apdu[end]! || 256 } : {}) };
}

/** Most data bytes that one STORE DATA block carries. */
export const MAX_BLOCK_BYTES = 255;

/**
 * One ES10 object as a chain of STORE DATA commands (`80 E2`): P1 11 while more follow and 91 for the last, P2 counting from 0.
 * @param channel logical channel 0 to 3
 * @param blockBytes data bytes a block, up to 255; modems and readers are happier with fewer
 * @throws RspError `es10/apdu` when it needs more than 256 blocks
 */
export function storeData(object: Uint8Array, channel = 0, blockBytes = 255): Uint8Array[] {
  const count = Math.max(1, Math.ceil(object.length / blockBytes));
  if (count > 256 || blockBytes < 1 || blockBytes > MAX_BLOCK_BYTES) throw new RspError('es10/apdu', 'too many blocks');
  return Array.from({ length: count }, (_, index) => {
    const block = object.subarray(index * blockBytes, (index + 1) * blockBytes);
    return concatBytes(Buffer.of(0x80 | channel, 0xe2, index === count - 1 ? 0x91 : 0x11, index, block.length), block);
  });
}

/** GET RESPONSE for the bytes that a status word 61xx announces; 0 stands for 256. */
export function getResponse(channel: number, le: number): Uint8Array {
  return Buffer.of(0x80 | channel, 0xc0, 0x00, 0x00, le);
}

/** A response APDU: data and status word. */
export interface ResponseApdu {
  readonly data: Uint8Array;
  readonly status: number;
}

/**
 * Reads a response APDU.
 * @throws RspError `es10/apdu`
 */
export function readResponse(apdu: Uint8Array): ResponseApdu {
  if (apdu.length < 2) throw new RspError('es10/apdu', 'no status word');
  return { data: apdu.subarray(0, -2), status: (apdu.at(-2)! << 8) | apdu.at(-1)! };
}

/** Writes a response APDU. */
export function writeResponse(status: number, data: Uint8Array = new Uint8Array(0)): Uint8Array {
  return Buffer.concat([data, Buffer.of(status >> 8, status & 0xff)]);
}

/** A status word as people write it. */
export function statusText(status: number): string {
  return toHex(Buffer.of(status >> 8, status & 0xff));
}
