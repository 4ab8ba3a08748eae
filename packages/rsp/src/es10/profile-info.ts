import {
  bits, Iccid, integer, mapped, NotificationConfiguration, octets, operatorId, optional, pprIds, raw, sequence, sequenceOf, utf8,
} from '../asn1/index.ts';
import type { Input, Output } from '../asn1/index.ts';
import { RspError } from '../errors.ts';

/** ProfileState. */
export const profileStates = { disabled: 0, enabled: 1 } as const;
export type ProfileStateName = keyof typeof profileStates;

const profileState = mapped(
  integer(0x9f70, { max: 1 }), (code): ProfileStateName => (code === profileStates.enabled ? 'enabled' : 'disabled'), (state) => profileStates[state],
);

/** ProfileInfo (`E3`): one profile as ES10c.GetProfilesInfo lists it. */
export const ProfileInfo = sequence(0xe3, {
  iccid: optional(Iccid),
  aid: optional(octets(0x4f, { min: 5, max: 16 })),
  state: optional(profileState),
  nickname: optional(utf8(0x90, { max: 64 })),
  serviceProviderName: optional(utf8(0x91, { max: 32 })),
  profileName: optional(utf8(0x92, { max: 64 })),
  iconType: optional(integer(0x93, { max: 1 })),
  icon: optional(octets(0x94, { max: 1024 })),
  profileClass: optional(integer(0x95, { max: 2 })),
  notificationConfiguration: optional(sequenceOf(0xb6, NotificationConfiguration, { max: 16 })),
  profileOwner: optional(operatorId(0xb7)),
  dpProprietaryData: optional(raw(0xb8)),
  profilePolicyRules: optional(pprIds(0x99)),
});
export type ProfileInfo = Output<typeof ProfileInfo>;
export type ProfileInfoInput = Input<typeof ProfileInfo>;

/** Each field of {@link ProfileInfo} by its tag, for the tag list of the request. */
export const profileInfoFields: Readonly<Record<number, keyof ProfileInfoInput>> = {
  0x5a: 'iccid', 0x4f: 'aid', 0x9f70: 'state', 0x90: 'nickname', 0x91: 'serviceProviderName', 0x92: 'profileName', 0x93: 'iconType', 0x94: 'icon',
  0x95: 'profileClass', 0xb6: 'notificationConfiguration', 0xb7: 'profileOwner', 0xb8: 'dpProprietaryData', 0x99: 'profilePolicyRules',
};

/** What is listed when the request has no tag list. */
export const defaultProfileInfoTags: readonly number[] = [0x5a, 0x4f, 0x9f70, 0x90, 0x91, 0x92, 0x93, 0x94, 0x95];

/**
 * The tags of a tag list: one byte each, or two where the first one's low five bits are all set.
 * @throws RspError `es10/tag-list`
 */
export function readTagList(bytes: Uint8Array): readonly number[] {
  const tags: number[] = [];
  for (let at = 0; at < bytes.length; at += 1) {
    const first = bytes[at]!;
    if ((first & 0x1f) !== 0x1f) {
      tags.push(first);
      continue;
    }
    at += 1;
    const second = bytes[at];
    if (second === undefined) throw new RspError('es10/tag-list');
    tags.push((first << 8) | second);
  }
  return tags;
}

/** ProfilePolicyAuthorisationRule: which operators may set which profile policy rules. An MCC/MNC of `EEEEEE` means any. */
export const ProfilePolicyAuthorisationRule = sequence(0x30, {
  rules: pprIds(0x80),
  allowedOperators: sequenceOf(0xa1, sequence(0x30, {
    mccMnc: octets(0x80, { length: 3 }), gid1: optional(octets(0x81, { max: 32 })), gid2: optional(octets(0x82, { max: 32 })),
  }), { max: 64 }),
  flags: bits(0x82, ['consentRequired']),
});
