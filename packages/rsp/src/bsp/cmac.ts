import { Buffer } from 'node:buffer';
import { createCipheriv, createSecretKey } from 'node:crypto';

const BLOCK = 16;
const zeroBlock = Buffer.alloc(BLOCK);

/** Computes AES-128-CMAC (RFC 4493) under one key. */
export interface Cmac {
  /** The whole 16 bytes over the parts joined. */
  over(...parts: readonly Uint8Array[]): Buffer;
}

/**
 * A CMAC under `key` (16 bytes). The MAC is the last block of an AES-CBC encryption of the message whose last block is xored with a
 * subkey, so OpenSSL does the work; one cipher serves every message, since its chaining is undone in the next first block.
 */
export function cmacUnder(key: Uint8Array): Cmac {
  // As a KeyObject: at bytes node:crypto throws and catches two errors inside, for more than the encryption costs.
  const cipher = createCipheriv('aes-128-cbc', createSecretKey(key), zeroBlock).setAutoPadding(false);
  let chained = cipher.update(zeroBlock);
  const whole = doubled(chained);
  const padded = doubled(whole);
  return {
    over(...parts) {
      let length = 0;
      for (const part of parts) length += part.length;
      const blocks = Math.max(1, Math.ceil(length / BLOCK));
      const message = Buffer.alloc(blocks * BLOCK);
      let offset = 0;
      for (const part of parts) {
        message.set(part, offset);
        offset += part.length;
      }
      if (length < message.length) message[length] = 0x80;
      xorInto(message, message.length - BLOCK, length === message.length ? whole : padded);
      xorInto(message, 0, chained);
      chained = cipher.update(message).subarray(-BLOCK);
      return chained;
    },
  };
}

/** Multiplication by x in GF(2^128), RFC 4493 section 2.3. */
function doubled(block: Uint8Array): Buffer {
  const out = Buffer.alloc(BLOCK);
  for (let i = 0; i < BLOCK; i++) out[i] = (block[i]! << 1) | ((block[i + 1] ?? 0) >> 7);
  if (block[0]! & 0x80) out[BLOCK - 1]! ^= 0x87;
  return out;
}

function xorInto(target: Uint8Array, at: number, mask: Uint8Array): void {
  for (let i = 0; i < BLOCK; i++) target[at + i]! ^= mask[i]!;
}
