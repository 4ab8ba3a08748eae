export { createPkiCache, isSignedBy, pointKey, publicKeyOf, readCached, type PkiCache } from './cache.ts';
export {
  certificateHash, eidOf, MAX_CERTIFICATE_BYTES, parseCertificate, subjectAttribute, type Certificate, type PermittedSubject,
} from './certificate.ts';
export {
  acceptCrl, anchorByKeyId, certificateRoles, verifyChain, verifyEuiccChain,
  type CertificateRole, type ChainFault, type ChainLink, type ChainTrust, type ChainVerdict,
} from './chain.ts';
export { isRevoked, MAX_CRL_BYTES, parseCrl, type Crl } from './crl.ts';
export { curveByOid, curves, type Curve, type CurveName } from './curve.ts';
export { issueCertificate, issueCrl, keyIdOf, type Issuer, type IssueRequest } from './issue.ts';
export {
  agree, ephemeralKey, EPHEMERAL_RANDOM_BYTES, importPoint, importPrivateKey, POINT_BYTES, publicPointOf, signerOf, verifyRaw,
  type EphemeralKey, type SignMessage,
} from './keys.ts';
export { derFromRaw, rawFromDer } from './signature.ts';
export { oids, type KeyUsage, type Name, type NameAttribute } from './x509.ts';
