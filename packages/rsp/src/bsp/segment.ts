import { Buffer } from 'node:buffer';
import { createCipheriv, createDecipheriv, createSecretKey, timingSafeEqual } from 'node:crypto';
import { RspError } from '../errors.ts';
import { encodeLength, encodeTlv, readTlv, tagName } from '../tlv/index.ts';
import { cmacUnder, type Cmac } from './cmac.ts';
import type { SessionKeys } from './keys.ts';

const BLOCK = 16;
const MAC_BYTES = 8;

/** Most bytes of plaintext in one segment, so that it fits 1020 bytes on the wire after padding, MAC and head. */
export const MAX_SEGMENT_PLAINTEXT = 1007;

/** Most bytes of one segment on the wire. */
export const MAX_SEGMENT_BYTES = 1020;

/** How the segments of each tag are protected. */
const protection: Readonly<Record<number, 'encrypted' | 'mac-only'>> = { 0x86: 'encrypted', 0x87: 'encrypted', 0x88: 'mac-only' };

/** Where a secure channel stands. Plain bytes, so that an eUICC may keep it between commands; secret. */
export interface BspState {
  readonly encryptionKey: Uint8Array;
  readonly macKey: Uint8Array;
  /** 16 bytes: the MAC of the segment before. */
  readonly macChainingValue: Uint8Array;
  /** Number of the next segment, from 1. Segments that are only MACed count too. */
  readonly counter: number;
}

/** A secure channel before its first segment. */
export function startBsp(keys: SessionKeys): BspState {
  return { encryptionKey: keys.encryptionKey, macKey: keys.macKey, macChainingValue: keys.initialMacChainingValue, counter: 1 };
}

/**
 * Protects plaintexts as segments (SCP03t), one after another.
 * @param tag `0x86` or `0x87` (encrypted and MACed), `0x88` (MACed)
 * @returns whole segments with their heads, and the state after the last
 * @throws RspError `bsp/segment` for another tag or a plaintext of more than 1007 bytes
 */
export function protectSegments(
  state: BspState, tag: number, plaintexts: readonly Uint8Array[],
): { readonly segments: readonly Uint8Array[]; readonly state: BspState } {
  const cmac = cmacUnder(state.macKey);
  const encrypt = modeOf(tag) === 'encrypted' ? encryptorUnder(state.encryptionKey) : undefined;
  const segments: Uint8Array[] = [];
  let { macChainingValue, counter } = state;
  for (const plaintext of plaintexts) {
    if (plaintext.length > MAX_SEGMENT_PLAINTEXT) throw new RspError('bsp/segment', 'plaintext too long');
    const body = encrypt ? encrypt(counter, plaintext) : plaintext;
    const mac = macOf(cmac, macChainingValue, tag, body);
    segments.push(encodeTlv(tag, body, mac.subarray(0, MAC_BYTES)));
    macChainingValue = mac;
    counter += 1;
  }
  return { segments, state: { ...state, macChainingValue, counter } };
}

/**
 * Verifies one segment and decrypts it where its tag says so.
 * @throws RspError `bsp/segment` (not a segment), `bsp/mac`, `bsp/padding`, `tlv/*`; the state then stays as it was
 */
export function unprotectSegment(state: BspState, segment: Uint8Array): { readonly plaintext: Uint8Array; readonly state: BspState } {
  if (segment.length > MAX_SEGMENT_BYTES) throw new RspError('bsp/segment', 'too long');
  const { tag, value } = readTlv(segment);
  const mode = modeOf(tag);
  if (value.length < MAC_BYTES) throw new RspError('bsp/segment', 'too short');
  const body = value.subarray(0, -MAC_BYTES);
  const mac = macOf(cmacUnder(state.macKey), state.macChainingValue, tag, body);
  if (!timingSafeEqual(mac.subarray(0, MAC_BYTES), value.subarray(-MAC_BYTES))) throw new RspError('bsp/mac');
  const plaintext = mode === 'encrypted' ? decrypt(state.encryptionKey, icvOf(state.encryptionKey, state.counter), body) : body;
  return { plaintext, state: { ...state, macChainingValue: mac, counter: state.counter + 1 } };
}

function modeOf(tag: number): 'encrypted' | 'mac-only' {
  const mode = protection[tag];
  if (!mode) throw new RspError('bsp/segment', tagName(tag));
  return mode;
}

/** The MAC covers the length that the segment will have, its own 8 bytes included. */
function macOf(cmac: Cmac, macChainingValue: Uint8Array, tag: number, body: Uint8Array): Buffer {
  return cmac.over(macChainingValue, Uint8Array.of(tag), encodeLength(body.length + MAC_BYTES), body);
}

/** Initial chaining vector: the counter as one block, encrypted. */
function icvOf(key: Uint8Array, counter: number): Buffer {
  return createCipheriv('aes-128-ecb', key, null).setAutoPadding(false).update(counterBlock(counter));
}

function counterBlock(counter: number): Buffer {
  const block = Buffer.alloc(BLOCK);
  block.writeUInt32BE(counter, BLOCK - 4);
  return block;
}

/**
 * Encrypts plaintexts under one cipher for all: the counter goes in first, freed from what the cipher chains, so that its encryption, the
 * initial chaining vector, is what the plaintext's first block is chained to.
 */
function encryptorUnder(key: Uint8Array): (counter: number, plaintext: Uint8Array) => Buffer {
  const cipher = createCipheriv('aes-128-cbc', createSecretKey(key), Buffer.alloc(BLOCK)).setAutoPadding(false);
  let chained: Uint8Array = Buffer.alloc(BLOCK);
  return (counter, plaintext) => {
    const input = Buffer.alloc((Math.floor(plaintext.length / BLOCK) + 2) * BLOCK);
    input.writeUInt32BE(counter, BLOCK - 4);
    for (let i = 0; i < BLOCK; i++) input[i]! ^= chained[i]!;
    input.set(plaintext, BLOCK);
    input[BLOCK + plaintext.length] = 0x80;
    const output = cipher.update(input);
    chained = output.subarray(-BLOCK);
    return output.subarray(BLOCK);
  };
}

function decrypt(key: Uint8Array, icv: Uint8Array, body: Uint8Array): Uint8Array {
  if (body.length === 0 || body.length % BLOCK !== 0) throw new RspError('bsp/segment', 'not whole blocks');
  const padded = createDecipheriv('aes-128-cbc', key, icv).setAutoPadding(false).update(body);
  const end = padded.lastIndexOf(0x80);
  if (end < padded.length - BLOCK || padded.subarray(end + 1).some((byte) => byte !== 0)) throw new RspError('bsp/padding');
  return padded.subarray(0, end);
}
