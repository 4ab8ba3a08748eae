import { Iccid, notificationEvent, OneTimePublicKey, operatorId, pprIds, RawCertificate, Signature, transactionId } from './elements.ts';
import { boolean, integer, octets, raw, utf8 } from './primitives.ts';
import { choice, explicit, optional, sequence, sequenceOf, type Input, type Output } from './schema.ts';

/** NotificationConfigurationInformation: which operations are reported to which address. */
export const NotificationConfiguration = sequence(0x30, {
  operations: notificationEvent(0x80),
  address: utf8(0x81, { min: 1, max: 255 }),
});

/** StoreMetadataRequest (`BF25`): the profile's metadata, in ES9+ and in the bound profile package. */
export const ProfileMetadata = sequence(0xbf25, {
  iccid: Iccid,
  serviceProviderName: utf8(0x91, { max: 32 }),
  profileName: utf8(0x92, { max: 64 }),
  iconType: optional(integer(0x93, { max: 1 })),
  icon: optional(octets(0x94, { max: 1024 })),
  profileClass: optional(integer(0x95, { max: 2 })),
  notificationConfiguration: optional(sequenceOf(0xb6, NotificationConfiguration, { max: 16 })),
  profileOwner: optional(operatorId(0xb7)),
  profilePolicyRules: optional(pprIds(0x99)),
});
export type ProfileMetadata = Output<typeof ProfileMetadata>;
/** What metadata are encoded from. */
export type ProfileMetadataInput = Input<typeof ProfileMetadata>;

/** SmdpSigned2: what the SM-DP+ signs to offer a profile. */
export const SmdpSigned2 = sequence(0x30, {
  transactionId: transactionId(),
  ccRequired: boolean(),
  /** otPK.EUICC of an earlier attempt, to be used again. */
  euiccOtpk: optional(OneTimePublicKey),
});
export type SmdpSigned2 = Output<typeof SmdpSigned2>;

const hashCc = optional(octets(0x04, { length: 32 }));

/** PrepareDownloadRequest (`BF21`), ES10b. */
export const PrepareDownloadRequest = sequence(0xbf21, {
  smdpSigned2: SmdpSigned2,
  smdpSignature2: Signature,
  hashCc,
  smdpCertificate: RawCertificate,
});
export type PrepareDownloadRequest = Output<typeof PrepareDownloadRequest>;

/** EUICCSigned2: what the eUICC signs to accept the profile. */
export const EuiccSigned2 = sequence(0x30, {
  transactionId: transactionId(),
  euiccOtpk: OneTimePublicKey,
  hashCc,
});
export type EuiccSigned2 = Output<typeof EuiccSigned2>;

/** PrepareDownloadResponse (`BF21`), ES10b and ES9+. The error's code is one of `downloadErrors`. */
export const PrepareDownloadResponse = explicit(0xbf21, choice({
  ok: sequence(0xa0, {
    euiccSigned2: EuiccSigned2,
    euiccSignature2: Signature,
  }),
  error: sequence(0xa1, {
    transactionId: transactionId(),
    code: integer(0x02, { max: 255 }),
  }),
}));
export type PrepareDownloadResponse = Output<typeof PrepareDownloadResponse>;

/** ControlRefTemplate: the key agreement's parameters. */
export const ControlRefTemplate = sequence(0xa6, {
  /** `88`: AES. */
  keyType: octets(0x80, { length: 1 }),
  /** `10`: 16 bytes. */
  keyLength: octets(0x81, { length: 1 }),
  hostId: octets(0x84, { min: 1, max: 16 }),
}, { closed: true });

/** InitialiseSecureChannelRequest (`BF23`). */
export const InitialiseSecureChannelRequest = sequence(0xbf23, {
  /** 1: installBoundProfilePackage. */
  remoteOperation: integer(0x82, { max: 127 }),
  transactionId: transactionId(),
  controlRefTemplate: ControlRefTemplate,
  smdpOtpk: OneTimePublicKey,
  smdpSign: Signature,
}, { closed: true });
export type InitialiseSecureChannelRequest = Output<typeof InitialiseSecureChannelRequest>;

const segments = (listTag: number, segmentTag: number) => sequenceOf(listTag, raw(segmentTag), { min: 1, max: 4096 });

/** BoundProfilePackage (`BF36`). Segments are whole objects, tag and all: their MAC covers tag and length. */
export const BoundProfilePackage = sequence(0xbf36, {
  initialiseSecureChannel: InitialiseSecureChannelRequest,
  configureIsdp: segments(0xa0, 0x87),
  storeMetadata: segments(0xa1, 0x88),
  replaceSessionKeys: optional(segments(0xa2, 0x87)),
  profileElements: segments(0xa3, 0x86),
}, { closed: true });
export type BoundProfilePackage = Output<typeof BoundProfilePackage>;

/** ConfigureISDPRequest (`BF24`), inside the first segment. */
export const ConfigureIsdpRequest = sequence(0xbf24, {
  dpProprietaryData: optional(raw(0xb8)),
});

/** ReplaceSessionKeysRequest (`BF26`): the keys that protect the profile from here on. */
export const ReplaceSessionKeysRequest = sequence(0xbf26, {
  initialMacChainingValue: octets(0x80, { length: 16 }),
  encryptionKey: octets(0x81, { length: 16 }),
  macKey: octets(0x82, { length: 16 }),
}, { closed: true });
