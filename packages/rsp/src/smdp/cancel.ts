import { CancelSessionResponse, decode, type Output } from '../asn1/index.ts';
import type { Es9plusRequest } from '../es9plus/index.ts';
import type { ChainTrust } from '../pki/index.ts';
import { requireSession, requireSignature, requireTransaction } from './authenticate.ts';
import { refuse } from './refusals.ts';
import type { SmdpIdentity, SmdpSession } from './types.ts';

/** The eUICC's wish to end a session, read but not yet verified. */
export interface CancelAnswer {
  readonly transactionId: string;
  readonly response: Output<typeof CancelSessionResponse>;
}

/**
 * Reads the request of ES9+.CancelSession.
 * @throws RspError `asn1/*`, `tlv/*`
 */
export function readCancelAnswer(request: Es9plusRequest<'cancelSession'>): CancelAnswer {
  return {
    transactionId: request.transactionId,
    response: decode(CancelSessionResponse, request.cancelSessionResponse, { maxBytes: 4096 }),
  };
}

/**
 * ES9+.CancelSession. Whatever the reason, the order stays open for another try: LPAs send "end user rejection" for their own failures too.
 * @returns the ended session, and the reason (one of `cancelSessionReasons`)
 * @throws RspError `smdp/transactionUnknown` (also before the eUICC is authenticated), `smdp/signatureInvalid`, `smdp/smdpOidWrong`
 */
export function cancelSession(
  { transactionId, response }: CancelAnswer,
  { smdp, session, trust }: {
    readonly smdp: SmdpIdentity; readonly session: SmdpSession | undefined; readonly trust: Pick<ChainTrust, 'at' | 'cache'>;
  },
): { readonly session: SmdpSession; readonly reason: number } {
  const open = requireSession(session, ['authenticated', 'bound'], trust.at);
  if (!open.client) throw refuse('transactionUnknown');
  if (response.kind === 'error') throw refuse('euiccReportedError', `cancelSessionResponseError ${response.value}`);
  const { euiccCancelSessionSigned: signed, euiccCancelSessionSignature } = response.value;
  requireTransaction(signed.transactionId, transactionId);
  requireSignature(open.client, signed.raw, euiccCancelSessionSignature, trust.cache);
  if (signed.smdpOid !== smdp.smdpOid) throw refuse('smdpOidWrong');
  return { session: { ...open, state: 'ended' }, reason: signed.reason };
}
