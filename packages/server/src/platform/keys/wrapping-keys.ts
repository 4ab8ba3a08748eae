import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { Clock } from '../clock/index.ts';
import { ServiceError } from '../errors.ts';
import { createKeyCache } from './cache.ts';
import { deriveKey, nameOfKey } from './derive.ts';
import { openBytes, sealBytes } from './sealing.ts';
import type { KeyFolder } from './types.ts';

export interface WrappingKeysDeps {
  readonly folder: KeyFolder;
  readonly clock: Clock;
  /** The one in force first, then previous ones. */
  readonly masterKeys: readonly [Buffer, ...Buffer[]];
}

/** A wrapping key by its name. Every version has a name of its own, so what a name stands for never changes. */
export interface WrappingKey {
  readonly keyId: string;
  readonly key: Buffer;
}

/** The keys that wrap data keys: random, each in a file sealed under the master key, so that it can be destroyed. */
export interface WrappingKeys {
  /** Names the master key that new files are sealed under. */
  readonly master: string;
  /** Names of all the master keys that files here may be sealed under. */
  readonly masters: readonly string[];
  /** A name that no key has. */
  newName(): string;
  /** Makes a key of that name; its file is durable when this resolves. */
  make(keyId: string): Promise<WrappingKey>;
  /**
   * The key, kept for a minute; undefined when there is no such file (any more).
   * @throws `keys/wrong-master-key`, `keys/bad-key-file`
   */
  find(keyId: string): Promise<Buffer | undefined>;
  /** Forgets the key, overwrites its file and removes it. Repeatable. */
  destroy(keyId: string): Promise<void>;
}

const cacheLifeMs = 60_000;
const cacheSize = 4_000;

const keyFile = z.object({ version: z.literal(1), masterKey: z.string().max(64), sealed: z.base64().max(200) });

export function createWrappingKeys({ folder, clock, masterKeys }: WrappingKeysDeps): WrappingKeys {
  const fileKeys = new Map(masterKeys.map((master) => [nameOfKey(master), deriveKey(master, 'wrapping-key-file')]));
  const master = nameOfKey(masterKeys[0]);
  const cache = createKeyCache(cacheLifeMs, cacheSize);
  const now = (): number => clock.now().getTime();
  return {
    master,
    masters: [...fileKeys.keys()],
    newName: () => `bucket-${randomBytes(16).toString('hex')}`,
    async make(keyId) {
      const key = randomBytes(32);
      const sealed = sealBytes(fileKeys.get(master)!, ['wrapping-key', keyId], key).toString('base64');
      const file: z.infer<typeof keyFile> = { version: 1, masterKey: master, sealed };
      if (!await folder.create(keyId, Buffer.from(`${JSON.stringify(file)}\n`))) throw new ServiceError('keys/exists', { name: keyId });
      return { keyId, key };
    },
    async find(keyId) {
      const kept = cache.get(keyId, now());
      if (kept !== undefined) return kept;
      const epoch = cache.epoch();
      const bytes = await folder.read(keyId);
      if (bytes === undefined) return undefined;
      const key = openFile(fileKeys, keyId, bytes);
      cache.keep(keyId, key, now(), epoch);
      return key;
    },
    async destroy(keyId) {
      cache.destroy(keyId);
      await folder.destroy(keyId);
    },
  };
}

function openFile(fileKeys: ReadonlyMap<string, Buffer>, name: string, bytes: Buffer): Buffer {
  const { masterKey, sealed } = parseFile(name, bytes);
  const fileKey = fileKeys.get(masterKey);
  if (fileKey === undefined) throw new ServiceError('keys/wrong-master-key', { name });
  try {
    return openBytes(fileKey, ['wrapping-key', name], Buffer.from(sealed, 'base64'));
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
