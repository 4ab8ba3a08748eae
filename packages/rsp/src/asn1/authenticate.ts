import { RawCertificate, CiPublicKeyId, Signature, transactionId, version } from './elements.ts';
import { EuiccInfo2 } from './euicc-info.ts';
import { integer, octets, utf8 } from './primitives.ts';
import { choice, explicit, optional, sequence, type Output } from './schema.ts';

const challenge = (tag: number) => octets(tag, { length: 16 });
const serverAddress = utf8(0x83, { min: 1, max: 255 });

/** ServerSigned1: what the SM-DP+ signs to authenticate itself. */
export const ServerSigned1 = sequence(0x30, {
  transactionId: transactionId(),
  euiccChallenge: challenge(0x81),
  serverAddress,
  serverChallenge: challenge(0x84),
});
export type ServerSigned1 = Output<typeof ServerSigned1>;

const release = (tag: number) => optional(version(tag));

/** DeviceInfo: the phone, as its LPA describes it. */
export const DeviceInfo = sequence(0xa1, {
  /** Four bytes; peers are seen to send up to eight. */
  tac: octets(0x80, { min: 4, max: 8 }),
  capabilities: sequence(0xa1, {
    gsm: release(0x80), utran: release(0x81), cdma2000onex: release(0x82), cdma2000hrpd: release(0x83), cdma2000ehrpd: release(0x84),
    eutranEpc: release(0x85), contactless: release(0x86), rspCrl: release(0x87), nrEpc: release(0x88), nr5gc: release(0x89),
    eutran5gc: release(0x8a), lpaSvn: release(0x8b),
  }),
  imei: optional(octets(0x82, { length: 8 })),
});
export type DeviceInfo = Output<typeof DeviceInfo>;

/** CtxParams1: why the eUICC authenticates the server. */
export const CtxParams1 = choice({
  commonAuthentication: sequence(0xa0, {
    matchingId: optional(utf8(0x80, { max: 255 })),
    deviceInfo: DeviceInfo,
  }),
});
export type CtxParams1 = Output<typeof CtxParams1>;

/** AuthenticateServerRequest (`BF38`), ES10b. */
export const AuthenticateServerRequest = sequence(0xbf38, {
  serverSigned1: ServerSigned1,
  serverSignature1: Signature,
  ciPublicKeyIdToBeUsed: CiPublicKeyId,
  serverCertificate: RawCertificate,
  ctxParams1: CtxParams1,
});
export type AuthenticateServerRequest = Output<typeof AuthenticateServerRequest>;

/** EuiccSigned1: what the eUICC signs to authenticate itself. */
export const EuiccSigned1 = sequence(0x30, {
  transactionId: transactionId(),
  serverAddress,
  serverChallenge: challenge(0x84),
  euiccInfo2: EuiccInfo2,
  ctxParams1: CtxParams1,
});
export type EuiccSigned1 = Output<typeof EuiccSigned1>;

/** AuthenticateServerResponse (`BF38`), ES10b and ES9+. The error's code is one of `authenticateErrors`. */
export const AuthenticateServerResponse = explicit(0xbf38, choice({
  ok: sequence(0xa0, {
    euiccSigned1: EuiccSigned1,
    euiccSignature1: Signature,
    euiccCertificate: RawCertificate,
    eumCertificate: RawCertificate,
  }),
  error: sequence(0xa1, {
    transactionId: transactionId(),
    code: integer(0x02, { max: 255 }),
  }),
}));
export type AuthenticateServerResponse = Output<typeof AuthenticateServerResponse>;
