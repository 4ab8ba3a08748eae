import { readTlvs } from '../tlv/index.ts';
import { CiPublicKeyId, pprIds, version } from './elements.ts';
import { bits, integer, octets, raw, utf8 } from './primitives.ts';
import { optional, sequence, sequenceOf, type Output } from './schema.ts';

const ciPublicKeyIds = (tag: number) => sequenceOf(tag, CiPublicKeyId, { max: 64 });

/** EUICCInfo1 (`BF20`): what an eUICC says of itself before anything is signed. */
export const EuiccInfo1 = sequence(0xbf20, {
  svn: version(0x82),
  ciPublicKeyIdsForVerification: ciPublicKeyIds(0xa9),
  ciPublicKeyIdsForSigning: ciPublicKeyIds(0xaa),
});
export type EuiccInfo1 = Output<typeof EuiccInfo1>;

/** UICCCapability, by bit. */
export const uiccCapabilities = [
  'contactless', 'usim', 'isim', 'csim', 'akaMilenage', 'akaCave', 'akaTuak128', 'akaTuak256', 'rfu1', 'rfu2',
  'gbaUsim', 'gbaIsim', 'mbms', 'eap', 'javacard', 'multos', 'multipleUsim', 'multipleIsim', 'multipleCsim',
] as const;

/** RspCapability, by bit. */
export const rspCapabilities = ['additionalProfile', 'crl', 'rpm', 'testProfile'] as const;

/** EUICCInfo2 (`BF22`): the eUICC's properties, inside what it signs. */
export const EuiccInfo2 = sequence(0xbf22, {
  profileVersion: version(0x81),
  svn: version(0x82),
  firmwareVersion: version(0x83),
  extCardResource: octets(0x84, { max: 64 }),
  uiccCapability: bits(0x85, uiccCapabilities),
  ts102241Version: optional(version(0x86)),
  globalPlatformVersion: optional(version(0x87)),
  rspCapability: bits(0x88, rspCapabilities),
  ciPublicKeyIdsForVerification: ciPublicKeyIds(0xa9),
  ciPublicKeyIdsForSigning: ciPublicKeyIds(0xaa),
  category: optional(integer(0x8b, { max: 127 })),
  forbiddenProfilePolicyRules: optional(pprIds(0x99)),
  protectionProfileVersion: version(0x04),
  sasAccreditationNumber: utf8(0x0c, { max: 64 }),
  certificationData: optional(raw(0xac)),
});
export type EuiccInfo2 = Output<typeof EuiccInfo2>;

/** What Extended Card Resources Information says (ETSI TS 102 226): counts and bytes; undefined where it says nothing. */
export interface CardResources {
  readonly installedApplications?: number;
  readonly freeNonVolatileBytes?: number;
  readonly freeVolatileBytes?: number;
}

/**
 * Reads `extCardResource` of EUICCInfo2.
 * @throws RspError `tlv/*`
 */
export function readCardResources(extCardResource: Uint8Array): CardResources {
  const found = new Map(readTlvs(extCardResource, { maxChildren: 16 }).map((tlv) => [tlv.tag, tlv.value]));
  const count = (tag: number) => {
    const value = found.get(tag);
    return value === undefined || value.length === 0 || value.length > 6 ? undefined : value.reduce((sum, byte) => sum * 256 + byte, 0);
  };
  const installedApplications = count(0x81);
  const freeNonVolatileBytes = count(0x82);
  const freeVolatileBytes = count(0x83);
  return {
    ...(installedApplications !== undefined && { installedApplications }),
    ...(freeNonVolatileBytes !== undefined && { freeNonVolatileBytes }),
    ...(freeVolatileBytes !== undefined && { freeVolatileBytes }),
  };
}
