import { timingSafeEqual } from 'node:crypto';
import { decode, euiccSigned2Covered, PrepareDownloadResponse, type Output } from '../asn1/index.ts';
import { deriveSessionKeys, splitKeys } from '../bsp/index.ts';
import { equalBytes, fromHex } from '../bytes.ts';
import { hashConfirmationCode } from '../confirmation-code.ts';
import type { Es9plusRequest, Es9plusResponse } from '../es9plus/index.ts';
import { bindProfile, protectProfile, secureChannelToBeSigned } from '../package/index.ts';
import { agree, ephemeralKey, type ChainTrust } from '../pki/index.ts';
import { requireDownloadable, requireSession, requireSignature, requireTransaction } from './authenticate.ts';
import { chainOf } from './initiate.ts';
import { refuse } from './refusals.ts';
import type { DownloadOrder, SessionClient, SmdpIdentity, SmdpSession } from './types.ts';

/** The eUICC's acceptance, read but not yet verified. */
export interface DownloadAnswer {
  readonly transactionId: string;
  readonly response: Output<typeof PrepareDownloadResponse>;
}

/**
 * Reads the request of ES9+.GetBoundProfilePackage.
 * @throws RspError `asn1/*`, `tlv/*`
 */
export function readDownloadAnswer(request: Es9plusRequest<'getBoundProfilePackage'>): DownloadAnswer {
  return {
    transactionId: request.transactionId,
    response: decode(PrepareDownloadResponse, request.prepareDownloadResponse, { maxBytes: 4096 }),
  };
}

/** A download that may go ahead: everything checked, nothing bound. */
export interface AcceptedDownload {
  readonly session: SmdpSession & { readonly client: SessionClient };
  readonly order: DownloadOrder;
  readonly euiccOtpk: Uint8Array;
}

/**
 * The checks of ES9+.GetBoundProfilePackage. A request that is repeated, because its answer was lost, passes again.
 * A `smdp/confirmationCodeRefused` costs one of the order's tries: whoever calls this counts it.
 * @throws RspError `smdp/*` for every refusal of this function
 */
export function acceptDownload(
  { transactionId, response }: DownloadAnswer,
  { session, order, trust }: {
    readonly session: SmdpSession | undefined; readonly order: DownloadOrder | undefined; readonly trust: Pick<ChainTrust, 'at' | 'cache'>;
  },
): AcceptedDownload {
  const open = requireSession(session, ['authenticated', 'bound'], trust.at);
  const { client } = open;
  if (!client || !order) throw refuse('transactionUnknown');
  if (response.kind === 'error') {
    requireTransaction(response.value.transactionId, transactionId);
    throw refuse('euiccReportedError', `DownloadErrorCode ${response.value.code}`);
  }
  const { euiccSigned2, euiccSignature2 } = response.value;
  requireTransaction(euiccSigned2.transactionId, transactionId);
  requireSignature(client, euiccSigned2Covered(euiccSigned2.raw, client.smdpSignature2), euiccSignature2, trust.cache);
  requireDownloadable(order, trust.at);
  requireConfirmation(order, euiccSigned2.hashCc, euiccSigned2.transactionId);
  requireKey(order, euiccSigned2.euiccOtpk);
  return { session: { ...open, client }, order, euiccOtpk: euiccSigned2.euiccOtpk };
}

/** What {@link bindDownload} needs beside the accepted download. */
export interface BindContext {
  readonly smdp: SmdpIdentity;
  /** Unprotected profile package, personalised. */
  readonly upp: Uint8Array;
  readonly random: {
    /** 48 bytes for our one-time key. */
    readonly ephemeral: Uint8Array;
    /** 48 bytes for the profile protection keys. */
    readonly protectionKeys: Uint8Array;
  };
}

/**
 * Binds the profile to the eUICC under fresh keys on both sides. Our one-time private key exists in this call only.
 * @throws RspError `smdp/signatureInvalid` when the eUICC's one-time key is not on its curve, `smdp/noServerCertificate`
 */
export function bindDownload(
  { session, order, euiccOtpk }: AcceptedDownload, { smdp, upp, random }: BindContext,
): { readonly answer: Es9plusResponse<'getBoundProfilePackage'>; readonly session: SmdpSession } {
  const chain = chainOf(smdp.chains, session.chainCiKeyId);
  if (!chain) throw refuse('noServerCertificate');
  const own = ephemeralKey(chain.curve, random.ephemeral);
  const sessionKeys = deriveSessionKeys(agreed(own, euiccOtpk), { hostId: smdp.hostId, eid: session.client.eid });
  own.privateKey.fill(0);
  const channel = { transactionId: fromHex(session.transactionId), hostId: smdp.hostId, smdpOtpk: own.publicKey, euiccOtpk };
  const boundProfilePackage = bindProfile({
    channel,
    smdpSign: chain.binding.sign(secureChannelToBeSigned(channel)),
    sessionKeys,
    smdpOid: smdp.smdpOid,
    metadata: order.metadata,
    profile: protectProfile(upp, splitKeys(random.protectionKeys)),
  });
  return { answer: { transactionId: session.transactionId, boundProfilePackage }, session: { ...session, state: 'bound' } };
}

function agreed(own: Parameters<typeof agree>[0], euiccOtpk: Uint8Array): Uint8Array {
  try {
    return agree(own, euiccOtpk);
  } catch {
    throw refuse('signatureInvalid', 'one-time key');
  }
}

function requireConfirmation(order: DownloadOrder, hashCc: Uint8Array | undefined, transactionId: Uint8Array): void {
  if (!order.confirmationDigest) return;
  if (order.confirmationTriesLeft <= 0) throw refuse('confirmationTriesUsedUp');
  if (!hashCc) throw refuse('confirmationCodeMissing');
  if (!timingSafeEqual(hashCc, hashConfirmationCode(order.confirmationDigest, transactionId))) throw refuse('confirmationCodeRefused');
}

function requireKey(order: DownloadOrder, euiccOtpk: Uint8Array): void {
  if (order.euiccOtpk && !order.anotherKeyAllowed && !equalBytes(order.euiccOtpk, euiccOtpk)) throw refuse('otherKeyRefused');
}
