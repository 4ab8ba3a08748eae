import { createHash } from 'node:crypto';
import { decode } from '../asn1/index.ts';
import { toHex } from '../bytes.ts';
import { RspError } from '../errors.ts';
import { curveByOid } from './curve.ts';
import type { CurveName } from './curve.ts';
import { rawFromDer } from './signature.ts';
import { extensionValues, oids, readName, signed, tbsCertificate } from './x509.ts';
import type { ExtensionValue, KeyUsage, Name } from './x509.ts';

/** A subtree of names that an EUM may issue for: every eUICC's subject must match one of them. */
export interface PermittedSubject {
  readonly organization?: string;
  /** First digits of the EIDs. */
  readonly eidPrefix?: string;
}

/** An X.509 certificate of SGP.22, read strictly. Byte fields are slices of `raw`. */
export interface Certificate {
  /** The whole certificate, DER. */
  readonly raw: Uint8Array;
  /** What the signature covers. */
  readonly tbs: Uint8Array;
  /** Raw r || s, 64 bytes. */
  readonly signature: Uint8Array;
  /** Upper-case hexadecimal of the INTEGER's bytes. */
  readonly serial: string;
  readonly issuer: Name;
  readonly subject: Name;
  readonly notBefore: Date;
  /** The last second of validity. */
  readonly notAfter: Date;
  readonly publicKey: {
    readonly curve: CurveName;
    /** Uncompressed point, 65 bytes; its place on the curve is checked when it is imported. */
    readonly point: Uint8Array;
  };
  readonly subjectKeyId?: Uint8Array;
  readonly authorityKeyId?: Uint8Array;
  readonly keyUsage?: readonly KeyUsage[];
  /** Dotted object identifiers. */
  readonly policies: readonly string[];
  readonly extendedKeyUsage: readonly string[];
  /** registeredID names of the subjectAltName: the OID of an SM-DP+, say. */
  readonly registeredIds: readonly string[];
  readonly dnsNames: readonly string[];
  readonly isCa: boolean;
  readonly pathLength?: number;
  /** Permitted subtrees of the name constraints; undefined without that extension. */
  readonly permitted?: readonly PermittedSubject[];
}

/** Largest certificate that is read, in bytes. */
export const MAX_CERTIFICATE_BYTES = 4096;

/**
 * Reads one DER certificate: X.509 v3, ecdsa-with-SHA256, a key on P-256 or brainpoolP256r1, each extension once and no critical one
 * that this package does not know.
 * @throws RspError `pki/certificate`, and `pki/curve` when the key is on another curve
 */
export function parseCertificate(bytes: Uint8Array): Certificate {
  try {
    return read(bytes);
  } catch (cause) {
    if (cause instanceof RspError && cause.code.startsWith('pki/')) throw cause;
    throw new RspError('pki/certificate', cause instanceof Error ? cause.message : undefined, { cause });
  }
}

const hashes = new WeakMap<Uint8Array, string>();

/** SHA-256 of the whole certificate, hexadecimal: the key of every cache. Remembered for as long as these very bytes are held. */
export function certificateHash(bytes: Uint8Array): string {
  let hash = hashes.get(bytes);
  if (hash === undefined) {
    hash = createHash('sha256').update(bytes).digest('hex');
    hashes.set(bytes, hash);
  }
  return hash;
}

/** The value of the subject's first attribute of this type, by dotted object identifier. */
export function subjectAttribute(certificate: Certificate, type: string): string | undefined {
  return certificate.subject.attributes.find((one) => one.type === type)?.value;
}

/**
 * The EID of an eUICC certificate: its subject's serialNumber, 32 digits.
 * @throws RspError `pki/certificate`
 */
export function eidOf(certificate: Certificate): string {
  const eid = subjectAttribute(certificate, oids.serialNumber);
  if (eid === undefined || !/^\d{32}$/.test(eid)) throw new RspError('pki/certificate', 'no EID in the subject');
  return eid;
}

function read(bytes: Uint8Array): Certificate {
  const outer = decode(signed, bytes, { maxBytes: MAX_CERTIFICATE_BYTES, maxDepth: 12, maxChildren: 64 });
  const tbs = decode(tbsCertificate, outer.tbs);
  if (tbs.version !== 2) throw new RspError('pki/certificate', 'not version 3');
  requireAlgorithm(outer.algorithm.id, tbs.algorithm.id);
  if (tbs.serial[0]! & 0x80) throw new RspError('pki/certificate', 'negative serial number');
  const extensions = readExtensions(tbs.extensions);
  return {
    raw: outer.raw,
    tbs: outer.tbs,
    signature: rawFromDer(outer.signature),
    serial: toHex(tbs.serial),
    issuer: readName(tbs.issuer),
    subject: readName(tbs.subject),
    notBefore: tbs.validity.notBefore,
    notAfter: tbs.validity.notAfter,
    publicKey: readPublicKey(tbs.publicKey),
    ...extensions,
  };
}

/** Both places name the algorithm; only ecdsa-with-SHA256 is known, without parameters (RFC 5758). */
export function requireAlgorithm(outer: string, inner: string): void {
  if (outer !== oids.ecdsaWithSha256 || inner !== outer) throw new RspError('pki/certificate', 'signature algorithm');
}

function readPublicKey(key: { readonly algorithm: { readonly algorithm: string; readonly curve: string }; readonly point: Uint8Array }): Certificate['publicKey'] {
  const curve = curveByOid(key.algorithm.curve);
  if (key.algorithm.algorithm !== oids.ecPublicKey || !curve) throw new RspError('pki/curve', key.algorithm.curve);
  if (key.point.length !== 65 || key.point[0] !== 4) throw new RspError('pki/certificate', 'not an uncompressed point');
  return { curve: curve.name, point: key.point };
}

interface RawExtension {
  readonly id: string;
  readonly critical?: boolean | undefined;
  readonly value: Uint8Array;
}

type Extensions = Pick<
  Certificate,
  'subjectKeyId' | 'authorityKeyId' | 'keyUsage' | 'policies' | 'extendedKeyUsage' | 'registeredIds' | 'dnsNames' | 'isCa' | 'pathLength' | 'permitted'
>;

const known = new Set<string>(Object.keys(extensionValues).map((key) => oids[key as keyof typeof extensionValues]));

function readExtensions(list: readonly RawExtension[]): Extensions {
  const byId = new Map<string, Uint8Array>();
  for (const { id, critical, value } of list) {
    if (byId.has(id)) throw new RspError('pki/certificate', `extension ${id} twice`);
    if (critical && !known.has(id)) throw new RspError('pki/certificate', `critical extension ${id}`);
    byId.set(id, value);
  }
  const valueOf = <K extends keyof typeof extensionValues>(key: K): ExtensionValue<K> | undefined => {
    const value = byId.get(oids[key]);
    return value === undefined ? undefined : decode(extensionValues[key] as never, value);
  };
  const alternative = valueOf('subjectAltName') ?? [];
  const constraints = valueOf('basicConstraints');
  const names = valueOf('nameConstraints');
  return {
    ...present('subjectKeyId', valueOf('subjectKeyId')),
    ...present('authorityKeyId', valueOf('authorityKeyId')?.keyId),
    ...present('keyUsage', valueOf('keyUsage')),
    policies: (valueOf('certificatePolicies') ?? []).map(({ id }) => id),
    extendedKeyUsage: valueOf('extendedKeyUsage') ?? [],
    registeredIds: alternative.flatMap((one) => (one.kind === 'registeredId' ? [one.value] : [])),
    dnsNames: alternative.flatMap((one) => (one.kind === 'dns' ? [one.value] : [])),
    isCa: constraints?.ca ?? false,
    ...present('pathLength', constraints?.pathLength),
    ...present('permitted', names?.permitted?.map(({ base }) => readPermitted(base))),
  };
}

function readPermitted(base: Uint8Array): PermittedSubject {
  const { attributes } = readName(base);
  const valueOf = (type: string): string | undefined => attributes.find((one) => one.type === type)?.value;
  return { ...present('organization', valueOf(oids.organization)), ...present('eidPrefix', valueOf(oids.serialNumber)) };
}

function present<K extends string, V>(key: K, value: V | undefined): { readonly [P in K]?: V } {
  return value === undefined ? {} : { [key]: value } as { [P in K]: V };
}
