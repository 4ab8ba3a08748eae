import { ephemeralKey, importPrivateKey, issueCertificate, oids, parseCertificate, signerOf } from '../pki/index.ts';
import type { CurveName, IssueRequest, Issuer, NameAttribute, SignMessage } from '../pki/index.ts';
import type { RandomBytes } from './random.ts';

/** A certificate and the private key that belongs to it. */
export interface TestIdentity {
  readonly curve: CurveName;
  /** DER. */
  readonly certificate: Uint8Array;
  /** 32 bytes. */
  readonly privateKey: Uint8Array;
  /** Uncompressed point, 65 bytes. */
  readonly point: Uint8Array;
}

/** A CI with everything below it but the eUICCs, all on one curve. */
export interface TestPki {
  readonly curve: CurveName;
  readonly smdpOid: string;
  readonly ci: TestIdentity;
  readonly eum: TestIdentity;
  readonly dpAuth: TestIdentity;
  readonly dpPb: TestIdentity;
  readonly dpTls: TestIdentity;
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** What a test PKI is made from. */
export interface TestPkiOptions {
  readonly curve: CurveName;
  readonly random: RandomBytes;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** Default {@link TEST_SMDP_OID}. */
  readonly smdpOid?: string;
  /** For the DPtls certificate; default localhost and 127.0.0.1. */
  readonly hosts?: { readonly dns: readonly string[]; readonly ip?: readonly Uint8Array[] };
  /** The DPtls key's curve, which is independent of the others; default P-256. */
  readonly tlsCurve?: CurveName;
}

/** An arc under the example enterprise number of RFC 5612. */
export const TEST_SMDP_OID = '1.3.6.1.4.1.32473.1.1';
/** First digits of the EIDs that the test EUM may issue. */
export const TEST_EID_PREFIX = '89049032';
const EUM_ORGANIZATION = 'Yuanyou Test EUM';

const ciName: readonly NameAttribute[] = [
  { type: oids.commonName, value: 'Yuanyou Test CI' }, { type: oids.organization, value: 'Yuanyou Test' }, { type: oids.country, value: 'AA' },
];
const eumName: readonly NameAttribute[] = [{ type: oids.organization, value: EUM_ORGANIZATION }, { type: oids.commonName, value: 'Yuanyou Test EUM' }];

/** Generates a CI, an EUM and an SM-DP+'s three certificates. */
export function createTestPki(options: TestPkiOptions): TestPki {
  const { curve, random, notBefore, notAfter, smdpOid = TEST_SMDP_OID } = options;
  const hosts = options.hosts ?? { dns: ['localhost'], ip: [Uint8Array.of(127, 0, 0, 1)] };
  const validity = { notBefore, notAfter };
  const ciKey = ephemeralKey(curve, random(48));
  const ciIssuer: Issuer = { name: ciName, point: ciKey.publicKey, sign: signerOfRaw(curve, ciKey.privateKey) };
  const underCi = (request: Pick<IssueRequest, 'role' | 'subject' | 'smdpOid' | 'hosts' | 'permitted'>, onCurve = curve): TestIdentity =>
    issueIdentity({ ...request, ...validity }, ciIssuer, onCurve, random);
  const smdp = (commonName: string): readonly NameAttribute[] => [
    { type: oids.organization, value: 'Yuanyou Test' }, { type: oids.commonName, value: commonName },
  ];
  return {
    curve,
    smdpOid,
    ...validity,
    ci: {
      curve, privateKey: ciKey.privateKey, point: ciKey.publicKey,
      certificate: issueCertificate({ role: 'ci', subject: ciName, publicKey: { curve, point: ciKey.publicKey }, serial: random(8), ...validity }, ciIssuer),
    },
    eum: underCi({ role: 'eum', subject: eumName, permitted: [{ organization: EUM_ORGANIZATION, eidPrefix: TEST_EID_PREFIX }] }),
    dpAuth: underCi({ role: 'dpAuth', subject: smdp('Yuanyou Test DPauth'), smdpOid }),
    dpPb: underCi({ role: 'dpPb', subject: smdp('Yuanyou Test DPpb'), smdpOid }),
    dpTls: underCi({ role: 'dpTls', subject: smdp(hosts.dns[0] ?? 'localhost'), smdpOid, hosts }, options.tlsCurve ?? 'P-256'),
  };
}

/** An EID within the test EUM's range, with its two check digits (modulo 97). `index` up to 10^18. */
export function testEid(index: number): string {
  const body = `${TEST_EID_PREFIX}0000${String(index).padStart(18, '0')}`;
  const check = 98n - (BigInt(`${body}00`) % 97n);
  return body + String(check).padStart(2, '0');
}

/** What issues eUICCs: an EUM under a CI. Every {@link TestPki} is one. */
export interface EuiccIssuer {
  readonly curve: CurveName;
  readonly ci: Pick<TestIdentity, 'certificate'>;
  readonly eum: Pick<TestIdentity, 'certificate' | 'privateKey'>;
  /** Validity of the eUICCs' certificates. */
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** Issues CERT.EUICC for an EID, within the EUM's permitted organization. */
export function issueTestEuicc(issuer: EuiccIssuer, eid: string, random: RandomBytes, changes: Partial<IssueRequest> = {}): TestIdentity {
  const { curve, notBefore, notAfter } = issuer;
  const eum = parseCertificate(issuer.eum.certificate);
  const subject: readonly NameAttribute[] = [
    { type: oids.organization, value: eum.permitted?.[0]?.organization ?? EUM_ORGANIZATION }, { type: oids.serialNumber, value: eid },
    { type: oids.commonName, value: 'Virtual eUICC' },
  ];
  const sign = signerOfRaw(curve, issuer.eum.privateKey);
  return issueIdentity(
    { role: 'euicc', subject, notBefore, notAfter, ...changes }, { name: eum.subject.attributes, point: eum.publicKey.point, sign }, curve, random,
  );
}

/** Signs with an identity's key. */
export function signerOfIdentity(identity: TestIdentity): SignMessage {
  return signerOfRaw(identity.curve, identity.privateKey);
}

/** The CI of a test PKI as an issuer, for certificates of one's own making. */
export function ciIssuerOf(pki: TestPki): Issuer {
  return { name: ciName, point: pki.ci.point, sign: signerOfIdentity(pki.ci) };
}

/** Makes a key and has a certificate issued for it. */
export function issueIdentity(
  request: Omit<IssueRequest, 'publicKey' | 'serial'>, issuer: Issuer, curve: CurveName, random: RandomBytes,
): TestIdentity {
  const key = ephemeralKey(curve, random(48));
  const certificate = issueCertificate({ ...request, publicKey: { curve, point: key.publicKey }, serial: random(8) }, issuer);
  return { curve, certificate, privateKey: key.privateKey, point: key.publicKey };
}

function signerOfRaw(curve: CurveName, privateKey: Uint8Array): SignMessage {
  return signerOf(importPrivateKey(curve, privateKey));
}
