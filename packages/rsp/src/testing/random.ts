import { createHash } from 'node:crypto';

/** Gives the asked number of bytes; each call gives new ones. */
export type RandomBytes = (bytes: number) => Uint8Array;

/** Repeatable bytes out of a seed (SHA-256 over a counter): for vectors and tests, never for real keys. */
export function seededRandom(seed: string): RandomBytes {
  let counter = 0;
  return (bytes) => {
    const blocks: Buffer[] = [];
    for (let length = 0; length < bytes; length += 32) {
      blocks.push(createHash('sha256').update(`${seed}:${counter}`).digest());
      counter += 1;
    }
    return Buffer.concat(blocks).subarray(0, bytes);
  };
}
