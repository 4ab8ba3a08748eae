import type { AccountState, Language } from '@yuanyou/contract';

/** An account as its row says, still sealed. */
export interface AccountRow {
  readonly id: string;
  readonly state: AccountState;
  readonly email: Buffer;
  /** Null for a guest. */
  readonly emailIndex: Buffer | null;
  readonly guestIndex: Buffer | null;
  readonly name: Buffer;
  readonly language: Language;
  readonly country: string | null;
  readonly passwordHash: string | null;
  readonly emailVerifiedAt: Date | null;
  readonly emailChangedAt: Date | null;
  readonly passwordChangedAt: Date | null;
  readonly createdAt: Date;
}

/** What other slices may know of an account without opening anything sealed. */
export interface AccountFacts {
  readonly id: string;
  readonly state: 'active' | 'leaving';
  readonly language: Language;
  readonly country: string | null;
  readonly emailVerifiedAt: Date | null;
  /** Risk signals: when the address or the password last changed, if ever. */
  readonly emailChangedAt: Date | null;
  readonly passwordChangedAt: Date | null;
  readonly createdAt: Date;
}

export interface ContactDetails {
  readonly name: string;
  readonly phone: string | null;
  readonly email: string | null;
  readonly note: string | null;
}

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** How often secrets may be tried. */
export const limits = {
  signInOfAccount: { max: 10, windowMs: 15 * minuteMs },
  signInFromAddress: { max: 60, windowMs: 15 * minuteMs },
  signUpFromAddress: { max: 30, windowMs: hourMs },
  password: { max: 10, windowMs: 15 * minuteMs },
  codeSent: { max: 6, windowMs: hourMs },
  codeTried: { max: 10, windowMs: hourMs },
  proof: { max: 10, windowMs: 15 * minuteMs },
  stepUp: { max: 30, windowMs: 15 * minuteMs },
  secondFactor: { max: 10, windowMs: 15 * minuteMs },
  challengeFromAddress: { max: 120, windowMs: 15 * minuteMs },
  mailAskedFromAddress: { max: 30, windowMs: hourMs },
  mailAskedForEmail: { max: 5, windowMs: hourMs },
  mailedCodeTried: { max: 10, windowMs: hourMs },
  guestFromAddress: { max: 30, windowMs: hourMs },
  guestOfEmail: { max: 10, windowMs: dayMs },
} as const;

export const sessionLifeMs = 30 * dayMs;
export const seenEveryMs = 15 * minuteMs;
export const codeLifeMs = 30 * minuteMs;
export const challengeLifeMs = 5 * minuteMs;
export const pendingSignInLifeMs = 10 * minuteMs;
export const mostContacts = 1000;
export const mostPasskeys = 20;
export const sessionPrefix = 'tvs_';
export const signInPrefix = 'sgn_';

/** An address as it is compared: mail systems in practice ignore the case of both parts. */
export function comparable(email: string): string {
  return email.trim().normalize('NFC').toLowerCase();
}

/** What is kept of a user agent: enough to recognise the device. */
export function deviceOf(userAgent: string | undefined): string {
  return (userAgent ?? '').replace(/\p{Cc}/gu, ' ').trim().slice(0, 300);
}

const systems: readonly (readonly [RegExp, string])[] = [
  [/iPhone/, 'iPhone'], [/iPad/, 'iPad'], [/Android/, 'Android'], [/CrOS/, 'ChromeOS'], [/Windows/, 'Windows'], [/Mac OS X|Macintosh/, 'Mac'], [/Linux/, 'Linux'],
];
/** In this order: most browsers name others beside themselves. */
const browsers: readonly (readonly [RegExp, string])[] = [
  [/Edg(e|A|iOS)?\//, 'Edge'], [/OPR\//, 'Opera'], [/SamsungBrowser\//, 'Samsung Internet'], [/Firefox\/|FxiOS\//, 'Firefox'], [/Chrome\/|CriOS\//, 'Chrome'],
  [/Safari\//, 'Safari'],
];

/** What a device is called until its owner says otherwise: browser and system, as far as the user agent tells. */
export function deviceNameOf(device: string): string {
  const known = [browsers, systems].flatMap((table) => table.find(([pattern]) => pattern.test(device))?.[1] ?? []);
  return known.length > 0 ? known.join(', ') : device.split(/[ /(]/, 1)[0]!.slice(0, 40);
}

/** A code of ten letters or digits as it is compared: people type it with spaces, hyphens and look-alikes. */
export function comparableCode(code: string): string {
  return code.toUpperCase().replace(/[^A-Z0-9]/g, '').replace(/O/g, '0').replace(/[IL]/g, '1');
}

/** The facts of an open account; `passwordChangedAt` counts only when it is not the first password. */
export function factsOf(row: AccountRow): AccountFacts {
  return {
    id: row.id, state: row.state === 'leaving' ? 'leaving' : 'active', language: row.language, country: row.country,
    emailVerifiedAt: row.emailVerifiedAt, emailChangedAt: row.emailChangedAt, createdAt: row.createdAt,
    passwordChangedAt: row.passwordChangedAt === null || row.passwordChangedAt.getTime() === row.createdAt.getTime() ? null : row.passwordChangedAt,
  };
}
