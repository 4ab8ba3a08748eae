import {
  ConfigureIsdpRequest, encode, InitialiseSecureChannelRequest, oid, ProfileMetadata, ReplaceSessionKeysRequest, secureChannelCovered,
  type Input, type ProfileMetadataInput,
} from '../asn1/index.ts';
import { MAX_SEGMENT_PLAINTEXT, protectSegments, startBsp, type SessionKeys } from '../bsp/index.ts';
import { encodeTlv } from '../tlv/index.ts';

/** A protected profile package (PPP): its segments under keys of the profile's own, bound to no eUICC yet. */
export interface ProtectedProfile {
  /** Random keys, made for this package alone. Secret. */
  readonly protectionKeys: SessionKeys;
  /** `86` segments. */
  readonly segments: readonly Uint8Array[];
}

/**
 * Unprotected profile package to protected profile package.
 * @param upp the profile package, DER
 * @param protectionKeys 48 random bytes as keys; never constants
 */
export function protectProfile(upp: Uint8Array, protectionKeys: SessionKeys): ProtectedProfile {
  const { segments } = protectSegments(startBsp(protectionKeys), 0x86, cut(upp));
  return { protectionKeys, segments };
}

/** What both ends agree on for one package. */
export interface SecureChannel {
  readonly transactionId: Uint8Array;
  /** 1 to 16 bytes. */
  readonly hostId: Uint8Array;
  /** otPK.DP, uncompressed point. */
  readonly smdpOtpk: Uint8Array;
  /** otPK.EUICC, uncompressed point. */
  readonly euiccOtpk: Uint8Array;
}

/** The bytes that CERT.DPpb's key signs to open the channel. */
export function secureChannelToBeSigned(channel: SecureChannel): Uint8Array {
  return secureChannelCovered(channelRequest(channel), channel.euiccOtpk);
}

/** What {@link bindProfile} puts together. */
export interface Binding {
  readonly channel: SecureChannel;
  /** Signature over {@link secureChannelToBeSigned}, raw r || s. */
  readonly smdpSign: Uint8Array;
  readonly sessionKeys: SessionKeys;
  /** OID of the SM-DP+, for the ISD-P. */
  readonly smdpOid: string;
  readonly metadata: ProfileMetadataInput;
  readonly profile: ProtectedProfile;
}

/** Protected profile package to bound profile package (`BF36`), for one eUICC and one session. */
export function bindProfile({ channel, smdpSign, sessionKeys, smdpOid, metadata, profile }: Binding): Uint8Array {
  const isdp = protectSegments(startBsp(sessionKeys), 0x87, [configureIsdp(smdpOid)]);
  const stored = protectSegments(isdp.state, 0x88, cut(encode(ProfileMetadata, metadata)));
  const replaced = protectSegments(stored.state, 0x87, [encode(ReplaceSessionKeysRequest, profile.protectionKeys)]);
  return encodeTlv(
    0xbf36,
    encode(InitialiseSecureChannelRequest, { ...channelRequest(channel), smdpSign }),
    encodeTlv(0xa0, ...isdp.segments),
    encodeTlv(0xa1, ...stored.segments),
    encodeTlv(0xa2, ...replaced.segments),
    encodeTlv(0xa3, ...profile.segments),
  );
}

function configureIsdp(smdpOid: string): Uint8Array {
  return encode(ConfigureIsdpRequest, { dpProprietaryData: encodeTlv(0xb8, encode(oid(0x80), smdpOid)) });
}

type Request = Omit<Input<typeof InitialiseSecureChannelRequest>, 'smdpSign'>;

function channelRequest({ transactionId, hostId, smdpOtpk }: SecureChannel): Request {
  return {
    remoteOperation: 1,
    transactionId,
    controlRefTemplate: { keyType: Uint8Array.of(0x88), keyLength: Uint8Array.of(0x10), hostId },
    smdpOtpk,
  };
}

function cut(bytes: Uint8Array): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += MAX_SEGMENT_PLAINTEXT) pieces.push(bytes.subarray(at, at + MAX_SEGMENT_PLAINTEXT));
  return pieces;
}
