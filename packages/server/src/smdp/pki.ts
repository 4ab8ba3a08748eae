import { createPrivateKey } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  acceptCrl, createPkiCache, parseCertificate, parseCrl, RspError, verifyChain,
  type Certificate, type Crl, type CurveName, type SigningCertificate, type SmdpChain,
} from '@yuanyou/rsp';
import { ServiceError } from '../platform/errors.ts';
import type { Signer } from '../platform/keys/types.ts';
import type { SmdpPki } from './deps.ts';

/** Where the keys of CERT.DPauth and CERT.DPpb live. */
export interface PkiSigners {
  signer(name: string, algorithm: Signer['algorithm']): Promise<Signer>;
  importSigner(name: string, algorithm: Signer['algorithm'], pkcs8: Uint8Array): Promise<Signer>;
}

/** What differs from curve to curve in the folder of a PKI. */
export const pkiCurves = {
  p256: { curve: 'P-256', algorithm: 'ES256' },
  bp256: { curve: 'brainpoolP256r1', algorithm: 'ES256-brainpool' },
} as const satisfies Readonly<Record<string, { readonly curve: CurveName; readonly algorithm: Signer['algorithm'] }>>;

export type PkiCurve = keyof typeof pkiCurves;

/** Names of files and keys. Certificates and lists are DER, keys PKCS #8 in PEM. */
export const pkiFiles = {
  ci: (curve: PkiCurve) => `ci-${curve}.der`,
  auth: (curve: PkiCurve) => `dpauth-${curve}.der`,
  binding: (curve: PkiCurve) => `dppb-${curve}.der`,
  tlsCertificate: 'tls.pem',
  tlsKey: 'tls.key.pem',
} as const;

/**
 * Reads a PKI: `ci-*.der` are the CIs trusted, `dpauth-p256.der`, `dppb-p256.der` (and `-bp256`) our certificates, `tls.pem` with
 * `tls.key.pem` the listener's, `*.crl` revocation lists. A `dpauth-p256.key.pem` beside a certificate is taken into the key store; without
 * one the key is there already.
 * @throws `smdp/pki` naming the file that does not fit
 */
export async function loadPki(folder: string, signers: PkiSigners, at: Date): Promise<SmdpPki> {
  const names = await readdir(folder).catch((cause: unknown) => { throw new ServiceError('smdp/pki', { folder }, { cause }); });
  const anchors = await all(folder, names.filter((name) => /^ci-.+\.der$/.test(name)), parseCertificate);
  if (anchors.length === 0) throw new ServiceError('smdp/pki', { folder, missing: pkiFiles.ci('p256') });
  const chains: SmdpChain[] = [];
  let smdpOid: string | undefined;
  for (const curve of Object.keys(pkiCurves) as PkiCurve[]) {
    if (!names.includes(pkiFiles.auth(curve))) continue;
    const auth = await ours(folder, names, `dpauth-${curve}`, 'dpAuth', curve, { signers, anchors, at });
    const binding = await ours(folder, names, `dppb-${curve}`, 'dpPb', curve, { signers, anchors, at });
    smdpOid ??= auth.oid;
    if (auth.oid !== smdpOid || binding.oid !== smdpOid) throw new ServiceError('smdp/pki', { file: pkiFiles.binding(curve), fault: 'another OID' });
    chains.push({ ciKeyId: auth.ciKeyId, curve: pkiCurves[curve].curve, auth: auth.signing, binding: binding.signing });
  }
  if (smdpOid === undefined) throw new ServiceError('smdp/pki', { folder, missing: pkiFiles.auth('p256') });
  return {
    identity: { smdpOid, chains, hostId: Buffer.from('yuanyou-smdp') },
    anchors,
    crls: await crlsOf(folder, names, anchors),
    tls: { certificate: await text(folder, pkiFiles.tlsCertificate), key: await text(folder, pkiFiles.tlsKey) },
  };
}

interface Ours {
  readonly signing: SigningCertificate;
  readonly ciKeyId: Uint8Array;
  readonly oid: string;
}

/** A certificate of ours, when it stands below a trusted CI and its key is at hand. */
async function ours(
  folder: string, names: readonly string[], name: string, role: 'dpAuth' | 'dpPb', curve: PkiCurve,
  { signers, anchors, at }: { readonly signers: PkiSigners; readonly anchors: readonly Certificate[]; readonly at: Date },
): Promise<Ours> {
  const file = `${name}.der`;
  const [certificate] = await all(folder, [file], parseCertificate);
  const verdict = verifyChain([{ role, certificate: certificate! }], { anchors, at, cache: createPkiCache(8) });
  if (!verdict.ok) throw new ServiceError('smdp/pki', { file, fault: verdict.fault });
  const signer = await signerFor(folder, names, name, curve, signers);
  if (!Buffer.from(signer.publicKeyDer).subarray(-65).equals(certificate!.publicKey.point)) {
    throw new ServiceError('smdp/pki', { file, fault: 'its key is another' });
  }
  return {
    signing: { certificate: certificate!.raw, sign: (message) => signer.sign(message) },
    ciKeyId: verdict.ci.subjectKeyId!,
    oid: certificate!.registeredIds[0]!,
  };
}

/** The name under which the key store keeps the key of one of our certificates. */
export function signerName(name: string): string {
  return `smdp-${name}`;
}

async function signerFor(folder: string, names: readonly string[], name: string, curve: PkiCurve, signers: PkiSigners): Promise<Signer> {
  const { algorithm } = pkiCurves[curve];
  const file = `${name}.key.pem`;
  if (!names.includes(file)) return signers.signer(signerName(name), algorithm);
  const pkcs8 = createPrivateKey(await text(folder, file)).export({ format: 'der', type: 'pkcs8' });
  return signers.importSigner(signerName(name), algorithm, pkcs8);
}

async function crlsOf(folder: string, names: readonly string[], anchors: readonly Certificate[]): Promise<Crl[]> {
  const cache = createPkiCache(8);
  const lists = await all(folder, names.filter((name) => name.endsWith('.crl')), parseCrl);
  return lists.map((crl) => {
    const issuer = anchors.find(({ subject }) => Buffer.from(subject.raw).equals(crl.issuer.raw));
    if (!issuer) throw new ServiceError('smdp/pki', { folder, fault: 'a revocation list of an unknown CI' });
    return acceptCrl(crl, issuer, cache);
  });
}

async function all<T>(folder: string, names: readonly string[], parse: (bytes: Uint8Array) => T): Promise<T[]> {
  return Promise.all(names.toSorted().map(async (file) => {
    try {
      return parse(await readFile(join(folder, file)));
    } catch (cause) {
      throw new ServiceError('smdp/pki', { file, fault: cause instanceof RspError ? cause.code : 'cannot be read' }, { cause });
    }
  }));
}

async function text(folder: string, file: string): Promise<string> {
  return readFile(join(folder, file), 'utf8').catch((cause: unknown) => { throw new ServiceError('smdp/pki', { file, fault: 'cannot be read' }, { cause }); });
}
