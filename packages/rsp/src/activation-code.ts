import { RspError } from './errors.ts';

/** What a traveller scans or types to fetch a profile. */
export interface ActivationCode {
  /** SM-DP+ address: host, or host and port. */
  readonly smdpAddress: string;
  /** Empty when the profile is found by the EID alone. */
  readonly matchingId: string;
  /** OID of the SM-DP+ that the phone insists on. */
  readonly smdpOid?: string;
  readonly confirmationCodeRequired: boolean;
}

const HOST = /^(?=.{1,255}$)[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::\d{1,5})?$/;
const MATCHING_ID = /^[A-Za-z0-9-]{0,255}$/;
const OID = /^[0-2](?:\.\d{1,10}){1,30}$/;

/**
 * Writes an activation code with its `LPA:` prefix. Fields that are not needed are left out with their `$`: a common LPA reads an empty
 * flag as "confirmation code required".
 * @throws RspError `activation-code/malformed`
 */
export function formatActivationCode(code: ActivationCode): string {
  const { smdpAddress, matchingId, smdpOid, confirmationCodeRequired } = code;
  if (!HOST.test(smdpAddress) || !MATCHING_ID.test(matchingId) || (smdpOid !== undefined && !OID.test(smdpOid))) {
    throw new RspError('activation-code/malformed');
  }
  const fields = ['1', smdpAddress, matchingId];
  if (smdpOid !== undefined || confirmationCodeRequired) fields.push(smdpOid ?? '');
  if (confirmationCodeRequired) fields.push('1');
  return `LPA:${fields.join('$')}`;
}

/**
 * Reads an activation code, with or without the `LPA:` prefix. Empty fields at the end count as left out; fields after the fifth belong to
 * later versions and are passed over.
 * @throws RspError `activation-code/malformed`
 */
export function parseActivationCode(text: string): ActivationCode {
  if (text.length > 512) throw new RspError('activation-code/malformed', 'too long');
  const [format, smdpAddress, matchingId, smdpOid, flag] = text.trim().replace(/^LPA:/i, '').split('$');
  if (format !== '1') throw new RspError('activation-code/malformed', 'format');
  if (smdpAddress === undefined || !HOST.test(smdpAddress)) throw new RspError('activation-code/malformed', 'SM-DP+ address');
  if (matchingId === undefined || !MATCHING_ID.test(matchingId)) throw new RspError('activation-code/malformed', 'matchingId');
  if (smdpOid && !OID.test(smdpOid)) throw new RspError('activation-code/malformed', 'OID');
  if (flag && flag !== '1') throw new RspError('activation-code/malformed', 'confirmation code flag');
  return { smdpAddress, matchingId, ...(smdpOid && { smdpOid }), confirmationCodeRequired: flag === '1' };
}
