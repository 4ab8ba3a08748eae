import { Iccid, notificationEvent, RawCertificate, Signature, transactionId } from './elements.ts';
import { integer, octets, oid, utf8 } from './primitives.ts';
import { choice, explicit, optional, sequence, type Output } from './schema.ts';

/** NotificationMetadata (`BF2F`). `operations` holds exactly one operation. */
export const NotificationMetadata = sequence(0xbf2f, {
  sequenceNumber: integer(0x80),
  operations: notificationEvent(0x81),
  address: utf8(0x0c, { max: 255 }),
  iccid: optional(Iccid),
});
export type NotificationMetadata = Output<typeof NotificationMetadata>;

/** ProfileInstallationResultData (`BF27`): what euiccSignPIR covers. */
export const ProfileInstallationResultData = sequence(0xbf27, {
  transactionId: transactionId(),
  notificationMetadata: NotificationMetadata,
  smdpOid: optional(oid()),
  finalResult: explicit(0xa2, choice({
    success: sequence(0xa0, {
      /** AID of the ISD-P. */
      aid: octets(0x4f, { min: 5, max: 16 }),
      simaResponse: octets(0x04, { max: 4096 }),
    }),
    /** `command` is one of `bppCommands`, `reason` one of `installErrors`. */
    error: sequence(0xa1, {
      command: integer(0x80, { max: 255 }),
      reason: integer(0x81, { max: 255 }),
      simaResponse: optional(octets(0x82, { max: 4096 })),
    }),
  })),
});
export type ProfileInstallationResultData = Output<typeof ProfileInstallationResultData>;

/** ProfileInstallationResult (`BF37`). */
export const ProfileInstallationResult = sequence(0xbf37, {
  resultData: ProfileInstallationResultData,
  euiccSign: Signature,
});
export type ProfileInstallationResult = Output<typeof ProfileInstallationResult>;

/** OtherSignedNotification (`30`): the signature covers the whole `BF2F` object. */
export const OtherSignedNotification = sequence(0x30, {
  tbsOtherNotification: NotificationMetadata,
  euiccSign: Signature,
  euiccCertificate: RawCertificate,
  eumCertificate: RawCertificate,
});
export type OtherSignedNotification = Output<typeof OtherSignedNotification>;

/** PendingNotification: what an LPA brings to ES9+.HandleNotification. */
export const PendingNotification = choice({
  installation: ProfileInstallationResult,
  other: OtherSignedNotification,
});
export type PendingNotification = Output<typeof PendingNotification>;

/** CancelSessionRequest (`BF41`), ES10b. `reason` is one of `cancelSessionReasons`. */
export const CancelSessionRequest = sequence(0xbf41, {
  transactionId: transactionId(),
  reason: integer(0x81, { max: 255 }),
});
export type CancelSessionRequest = Output<typeof CancelSessionRequest>;

/** EuiccCancelSessionSigned: what the eUICC signs to end a session. */
export const EuiccCancelSessionSigned = sequence(0x30, {
  transactionId: transactionId(),
  smdpOid: oid(0x81),
  reason: integer(0x82, { max: 255 }),
});
export type EuiccCancelSessionSigned = Output<typeof EuiccCancelSessionSigned>;

/** CancelSessionResponse (`BF41`), ES10b and ES9+. The error is one of `cancelSessionErrors`. */
export const CancelSessionResponse = explicit(0xbf41, choice({
  ok: sequence(0xa0, {
    euiccCancelSessionSigned: EuiccCancelSessionSigned,
    euiccCancelSessionSignature: Signature,
  }),
  error: integer(0x81, { max: 255 }),
}));
export type CancelSessionResponse = Output<typeof CancelSessionResponse>;
