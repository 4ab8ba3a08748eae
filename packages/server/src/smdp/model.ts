import type { DownloadOrder, OrderState, Plmn, ReinstallPolicy, SmdpIdentity } from '@yuanyou/rsp';
import { profileMetadata } from '@yuanyou/rsp';

/** What a profile shows of itself on a phone, as it is stored. */
export interface Card {
  readonly serviceProviderName: string;
  readonly profileName: string;
  readonly owner: Plmn;
}

/** A download order as it is stored. */
export interface StoredOrder {
  readonly profileId: string;
  readonly matchingId: string;
  readonly state: OrderState;
  readonly iccid: string;
  readonly eid: string | null;
  readonly card: Card;
  readonly sealedConfirmation: Buffer | null;
  readonly confirmationTriesLeft: number;
  readonly downloads: number;
  readonly maxDownloads: number;
  readonly reinstall: ReinstallPolicy['reinstall'];
  readonly expiresAt: Date | null;
  readonly euiccOtpk: Buffer | null;
  readonly lastSequence: bigint | null;
}

/** Bytes that a profile of ours takes in an eUICC: the package is some 3 kB, its files and applet data several times that. */
export const profileBytes = 32_768;

/** Wrong confirmation codes that an order bears. */
export const confirmationTries = 5;

/** The order as the checks of the protocol see it. */
export function orderOf(stored: StoredOrder, smdp: SmdpIdentity, confirmationDigest: Uint8Array | undefined): DownloadOrder {
  return {
    state: stored.state,
    ...(stored.eid !== null && { eid: stored.eid }),
    ...(confirmationDigest && { confirmationDigest }),
    confirmationTriesLeft: stored.confirmationTriesLeft,
    downloads: stored.downloads,
    maxDownloads: stored.maxDownloads,
    ...(stored.expiresAt && { expiresAt: stored.expiresAt }),
    metadata: profileMetadata({ iccid: stored.iccid, ...stored.card }, smdp.addresses[0]!),
    profileBytes,
    ...(stored.euiccOtpk && { euiccOtpk: stored.euiccOtpk }),
    anotherKeyAllowed: true,
  };
}

/** Letters and digits that nobody takes for one another. */
const alphabet = '23456789ABCDEFGHJKLMNPQRSTUVWXYZ';

/** A matchingId out of 20 random bytes: four groups of five characters, 100 bits. */
export function matchingIdFrom(random: Uint8Array): string {
  const letters = Array.from(random.subarray(0, 20), (byte) => alphabet[byte & 31]!).join('');
  return letters.match(/.{5}/g)!.join('-');
}
