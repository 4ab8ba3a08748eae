import { createCipheriv, createDecipheriv, createSecretKey, randomBytes } from 'node:crypto';
import { ServiceError } from '../errors.ts';

/** version (1) | nonce (12) | ciphertext | tag (16). */
const version = 1;
const nonceLength = 12;
const tagLength = 16;
const overhead = 1 + nonceLength + tagLength;
/** Beyond this a value belongs into several blobs. */
const longestPlain = 64 * 1024 * 1024;

// Keys go in as KeyObjects: at bytes node:crypto throws and catches two errors inside, for more than the encryption costs.

/** AES-256-GCM; `bound` is authenticated with it but not contained. */
export function sealBytes(key: Buffer, bound: readonly string[], plain: Uint8Array): Buffer {
  if (plain.length > longestPlain) throw new ServiceError('keys/too-large', { bytes: plain.length });
  const nonce = randomBytes(nonceLength);
  const cipher = createCipheriv('aes-256-gcm', createSecretKey(key), nonce, { authTagLength: tagLength });
  cipher.setAAD(associate(bound));
  const first = cipher.update(plain);
  return Buffer.concat([Uint8Array.of(version), nonce, first, cipher.final(), cipher.getAuthTag()]);
}

/** @throws `keys/unopenable` when key, bound values, version or bytes do not fit */
export function openBytes(key: Buffer, bound: readonly string[], sealed: Uint8Array): Buffer {
  if (sealed.length < overhead || sealed[0] !== version) throw new ServiceError('keys/unopenable');
  const tagAt = sealed.length - tagLength;
  const decipher = createDecipheriv('aes-256-gcm', createSecretKey(key), sealed.subarray(1, 1 + nonceLength), { authTagLength: tagLength });
  decipher.setAAD(associate(bound));
  decipher.setAuthTag(sealed.subarray(tagAt));
  const first = decipher.update(sealed.subarray(1 + nonceLength, tagAt));
  try {
    return Buffer.concat([first, decipher.final()]);
  } catch (cause) {
    throw new ServiceError('keys/unopenable', {}, { cause });
  }
}

/** Each part with its length before it, so that no two lists look the same. */
function associate(parts: readonly string[]): Buffer {
  return Buffer.concat(parts.flatMap((part) => {
    const bytes = Buffer.from(part, 'utf8');
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    return [length, bytes];
  }));
}
