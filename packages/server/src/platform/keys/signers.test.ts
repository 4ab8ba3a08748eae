import { createPublicKey, generateKeyPairSync, randomBytes, verify } from 'node:crypto';
import { mkdtemp, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fileFolder } from './folder.ts';
import { createSigners, type SignerRegister, type Signers } from './signers.ts';
import { memoryFolder } from './testing.ts';
import type { KeyFolder, SignatureAlgorithm, Signer } from './types.ts';

const masterKey = randomBytes(32);
const message = Buffer.from('a checkpoint');
let folder: string;
beforeAll(async () => { folder = join(await mkdtemp(join(tmpdir(), 'yuanyou-keys-')), 'keys'); });
afterAll(() => rm(join(folder, '..'), { recursive: true }));

const another = (over: KeyFolder = fileFolder(folder), master = masterKey): Signers =>
  createSigners({ folder: over, masterKeys: [master] });

function verifies(signer: Signer, signature: Uint8Array): boolean {
  const key = createPublicKey({ key: Buffer.from(signer.publicKeyDer), format: 'der', type: 'spki' });
  if (signer.algorithm === 'Ed25519') return verify(null, message, key, signature);
  return verify('sha256', message, { key, dsaEncoding: 'ieee-p1363' }, signature);
}

const curves: Record<SignatureAlgorithm, string | undefined> = {
  ES256: 'prime256v1', 'ES256-brainpool': 'brainpoolP256r1', Ed25519: undefined,
};
const names = Object.keys(curves) as SignatureAlgorithm[];

test.each(names)('%s: the key is made once, signs in 64 bytes, and comes back from its file', async (algorithm) => {
  const name = algorithm.toLowerCase();
  const signer = await another().signer(name, algorithm);
  const signature = signer.sign(message);
  expect(signature).toHaveLength(64);
  expect(verifies(signer, signature)).toBe(true);
  const again = await another().signer(name, algorithm);
  expect([again.keyId, again.publicKeyDer]).toEqual([signer.keyId, signer.publicKeyDer]);
  expect(verifies(signer, again.sign(message))).toBe(true);
  expect(signer.keyId).toMatch(new RegExp(`^${name}-[0-9a-f]{16}$`));
  const details = createPublicKey({ key: Buffer.from(signer.publicKeyDer), format: 'der', type: 'spki' }).asymmetricKeyDetails;
  expect(details?.namedCurve).toBe(curves[algorithm]);
});

test('files are for the owner only, hold no key in clear, and no drafts stay', async () => {
  const pkcs8 = generateKeyPairSync('ed25519').privateKey.export({ format: 'der', type: 'pkcs8' });
  await another().importSigner('clear', 'Ed25519', pkcs8);
  const path = join(folder, 'clear.key');
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect((await stat(folder)).mode & 0o777).toBe(0o700);
  const file = await readFile(path);
  const secret = pkcs8.subarray(-32);
  expect(file.includes(secret) || file.includes(secret.toString('base64').slice(4, 36))).toBe(false);
  expect((await readdir(folder)).filter((name) => !name.endsWith('.key'))).toEqual([]);
});

test('several processes that ask at once get one key', async () => {
  const signers = await Promise.all(Array.from({ length: 8 }, () => another().signer('race', 'ES256')));
  expect(new Set(signers.map((signer) => signer.keyId)).size).toBe(1);
  expect(verifies(signers[0]!, signers[7]!.sign(message))).toBe(true);
});

test('an import is repeatable, refuses another key under its name, and keys of another kind', async () => {
  const make = (): Buffer => generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey.export({ format: 'der', type: 'pkcs8' });
  const pkcs8 = make();
  const signer = await another().importSigner('imported', 'ES256', pkcs8);
  expect((await another().importSigner('imported', 'ES256', pkcs8)).keyId).toBe(signer.keyId);
  expect((await another().signer('imported', 'ES256')).keyId).toBe(signer.keyId);
  await expect(another().importSigner('imported', 'ES256', make())).rejects.toMatchObject({ code: 'keys/exists' });
  await expect(another().importSigner('odd', 'Ed25519', pkcs8)).rejects.toMatchObject({ code: 'keys/bad-key' });
  await expect(another().importSigner('odd', 'ES256', pkcs8.subarray(1))).rejects.toMatchObject({ code: 'keys/bad-key' });
});

test('a wrong master key, another algorithm, a damaged or foreign file and odd names are told apart', async () => {
  await another().signer('plain', 'ES256');
  const elsewhere = another(fileFolder(folder), randomBytes(32));
  await expect(elsewhere.signer('plain', 'ES256')).rejects.toMatchObject({ code: 'keys/wrong-master-key' });
  await expect(another().signer('plain', 'Ed25519')).rejects.toMatchObject({ code: 'keys/other-algorithm' });
  await expect(another().signer('../plain', 'ES256')).rejects.toMatchObject({ code: 'keys/bad-name' });
  await writeFile(join(folder, 'moved.key'), await readFile(join(folder, 'plain.key')));
  await expect(another().signer('moved', 'ES256')).rejects.toMatchObject({ code: 'keys/bad-key-file' });
  await writeFile(join(folder, 'torn.key'), '{"version":1');
  await expect(another().signer('torn', 'ES256')).rejects.toMatchObject({ code: 'keys/bad-key-file' });
});

test('a shared place of another kind serves as well', async () => {
  const shared = memoryFolder();
  const [one, two] = await Promise.all([another(shared).signer('log', 'Ed25519'), another(shared).signer('log', 'Ed25519')]);
  expect(one.keyId).toBe(two.keyId);
});

test('processes with folders of their own are found out, by what they registered', async () => {
  const digests = new Map<string, Buffer>();
  const register: SignerRegister = {
    find: (name) => Promise.resolve(digests.get(name)),
    add: (name, digest) => { if (!digests.has(name)) digests.set(name, digest); return Promise.resolve(); },
  };
  const registered = (over: KeyFolder): Signers => createSigners({ folder: over, masterKeys: [masterKey], register });
  const shared = memoryFolder();
  const signer = await registered(shared).signer('log', 'Ed25519');
  expect((await registered(shared).signer('log', 'Ed25519')).keyId).toBe(signer.keyId);
  await expect(registered(memoryFolder()).signer('log', 'Ed25519')).rejects.toMatchObject({ code: 'keys/missing-key-file', details: { name: 'log' } });
  const foreign = memoryFolder();
  await another(foreign).signer('log', 'Ed25519');
  await expect(registered(foreign).signer('log', 'Ed25519')).rejects.toMatchObject({ code: 'keys/other-signer' });
  const pkcs8 = generateKeyPairSync('ed25519').privateKey.export({ format: 'der', type: 'pkcs8' });
  await expect(registered(memoryFolder()).importSigner('log', 'Ed25519', pkcs8)).rejects.toMatchObject({ code: 'keys/other-signer' });
});

test('many that start at once in one folder agree', async () => {
  const digests = new Map<string, Buffer>();
  const pause = (): Promise<void> => new Promise((resolve) => { setTimeout(resolve, Math.random() * 5); });
  const register: SignerRegister = {
    async find(name) { await pause(); return digests.get(name); },
    async add(name, digest) { await pause(); if (!digests.has(name)) digests.set(name, digest); },
  };
  const at = join(folder, 'many');
  const signers = await Promise.all(Array.from({ length: 8 }, () =>
    createSigners({ folder: fileFolder(at), masterKeys: [masterKey], register }).signer('log', 'Ed25519')));
  expect(new Set(signers.map((signer) => signer.keyId)).size).toBe(1);
});

test('a destroyed file is overwritten before it goes, and destroying it again does nothing', async () => {
  const files = fileFolder(join(folder, 'destroyed'));
  const bytes = Buffer.from('what must not stay on the disk');
  await files.create('one', bytes);
  const held = await open(join(folder, 'destroyed', 'one.key'), 'r');
  await files.destroy('one');
  await files.destroy('one');
  const left = await held.readFile();
  await held.close();
  expect([left.length, left.includes(bytes.subarray(0, 8))]).toEqual([bytes.length, false]);
  expect([await files.read('one'), await readdir(join(folder, 'destroyed'))]).toEqual([undefined, []]);
});
