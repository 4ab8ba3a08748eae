import {
  encode, ServerSigned1, SmdpSigned2, smdpSigned2Covered,
} from '../asn1/index.ts';
import type { ProfileMetadataInput } from '../asn1/index.ts';
import { deriveSessionKeys, splitKeys } from '../bsp/index.ts';
import { concatBytes, fromHex } from '../bytes.ts';
import { ciKeyIdOf } from '../euicc/index.ts';
import { bindProfile, protectProfile, secureChannelToBeSigned } from '../package/index.ts';
import type { SecureChannel } from '../package/index.ts';
import { agree, ephemeralKey } from '../pki/index.ts';
import { buildProfilePackage } from '../saip/index.ts';
import { encodeTlv } from '../tlv/index.ts';
import { signerOfIdentity } from './pki.ts';
import type { TestIdentity, TestPki } from './pki.ts';
import type { RandomBytes } from './random.ts';

/**
 * The three ES10b objects of a download as an SM-DP+ makes them, each part replaceable: for making what an eUICC must refuse.
 * The real SM-DP+ is the state machine of this package; this one keeps no state and checks nothing.
 */
export interface TestSmdp {
  /** AuthenticateServerRequest (`BF38`). */
  authenticateServer(call: AuthenticateServerCall): Uint8Array;
  /** PrepareDownloadRequest (`BF21`). */
  prepareDownload(call: PrepareDownloadCall): Uint8Array;
  /** Bound profile package (`BF36`). */
  boundProfilePackage(call: BoundProfilePackageCall): Uint8Array;
}

export interface AuthenticateServerCall {
  readonly transactionId: Uint8Array;
  readonly euiccChallenge: Uint8Array;
  readonly serverAddress?: string;
  readonly signer?: TestIdentity;
  readonly ciKeyId?: string;
  readonly matchingId?: string;
  /** Appended to the device capabilities: fields of a later version. */
  readonly unknownField?: Uint8Array;
}

export interface PrepareDownloadCall {
  readonly transactionId: Uint8Array;
  readonly euiccSignature1: Uint8Array;
  readonly ccRequired?: boolean;
  readonly hashCc?: Uint8Array;
  readonly euiccOtpk?: Uint8Array;
  readonly signer?: TestIdentity;
}

export interface BoundProfilePackageCall {
  readonly transactionId: Uint8Array;
  readonly euiccOtpk: Uint8Array;
  readonly eid: string;
  readonly metadata: ProfileMetadataInput;
  readonly upp?: Uint8Array;
  readonly smdpOid?: string;
  readonly signer?: TestIdentity;
}

/** A stateless SM-DP+ over a test PKI. */
export function createTestSmdp(pki: TestPki, random: RandomBytes): TestSmdp {
  return {
    authenticateServer: (call) => authenticateServer(pki, random, call),
    prepareDownload: (call) => prepareDownload(pki, call),
    boundProfilePackage: (call) => boundProfilePackage(pki, random, call),
  };
}

/** A profile package for an ICCID, with keys that anybody can read here. */
export function testProfilePackage(iccid: string): Uint8Array {
  return buildProfilePackage({
    iccid, imsi: '001010123456789', mncLength: 2, ki: Buffer.alloc(16, 0x4b), opc: Buffer.alloc(16, 0x0c),
    pin1: '1234', puk1: '11112222', adm1: Buffer.from('99887766'), serviceProviderName: 'Yuanyou Test',
  });
}

/** Metadata with notifications for all four operations to one address. */
export function testMetadata(iccid: string, address = 'smdp.example', changes: Partial<ProfileMetadataInput> = {}): ProfileMetadataInput {
  return {
    iccid, serviceProviderName: 'Yuanyou Test', profileName: 'Demo plan',
    notificationConfiguration: [{ operations: ['install', 'enable', 'disable', 'delete'], address }],
    ...changes,
  };
}

function authenticateServer(pki: TestPki, random: RandomBytes, call: AuthenticateServerCall): Uint8Array {
  const signer = call.signer ?? pki.dpAuth;
  const serverSigned1 = encode(ServerSigned1, {
    transactionId: call.transactionId, euiccChallenge: call.euiccChallenge, serverAddress: call.serverAddress ?? 'smdp.example', serverChallenge: random(16),
  });
  const ctxParams1 = encodeTlv(
    0xa0,
    ...(call.matchingId === undefined ? [] : [encodeTlv(0x80, Buffer.from(call.matchingId))]),
    encodeTlv(0xa1, encodeTlv(0x80, fromHex('35290611')), encodeTlv(0xa1, ...(call.unknownField ? [call.unknownField] : []))),
  );
  return encodeTlv(
    0xbf38, serverSigned1, encodeTlv(0x5f37, signerOfIdentity(signer)(serverSigned1)),
    encodeTlv(0x04, fromHex(call.ciKeyId ?? ciKeyIdOf(pki.ci.certificate))), signer.certificate, ctxParams1,
  );
}

function prepareDownload(pki: TestPki, call: PrepareDownloadCall): Uint8Array {
  const signer = call.signer ?? pki.dpPb;
  const smdpSigned2 = encode(SmdpSigned2, { transactionId: call.transactionId, ccRequired: call.ccRequired ?? false, euiccOtpk: call.euiccOtpk });
  const signature = signerOfIdentity(signer)(smdpSigned2Covered(smdpSigned2, call.euiccSignature1));
  return encodeTlv(
    0xbf21, smdpSigned2, encodeTlv(0x5f37, signature), ...(call.hashCc ? [encodeTlv(0x04, call.hashCc)] : []), signer.certificate,
  );
}

function boundProfilePackage(pki: TestPki, random: RandomBytes, call: BoundProfilePackageCall): Uint8Array {
  const otKey = ephemeralKey(pki.curve, random(48));
  const channel: SecureChannel = { transactionId: call.transactionId, hostId: random(16), smdpOtpk: otKey.publicKey, euiccOtpk: call.euiccOtpk };
  return concatBytes(bindProfile({
    channel,
    smdpSign: signerOfIdentity(call.signer ?? pki.dpPb)(secureChannelToBeSigned(channel)),
    sessionKeys: deriveSessionKeys(agree(otKey, call.euiccOtpk), { hostId: channel.hostId, eid: call.eid }),
    smdpOid: call.smdpOid ?? pki.smdpOid,
    metadata: call.metadata,
    profile: protectProfile(call.upp ?? testProfilePackage(call.metadata.iccid), splitKeys(random(48))),
  }));
}
