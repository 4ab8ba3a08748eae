import { Buffer } from 'node:buffer';
import { RspError } from './errors.ts';
import { toHex } from './bytes.ts';

/**
 * An ICCID as EF.ICCID holds it: 10 bytes, the digits' nibbles swapped, filled up with F (ETSI TS 102 221).
 * @param iccid 18 to 20 digits
 * @throws RspError `identity/iccid`
 */
export function encodeIccid(iccid: string): Uint8Array {
  if (!/^\d{18,20}$/.test(iccid)) throw new RspError('identity/iccid');
  return swapNibbles(iccid.padEnd(20, 'F'));
}

/**
 * The digits of a coded ICCID, without the filler.
 * @throws RspError `identity/iccid` when it is not 10 bytes of digits and trailing filler
 */
export function decodeIccid(bytes: Uint8Array): string {
  const text = toHex(Buffer.from(bytes)).replace(/(.)(.)/g, '$2$1');
  if (!/^(?:\d{20}|\d{19}F|\d{18}FF)$/.test(text)) throw new RspError('identity/iccid');
  return text.replace(/F+$/, '');
}

/**
 * An ICCID as operators and phones write it (18 to 20 digits, perhaps with trailing F) in the one form that we store.
 * @throws RspError `identity/iccid`
 */
export function parseIccid(text: string): string {
  if (!/^(?:\d{18,20}|\d{19}F|\d{18}FF)$/i.test(text)) throw new RspError('identity/iccid');
  return text.replace(/F+$/i, '');
}

/**
 * An EID's 16 bytes: two digits a byte, in order.
 * @param eid 32 digits
 * @throws RspError `identity/eid`
 */
export function encodeEid(eid: string): Uint8Array {
  if (!/^\d{32}$/.test(eid)) throw new RspError('identity/eid');
  return Buffer.from(eid, 'hex');
}

/**
 * The 32 digits of a coded EID.
 * @throws RspError `identity/eid`
 */
export function decodeEid(bytes: Uint8Array): string {
  const text = toHex(bytes);
  if (!/^\d{32}$/.test(text)) throw new RspError('identity/eid');
  return text;
}

/** A mobile network: MCC of three digits, MNC of two or three. */
export interface Plmn {
  readonly mcc: string;
  readonly mnc: string;
}

/**
 * MCC and MNC in three bytes (3GPP TS 24.008): digits swapped, F where the MNC has two digits.
 * @throws RspError `identity/plmn`
 */
export function encodePlmn({ mcc, mnc }: Plmn): Uint8Array {
  if (!/^\d{3}$/.test(mcc) || !/^\d{2,3}$/.test(mnc)) throw new RspError('identity/plmn');
  return swapNibbles(`${mcc}${mnc[2] ?? 'F'}${mnc.slice(0, 2)}`);
}

/**
 * MCC and MNC of three coded bytes.
 * @throws RspError `identity/plmn`
 */
export function decodePlmn(bytes: Uint8Array): Plmn {
  const text = toHex(bytes).replace(/(.)(.)/g, '$2$1');
  if (!/^\d{3}[\dF]\d{2}$/.test(text)) throw new RspError('identity/plmn');
  return { mcc: text.slice(0, 3), mnc: text.slice(4) + text[3]!.replace('F', '') };
}

function swapNibbles(digits: string): Uint8Array {
  return Buffer.from(digits.replace(/(.)(.)/g, '$2$1'), 'hex');
}
