import { CiPublicKeyId, decode, encode, EuiccInfo1, ServerSigned1, signatureTlv, type EuiccInfo1 as Info } from '../asn1/index.ts';
import { equalBytes, toHex } from '../bytes.ts';
import type { Es9plusRequest, Es9plusResponse } from '../es9plus/index.ts';
import { anchorByKeyId, type Certificate } from '../pki/index.ts';
import { refuse } from './refusals.ts';
import type { SmdpChain, SmdpIdentity, SmdpSession } from './types.ts';

/** What {@link initiateAuthentication} needs beside the request. */
export interface InitiateContext {
  readonly smdp: SmdpIdentity;
  /** CI certificates under which we trust eUICCs. */
  readonly anchors: readonly Certificate[];
  readonly random: {
    /** 16 bytes. */
    readonly transactionId: Uint8Array;
    /** 16 bytes. */
    readonly serverChallenge: Uint8Array;
  };
  /** When the session ends by itself. */
  readonly expiresAt: Date;
}

/**
 * ES9+.InitiateAuthentication: chooses CIs and certificate by what the eUICC supports, and signs its challenge.
 * @throws RspError `smdp/addressUnknown`, `smdp/versionNotSupported`, `smdp/ciNotSupported`, `smdp/noServerCertificate`; `asn1/*`, `tlv/*`
 */
export function initiateAuthentication(
  request: Es9plusRequest<'initiateAuthentication'>, context: InitiateContext,
): { readonly answer: Es9plusResponse<'initiateAuthentication'>; readonly session: SmdpSession } {
  const { smdp, random } = context;
  requireAddress(request.smdpAddress, smdp);
  const info = decode(EuiccInfo1, request.euiccInfo1, { maxBytes: 4096 });
  requireVersion(info.svn);
  const { euiccCiKeyId, chain } = chooseIssuers(info, smdp, context.anchors);
  const serverSigned1 = encode(ServerSigned1, {
    transactionId: random.transactionId,
    euiccChallenge: request.euiccChallenge,
    serverAddress: request.smdpAddress,
    serverChallenge: random.serverChallenge,
  });
  const transactionId = toHex(random.transactionId);
  return {
    answer: {
      transactionId,
      serverSigned1,
      serverSignature1: signatureTlv(chain.auth.sign(serverSigned1)),
      euiccCiPKIdToBeUsed: encode(CiPublicKeyId, euiccCiKeyId),
      serverCertificate: chain.auth.certificate,
    },
    session: {
      transactionId,
      state: 'initiated',
      opening: { serverAddress: request.smdpAddress, serverChallenge: random.serverChallenge, euiccCiKeyId },
      chainCiKeyId: chain.ciKeyId,
      expiresAt: context.expiresAt,
    },
  };
}

function requireAddress(address: string, smdp: SmdpIdentity): void {
  if (!smdp.addresses.includes(address.toLowerCase())) throw refuse('addressUnknown');
}

/** The CIs that an eUICC supports, as both EUICCInfo1 and EUICCInfo2 list them. */
type Supported = Pick<Info, 'ciPublicKeyIdsForSigning' | 'ciPublicKeyIdsForVerification'>;

/**
 * Chooses the CI that the eUICC signs under and the chain of ours that it verifies.
 * @throws RspError `smdp/ciNotSupported`, `smdp/noServerCertificate`
 */
export function chooseIssuers(
  supported: Supported, smdp: SmdpIdentity, anchors: readonly Certificate[],
): { readonly euiccCiKeyId: Uint8Array; readonly chain: SmdpChain } {
  const euiccCiKeyId = chooseEuiccCi(supported, anchors);
  return { euiccCiKeyId, chain: chooseChain(supported, smdp.chains, euiccCiKeyId) };
}

/** We speak version 2; the eUICC's minor version does not matter, since unknown fields at the end are passed over. */
function requireVersion(svn: string): void {
  if (!svn.startsWith('2.')) throw refuse('versionNotSupported', svn);
}

/** The first CI, in the eUICC's order of preference, under which we can verify its certificate. */
function chooseEuiccCi(info: Supported, anchors: readonly Certificate[]): Uint8Array {
  const chosen = info.ciPublicKeyIdsForSigning.find((keyId) => anchorByKeyId(anchors, keyId));
  if (!chosen) throw refuse('ciNotSupported');
  return chosen;
}

/** Our chain below a CI that the eUICC can verify: the one it signs under if we can, else the first in its order of preference. */
function chooseChain(info: Supported, chains: readonly SmdpChain[], preferred: Uint8Array): SmdpChain {
  const verifiable = info.ciPublicKeyIdsForVerification;
  const ordered = [...verifiable.filter((keyId) => equalBytes(keyId, preferred)), ...verifiable];
  for (const keyId of ordered) {
    const chain = chainOf(chains, keyId);
    if (chain) return chain;
  }
  throw refuse('noServerCertificate');
}

/** Our chain below this CI. */
export function chainOf(chains: readonly SmdpChain[], ciKeyId: Uint8Array): SmdpChain | undefined {
  return chains.find((chain) => equalBytes(chain.ciKeyId, ciKeyId));
}
