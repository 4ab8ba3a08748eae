import {
  authenticateErrors, encode, octets, RawCertificate, Signature, transactionId as TransactionId, utf8,
} from '../asn1/index.ts';
import { equalBytes, toHex } from '../bytes.ts';
import { parseCertificate, publicKeyOf, verifyChain, verifyRaw } from '../pki/index.ts';
import type { Certificate, CertificateRole } from '../pki/index.ts';
import { encodeTlv } from '../tlv/index.ts';
import { euiccInfo2 } from './announce.ts';
import { reply, withoutSession } from './reply.ts';
import type { Perform } from './reply.ts';
import { ciKeyIdOf } from './state.ts';
import type { EuiccContext, EuiccState } from './state.ts';

/** A new challenge begins a session and ends the one before. */
export const getEuiccChallenge: Perform<'getEuiccChallenge'> = (state, _call, context) => {
  const euiccChallenge = context.random(16);
  return reply({ ...withoutSession(state), session: { euiccChallenge } }, 'getEuiccChallenge', { euiccChallenge });
};

export const authenticateServer: Perform<'authenticateServer'> = (state, call, context) => {
  const { transactionId, euiccChallenge, serverAddress, serverChallenge } = call.serverSigned1;
  const refuse = (code: keyof typeof authenticateErrors) => reply(
    withoutSession(state), 'authenticateServer', { kind: 'error', value: { transactionId, code: authenticateErrors[code] } },
  );
  const session = state.session;
  if (!session || session.authenticated) return refuse('noSessionContext');
  const ciKeyId = toHex(call.ciPublicKeyIdToBeUsed);
  const credential = state.credentials.find(({ ciCertificate }) => ciKeyIdOf(ciCertificate) === ciKeyId);
  if (!credential) return refuse('ciPKUnknown');
  const server = acceptSmdp(state, call.serverCertificate, 'dpAuth', context);
  if (typeof server === 'string') return refuse(server);
  if (!verifyRaw(publicKeyOf(server, context.cache), call.serverSigned1.raw, call.serverSignature1)) return refuse('invalidSignature');
  if (!equalBytes(euiccChallenge, session.euiccChallenge)) return refuse('euiccChallengeMismatch');
  // The chain stands only with an OID.
  const smdpOid = server.registeredIds[0]!;

  // Encoded by hand so that ctxParams1 goes back as it came, fields unknown to this package included.
  const euiccSigned1 = encodeTlv(
    0x30,
    encode(TransactionId(), transactionId),
    encode(utf8(0x83), serverAddress),
    encode(octets(0x84), serverChallenge),
    euiccInfo2(state),
    call.ctxParams1.value.raw,
  );
  const euiccSignature1 = context.sign(ciKeyId, euiccSigned1);
  const authenticated = { transactionId, serverAddress, ciKeyId, smdpOid, euiccSignature1 };
  return {
    state: { ...state, session: { ...session, authenticated } },
    answer: encodeTlv(0xbf38, encodeTlv(
      0xa0, euiccSigned1, encode(Signature, euiccSignature1), encode(RawCertificate, credential.euiccCertificate), encode(RawCertificate, credential.eumCertificate),
    )),
  };
};

/** The SM-DP+'s certificate when its chain stands in this role, or the name of the error that AuthenticateServer and PrepareDownload share. */
export function acceptSmdp(
  state: EuiccState, der: Uint8Array, role: CertificateRole, context: EuiccContext,
): Certificate | 'invalidCertificate' | 'unsupportedCurve' | 'ciPKUnknown' {
  let certificate: Certificate;
  try {
    certificate = parseCertificate(der);
  } catch (error) {
    return (error as { code?: string }).code === 'pki/curve' ? 'unsupportedCurve' : 'invalidCertificate';
  }
  const anchors = state.credentials.map(({ ciCertificate }) => parseCertificate(ciCertificate));
  const verdict = verifyChain([{ role, certificate }], { anchors, at: context.now, cache: context.cache });
  if (verdict.ok) return certificate;
  return verdict.fault === 'unknown-ci' ? 'ciPKUnknown' : 'invalidCertificate';
}
