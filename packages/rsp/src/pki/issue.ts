import { createHash } from 'node:crypto';
import { encode, octets } from '../asn1/index.ts';
import { RspError } from '../errors.ts';
import { certificateRoles } from './chain.ts';
import type { CertificateRole } from './chain.ts';
import { curves } from './curve.ts';
import type { CurveName } from './curve.ts';
import type { SignMessage } from './keys.ts';
import { derFromRaw } from './signature.ts';
import { extensionValues, oids, signed, tbsCertificate, tbsCertList, writeName } from './x509.ts';
import type { KeyUsage, NameAttribute } from './x509.ts';

/** Who issues: the name and key that the new certificate points back to. */
export interface Issuer {
  readonly name: readonly NameAttribute[];
  /** Uncompressed point, 65 bytes. */
  readonly point: Uint8Array;
  readonly sign: SignMessage;
}

/** A certificate to be issued for one of SGP.22's roles. */
export interface IssueRequest {
  readonly role: CertificateRole;
  readonly subject: readonly NameAttribute[];
  readonly publicKey: { readonly curve: CurveName; readonly point: Uint8Array };
  /** 1 to 20 bytes; the first bit is cleared, since serial numbers are positive. */
  readonly serial: Uint8Array;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** The SM-DP+'s object identifier: DPauth, DPpb and DPtls. */
  readonly smdpOid?: string;
  /** DPtls: host names, and addresses as 4 or 16 bytes. */
  readonly hosts?: { readonly dns: readonly string[]; readonly ip?: readonly Uint8Array[] };
  /** EUM: organization and first digits of the EIDs that it may issue for. */
  readonly permitted?: readonly { readonly organization: string; readonly eidPrefix: string }[];
  /** Instead of the role's own policy: for certificates that must be refused. */
  readonly policies?: readonly string[];
}

/** RFC 5280 section 4.2.1.2, method 1: SHA-1 over the point. */
export function keyIdOf(point: Uint8Array): Uint8Array {
  return createHash('sha1').update(point).digest();
}

/**
 * Issues a certificate (DER). A CI is issued by itself: pass its own name and key as the issuer's.
 * @throws RspError `pki/issue` when the request does not fit the role
 */
export function issueCertificate(request: IssueRequest, issuer: Issuer): Uint8Array {
  requireFit(request);
  const tbs = encode(tbsCertificate, {
    version: 2,
    serial: positive(request.serial),
    algorithm: { id: oids.ecdsaWithSha256 },
    issuer: writeName(issuer.name),
    validity: { notBefore: request.notBefore, notAfter: request.notAfter },
    subject: writeName(request.subject),
    publicKey: {
      algorithm: { algorithm: oids.ecPublicKey, curve: curves[request.publicKey.curve].oid },
      point: request.publicKey.point,
    },
    extensions: extensionsOf(request, issuer),
  });
  return sealed(tbs, issuer.sign);
}

/** Issues a revocation list (DER) that names these serial numbers. */
export function issueCrl(
  list: { readonly thisUpdate: Date; readonly nextUpdate: Date; readonly revoked: readonly { readonly serial: Uint8Array; readonly at: Date }[]; readonly number: Uint8Array },
  issuer: Issuer,
): Uint8Array {
  const tbs = encode(tbsCertList, {
    version: 1,
    algorithm: { id: oids.ecdsaWithSha256 },
    issuer: writeName(issuer.name),
    thisUpdate: list.thisUpdate,
    nextUpdate: list.nextUpdate,
    revoked: list.revoked.length ? list.revoked.map(({ serial, at }) => ({ serial: positive(serial), at })) : undefined,
    extensions: [
      { id: oids.authorityKeyId, value: encode(extensionValues.authorityKeyId, { keyId: keyIdOf(issuer.point) }) },
      { id: oids.crlNumber, value: encode(octets(0x02), positive(list.number)) },
    ],
  });
  return sealed(tbs, issuer.sign);
}

function sealed(tbs: Uint8Array, sign: SignMessage): Uint8Array {
  return encode(signed, { tbs, algorithm: { id: oids.ecdsaWithSha256 }, signature: derFromRaw(sign(tbs)) });
}

interface ExtensionRequest {
  readonly id: string;
  readonly critical?: true;
  readonly value: Uint8Array;
}

function extensionsOf(request: IssueRequest, issuer: Issuer): ExtensionRequest[] {
  const rules = certificateRoles[request.role];
  const usage: KeyUsage[] = rules.isCa ? [rules.keyUsage, 'cRLSign'] : [rules.keyUsage];
  const list: ExtensionRequest[] = [
    { id: oids.authorityKeyId, value: encode(extensionValues.authorityKeyId, { keyId: keyIdOf(issuer.point) }) },
    { id: oids.subjectKeyId, value: encode(extensionValues.subjectKeyId, keyIdOf(request.publicKey.point)) },
    { id: oids.keyUsage, critical: true, value: encode(extensionValues.keyUsage, usage) },
    { id: oids.certificatePolicies, critical: true, value: encode(extensionValues.certificatePolicies, (request.policies ?? [rules.policy]).map((id) => ({ id }))) },
  ];
  if (rules.isCa) {
    const constraints = request.role === 'eum' ? { ca: true, pathLength: 0 } : { ca: true };
    list.push({ id: oids.basicConstraints, critical: true, value: encode(extensionValues.basicConstraints, constraints) });
  }
  if (rules.extendedKeyUsage) {
    list.push({ id: oids.extendedKeyUsage, critical: true, value: encode(extensionValues.extendedKeyUsage, [oids.serverAuth, oids.clientAuth]) });
  }
  const names = alternativeNames(request);
  if (names.length) list.push({ id: oids.subjectAltName, value: encode(extensionValues.subjectAltName, names) });
  if (request.permitted) list.push({ id: oids.nameConstraints, critical: true, value: nameConstraints(request.permitted) });
  return list;
}

type AlternativeName = { kind: 'registeredId'; value: string } | { kind: 'dns'; value: string } | { kind: 'ip'; value: Uint8Array };

function alternativeNames({ smdpOid, hosts }: IssueRequest): AlternativeName[] {
  return [
    ...(smdpOid === undefined ? [] : [{ kind: 'registeredId' as const, value: smdpOid }]),
    ...(hosts?.dns ?? []).map((value) => ({ kind: 'dns' as const, value })),
    ...(hosts?.ip ?? []).map((value) => ({ kind: 'ip' as const, value })),
  ];
}

function nameConstraints(permitted: NonNullable<IssueRequest['permitted']>): Uint8Array {
  return encode(extensionValues.nameConstraints, {
    permitted: permitted.map(({ organization, eidPrefix }) => ({
      base: writeName([{ type: oids.organization, value: organization }, { type: oids.serialNumber, value: eidPrefix }]),
    })),
  });
}

function requireFit(request: IssueRequest): void {
  const { hasOid } = certificateRoles[request.role];
  if (hasOid !== (request.smdpOid !== undefined)) throw new RspError('pki/issue', 'the SM-DP+ OID');
  if ((request.role === 'eum') !== (request.permitted !== undefined)) throw new RspError('pki/issue', 'permitted EIDs');
  if ((request.role === 'dpTls') !== (request.hosts !== undefined)) throw new RspError('pki/issue', 'host names');
  if (request.notAfter < request.notBefore) throw new RspError('pki/issue', 'validity');
}

function positive(serial: Uint8Array): Uint8Array {
  if (serial.length < 1 || serial.length > 20) throw new RspError('pki/issue', 'serial number');
  const bytes = Uint8Array.from(serial);
  bytes[0]! &= 0x7f;
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0 && !(bytes[start + 1]! & 0x80)) start += 1;
  return bytes.subarray(start);
}
