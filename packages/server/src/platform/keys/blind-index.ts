import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import { deriveKey } from './derive.ts';
import type { BlindIndex } from './types.ts';

/** Purposes are constants of the code; more of them than this would be a value used as one. */
const mostPurposes = 200;

export function createBlindIndex(secret: Buffer): BlindIndex {
  const keys = new Map<string, KeyObject>();
  return {
    of(purpose, value) {
      let key = keys.get(purpose);
      if (key === undefined) {
        if (keys.size >= mostPurposes) throw new Error('a blind index is made per purpose, not per value');
        key = createSecretKey(deriveKey(secret, `blind-index:${purpose}`));
        keys.set(purpose, key);
      }
      return createHmac('sha256', key).update(value, 'utf8').digest();
    },
  };
}
