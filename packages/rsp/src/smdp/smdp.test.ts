import { describe, expect, it } from 'vitest';
import { RspError } from '../errors.ts';
import { endsSession, malformedStatusCode, orderAfter, profileMetadata, refusalOf, refusals, refuse, statusCodeOf, type OrderState, type ProfileEvent, type Refusal } from './index.ts';

describe('refusals', () => {
  // Written out once more, from the specification's side: the table in the code must not be its own witness.
  it.each([
    ['addressUnknown', '8.8.1/3.8'], ['ciNotSupported', '8.8.2/3.1'], ['versionNotSupported', '8.8.3/3.1'], ['noServerCertificate', '8.8.4/3.7'],
    ['transactionUnknown', '8.10.1/3.9'], ['eumCertificateInvalid', '8.1.2/6.1'], ['eumCertificateExpired', '8.1.2/6.3'],
    ['euiccCertificateInvalid', '8.1.3/6.1'], ['euiccCertificateExpired', '8.1.3/6.3'], ['ciUnknown', '8.11.1/3.9'], ['signatureInvalid', '8.1/6.1'],
    ['euiccReportedError', '8.1/6.1'], ['matchingIdRefused', '8.2.6/3.8'], ['eidRefused', '8.1.1/3.8'], ['profileNotReleased', '8.2/1.2'],
    ['euiccNotEligible', '8.2.5/4.3'], ['memoryTooSmall', '8.1/4.8'], ['orderExpired', '8.8.5/4.10'], ['downloadsUsedUp', '8.8.5/6.4'],
    ['confirmationCodeMissing', '8.2.7/2.2'], ['confirmationCodeRefused', '8.2.7/3.8'], ['confirmationTriesUsedUp', '8.2.7/6.4'],
    ['otherKeyRefused', '8.2/3.7'], ['smdpOidWrong', '8.8/3.10'],
  ] as const)('%s is %s', (refusal, code) => {
    const { subjectCode, reasonCode, message } = statusCodeOf(refusal);
    expect(`${subjectCode}/${reasonCode}`).toBe(code);
    expect(message).toMatch(/^[A-Z][^_{}]+\.$/);
    expect(refusalOf(refuse(refusal))).toBe(refusal);
  });

  it('are all in that list, and nothing else is one', () => {
    expect(Object.keys(refusals)).toHaveLength(24);
    expect(refusalOf(new RspError('asn1/value'))).toBeUndefined();
    expect(refusalOf(new RspError('smdp/toString'))).toBeUndefined();
    expect(refusalOf(new Error('smdp/eidRefused'))).toBeUndefined();
    expect(malformedStatusCode(new RspError('es9plus/missing')).reasonCode).toBe('2.2');
    expect(malformedStatusCode(new RspError('tlv/length')).reasonCode).toBe('2.1');
    const goOn = (Object.keys(refusals) as Refusal[]).filter((refusal) => !endsSession(refusal));
    expect(goOn).toEqual([
      'addressUnknown', 'ciNotSupported', 'versionNotSupported', 'noServerCertificate', 'transactionUnknown', 'confirmationCodeMissing', 'smdpOidWrong',
    ]);
  });
});

describe('orderAfter', () => {
  const after = (state: OrderState, event: ProfileEvent, reinstall: 'same-euicc' | 'any-euicc' | 'never' = 'same-euicc', downloads = 1) =>
    orderAfter({ state, downloads, maxDownloads: 5, policy: { reinstall } }, event);
  const failed = { kind: 'install-failed', command: 5, reason: 10 } as const;

  it.each([
    ['downloaded', { kind: 'installed' }, { state: 'installed' }],
    ['released', { kind: 'installed' }, { state: 'installed' }],
    ['enabled', { kind: 'installed' }, undefined],
    ['installed', { kind: 'enabled' }, { state: 'enabled' }],
    ['enabled', { kind: 'disabled' }, { state: 'disabled' }],
    ['downloaded', failed, { state: 'released' }],
    ['installed', failed, undefined],
    ['disabled', { kind: 'deleted' }, { state: 'released' }],
    ['unavailable', { kind: 'deleted' }, undefined],
  ] as const)('%s and %j give %j', (state, event, expected) => {
    expect(after(state, event)).toEqual(expected);
  });

  it('a deleted profile comes back as the policy says', () => {
    expect(after('disabled', { kind: 'deleted' }, 'never')).toEqual({ state: 'deleted' });
    expect(after('disabled', { kind: 'deleted' }, 'any-euicc')).toEqual({ state: 'released', releaseEid: true });
    expect(after('disabled', { kind: 'deleted' }, 'same-euicc', 5)).toEqual({ state: 'deleted' });
    expect(after('downloaded', failed, 'same-euicc', 5)).toEqual({ state: 'error' });
  });
});

it('metadata always ask for all four notifications', () => {
  const metadata = profileMetadata({ iccid: '8986000000000000012', serviceProviderName: 'Y', profileName: 'P', owner: { mcc: '001', mnc: '01' } }, 'rsp.example');
  expect(metadata.notificationConfiguration).toEqual([{ operations: ['install', 'enable', 'disable', 'delete'], address: 'rsp.example' }]);
});
