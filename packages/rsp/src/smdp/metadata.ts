import { notificationEvents, profileClasses, type ProfileMetadataInput } from '../asn1/index.ts';
import type { Plmn } from '../identity.ts';

/** What a profile shows of itself on a phone. */
export interface ProfileCard {
  readonly iccid: string;
  /** Up to 32 bytes. */
  readonly serviceProviderName: string;
  /** Up to 64 bytes. */
  readonly profileName: string;
  readonly owner: Plmn;
}

/**
 * The metadata of an operational profile. Every operation is reported to `address`: without that a phone says nothing when the profile
 * is deleted.
 */
export function profileMetadata(card: ProfileCard, address: string): ProfileMetadataInput {
  return {
    iccid: card.iccid,
    serviceProviderName: card.serviceProviderName,
    profileName: card.profileName,
    profileClass: profileClasses.operational,
    notificationConfiguration: [{ operations: notificationEvents, address }],
    profileOwner: { mccMnc: card.owner },
  };
}
