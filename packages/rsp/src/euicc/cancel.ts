import { cancelSessionErrors, encode, EuiccCancelSessionSigned } from '../asn1/index.ts';
import { equalBytes } from '../bytes.ts';
import { reply, withoutSession } from './reply.ts';
import type { Perform } from './reply.ts';

export const cancelSession: Perform<'cancelSession'> = (state, { transactionId, reason }, context) => {
  const authenticated = state.session?.authenticated;
  if (!authenticated || !equalBytes(authenticated.transactionId, transactionId)) {
    return reply(state, 'cancelSession', { kind: 'error', value: cancelSessionErrors.invalidTransactionId });
  }
  const signedPart = { transactionId, smdpOid: authenticated.smdpOid, reason };
  const euiccCancelSessionSignature = context.sign(authenticated.ciKeyId, encode(EuiccCancelSessionSigned, signedPart));
  return reply(withoutSession(state), 'cancelSession', {
    kind: 'ok', value: { euiccCancelSessionSigned: signedPart, euiccCancelSessionSignature },
  });
};
