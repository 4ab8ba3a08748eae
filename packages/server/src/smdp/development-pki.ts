import { generateKeyPairSync, randomBytes, X509Certificate, type KeyObject } from 'node:crypto';
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  issueCertificate, oids, parseCertificate, type Issuer, type IssueRequest, type NameAttribute,
} from '@yuanyou/rsp';
import type { Signer } from '../platform/keys/types.ts';
import type { SmdpPki } from './deps.ts';
import { loadPki, pkiCurves, pkiFiles, signerName, type PkiCurve, type PkiSigners } from './pki.ts';

export interface DevelopmentPkiOptions {
  readonly folder: string;
  readonly signers: PkiSigners;
  /** Host names and addresses that phones call us by. */
  readonly hosts: readonly string[];
  readonly at: Date;
}

/** An arc under the example enterprise number of RFC 5612. */
const SMDP_OID = '1.3.6.1.4.1.32473.1.1';
/** What the development EUM may issue. */
export const developmentEum = { organization: 'Yuanyou Development EUM', eidPrefix: '89049032' } as const;

const yearMs = 365 * 86_400_000;
const validYears = 10;

const organization = 'Yuanyou Development';
const nameOf = (commonName: string, of: string = organization): readonly NameAttribute[] => [
  { type: oids.organization, value: of }, { type: oids.commonName, value: commonName },
];

/**
 * A PKI for development, made once in a folder: a CI, an EUM and our certificates on each curve. The CIs' and our own keys are in the key
 * store; the EUM's key lies in the folder (`eum-p256.key.pem`), so that virtual eUICCs can be made. A new host name gets a new TLS certificate.
 */
export async function developmentPki(options: DevelopmentPkiOptions): Promise<SmdpPki> {
  return alone(`${options.folder}.lock`, async () => {
    if (!await exists(join(options.folder, pkiFiles.ci('p256')))) await make(options);
    if (!await tlsFits(options)) await makeTls(options);
    return loadPki(options.folder, options.signers, options.at);
  });
}

/** Far longer than making a PKI takes: whoever holds the lock for so long was killed. */
const longestHoldMs = 20_000;

/** One process at a time: of two that start at once each would else put its key beside the other's certificate. */
async function alone<T>(lock: string, work: () => Promise<T>): Promise<T> {
  await mkdir(dirname(lock), { recursive: true, mode: 0o700 });
  while (!await taken(lock)) await sleep(20 + Math.random() * 20);
  try {
    return await work();
  } finally {
    await rm(lock, { force: true });
  }
}

async function taken(lock: string): Promise<boolean> {
  try {
    await writeFile(lock, holder(process.pid), { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    if (await isAbandoned(lock)) await rm(lock, { force: true });
    return false;
  }
}

const holder = (pid: number): string => `${hostname()} ${pid}`;

/** Its holder died: known at once of a process of this machine, after a while of one elsewhere. */
async function isAbandoned(lock: string): Promise<boolean> {
  const [text, held] = await Promise.all([readFile(lock, 'utf8'), stat(lock)]).catch(() => ['', undefined] as const);
  if (held === undefined) return false;
  const pid = Number(text.slice(text.lastIndexOf(' ') + 1));
  if (text === '' || text !== holder(pid)) return Date.now() - held.mtimeMs > longestHoldMs;
  try {
    process.kill(pid, 0);
    return Date.now() - held.mtimeMs > longestHoldMs;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

async function make(options: DevelopmentPkiOptions): Promise<void> {
  const draft = `${options.folder}.${randomBytes(6).toString('hex')}`;
  await mkdir(draft, { recursive: true, mode: 0o700 });
  for (const curve of Object.keys(pkiCurves) as PkiCurve[]) await makeChain(options, draft, curve);
  // Whole or not at all: a start that is broken off leaves no half of a PKI.
  await rm(options.folder, { recursive: true, force: true });
  await rename(draft, options.folder);
}

async function makeChain({ signers, at }: DevelopmentPkiOptions, folder: string, curve: PkiCurve): Promise<void> {
  const ci = await ciOf(signers, curve);
  const issue = async (file: string, request: Pick<IssueRequest, 'role' | 'subject' | 'smdpOid' | 'permitted'>, point: Uint8Array): Promise<void> => {
    const certificate = issueCertificate({ ...request, ...validity(at), serial: randomBytes(8), publicKey: { curve: pkiCurves[curve].curve, point } }, ci);
    await writeFile(join(folder, file), certificate);
  };
  await issue(pkiFiles.ci(curve), { role: 'ci', subject: ci.name }, ci.point);
  const auth = await signers.signer(signerName(`dpauth-${curve}`), pkiCurves[curve].algorithm);
  await issue(pkiFiles.auth(curve), { role: 'dpAuth', subject: nameOf('DPauth'), smdpOid: SMDP_OID }, pointOf(auth));
  const binding = await signers.signer(signerName(`dppb-${curve}`), pkiCurves[curve].algorithm);
  await issue(pkiFiles.binding(curve), { role: 'dpPb', subject: nameOf('DPpb'), smdpOid: SMDP_OID }, pointOf(binding));
  const eum = newKey(curve);
  await issue(`eum-${curve}.der`, { role: 'eum', subject: nameOf('EUM', developmentEum.organization), permitted: [developmentEum] }, eum.point);
  await writeKey(join(folder, `eum-${curve}.key.pem`), eum.key);
}

async function makeTls({ folder, signers, hosts, at }: DevelopmentPkiOptions): Promise<void> {
  const ci = await ciOf(signers, 'p256');
  const { key, point } = newKey('p256');
  const certificate = issueCertificate({
    role: 'dpTls', subject: nameOf('DPtls'), smdpOid: SMDP_OID, ...validity(at), serial: randomBytes(8), publicKey: { curve: 'P-256', point },
    hosts: { dns: hosts.filter((host) => !isIP(host)), ip: hosts.filter((host) => isIP(host)).map(addressBytes) },
  }, ci);
  await writeKey(join(folder, pkiFiles.tlsKey), key);
  await writeFile(join(folder, pkiFiles.tlsCertificate), new X509Certificate(certificate).toString());
}

async function tlsFits({ folder, hosts, at }: DevelopmentPkiOptions): Promise<boolean> {
  const pem = await readFile(join(folder, pkiFiles.tlsCertificate), 'utf8').catch(() => undefined);
  if (pem === undefined || !await exists(join(folder, pkiFiles.tlsKey))) return false;
  const certificate = new X509Certificate(pem);
  const named = hosts.every((host) => (isIP(host) ? certificate.checkIP(host) : certificate.checkHost(host)) !== undefined);
  return named && parseCertificate(certificate.raw).notAfter > at;
}

async function ciOf(signers: PkiSigners, curve: PkiCurve): Promise<Issuer> {
  const signer = await signers.signer(`development-ci-${curve}`, pkiCurves[curve].algorithm);
  return { name: nameOf(`Development CI ${curve}`), point: pointOf(signer), sign: (message) => signer.sign(message) };
}

function validity(at: Date): Pick<IssueRequest, 'notBefore' | 'notAfter'> {
  // A day back, for phones whose clocks are behind.
  return { notBefore: new Date(at.getTime() - 86_400_000), notAfter: new Date(at.getTime() + validYears * yearMs) };
}

/** The uncompressed point at the end of a SubjectPublicKeyInfo. */
function pointOf({ publicKeyDer }: Pick<Signer, 'publicKeyDer'>): Uint8Array {
  return publicKeyDer.subarray(-65);
}

function newKey(curve: PkiCurve): { readonly key: KeyObject; readonly point: Uint8Array } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: pkiCurves[curve].curve });
  return { key: privateKey, point: publicKey.export({ format: 'der', type: 'spki' }).subarray(-65) };
}

async function writeKey(path: string, key: KeyObject): Promise<void> {
  await writeFile(path, key.export({ format: 'pem', type: 'pkcs8' }), { mode: 0o600 });
}

function addressBytes(address: string): Uint8Array {
  if (isIP(address) === 4) return Uint8Array.from(address.split('.').map(Number));
  const [head = '', tail] = address.split('::');
  const groups = (part: string): number[] => part.split(':').filter(Boolean).map((group) => Number.parseInt(group, 16));
  const [first, last] = [groups(head), groups(tail ?? '')];
  const all = [...first, ...Array.from({ length: 8 - first.length - last.length }, () => 0), ...last];
  return Uint8Array.from(all.flatMap((group) => [group >> 8, group & 0xff]));
}

async function exists(path: string): Promise<boolean> {
  return readFile(path).then(() => true, () => false);
}
