import type { ProfileMetadataInput } from '../asn1/index.ts';
import type { CurveName, SignMessage } from '../pki/index.ts';

/** A certificate of ours (DER) and a way to sign with its key. */
export interface SigningCertificate {
  readonly certificate: Uint8Array;
  readonly sign: SignMessage;
}

/** Our certificates below one CI. */
export interface SmdpChain {
  /** Subject key identifier of the CI, 20 bytes. */
  readonly ciKeyId: Uint8Array;
  readonly curve: CurveName;
  /** CERT.DPauth. */
  readonly auth: SigningCertificate;
  /** CERT.DPpb. */
  readonly binding: SigningCertificate;
}

/** An SM-DP+: what stays the same from request to request. */
export interface SmdpIdentity {
  /** Host, or host and port, that clients may call us by; in lower case. The first goes into profiles' metadata. */
  readonly addresses: readonly string[];
  readonly smdpOid: string;
  readonly chains: readonly SmdpChain[];
  /** 1 to 16 bytes, for the key agreement. */
  readonly hostId: Uint8Array;
}


/** The eUICC of a session, once authenticated. */
export interface SessionClient {
  readonly eid: string;
  readonly curve: CurveName;
  /** Public key of CERT.EUICC, uncompressed point. */
  readonly point: Uint8Array;
  /** smdpSignature2, which the eUICC's next signature covers. */
  readonly smdpSignature2: Uint8Array;
}

/** The first half of mutual authentication, of which the eUICC's answer is the second. */
export interface SessionOpening {
  /** As the client wrote it. */
  readonly serverAddress: string;
  readonly serverChallenge: Uint8Array;
  /** CI under which the eUICC's certificate must stand. */
  readonly euiccCiKeyId: Uint8Array;
}

/** An RSP session between two requests. Holds no private key: ours exist only while one request is answered. */
export interface SmdpSession {
  /** Upper-case hexadecimal, 32 digits. */
  readonly transactionId: string;
  readonly state: 'initiated' | 'authenticated' | 'bound' | 'ended';
  /** What the eUICC has to answer to; absent once it has. */
  readonly opening?: SessionOpening;
  /** CI of our own chain. */
  readonly chainCiKeyId: Uint8Array;
  readonly expiresAt: Date;
  readonly client?: SessionClient;
}

/** Where a download order stands. */
export type OrderState =
  | 'allocated' | 'released' | 'downloaded' | 'installed' | 'enabled' | 'disabled' | 'deleted' | 'error' | 'unavailable';

/** A profile on order, as the checks see it. */
export interface DownloadOrder {
  readonly state: OrderState;
  /** The eUICC that the order is bound to, from the start or since its first download. */
  readonly eid?: string;
  /** First digest of the confirmation code; without one none is asked for. */
  readonly confirmationDigest?: Uint8Array;
  readonly confirmationTriesLeft: number;
  /** Bound profile packages given out. */
  readonly downloads: number;
  readonly maxDownloads: number;
  /** Last instant of the first download. */
  readonly expiresAt?: Date;
  readonly metadata: ProfileMetadataInput;
  /** Bytes that the profile takes in an eUICC. */
  readonly profileBytes: number;
  /** One-time key that the eUICC answered with last. */
  readonly euiccOtpk?: Uint8Array;
  /** Whether another one-time key than that is taken. */
  readonly anotherKeyAllowed: boolean;
}
