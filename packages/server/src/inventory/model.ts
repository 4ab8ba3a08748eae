import { profileSteps } from '@yuanyou/contract';
import type { ImportFault, ProfileState } from '@yuanyou/contract';

export type { ProfileState } from '@yuanyou/contract';

/** What the SIM and the operator's network share; it lives sealed. */
export interface ProfileSecrets {
  /** 16 bytes in hex, lower case. */
  readonly ki: string;
  /** 16 bytes in hex, lower case. */
  readonly opc: string;
  /** 4 to 8 digits. */
  readonly pin1: string;
  /** 8 digits. */
  readonly puk1: string;
  /** 8 bytes in hex, lower case. */
  readonly adm1: string;
}

/** A profile as it comes into the stock. */
export interface NewProfile {
  readonly iccid: string;
  readonly imsi: string;
  readonly msisdn: string | null;
  readonly secrets: ProfileSecrets;
}

/** Where generated numbers begin. */
export interface StockRange {
  /** The first digits of each ICCID: 89, country code, issuer. */
  readonly iccidPrefix: string;
  /** MCC and MNC: 5 or 6 digits. */
  readonly plmn: string;
  /** The first serial number; ICCIDs and IMSIs count up from it. */
  readonly firstSerial: number;
  /** Country code and leading digits of the MSISDNs; none are given when left out. */
  readonly msisdnPrefix?: string;
}

const iccidDigits = 19;
const imsiDigits = 15;
const msisdnDigits = 12;

/** The check digit of ITU-T E.118 (the Luhn formula) for the digits before it. */
export function checkDigit(digits: string): string {
  let sum = 0;
  for (let fromEnd = 0; fromEnd < digits.length; fromEnd += 1) {
    const digit = digits.charCodeAt(digits.length - 1 - fromEnd) - 48;
    const doubled = fromEnd % 2 === 0 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return String((10 - (sum % 10)) % 10);
}

/** What is wrong with an ICCID; undefined when nothing is. */
export function iccidFault(iccid: string): 'bad-iccid' | 'bad-check-digit' | undefined {
  if (!/^89\d{17,18}$/.test(iccid)) return 'bad-iccid';
  return checkDigit(iccid.slice(0, -1)) === iccid.at(-1) ? undefined : 'bad-check-digit';
}

/** Whether the text is an IMSI: MCC (a first digit of 2 to 7, or the test networks' 0 and 9), MNC, subscriber number. */
export function isImsi(text: string): boolean {
  return /^[02-79]\d{13,14}$/.test(text);
}

/** The rules of the columns of a stock file, in their order. */
export const columns = {
  iccid: { required: true, fault: iccidFault },
  imsi: { required: true, fault: (text: string) => (isImsi(text) ? undefined : 'bad-imsi') },
  msisdn: { required: false, fault: (text: string) => (/^(\d{5,15})?$/.test(text) ? undefined : 'bad-msisdn') },
  ki: { required: true, fault: (text: string) => (/^[0-9a-f]{32}$/i.test(text) ? undefined : 'bad-ki') },
  opc: { required: true, fault: (text: string) => (/^[0-9a-f]{32}$/i.test(text) ? undefined : 'bad-opc') },
  pin1: { required: true, fault: (text: string) => (/^\d{4,8}$/.test(text) ? undefined : 'bad-pin1') },
  puk1: { required: true, fault: (text: string) => (/^\d{8}$/.test(text) ? undefined : 'bad-puk1') },
  adm1: { required: true, fault: (text: string) => (/^[0-9a-f]{16}$/i.test(text) ? undefined : 'bad-adm1') },
} as const satisfies Record<string, { readonly required: boolean; readonly fault: (text: string) => ImportFault['fault'] | undefined }>;

export type Column = keyof typeof columns;

/** Whether a profile may go from one state to the other. Staying is no step and always allowed: reports repeat. */
export function mayFollow(from: ProfileState, to: ProfileState): boolean {
  return from === to || profileSteps[from].includes(to);
}

/** The states that a profile may come to this one from. */
export function comesFrom(to: ProfileState): readonly ProfileState[] {
  return (Object.keys(profileSteps) as ProfileState[]).filter((from) => profileSteps[from].includes(to));
}

/** Why `count` numbers from this range do not fit; undefined when they do. */
export function rangeFault(range: StockRange, count: number): string | undefined {
  if (!Number.isSafeInteger(count) || count < 1 || count > 1_000_000) return 'count is not between 1 and 1000000';
  if (!Number.isSafeInteger(range.firstSerial) || range.firstSerial < 0) return 'firstSerial is not a whole number';
  if (!/^89\d{2,10}$/.test(range.iccidPrefix)) return 'iccidPrefix is not 89 and 2 to 10 digits';
  if (!/^[02-79]\d{4,5}$/.test(range.plmn)) return 'plmn is not 5 or 6 digits';
  if (range.msisdnPrefix !== undefined && !/^[1-9]\d{0,7}$/.test(range.msisdnPrefix)) return 'msisdnPrefix is not 1 to 8 digits';
  const last = String(range.firstSerial + count - 1).length;
  const room = Math.min(
    iccidDigits - 1 - range.iccidPrefix.length, imsiDigits - range.plmn.length, msisdnDigits - (range.msisdnPrefix ?? '').length);
  return last <= room ? undefined : 'the serial numbers do not fit';
}

/** The numbers of the profile with this serial in a range. */
export function numbersOf(range: StockRange, serial: number): Omit<NewProfile, 'secrets'> {
  const body = range.iccidPrefix + String(serial).padStart(iccidDigits - 1 - range.iccidPrefix.length, '0');
  return {
    iccid: body + checkDigit(body),
    imsi: range.plmn + String(serial).padStart(imsiDigits - range.plmn.length, '0'),
    msisdn: range.msisdnPrefix === undefined
      ? null
      : range.msisdnPrefix + String(serial).padStart(msisdnDigits - range.msisdnPrefix.length, '0'),
  };
}

/** Secrets out of 48 random bytes: keys as they are, codes as digits. */
export function secretsFrom(random: Uint8Array): ProfileSecrets {
  const hex = (from: number, to: number): string =>
    Array.from(random.subarray(from, to), (byte) => byte.toString(16).padStart(2, '0')).join('');
  // Four random bytes for each code: the modulo's bias is below one in forty.
  const digits = (from: number, count: number): string =>
    String(Number.parseInt(hex(from, from + 4), 16) % 10 ** count).padStart(count, '0');
  return { ki: hex(0, 16), opc: hex(16, 32), adm1: hex(32, 40), pin1: digits(40, 4), puk1: digits(44, 8) };
}
