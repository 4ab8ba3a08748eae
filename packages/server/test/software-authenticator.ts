import { createHash, createSign, generateKeyPairSync, randomBytes } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { passkeyAssertion, passkeyCreated, passkeyCreation, passkeyRequest } from '@yuanyou/contract';
import type { z } from 'zod';

type Creation = z.output<typeof passkeyCreation>;
type Request = z.output<typeof passkeyRequest>;

/** What an authenticator may do otherwise than it should. */
export interface Lapse {
  readonly origin?: string;
  /** False: nobody touched or unlocked it. */
  readonly verified?: boolean;
  /** The counter stands still, as on a copy. */
  readonly frozen?: boolean;
}

/** A browser with an authenticator in software: ES256 keys, attestation `none`, a counter for each key. */
export interface SoftwareAuthenticator {
  create(creation: Creation, lapse?: Lapse): z.input<typeof passkeyCreated>;
  /** Signs with the first key that the request allows, or any key for its site. */
  sign(request: Request, lapse?: Lapse): z.input<typeof passkeyAssertion>;
}

interface HeldKey {
  readonly id: Buffer;
  readonly rpId: string;
  readonly userHandle: string;
  readonly privateKey: KeyObject;
  counter: number;
}

/** Definite-length CBOR (RFC 8949) of what attestation objects and COSE keys are made of. */
function cbor(value: number | string | Uint8Array | Map<number | string, unknown>): Buffer {
  const head = (major: number, length: number): Buffer => {
    if (length < 24) return Buffer.from([(major << 5) | length]);
    return length < 256 ? Buffer.from([(major << 5) | 24, length]) : Buffer.from([(major << 5) | 25, length >> 8, length & 255]);
  };
  if (typeof value === 'number') return value < 0 ? head(1, -1 - value) : head(0, value);
  if (typeof value === 'string') return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)]);
  if (value instanceof Uint8Array) return Buffer.concat([head(2, value.byteLength), value]);
  return Buffer.concat([head(5, value.size), ...[...value].flatMap(([key, one]) => [cbor(key), cbor(one as number)])]);
}

const digest = (bytes: string | Uint8Array) => createHash('sha256').update(bytes).digest();

export function softwareAuthenticator(origin: string): SoftwareAuthenticator {
  const keys: HeldKey[] = [];
  const clientData = (type: string, challenge: string, lapse: Lapse) => Buffer.from(JSON.stringify({ type, challenge, origin: lapse.origin ?? origin, crossOrigin: false }));
  const authenticatorData = (rpId: string, counter: number, lapse: Lapse, attested = Buffer.alloc(0)) => {
    const flags = 0x01 | (lapse.verified === false ? 0 : 0x04) | (attested.byteLength > 0 ? 0x40 : 0);
    const count = Buffer.alloc(4);
    count.writeUInt32BE(counter);
    return Buffer.concat([digest(rpId), Buffer.from([flags]), count, attested]);
  };
  return {
    create({ options }, lapse = {}) {
      const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const { x, y } = publicKey.export({ format: 'jwk' });
      const id = randomBytes(32);
      keys.push({ id, rpId: options.rp.id, userHandle: options.user.id, privateKey, counter: 1 });
      // kty EC2, alg ES256, crv P-256 (RFC 9053).
      const cose = cbor(new Map<number, unknown>([[1, 2], [3, -7], [-1, 1], [-2, Buffer.from(x!, 'base64url')], [-3, Buffer.from(y!, 'base64url')]]));
      const authData = authenticatorData(options.rp.id, 1, lapse, Buffer.concat([Buffer.alloc(16), Buffer.from([0, id.byteLength]), id, cose]));
      const named = id.toString('base64url');
      return {
        id: named, rawId: named, type: 'public-key', clientExtensionResults: {},
        response: {
          clientDataJSON: clientData('webauthn.create', options.challenge, lapse).toString('base64url'), transports: ['internal'],
          attestationObject: cbor(new Map<string, unknown>([['fmt', 'none'], ['attStmt', new Map()], ['authData', authData]])).toString('base64url'),
        },
      };
    },
    sign({ options }, lapse = {}) {
      const allowed = new Set(options.allowCredentials.map(({ id }) => id));
      const key = keys.find((one) => one.rpId === options.rpId && (allowed.size === 0 || allowed.has(one.id.toString('base64url'))));
      if (key === undefined) throw new Error('no passkey for this site');
      if (lapse.frozen !== true) key.counter += 1;
      const data = clientData('webauthn.get', options.challenge, lapse);
      const authData = authenticatorData(key.rpId, key.counter, lapse);
      const named = key.id.toString('base64url');
      return {
        id: named, rawId: named, type: 'public-key', clientExtensionResults: {},
        response: {
          clientDataJSON: data.toString('base64url'), authenticatorData: authData.toString('base64url'), userHandle: key.userHandle,
          signature: createSign('sha256').update(Buffer.concat([authData, digest(data)])).sign(key.privateKey).toString('base64url'),
        },
      };
    },
  };
}
