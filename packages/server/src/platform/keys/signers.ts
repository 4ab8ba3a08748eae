import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { z } from 'zod';
import { ServiceError } from '../errors.ts';
import { deriveKey, nameOfKey } from './derive.ts';
import { openBytes, sealBytes } from './sealing.ts';
import type { KeyFolder, SignatureAlgorithm, Signer } from './types.ts';

export interface SignersDeps {
  readonly folder: KeyFolder;
  /** The one in force first, then previous ones. */
  readonly masterKeys: readonly [Buffer, ...Buffer[]];
  /** Where all processes agree on which key a name means; without it a folder of one's own goes unnoticed. */
  readonly register?: SignerRegister;
}

/** Digests (SHA-256) of public keys by name. */
export interface SignerRegister {
  find(name: string): Promise<Buffer | undefined>;
  /** The first that was added under a name counts. */
  add(name: string, digest: Buffer): Promise<void>;
}

export interface Signers {
  /**
   * The key of that name, made at first use by whichever process comes first.
   * @throws `keys/other-algorithm`, `keys/wrong-master-key`, `keys/bad-key-file`; `keys/missing-key-file` and `keys/other-signer` where the
   * other processes use another key under that name
   */
  signer(name: string, algorithm: SignatureAlgorithm): Promise<Signer>;
  /**
   * Takes in a private key made elsewhere (PKCS #8, DER); repeatable.
   * @throws `keys/exists` when that name has another key, `keys/bad-key`, `keys/other-signer`
   */
  importSigner(name: string, algorithm: SignatureAlgorithm, pkcs8: Uint8Array): Promise<Signer>;
}

/** All that differs between the algorithms. */
const algorithms: Readonly<Record<SignatureAlgorithm, {
  readonly generate: () => KeyObject;
  readonly fits: (key: KeyObject) => boolean;
  readonly sign: (key: KeyObject, message: Uint8Array) => Uint8Array;
}>> = {
  ES256: {
    generate: () => generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey,
    fits: (key) => key.asymmetricKeyDetails?.namedCurve === 'prime256v1',
    sign: signEcdsa,
  },
  'ES256-brainpool': {
    generate: () => generateKeyPairSync('ec', { namedCurve: 'brainpoolP256r1' }).privateKey,
    fits: (key) => key.asymmetricKeyDetails?.namedCurve === 'brainpoolP256r1',
    sign: signEcdsa,
  },
  Ed25519: {
    generate: () => generateKeyPairSync('ed25519').privateKey,
    fits: (key) => key.asymmetricKeyType === 'ed25519',
    sign: (key, message) => sign(null, message, key),
  },
};

// In DER, with the key alone: asking for raw signatures takes an options object, at which node:crypto throws and catches an error inside, for
// half the price of a signature.
function signEcdsa(key: KeyObject, message: Uint8Array): Uint8Array {
  return rawFromDer(sign('sha256', message, key));
}

/** r || s, 32 bytes each, out of an ECDSA-Sig-Value. */
function rawFromDer(der: Uint8Array): Uint8Array {
  const raw = new Uint8Array(64);
  const s = placeScalar(der, 2, raw, 32);
  placeScalar(der, s, raw, 64);
  return raw;
}

/** Copies an INTEGER right-aligned before `end`; answers where the next begins. */
function placeScalar(der: Uint8Array, at: number, raw: Uint8Array, end: number): number {
  const next = at + 2 + der[at + 1]!;
  const digits = der.subarray(Math.max(at + 2, next - 32), next);
  raw.set(digits, end - digits.length);
  return next;
}

const keyFile = z.object({
  version: z.literal(1),
  algorithm: z.enum(['ES256', 'Ed25519', 'ES256-brainpool']),
  masterKey: z.string().max(64),
  sealed: z.base64().max(4096),
});

export function createSigners(deps: SignersDeps): Signers {
  const loaded = new Map<string, Promise<Signer>>();
  const once = (name: string, load: () => Promise<Signer>): Promise<Signer> => {
    const known = loaded.get(name);
    if (known !== undefined) return known;
    const loading = load();
    loaded.set(name, loading);
    loading.catch(() => loaded.delete(name));
    return loading;
  };
  return {
    async signer(name, algorithm) {
      const signer = await once(name, async () => agreed(deps, name, await loadOrMake(deps, name, algorithm)));
      if (signer.algorithm !== algorithm) throw new ServiceError('keys/other-algorithm', { name, algorithm: signer.algorithm });
      return signer;
    },
    async importSigner(name, algorithm, pkcs8) {
      const key = parseKey(algorithm, pkcs8);
      const signer = await once(name, async () => agreed(deps, name, (await load(deps, name)) ?? (await store(deps, name, algorithm, key))));
      const same = Buffer.from(signer.publicKeyDer).equals(publicDer(key));
      if (!same) throw new ServiceError('keys/exists', { name });
      return signer;
    },
  };
}

async function loadOrMake(deps: SignersDeps, name: string, algorithm: SignatureAlgorithm): Promise<Signer> {
  const there = await load(deps, name);
  if (there !== undefined) return there;
  if (await deps.register?.find(name) === undefined) return store(deps, name, algorithm, algorithms[algorithm].generate());
  // A key is stored before it is registered: one that is known and not here lies in a folder that is not ours.
  const late = await load(deps, name);
  if (late === undefined) throw new ServiceError('keys/missing-key-file', { name });
  return late;
}

/** The signer, when it is the one that counts under its name for all processes. */
async function agreed(deps: SignersDeps, name: string, signer: Signer): Promise<Signer> {
  if (deps.register === undefined) return signer;
  const digest = createHash('sha256').update(signer.publicKeyDer).digest();
  let counts = await deps.register.find(name);
  if (counts === undefined) {
    await deps.register.add(name, digest);
    counts = await deps.register.find(name);
  }
  if (counts?.equals(digest) !== true) throw new ServiceError('keys/other-signer', { name });
  return signer;
}

/** Stores the key under that name; when another process was first, its key counts. */
async function store(deps: SignersDeps, name: string, algorithm: SignatureAlgorithm, key: KeyObject): Promise<Signer> {
  const [master] = deps.masterKeys;
  const pkcs8 = key.export({ format: 'der', type: 'pkcs8' });
  const sealed = sealBytes(deriveKey(master, 'signing-key-file'), [name, algorithm], pkcs8);
  pkcs8.fill(0);
  const file: z.infer<typeof keyFile> = { version: 1, algorithm, masterKey: nameOfKey(master), sealed: sealed.toString('base64') };
  await deps.folder.create(name, Buffer.from(`${JSON.stringify(file, undefined, 2)}\n`));
  const signer = await load(deps, name);
  if (signer === undefined) throw new ServiceError('keys/unreadable', { name });
  return signer;
}

async function load(deps: SignersDeps, name: string): Promise<Signer | undefined> {
  const bytes = await deps.folder.read(name);
  if (bytes === undefined) return undefined;
  const { algorithm, masterKey, sealed } = parseFile(name, bytes);
  const master = deps.masterKeys.find((candidate) => nameOfKey(candidate) === masterKey);
  if (master === undefined) throw new ServiceError('keys/wrong-master-key', { name });
  const pkcs8 = openFile(master, name, algorithm, sealed);
  const key = parseKey(algorithm, pkcs8);
  pkcs8.fill(0);
  return toSigner(name, algorithm, key);
}

function openFile(master: Buffer, name: string, algorithm: SignatureAlgorithm, sealed: string): Buffer {
  try {
    return openBytes(deriveKey(master, 'signing-key-file'), [name, algorithm], Buffer.from(sealed, 'base64'));
  } catch (cause) {
    throw new ServiceError('keys/bad-key-file', { name }, { cause });
  }
}

function parseFile(name: string, bytes: Buffer): z.infer<typeof keyFile> {
  try {
    return keyFile.parse(JSON.parse(bytes.toString('utf8')));
  } catch (cause) {
    throw new ServiceError('keys/bad-key-file', { name }, { cause });
  }
}

function parseKey(algorithm: SignatureAlgorithm, pkcs8: Uint8Array): KeyObject {
  let key: KeyObject;
  try {
    key = createPrivateKey({ key: Buffer.from(pkcs8), format: 'der', type: 'pkcs8' });
  } catch {
    // The cause may quote the key.
    throw new ServiceError('keys/bad-key', { algorithm });
  }
  if (!algorithms[algorithm].fits(key)) throw new ServiceError('keys/bad-key', { algorithm });
  return key;
}

function toSigner(name: string, algorithm: SignatureAlgorithm, key: KeyObject): Signer {
  const publicKeyDer = publicDer(key);
  const digest = createHash('sha256').update(publicKeyDer).digest('hex');
  return { keyId: `${name}-${digest.slice(0, 16)}`, algorithm, publicKeyDer, sign: (message) => algorithms[algorithm].sign(key, message) };
}

function publicDer(key: KeyObject): Buffer {
  return createPublicKey(key).export({ format: 'der', type: 'spki' });
}
