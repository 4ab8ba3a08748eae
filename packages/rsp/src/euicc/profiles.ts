import { encode, profileClasses } from '../asn1/index.ts';
import type { NotificationEventName } from '../asn1/index.ts';
import { equalBytes } from '../bytes.ts';
import {
  defaultProfileInfoTags, deleteResults, disableResults, enableResults, memoryResetResults, nicknameResults, ProfileInfo, profileInfoFields, readTagList,
} from '../es10/index.ts';
import type { Es10Call, ProfileInfoInput } from '../es10/index.ts';
import { encodeTlv } from '../tlv/index.ts';
import { withoutDefaultAddress } from './announce.ts';
import { notify } from './notifications.ts';
import { reply } from './reply.ts';
import type { Perform } from './reply.ts';
import { metadataOf } from './state.ts';
import type { EuiccContext, EuiccState, InstalledProfile } from './state.ts';

export const getProfilesInfo: Perform<'getProfilesInfo'> = (state, { search, tagList }) => {
  const tags = tagList && tagList.length > 0 ? readTagList(tagList) : defaultProfileInfoTags;
  const found = state.profiles.filter((profile) => !search || matches(profile, search));
  return { state, answer: encodeTlv(0xbf2d, encodeTlv(0xa0, ...found.map((profile) => encode(ProfileInfo, infoOf(profile, tags))))) };
};

export const enableProfile: Perform<'enableProfile'> = (state, call, context) => {
  const answer = (result: keyof typeof enableResults, next = state) => reply(next, 'enableProfile', { result: enableResults[result] });
  const profile = state.profiles.find((one) => matches(one, call.profile));
  if (!profile) return answer('iccidOrAidNotFound');
  if (profile.state !== 'disabled') return answer('profileNotInDisabledState');
  const enabled = state.profiles.find((one) => one.state === 'enabled');
  if (enabled && rulesOf(enabled).includes('ppr1')) return answer('disallowedByPolicy');
  const freed = enabled ? withChange(state, enabled, { state: 'disabled' }, 'disable', context) : state;
  return answer('ok', withChange(freed, profile, { state: 'enabled' }, 'enable', context));
};

export const disableProfile: Perform<'disableProfile'> = (state, call, context) => {
  const answer = (result: keyof typeof disableResults, next = state) => reply(next, 'disableProfile', { result: disableResults[result] });
  const profile = state.profiles.find((one) => matches(one, call.profile));
  if (!profile) return answer('iccidOrAidNotFound');
  if (profile.state !== 'enabled') return answer('profileNotInEnabledState');
  if (rulesOf(profile).includes('ppr1')) return answer('disallowedByPolicy');
  return answer('ok', withChange(state, profile, { state: 'disabled' }, 'disable', context));
};

export const deleteProfile: Perform<'deleteProfile'> = (state, call, context) => {
  const answer = (result: keyof typeof deleteResults, next = state) => reply(next, 'deleteProfile', { result: deleteResults[result] });
  const profile = state.profiles.find((one) => matches(one, call));
  if (!profile) return answer('iccidOrAidNotFound');
  if (profile.state !== 'disabled') return answer('profileNotInDisabledState');
  if (rulesOf(profile).includes('ppr2')) return answer('disallowedByPolicy');
  return answer('ok', withoutProfile(state, profile, context));
};

export const memoryReset: Perform<'memoryReset'> = (state, { options }, context) => {
  const classes = [
    ...(options.includes('deleteOperationalProfiles') ? [profileClasses.operational] : []),
    ...(options.includes('deleteFieldLoadedTestProfiles') ? [profileClasses.test] : []),
  ];
  const doomed = state.profiles.filter((profile) => classes.some((one) => one === classOf(profile)));
  const resetsAddress = options.includes('resetDefaultSmdpAddress') && state.defaultSmdpAddress !== undefined;
  if (doomed.length === 0 && !resetsAddress) return reply(state, 'memoryReset', { result: memoryResetResults.nothingToDelete });
  // A reset deletes enabled profiles and those with PPR2 too.
  const emptied = doomed.reduce((next, profile) => withoutProfile(next, profile, context), state);
  return reply(resetsAddress ? withoutDefaultAddress(emptied) : emptied, 'memoryReset', { result: memoryResetResults.ok });
};

export const setNickname: Perform<'setNickname'> = (state, { iccid, nickname }) => {
  const profile = state.profiles.find((one) => one.iccid === iccid);
  if (!profile) return reply(state, 'setNickname', { result: nicknameResults.iccidNotFound });
  return reply(withProfile(state, { ...profile, nickname }), 'setNickname', { result: nicknameResults.ok });
};

type Identifier = Es10Call<'deleteProfile'> | NonNullable<Es10Call<'getProfilesInfo'>['search']>;

function matches(profile: InstalledProfile, identifier: Identifier): boolean {
  if (identifier.kind === 'iccid') return profile.iccid === identifier.value;
  if (identifier.kind === 'aid') return equalBytes(profile.aid, identifier.value);
  return classOf(profile) === identifier.value;
}

function classOf(profile: InstalledProfile): number {
  return metadataOf(profile).profileClass ?? profileClasses.operational;
}

function rulesOf(profile: InstalledProfile): readonly string[] {
  return metadataOf(profile).profilePolicyRules ?? [];
}

function withChange(
  state: EuiccState, profile: InstalledProfile, change: Pick<InstalledProfile, 'state'>, operation: NotificationEventName, context: EuiccContext,
): EuiccState {
  return notify(withProfile(state, { ...profile, ...change }), profile, operation, context);
}

function withProfile(state: EuiccState, profile: InstalledProfile): EuiccState {
  return { ...state, profiles: state.profiles.map((one) => (one.iccid === profile.iccid ? profile : one)) };
}

function withoutProfile(state: EuiccState, profile: InstalledProfile, context: EuiccContext): EuiccState {
  const left = { ...state, profiles: state.profiles.filter((one) => one.iccid !== profile.iccid) };
  return notify(left, profile, 'delete', context);
}

function infoOf(profile: InstalledProfile, tags: readonly number[]): ProfileInfoInput {
  const metadata = metadataOf(profile);
  const all: ProfileInfoInput = {
    ...metadata, aid: profile.aid, state: profile.state, nickname: profile.nickname, profileClass: classOf(profile),
  };
  const fields = new Set(tags.map((tag) => profileInfoFields[tag]));
  return Object.fromEntries(Object.entries(all).filter(([field]) => fields.has(field as keyof ProfileInfoInput)));
}
