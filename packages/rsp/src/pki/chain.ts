import { equalBytes } from '../bytes.ts';
import { RspError } from '../errors.ts';
import { isSignedBy, publicKeyOf } from './cache.ts';
import type { PkiCache } from './cache.ts';
import { eidOf, subjectAttribute } from './certificate.ts';
import type { Certificate } from './certificate.ts';
import { isRevoked } from './crl.ts';
import type { Crl } from './crl.ts';
import { verifyRaw } from './keys.ts';
import { oids } from './x509.ts';
import type { KeyUsage } from './x509.ts';

/** What a certificate may be used for; each has a policy of its own (id-rspRole, 2.23.146.1.2.1). */
export type CertificateRole = 'ci' | 'eum' | 'euicc' | 'dpTls' | 'dpAuth' | 'dpPb';

interface RoleRules {
  readonly policy: string;
  readonly keyUsage: KeyUsage;
  readonly isCa: boolean;
  readonly extendedKeyUsage?: string;
  /** Must carry the SM-DP+'s OID as a registeredID. */
  readonly hasOid: boolean;
}

/** What each role's certificates must look like. */
export const certificateRoles: Readonly<Record<CertificateRole, RoleRules>> = {
  ci: { policy: '2.23.146.1.2.1.0', keyUsage: 'keyCertSign', isCa: true, hasOid: false },
  euicc: { policy: '2.23.146.1.2.1.1', keyUsage: 'digitalSignature', isCa: false, hasOid: false },
  eum: { policy: '2.23.146.1.2.1.2', keyUsage: 'keyCertSign', isCa: true, hasOid: false },
  dpTls: { policy: '2.23.146.1.2.1.3', keyUsage: 'digitalSignature', isCa: false, extendedKeyUsage: oids.serverAuth, hasOid: true },
  dpAuth: { policy: '2.23.146.1.2.1.4', keyUsage: 'digitalSignature', isCa: false, hasOid: true },
  dpPb: { policy: '2.23.146.1.2.1.5', keyUsage: 'digitalSignature', isCa: false, hasOid: true },
};

/**
 * Why a chain is refused: no trusted CI issued it; a certificate is past its end or before its beginning; its signature is wrong; it is on
 * a revocation list; its policy, its key usage, its place in the path (CA or not, path length) or its subject do not fit.
 */
export type ChainFault =
  | 'unknown-ci' | 'expired' | 'not-yet-valid' | 'signature' | 'revoked' | 'policy' | 'key-usage' | 'path' | 'subject';

/** What a chain is judged by. */
export interface ChainTrust {
  /** Root CI certificates, trusted as they are. */
  readonly anchors: readonly Certificate[];
  /** Lists that {@link acceptCrl} took. */
  readonly crls?: readonly Crl[];
  /** The instant of judgement. */
  readonly at: Date;
  readonly cache: PkiCache;
}

/** A certificate in the part it has to play. */
export interface ChainLink {
  readonly role: CertificateRole;
  readonly certificate: Certificate;
}

/** The CI at the chain's top, or the first fault, from the top downwards, and whose it is. */
export type ChainVerdict =
  | { readonly ok: true; readonly ci: Certificate }
  | { readonly ok: false; readonly fault: ChainFault; readonly role: CertificateRole };

/**
 * Judges a chain, given from the link below the CI down to the end entity. Never throws.
 */
export function verifyChain(links: readonly ChainLink[], trust: ChainTrust): ChainVerdict {
  const first = links[0];
  const ci = first && issuerAmong(trust.anchors, first.certificate);
  if (!first || !ci) return { ok: false, fault: 'unknown-ci', role: 'ci' };
  const anchorFault = validityFault(ci, trust.at);
  if (anchorFault) return { ok: false, fault: anchorFault, role: 'ci' };
  let issuer = ci;
  for (const [index, { role, certificate }] of links.entries()) {
    const fault = linkFault(certificate, role, issuer, links.length - 1 - index, trust);
    if (fault) return { ok: false, fault, role };
    issuer = certificate;
  }
  return { ok: true, ci };
}

/** CERT.EUM and CERT.EUICC: the chain, and the EID within the EUM's permitted range. */
export function verifyEuiccChain(
  chain: { readonly eum: Certificate; readonly euicc: Certificate }, trust: ChainTrust,
): { readonly ok: true; readonly ci: Certificate; readonly eid: string } | Extract<ChainVerdict, { ok: false }> {
  const verdict = verifyChain([{ role: 'eum', certificate: chain.eum }, { role: 'euicc', certificate: chain.euicc }], trust);
  return verdict.ok ? { ...verdict, eid: eidOf(chain.euicc) } : verdict;
}

/**
 * Takes a revocation list that a trusted CI, or an EUM whose chain stands, has signed.
 * @throws RspError `pki/crl`
 */
export function acceptCrl(crl: Crl, issuer: Certificate, cache: PkiCache): Crl {
  if (!equalBytes(crl.issuer.raw, issuer.subject.raw)) throw new RspError('pki/crl', 'of another issuer');
  if (!issuer.keyUsage?.includes('cRLSign')) throw new RspError('pki/crl', 'the issuer may not sign lists');
  if (!verifyRaw(publicKeyOf(issuer, cache), crl.tbs, crl.signature)) throw new RspError('pki/crl', 'signature');
  return crl;
}

/** The trusted CI with this subject key identifier (20 bytes), as eUICCs name them. */
export function anchorByKeyId(anchors: readonly Certificate[], keyId: Uint8Array): Certificate | undefined {
  return anchors.find(({ subjectKeyId }) => subjectKeyId !== undefined && equalBytes(subjectKeyId, keyId));
}

function issuerAmong(anchors: readonly Certificate[], certificate: Certificate): Certificate | undefined {
  const { authorityKeyId } = certificate;
  const found = authorityKeyId && anchorByKeyId(anchors, authorityKeyId);
  return found && equalBytes(found.subject.raw, certificate.issuer.raw) ? found : undefined;
}

function linkFault(certificate: Certificate, role: CertificateRole, issuer: Certificate, below: number, trust: ChainTrust): ChainFault | undefined {
  const rules = certificateRoles[role];
  if (!equalBytes(certificate.issuer.raw, issuer.subject.raw)) return 'path';
  if (!signatureStands(certificate, issuer, trust.cache)) return 'signature';
  const validity = validityFault(certificate, trust.at);
  if (validity) return validity;
  if (trust.crls?.some((crl) => isRevoked(crl, certificate))) return 'revoked';
  if (certificate.isCa !== rules.isCa) return 'path';
  if (rules.isCa && certificate.pathLength !== undefined && certificate.pathLength < below - 1) return 'path';
  if (!certificate.policies.includes(rules.policy)) return 'policy';
  if (!certificate.keyUsage?.includes(rules.keyUsage)) return 'key-usage';
  if (rules.extendedKeyUsage && !certificate.extendedKeyUsage.includes(rules.extendedKeyUsage)) return 'key-usage';
  if (rules.hasOid && certificate.registeredIds.length === 0) return 'subject';
  if (role === 'eum' && !certificate.permitted) return 'subject';
  if (role === 'euicc' && !isPermitted(certificate, issuer)) return 'subject';
  return undefined;
}

function signatureStands(certificate: Certificate, issuer: Certificate, cache: PkiCache): boolean {
  try {
    return isSignedBy(certificate, issuer, cache);
  } catch {
    // The issuer's point is not on its curve.
    return false;
  }
}

function validityFault(certificate: Certificate, at: Date): 'expired' | 'not-yet-valid' | undefined {
  if (at < certificate.notBefore) return 'not-yet-valid';
  // notAfter names a whole second, which still counts (RFC 5280 section 4.1.2.5).
  if (at.getTime() >= certificate.notAfter.getTime() + 1000) return 'expired';
  return undefined;
}

/** The EUM's name constraints hold the organization and the first digits of the EIDs it may issue for. */
function isPermitted(euicc: Certificate, eum: Certificate): boolean {
  const eid = subjectAttribute(euicc, oids.serialNumber);
  const organization = subjectAttribute(euicc, oids.organization);
  if (eid === undefined || !/^\d{32}$/.test(eid)) return false;
  return (eum.permitted ?? []).some((one) =>
    (one.organization === undefined || one.organization === organization)
    && one.eidPrefix !== undefined && eid.startsWith(one.eidPrefix));
}
