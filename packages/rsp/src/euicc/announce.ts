import { Buffer } from 'node:buffer';
import { EuiccInfo2, encode } from '../asn1/index.ts';
import type { Input } from '../asn1/index.ts';
import { fromHex } from '../bytes.ts';
import { encodeTlv } from '../tlv/index.ts';
import { reply } from './reply.ts';
import type { Perform } from './reply.ts';
import { ciKeyIdOf, freeMemory } from './state.ts';
import type { EuiccState } from './state.ts';

/** The version of SGP.22 that the eUICC speaks. */
const SPECIFICATION_VERSION = '2.3.0';

export const getEid: Perform<'getEid'> = (state) => reply(state, 'getEid', { eid: state.eid });

export const getEuiccInfo1: Perform<'getEuiccInfo1'> = (state) => {
  const keyIds = ciKeyIds(state);
  return reply(state, 'getEuiccInfo1', { svn: SPECIFICATION_VERSION, ciPublicKeyIdsForVerification: keyIds, ciPublicKeyIdsForSigning: keyIds });
};

export const getEuiccInfo2: Perform<'getEuiccInfo2'> = (state) => ({ state, answer: euiccInfo2(state) });

/** EUICCInfo2 (`BF22`), with the memory that is free now. */
export function euiccInfo2(state: EuiccState): Uint8Array {
  const keyIds = ciKeyIds(state);
  const properties: Input<typeof EuiccInfo2> = {
    profileVersion: '2.3.1',
    svn: SPECIFICATION_VERSION,
    firmwareVersion: '1.0.0',
    extCardResource: extCardResource(state),
    uiccCapability: ['usim', 'isim', 'akaMilenage', 'akaTuak128', 'akaTuak256', 'gbaUsim', 'gbaIsim', 'javacard', 'multipleUsim'],
    ts102241Version: '9.2.0',
    globalPlatformVersion: '2.3.0',
    rspCapability: ['additionalProfile'],
    ciPublicKeyIdsForVerification: keyIds,
    ciPublicKeyIdsForSigning: keyIds,
    protectionProfileVersion: '1.0.0',
    sasAccreditationNumber: 'YY-VIRTUAL-0001',
  };
  return encode(EuiccInfo2, properties);
}

export const getConfiguredAddresses: Perform<'getConfiguredAddresses'> = (state) => reply(state, 'getConfiguredAddresses', {
  defaultSmdpAddress: state.defaultSmdpAddress, rootSmdsAddress: state.rootSmdsAddress,
});

export const setDefaultSmdpAddress: Perform<'setDefaultSmdpAddress'> = (state, { address }) =>
  reply(address === '' ? withoutDefaultAddress(state) : { ...state, defaultSmdpAddress: address }, 'setDefaultSmdpAddress', { result: 0 });

/** The state without a default SM-DP+. */
export function withoutDefaultAddress({ defaultSmdpAddress: _gone, ...state }: EuiccState): EuiccState {
  return state;
}

/** Any operator may set PPR1 and PPR2, with the end user's consent. */
export const getRulesAuthorisationTable: Perform<'getRulesAuthorisationTable'> = (state) => reply(state, 'getRulesAuthorisationTable', {
  rules: [{ rules: ['ppr1', 'ppr2'], allowedOperators: [{ mccMnc: Buffer.from('EEEEEE', 'hex') }], flags: ['consentRequired'] }],
});

function ciKeyIds(state: EuiccState): readonly Uint8Array[] {
  return state.credentials.map(({ ciCertificate }) => fromHex(ciKeyIdOf(ciCertificate)));
}

/** Extended Card Resources Information (ETSI TS 102 226): applications, free non-volatile and volatile memory. */
function extCardResource(state: EuiccState): Uint8Array {
  const free = Buffer.alloc(4);
  free.writeUInt32BE(freeMemory(state));
  return Buffer.concat([
    encodeTlv(0x81, Buffer.of(state.profiles.length)), encodeTlv(0x82, free), encodeTlv(0x83, Buffer.of(0x00, 0x00, 0x40, 0x00)),
  ]);
}
