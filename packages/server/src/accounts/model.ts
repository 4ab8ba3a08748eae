import type { AccountState, Language } from '@yuanyou/contract';

/** An account as its row says, still sealed. */
export interface AccountRow {
  readonly id: string;
  readonly state: AccountState;
  readonly email: Buffer;
  readonly emailIndex: Buffer;
  readonly name: Buffer;
  readonly language: Language;
  readonly country: string | null;
  readonly passwordHash: string;
  readonly emailVerifiedAt: Date | null;
  readonly emailChangedAt: Date | null;
  readonly passwordChangedAt: Date;
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
} as const;

export const sessionLifeMs = 30 * dayMs;
export const seenEveryMs = 15 * minuteMs;
export const codeLifeMs = 30 * minuteMs;
export const mostContacts = 1000;
export const sessionPrefix = 'tvs_';

/** An address as it is compared: mail systems in practice ignore the case of both parts. */
export function comparable(email: string): string {
  return email.trim().normalize('NFC').toLowerCase();
}

/** What is kept of a user agent: enough to recognise the device. */
export function deviceOf(userAgent: string | undefined): string {
  return (userAgent ?? '').replace(/\p{Cc}/gu, ' ').trim().slice(0, 300);
}

/** The facts of an open account; `passwordChangedAt` counts only when it is not the first password. */
export function factsOf(row: AccountRow): AccountFacts {
  return {
    id: row.id, state: row.state === 'leaving' ? 'leaving' : 'active', language: row.language, country: row.country,
    emailVerifiedAt: row.emailVerifiedAt, emailChangedAt: row.emailChangedAt, createdAt: row.createdAt,
    passwordChangedAt: row.passwordChangedAt.getTime() === row.createdAt.getTime() ? null : row.passwordChangedAt,
  };
}
