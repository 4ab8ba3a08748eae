import { describe, expect, it } from 'vitest';
import { decode, encode, OtherSignedNotification, ProfileMetadata } from '../asn1/index.ts';
import type { ProfileMetadataInput } from '../asn1/index.ts';
import { readTlv } from '../tlv/index.ts';
import {
  callEuicc, deleteProfile, disableProfile, enableProfile, listNotifications, listProfiles, nameProfile, readEid, resetMemory,
} from '../lpa/index.ts';
import type { LpaRun } from '../lpa/index.ts';
import { createPkiCache, parseCertificate, publicKeyOf, verifyRaw } from '../pki/index.ts';
import { createTestEuicc, createTestPki, runEuicc, runWith, seededRandom, testEid, testMetadata } from '../testing/index.ts';
import type { RunningEuicc } from '../testing/index.ts';
import { freeMemory } from './index.ts';
import type { EuiccState, InstalledProfile } from './index.ts';

const random = seededRandom('profiles');
const cache = createPkiCache();
const pki = createTestPki({ curve: 'P-256', random, notBefore: new Date('2026-01-01T00:00:00Z'), notAfter: new Date('2046-01-01T00:00:00Z') });
const blank = createTestEuicc([pki], testEid(1), random, { defaultSmdpAddress: 'smdp.example' });
const [first, second, third] = ['8988211000000000013', '8988211000000000021', '8988211000000000039'] as const;

function profileOf(iccid: string, index: number, changes: Partial<ProfileMetadataInput> = {}): InstalledProfile {
  return {
    iccid, aid: Buffer.from(`A0000005591010FFFFFFFF8900001${index}00`, 'hex'), state: 'disabled', packageHash: '00',
    metadata: encode(ProfileMetadata, testMetadata(iccid, 'smdp.example', changes)), bytes: 10_000,
  };
}

function boot(...profiles: readonly InstalledProfile[]): RunningEuicc {
  const state: EuiccState = { ...blank.state, profiles };
  return runEuicc({ ...blank, state }, { now: () => new Date('2026-06-01T00:00:00Z'), random, cache });
}

const ask = <T>(euicc: RunningEuicc, run: LpaRun<T>): T => runWith(euicc, run);
const waiting = (euicc: RunningEuicc) => euicc.state().notifications.map(({ sequenceNumber, operation, address }) => [sequenceNumber, operation, address]);
const states = (euicc: RunningEuicc) => Object.fromEntries(ask(euicc, listProfiles()).map(({ iccid, state }) => [iccid, state]));

describe('profiles', () => {
  it('are enabled one at a time, each change with its notification', () => {
    const euicc = boot(profileOf(first, 1), profileOf(second, 2));
    expect(ask(euicc, enableProfile(first))).toBe('ok');
    expect(ask(euicc, enableProfile(first))).toBe('profileNotInDisabledState');
    expect(ask(euicc, enableProfile(second))).toBe('ok');
    expect(states(euicc)).toEqual({ [first]: 'disabled', [second]: 'enabled' });
    expect(ask(euicc, disableProfile(second))).toBe('ok');
    expect(ask(euicc, disableProfile(second))).toBe('profileNotInEnabledState');
    expect(waiting(euicc)).toEqual([
      [1, 'enable', 'smdp.example'], [2, 'disable', 'smdp.example'], [3, 'enable', 'smdp.example'], [4, 'disable', 'smdp.example'],
    ]);
  });

  it('are deleted only when disabled, and give their memory back', () => {
    const euicc = boot(profileOf(first, 1));
    const before = freeMemory(euicc.state());
    ask(euicc, enableProfile(first));
    expect(ask(euicc, deleteProfile(first))).toBe('profileNotInDisabledState');
    ask(euicc, disableProfile(first));
    expect(ask(euicc, deleteProfile(first))).toBe('ok');
    expect(ask(euicc, deleteProfile(first))).toBe('iccidOrAidNotFound');
    expect(freeMemory(euicc.state())).toBe(before + 10_000);
  });

  it('send notifications that verify under the certificates beside them', () => {
    const euicc = boot(profileOf(first, 1));
    ask(euicc, deleteProfile(first));
    const { value, raw } = ask(euicc, callEuicc('retrieveNotifications', { search: { kind: 'operations', value: ['delete'] } }));
    const [only] = value.kind === 'ok' ? value.value : [];
    const { tbsOtherNotification, euiccSign, euiccCertificate } = decode(OtherSignedNotification, readTlv(raw).children()[0]!.children()[0]!.raw);
    expect(only).toMatchObject({ kind: 'other' });
    expect(tbsOtherNotification).toMatchObject({ iccid: first, operations: ['delete'] });
    expect(verifyRaw(publicKeyOf(parseCertificate(euiccCertificate), cache), tbsOtherNotification.raw, euiccSign)).toBe(true);
  });

  it('obey their profile policy rules', () => {
    const euicc = boot(profileOf(first, 1, { profilePolicyRules: ['ppr1', 'ppr2'] }), profileOf(second, 2));
    expect(ask(euicc, deleteProfile(first))).toBe('disallowedByPolicy');
    ask(euicc, enableProfile(first));
    expect(ask(euicc, disableProfile(first))).toBe('disallowedByPolicy');
    expect(ask(euicc, enableProfile(second))).toBe('disallowedByPolicy');
  });

  it('are found by AID too, listed by class, tag and ICCID, and named', () => {
    const euicc = boot(profileOf(first, 1), profileOf(second, 2, { profileClass: 0, profileOwner: { mccMnc: { mcc: '001', mnc: '01' } } }));
    const { value } = ask(euicc, callEuicc('enableProfile', { profile: { kind: 'aid', value: profileOf(second, 2).aid }, refresh: false }));
    expect(value.result).toBe(0);
    expect(ask(euicc, nameProfile(first, 'Tōkyō'))).toBe('ok');
    expect(ask(euicc, nameProfile(third, 'nobody'))).toBe('iccidNotFound');
    expect(ask(euicc, listProfiles())).toMatchObject([{ iccid: first, nickname: 'Tōkyō' }, { iccid: second, state: 'enabled' }]);
    const tests = ask(euicc, callEuicc('getProfilesInfo', { search: { kind: 'profileClass', value: 0 }, tagList: Buffer.from('5A9F70B7B6', 'hex') })).value;
    expect(tests).toMatchObject({ kind: 'ok', value: [{ iccid: second, state: 'enabled', profileOwner: { mccMnc: { mcc: '001', mnc: '01' } } }] });
    expect(tests.kind === 'ok' && tests.value[0]!.profileName).toBeUndefined();
    expect(ask(euicc, callEuicc('getProfilesInfo', { search: { kind: 'iccid', value: third } })).value).toEqual({ kind: 'ok', value: [] });
  });

  it('go with a memory reset, enabled ones too, by their class', () => {
    const euicc = boot(profileOf(first, 1), profileOf(second, 2, { profileClass: 0 }));
    ask(euicc, enableProfile(first));
    expect(ask(euicc, resetMemory(['deleteOperationalProfiles']))).toBe('ok');
    expect(states(euicc)).toEqual({ [second]: 'disabled' });
    expect(ask(euicc, resetMemory(['deleteOperationalProfiles']))).toBe('nothingToDelete');
    expect(ask(euicc, resetMemory(['deleteFieldLoadedTestProfiles', 'resetDefaultSmdpAddress']))).toBe('ok');
    expect(euicc.state().defaultSmdpAddress).toBeUndefined();
    expect(waiting(euicc).map(([, operation]) => operation)).toEqual(['enable', 'delete', 'delete']);
  });
});

describe('notifications', () => {
  it('keep their numbers after they are taken off the list', () => {
    const euicc = boot(profileOf(first, 1));
    for (const change of [enableProfile, disableProfile, enableProfile]) ask(euicc, change(first));
    expect(ask(euicc, callEuicc('removeNotification', { sequenceNumber: 2 })).value.result).toBe(0);
    expect(ask(euicc, callEuicc('removeNotification', { sequenceNumber: 2 })).value.result).toBe(1);
    ask(euicc, disableProfile(first));
    expect(ask(euicc, listNotifications()).map(({ sequenceNumber }) => sequenceNumber)).toEqual([1, 3, 4]);
    const enables = ask(euicc, callEuicc('listNotifications', { operations: ['enable'] })).value;
    expect(enables.kind === 'ok' && enables.value.map(({ sequenceNumber }) => sequenceNumber)).toEqual([1, 3]);
    expect(ask(euicc, callEuicc('retrieveNotifications', { search: { kind: 'sequenceNumber', value: 2 } })).value).toEqual({ kind: 'ok', value: [] });
    const all = ask(euicc, callEuicc('retrieveNotifications', {})).value;
    expect(all.kind === 'ok' && all.value.length).toBe(3);
  });
});

describe('what the eUICC says of itself', () => {
  it('is its EID, its CIs, its memory, its addresses and its rules', () => {
    const euicc = boot(profileOf(first, 1));
    expect(ask(euicc, readEid())).toBe(testEid(1));
    const info1 = ask(euicc, callEuicc('getEuiccInfo1', null)).value;
    const info2 = ask(euicc, callEuicc('getEuiccInfo2', null)).value;
    expect(info1.ciPublicKeyIdsForSigning).toEqual([parseCertificate(pki.ci.certificate).subjectKeyId]);
    expect(info2).toMatchObject({ svn: info1.svn, rspCapability: ['additionalProfile'] });
    expect(Buffer.from(info2.extCardResource).toString('hex')).toBe(`8101018204${(524_288 - 10_000).toString(16).padStart(8, '0')}830400004000`);
    expect(ask(euicc, callEuicc('getConfiguredAddresses', null)).value).toMatchObject({ defaultSmdpAddress: 'smdp.example', rootSmdsAddress: 'smds.example' });
    expect(ask(euicc, callEuicc('setDefaultSmdpAddress', { address: 'other.example' })).value.result).toBe(0);
    expect(euicc.state().defaultSmdpAddress).toBe('other.example');
    ask(euicc, callEuicc('setDefaultSmdpAddress', { address: '' }));
    expect(ask(euicc, callEuicc('getConfiguredAddresses', null)).value.defaultSmdpAddress).toBeUndefined();
    expect(ask(euicc, callEuicc('getRulesAuthorisationTable', null)).value.rules).toMatchObject([{ rules: ['ppr1', 'ppr2'] }]);
  });

  it('a session that is cancelled is signed for, once', () => {
    const euicc = boot();
    const { value } = ask(euicc, callEuicc('cancelSession', { transactionId: Buffer.alloc(16), reason: 0 }));
    expect(value).toEqual({ kind: 'error', value: 5 });
  });
});
