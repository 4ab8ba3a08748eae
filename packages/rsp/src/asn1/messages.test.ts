import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../bytes.ts';
import { RspError } from '../errors.ts';
import {
  AuthenticateServerRequest, AuthenticateServerResponse, BoundProfilePackage, CancelSessionRequest, CancelSessionResponse, ConfigureIsdpRequest,
  decode, encode, EuiccInfo1, EuiccInfo2, PendingNotification, PrepareDownloadRequest, PrepareDownloadResponse, ProfileMetadata, readCardResources,
  ReplaceSessionKeysRequest, secureChannelCovered, ServerSigned1, SmdpSigned2, type Type,
} from './index.ts';

const runs = Number(process.env.FUZZ_CASES ?? 2000);
const hex = (...parts: readonly string[]) => parts.join('').replaceAll(' ', '');
const bytes = (...parts: readonly string[]) => fromHex(hex(...parts));

const TID = '000102030405060708090A0B0C0D0E0F';
const SIGNATURE = `5F3740${'5A'.repeat(64)}`;
const POINT = `04${'11'.repeat(64)}`;
const SKI = `0414${'C1'.repeat(20)}`;
const CERTIFICATE = '3003020101';

// Written out by hand from the tags of SGP.22's RSPDefinitions, so that encoder and decoder cannot agree on a mistake.
function tlv(tag: string, ...parts: readonly string[]): string {
  const value = hex(...parts);
  const length = value.length / 2;
  const head = length < 128 ? length.toString(16).padStart(2, '0') : length < 256 ? `81${length.toString(16)}` : `82${length.toString(16).padStart(4, '0')}`;
  return `${tag}${head}${value}`.toUpperCase();
}

const INFO2 = tlv(
  'BF22', '8103020301 8203020300 8303010203', '840D 8101 05 8204 00080000 8302 2000', '85020348', '88020780', tlv('A9', SKI), tlv('AA', SKI),
  '8B0102 99020640 0403010000 0C0B59552D544553542D303031',
);
const CTX = tlv('A0', '800441424331', tlv('A1', '800435290611', 'A10A 80030F0000 85030F0000'));

const METADATA = tlv(
  'BF25', '5A0A 98680000000000001032', tlv('91', Buffer.from('Yuanyou').toString('hex')), tlv('92', Buffer.from('Japan 3 GB').toString('hex')), '950102',
  tlv('B6', tlv('30', '800204F0', tlv('81', Buffer.from('rsp.example').toString('hex')))), 'B705 8003 00F110',
);

const vectors: readonly (readonly [string, Type<never, never>, string])[] = [
  ['EuiccInfo1', EuiccInfo1 as never, tlv('BF20', '8203020300', tlv('A9', SKI), tlv('AA', SKI))],
  ['EuiccInfo2', EuiccInfo2 as never, INFO2],
  ['ServerSigned1', ServerSigned1 as never, tlv('30', `8010${TID}`, `8110${TID}`, tlv('83', Buffer.from('rsp.example').toString('hex')), `8410${TID}`)],
  ['AuthenticateServerRequest', AuthenticateServerRequest as never, tlv(
    'BF38', tlv('30', `8010${TID}`, `8110${TID}`, '830161', `8410${TID}`), SIGNATURE, SKI, CERTIFICATE, CTX,
  )],
  ['AuthenticateServerResponse ok', AuthenticateServerResponse as never, tlv(
    'BF38', tlv('A0', tlv('30', `8010${TID}`, '830161', `8410${TID}`, INFO2, CTX), SIGNATURE, CERTIFICATE, CERTIFICATE),
  )],
  ['AuthenticateServerResponse error', AuthenticateServerResponse as never, tlv('BF38', tlv('A1', `8010${TID}`, '020106'))],
  ['ProfileMetadata', ProfileMetadata as never, METADATA],
  ['SmdpSigned2', SmdpSigned2 as never, tlv('30', `8010${TID}`, '0101FF', `5F4941${POINT}`)],
  ['PrepareDownloadRequest', PrepareDownloadRequest as never, tlv(
    'BF21', tlv('30', `8010${TID}`, '010100'), SIGNATURE, `0420${'CC'.repeat(32)}`, CERTIFICATE,
  )],
  ['PrepareDownloadResponse ok', PrepareDownloadResponse as never, tlv('BF21', tlv('A0', tlv('30', `8010${TID}`, `5F4941${POINT}`), SIGNATURE))],
  ['PrepareDownloadResponse error', PrepareDownloadResponse as never, tlv('BF21', tlv('A1', `8010${TID}`, '02017F'))],
  ['BoundProfilePackage', BoundProfilePackage as never, tlv(
    'BF36', tlv('BF23', '820101', `8010${TID}`, 'A612 800188 810110 840A 01020304050607080900', `5F4941${POINT}`, SIGNATURE),
    'A003 8701AA', 'A103 8801BB', 'A203 8701CC', 'A306 8601DD 8601EE',
  )],
  ['ConfigureIsdpRequest', ConfigureIsdpRequest as never, 'BF2405B803800121'],
  ['ReplaceSessionKeysRequest', ReplaceSessionKeysRequest as never, tlv('BF26', `8010${TID}`, `8110${TID}`, `8210${TID}`)],
  ['install notification, success', PendingNotification as never, tlv('BF37', tlv(
    'BF27', `8010${TID}`, tlv('BF2F', '800107', '81020780', '0C0161', '5A0A98680000000000001032'), '0603883703',
    tlv('A2', tlv('A0', '4F10A0000005591010FFFFFFFF8900001100', '04020102')),
  ), SIGNATURE)],
  ['install notification, error', PendingNotification as never, tlv('BF37', tlv(
    'BF27', `8010${TID}`, tlv('BF2F', '800107', '81020780', '0C0161', '5A0A98680000000000001032'), '0603883703', 'A208 A106 800105 81010A',
  ), SIGNATURE)],
  ['other notification', PendingNotification as never, tlv('30', tlv('BF2F', '80020080', '81020410', '0C0161', '5A0A98680000000000001032'), SIGNATURE, CERTIFICATE, CERTIFICATE)],
  ['CancelSessionRequest', CancelSessionRequest as never, tlv('BF41', `8010${TID}`, '810100')],
  ['CancelSessionResponse ok', CancelSessionResponse as never, tlv('BF41', tlv('A0', tlv('30', `8010${TID}`, '8103883703', '820105'), SIGNATURE))],
  ['CancelSessionResponse error', CancelSessionResponse as never, 'BF410381017F'],
];

describe('messages', () => {
  it.each(vectors)('%s is read and written byte for byte', (_name, type, vector) => {
    expect(toHex(encode(type, decode(type, fromHex(vector)) as never))).toBe(vector);
  });

  it('give their fields by name', () => {
    const metadata = decode(ProfileMetadata, fromHex(METADATA));
    expect(metadata).toMatchObject({
      iccid: '89860000000000000123', serviceProviderName: 'Yuanyou', profileName: 'Japan 3 GB', profileOwner: { mccMnc: { mcc: '001', mnc: '01' } },
      notificationConfiguration: [{ operations: ['install', 'enable', 'disable', 'delete'], address: 'rsp.example' }],
    });
    const info = decode(EuiccInfo2, fromHex(INFO2));
    expect(info).toMatchObject({ svn: '2.3.0', sasAccreditationNumber: 'YU-TEST-001', forbiddenProfilePolicyRules: ['ppr1'] });
    expect(readCardResources(info.extCardResource)).toEqual({ installedApplications: 5, freeNonVolatileBytes: 524_288, freeVolatileBytes: 8192 });
    const answer = decode(PendingNotification, fromHex(vectors.find(([name]) => name === 'install notification, error')![2]));
    expect(answer).toMatchObject({ kind: 'installation', value: { resultData: { finalResult: { kind: 'error', value: { command: 5, reason: 10 } } } } });
  });

  it('smdpSign covers the fields without the outer tag, then the eUICC\'s key', () => {
    const covered = secureChannelCovered({
      remoteOperation: 1, transactionId: fromHex(TID), smdpOtpk: fromHex(POINT),
      controlRefTemplate: { keyType: Uint8Array.of(0x88), keyLength: Uint8Array.of(0x10), hostId: bytes('01020304') },
    }, fromHex(POINT));
    expect(toHex(covered)).toBe(hex('820101', `8010${TID}`, 'A60C 800188 810110 840401020304', `5F4941${POINT}`, `5F4941${POINT}`));
  });

  it('any bytes, and any change to a good message, give a message or an RspError', () => {
    const types = vectors.map(([, type]) => type);
    const samples = vectors.map(([, , vector]) => fromHex(vector));
    const anything = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.tuple(fc.nat(samples.length - 1), fc.nat(), fc.nat(255), fc.nat(3)).map(([which, at, byte, how]) => {
        const sample = Uint8Array.from(samples[which]!);
        const place = at % sample.length;
        if (how === 0) return sample.subarray(0, place);
        if (how === 1) return Uint8Array.from([...sample, byte]);
        sample[place] = how === 2 ? byte : sample[place]! ^ (1 << (byte & 7));
        return sample;
      }),
    );
    fc.assert(fc.property(fc.constantFrom(...types), anything, (type, input) => {
      try {
        decode(type, input);
      } catch (error) {
        return error instanceof RspError;
      }
      return true;
    }), { numRuns: runs });
  }, 300_000);
});
