import type { NotificationEventName, ProfileMetadata } from '../asn1/index.ts';
import { decode, ProfileMetadata as ProfileMetadataType } from '../asn1/index.ts';
import { RspError } from '../errors.ts';
import type { ProfileStateName } from '../es10/index.ts';
import type { Opening } from '../package/index.ts';
import { eidOf, parseCertificate } from '../pki/index.ts';
import type { EphemeralKey, PkiCache } from '../pki/index.ts';
import { toHex } from '../bytes.ts';

/** An eUICC's standing under one CI: CERT.CI (trusted), CERT.EUM and CERT.EUICC, DER. */
export interface EuiccCredential {
  readonly ciCertificate: Uint8Array;
  readonly eumCertificate: Uint8Array;
  readonly euiccCertificate: Uint8Array;
}

/** A profile that is installed. */
export interface InstalledProfile {
  readonly iccid: string;
  readonly aid: Uint8Array;
  readonly state: ProfileStateName;
  readonly nickname?: string;
  /** StoreMetadataRequest (`BF25`) as received. */
  readonly metadata: Uint8Array;
  /** SHA-256 of the profile package, hexadecimal; the package itself is not kept. */
  readonly packageHash: string;
  /** Memory that it takes up. */
  readonly bytes: number;
}

/** A notification that waits to be sent. */
export interface StoredNotification {
  readonly sequenceNumber: number;
  readonly operation: NotificationEventName;
  readonly address: string;
  /** NotificationMetadata (`BF2F`). */
  readonly metadata: Uint8Array;
  /** PendingNotification, signed, as the SM-DP+ gets it. */
  readonly object: Uint8Array;
}

/** An RSP session as the eUICC sees it, one at a time. */
export interface EuiccSession {
  readonly euiccChallenge: Uint8Array;
  readonly authenticated?: {
    readonly transactionId: Uint8Array;
    readonly serverAddress: string;
    /** Key identifier of the CI under which this eUICC signs, hexadecimal. */
    readonly ciKeyId: string;
    readonly smdpOid: string;
    readonly euiccSignature1: Uint8Array;
  };
  readonly prepared?: {
    /** CERT.DPpb. */
    readonly smdpCertificate: Uint8Array;
    readonly oneTimeKey: EphemeralKey;
  };
  readonly loading?: {
    readonly opening: Opening;
    /** StoreMetadataRequest (`BF25`), once its section is whole. */
    readonly metadata?: Uint8Array;
  };
}

/** The one-time key of a download that has not succeeded yet: the SM-DP+ may ask for it again. */
export interface RetryKey {
  readonly smdpOid: string;
  readonly key: EphemeralKey;
}

/** A chain of STORE DATA commands under way. */
export interface StoreDataChain {
  readonly blocks: readonly Uint8Array[];
  readonly bytes: number;
}

/** Everything an eUICC remembers. Plain values: {@link saveEuicc} writes them as JSON. Holds no long-term private key. */
export interface EuiccState {
  readonly version: 1;
  readonly eid: string;
  readonly credentials: readonly EuiccCredential[];
  readonly defaultSmdpAddress?: string;
  readonly rootSmdsAddress: string;
  readonly memoryBytes: number;
  /** Longest answer in one piece; a longer one is fetched by GET RESPONSE. */
  readonly answerBytes: number;
  readonly profiles: readonly InstalledProfile[];
  readonly notifications: readonly StoredNotification[];
  readonly nextSequenceNumber: number;
  readonly nextAid: number;
  readonly session?: EuiccSession;
  readonly retryKey?: RetryKey;
  readonly chain?: StoreDataChain;
  /** What is left of an answer. */
  readonly unread?: Uint8Array;
}

/** What the eUICC gets from outside for one command. */
export interface EuiccContext {
  readonly now: Date;
  /** Fresh random bytes. */
  readonly random: (bytes: number) => Uint8Array;
  /** Signs with the private key of the credential under the CI with this key identifier (hexadecimal): raw r || s. */
  readonly sign: (ciKeyId: string, message: Uint8Array) => Uint8Array;
  readonly cache: PkiCache;
}

/** What an eUICC is made from. */
export interface EuiccOptions {
  /** One for each CI, the preferred first. All name the same EID. */
  readonly credentials: readonly EuiccCredential[];
  readonly defaultSmdpAddress?: string;
  readonly rootSmdsAddress?: string;
  /** Non-volatile memory for profiles, default 512 KiB. */
  readonly memoryBytes?: number;
  /** Default 32,767: every answer in one piece. Cards have 255. */
  readonly answerBytes?: number;
}

/**
 * A new eUICC without profiles.
 * @throws RspError `euicc/credentials` when there are none or their EIDs differ; `pki/*` when a certificate cannot be read
 */
export function createEuicc(options: EuiccOptions): EuiccState {
  const eids = new Set(options.credentials.map(({ euiccCertificate }) => eidOf(parseCertificate(euiccCertificate))));
  const [eid] = eids;
  if (eid === undefined || eids.size !== 1) throw new RspError('euicc/credentials');
  return {
    version: 1,
    eid,
    credentials: options.credentials,
    ...(options.defaultSmdpAddress === undefined ? {} : { defaultSmdpAddress: options.defaultSmdpAddress }),
    rootSmdsAddress: options.rootSmdsAddress ?? 'smds.example',
    memoryBytes: options.memoryBytes ?? 524_288,
    answerBytes: options.answerBytes ?? 32_767,
    profiles: [],
    notifications: [],
    nextSequenceNumber: 1,
    nextAid: 16,
  };
}

/** Key identifier of a CI certificate, hexadecimal. */
export function ciKeyIdOf(ciCertificate: Uint8Array): string {
  const { subjectKeyId } = parseCertificate(ciCertificate);
  if (!subjectKeyId) throw new RspError('euicc/credentials', 'a CI without key identifier');
  return toHex(subjectKeyId);
}

/** Bytes of non-volatile memory that no profile takes up. */
export function freeMemory(state: EuiccState): number {
  return Math.max(0, state.memoryBytes - state.profiles.reduce((sum, { bytes }) => sum + bytes, 0));
}

/** An installed profile's metadata. */
export function metadataOf(profile: InstalledProfile): ProfileMetadata {
  return decode(ProfileMetadataType, profile.metadata);
}
