import {
  AuthenticateServerResponse, decode, encode, ProfileMetadata, readCardResources, signatureTlv, SmdpSigned2, smdpSigned2Covered,
  type EuiccInfo2, type EuiccSigned1, type Output,
} from '../asn1/index.ts';
import { equalBytes, fromHex, toHex } from '../bytes.ts';
import type { Es9plusRequest, Es9plusResponse } from '../es9plus/index.ts';
import { RspError } from '../errors.ts';
import {
  eidOf, parseCertificate, pointKey, readCached, verifyEuiccChain, verifyRaw,
  type Certificate, type ChainFault, type CertificateRole, type ChainTrust, type PkiCache,
} from '../pki/index.ts';
import { chainOf } from './initiate.ts';
import { refuse, type Refusal } from './refusals.ts';
import type { DownloadOrder, SessionClient, SessionOpening, SmdpIdentity, SmdpSession } from './types.ts';

type Ok = Extract<Output<typeof AuthenticateServerResponse>, { kind: 'ok' }>['value'];

/** The eUICC's answer, read but not yet verified. */
export interface ClientAnswer {
  readonly transactionId: string;
  readonly response: Output<typeof AuthenticateServerResponse>;
  /** What order to look up: the matchingId, or the EID when the phone has none. Undefined when the eUICC reported an error. */
  readonly lookup?: { readonly matchingId: string } | { readonly eid: string };
}

/**
 * Reads the request of ES9+.AuthenticateClient, so that session and order can be looked up before anything is verified.
 * @throws RspError `asn1/*`, `tlv/*`; `smdp/euiccCertificateInvalid` when an EID is needed and the certificate gives none
 */
export function readClientAnswer(request: Es9plusRequest<'authenticateClient'>): ClientAnswer {
  const response = decode(AuthenticateServerResponse, request.authenticateServerResponse, { maxBytes: 16_384 });
  const { transactionId } = request;
  if (response.kind === 'error') return { transactionId, response };
  const { matchingId } = response.value.euiccSigned1.ctxParams1.value;
  if (matchingId) return { transactionId, response, lookup: { matchingId } };
  const certificate = readCertificate(response.value.euiccCertificate, 'euiccCertificateInvalid');
  return { transactionId, response, lookup: { eid: readEid(certificate) } };
}

/** What {@link authenticateClient} needs beside the answer. */
export interface AuthenticateContext {
  readonly smdp: SmdpIdentity;
  readonly trust: ChainTrust;
  readonly session: SmdpSession | undefined;
  /** What the lookup found. */
  readonly order: DownloadOrder | undefined;
}

/**
 * ES9+.AuthenticateClient: verifies the eUICC, finds whether it may have the ordered profile, and offers it.
 * @throws RspError `smdp/*` for every refusal of this function
 */
export function authenticateClient(
  { transactionId, response, lookup }: ClientAnswer, { smdp, trust, session, order }: AuthenticateContext,
): { readonly answer: Es9plusResponse<'authenticateClient'>; readonly session: SmdpSession & { readonly client: SessionClient } } {
  const open = requireSession(session, ['initiated'], trust.at);
  const { opening, ...rest } = open;
  if (!opening) throw refuse('transactionUnknown');
  const ok = requireOk(response, transactionId);
  const euicc = verifyCertificates(ok, opening, trust);
  verifySignedAnswer(ok, opening, euicc, trust.cache);
  const eid = eidOf(euicc);
  const found = requireOrder(order, lookup);
  requireSameEuicc(found, eid);
  requireDownloadable(found, trust.at);
  requireEligible(ok.euiccSigned1.euiccInfo2, found);
  const chain = chainOf(smdp.chains, open.chainCiKeyId);
  if (!chain) throw refuse('noServerCertificate');
  const smdpSigned2 = encode(SmdpSigned2, {
    transactionId: fromHex(open.transactionId),
    ccRequired: found.confirmationDigest !== undefined,
    euiccOtpk: found.euiccOtpk,
  });
  const smdpSignature2 = chain.binding.sign(smdpSigned2Covered(smdpSigned2, ok.euiccSignature1));
  return {
    answer: {
      transactionId: open.transactionId,
      profileMetadata: encode(ProfileMetadata, found.metadata),
      smdpSigned2,
      smdpSignature2: signatureTlv(smdpSignature2),
      smdpCertificate: chain.binding.certificate,
    },
    session: { ...rest, state: 'authenticated', client: { eid, ...euicc.publicKey, smdpSignature2 } },
  };
}

/** The session of a request, when it is known, under way and in one of these states. */
export function requireSession(session: SmdpSession | undefined, states: readonly SmdpSession['state'][], at: Date): SmdpSession {
  if (!session || !states.includes(session.state) || session.expiresAt <= at) throw refuse('transactionUnknown');
  return session;
}

/** Both transactionIds, the request's and the one inside, must be the session's. */
export function requireTransaction(inside: Uint8Array, transactionId: string): void {
  if (toHex(inside) !== transactionId) throw refuse('transactionUnknown');
}

function requireOk(response: Output<typeof AuthenticateServerResponse>, transactionId: string): Ok {
  if (response.kind === 'error') {
    requireTransaction(response.value.transactionId, transactionId);
    throw refuse('euiccReportedError', `AuthenticateErrorCode ${response.value.code}`);
  }
  requireTransaction(response.value.euiccSigned1.transactionId, transactionId);
  return response.value;
}

function verifyCertificates(ok: Ok, opening: SessionOpening, trust: ChainTrust): Certificate {
  const eum = readCertificate(ok.eumCertificate, 'eumCertificateInvalid', trust.cache);
  const euicc = readCertificate(ok.euiccCertificate, 'euiccCertificateInvalid');
  const ci = verifiedCi(eum, euicc, trust);
  // The eUICC was told which CI to sign under.
  if (!ci.subjectKeyId || !equalBytes(ci.subjectKeyId, opening.euiccCiKeyId)) throw refuse('ciUnknown', 'another CI than was asked for');
  return euicc;
}

/** The CI above an eUICC's certificate, once the whole chain stands. */
export function verifiedCi(eum: Certificate, euicc: Certificate, trust: ChainTrust): Certificate {
  const verdict = verifyEuiccChain({ eum, euicc }, trust);
  if (verdict.ok) return verdict.ci;
  throw refuse(chainRefusal(verdict.role, verdict.fault), `${verdict.role}: ${verdict.fault}`);
}

function chainRefusal(role: CertificateRole, fault: ChainFault): Refusal {
  if (role === 'ci') return 'ciUnknown';
  if (role === 'eum') return fault === 'expired' ? 'eumCertificateExpired' : 'eumCertificateInvalid';
  return fault === 'expired' ? 'euiccCertificateExpired' : 'euiccCertificateInvalid';
}

/** Reads a certificate; what cannot be read is as invalid as what does not verify. */
export function readCertificate(bytes: Uint8Array, refusal: Refusal, cache?: PkiCache): Certificate {
  try {
    return cache ? readCached(bytes, cache) : parseCertificate(bytes);
  } catch (cause) {
    if (cause instanceof RspError) throw refuse(refusal, cause.message);
    throw cause;
  }
}

function readEid(certificate: Certificate): string {
  try {
    return eidOf(certificate);
  } catch {
    throw refuse('euiccCertificateInvalid', 'no EID');
  }
}

function verifySignedAnswer(ok: Ok, opening: SessionOpening, euicc: Certificate, cache: PkiCache): void {
  const signed: EuiccSigned1 = ok.euiccSigned1;
  requireSignature(euicc.publicKey, signed.raw, ok.euiccSignature1, cache);
  if (!equalBytes(signed.serverChallenge, opening.serverChallenge)) throw refuse('signatureInvalid', 'server challenge');
  if (signed.serverAddress.toLowerCase() !== opening.serverAddress.toLowerCase()) throw refuse('signatureInvalid', 'server address');
}

/** Verifies an eUICC's signature; a key that is not on its curve verifies nothing. */
export function requireSignature(key: Pick<SessionClient, 'curve' | 'point'>, message: Uint8Array, signature: Uint8Array, cache: PkiCache): void {
  if (!isSignature(key, message, signature, cache)) throw refuse('signatureInvalid');
}

/** True when the key made the signature. */
export function isSignature(
  { curve, point }: Pick<SessionClient, 'curve' | 'point'>, message: Uint8Array, signature: Uint8Array, cache: PkiCache,
): boolean {
  try {
    return verifyRaw(pointKey(curve, point, cache), message, signature);
  } catch {
    return false;
  }
}

/** Without a matchingId and without an order for the EID the case is the same to the phone: there is nothing for it here. */
function requireOrder(order: DownloadOrder | undefined, lookup: ClientAnswer['lookup']): DownloadOrder {
  if (!order || !lookup || order.state === 'unavailable') throw refuse('matchingIdRefused');
  return order;
}

function requireSameEuicc(order: DownloadOrder, eid: string): void {
  if (order.eid !== undefined && order.eid !== eid) throw refuse('eidRefused');
}

/**
 * An order may be downloaded when released, and again by the same eUICC as long as the profile is not known to be installed: the
 * result of an installation may have been lost.
 */
export function requireDownloadable(order: DownloadOrder, at: Date): void {
  if (order.state === 'allocated') throw refuse('profileNotReleased');
  if (!['released', 'downloaded', 'error'].includes(order.state)) throw refuse('matchingIdRefused', order.state);
  if (order.downloads >= order.maxDownloads) throw refuse('downloadsUsedUp');
  if (order.downloads === 0 && order.expiresAt && order.expiresAt <= at) throw refuse('orderExpired');
}

/** Our profiles hold a USIM with Milenage, in a profile package of version 2 or later. */
function requireEligible(info: EuiccInfo2, order: DownloadOrder): void {
  const { uiccCapability, profileVersion, extCardResource } = info;
  if (!uiccCapability.includes('usim') || !uiccCapability.includes('akaMilenage') || Number(profileVersion.split('.')[0]) < 2) {
    throw refuse('euiccNotEligible');
  }
  const { freeNonVolatileBytes } = readCardResources(extCardResource);
  if (freeNonVolatileBytes !== undefined && freeNonVolatileBytes < order.profileBytes) throw refuse('memoryTooSmall');
}
