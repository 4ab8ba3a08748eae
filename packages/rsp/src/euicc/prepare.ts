import {
  downloadErrors, encode, EuiccSigned2, euiccSigned2Covered, signatureTlv, smdpSigned2Covered,
} from '../asn1/index.ts';
import { equalBytes } from '../bytes.ts';
import { ephemeralKey, EPHEMERAL_RANDOM_BYTES, publicKeyOf, verifyRaw } from '../pki/index.ts';
import type { EphemeralKey } from '../pki/index.ts';
import { encodeTlv } from '../tlv/index.ts';
import { acceptSmdp } from './authenticate.ts';
import { reply, withoutSession } from './reply.ts';
import type { Perform } from './reply.ts';
import type { EuiccState } from './state.ts';

export const prepareDownload: Perform<'prepareDownload'> = (state, call, context) => {
  const { transactionId, ccRequired, euiccOtpk } = call.smdpSigned2;
  const refuse = (code: keyof typeof downloadErrors) => reply(
    withoutSession(state), 'prepareDownload', { kind: 'error', value: { transactionId, code: downloadErrors[code] } },
  );
  const authenticated = state.session?.authenticated;
  if (!state.session || !authenticated || state.session.loading) return refuse('noSessionContext');
  const smdp = acceptSmdp(state, call.smdpCertificate, 'dpPb', context);
  if (typeof smdp === 'string') return refuse(smdp === 'ciPKUnknown' ? 'invalidCertificate' : smdp);
  // Both certificates must be of the same SM-DP+.
  if (!smdp.registeredIds.includes(authenticated.smdpOid)) return refuse('invalidCertificate');
  const covered = smdpSigned2Covered(call.smdpSigned2.raw, authenticated.euiccSignature1);
  if (!verifyRaw(publicKeyOf(smdp, context.cache), covered, call.smdpSignature2)) return refuse('invalidSignature');
  if (!equalBytes(transactionId, authenticated.transactionId)) return refuse('invalidTransactionId');
  if (ccRequired && !call.hashCc) return refuse('undefinedError');

  const key = reusableKey(state, authenticated.smdpOid, euiccOtpk) ?? ephemeralKey(smdp.publicKey.curve, context.random(EPHEMERAL_RANDOM_BYTES));
  const euiccSigned2 = encode(EuiccSigned2, { transactionId, euiccOtpk: key.publicKey, hashCc: call.hashCc });
  const euiccSignature2 = context.sign(authenticated.ciKeyId, euiccSigned2Covered(euiccSigned2, call.smdpSignature2));
  const prepared = { smdpCertificate: call.smdpCertificate, oneTimeKey: key };
  return {
    state: { ...state, session: { ...state.session, prepared }, retryKey: { smdpOid: authenticated.smdpOid, key } },
    answer: encodeTlv(0xbf21, encodeTlv(0xa0, euiccSigned2, signatureTlv(euiccSignature2))),
  };
};

/** The one-time key of an earlier attempt, when this SM-DP+ asks for it by its public part. */
function reusableKey({ retryKey }: EuiccState, smdpOid: string, wanted: Uint8Array | undefined): EphemeralKey | undefined {
  const fits = retryKey && wanted && retryKey.smdpOid === smdpOid && equalBytes(retryKey.key.publicKey, wanted);
  return fits ? retryKey.key : undefined;
}
