import { z } from 'zod';
import { language } from '../core/general.ts';
import { id, instant } from '../core/ids.ts';

/** An email address, at most 254 characters (RFC 5321 4.5.3.1.3 less the angle brackets). */
export const emailAddress = z.email().max(254).meta({ example: 'traveller@example.com' });

/** A new password: 10 to 200 characters of any kind. */
export const newPassword = z.string().min(10).max(200).meta({ example: 'correct horse battery' });

/** A password as somebody types it who has one. */
export const knownPassword = z.string().min(1).max(200);
/** One line of text without control characters, trimmed. */
export const line = (longest: number) => z.string().trim().min(1).max(longest).regex(/^[^\p{Cc}]*$/u);
/** The code that verifies an address. */
export const verificationCode = z.string().regex(/^\d{6}$/).meta({ example: '482913' });

/** ISO 3166-1 alpha-2, upper case. */
export const countryCode = z.string().regex(/^[A-Z]{2}$/).meta({ example: 'DE' });

/** `leaving`: frozen for closure; only the closure can be reached. `closed`: nothing but the id is left. */
export const accountState = z.enum(['active', 'leaving', 'closed']);
export type AccountState = z.infer<typeof accountState>;

/** A traveller's account, as its owner sees it. */
export const account = z.object({
  id,
  state: accountState,
  email: z.string(),
  emailVerified: z.boolean(),
  name: z.string(),
  language,
  country: countryCode.nullable(),
  createdAt: instant,
  /** Null for a guest, who has no password. */
  passwordChangedAt: instant.nullable(),
  emailChangedAt: instant.nullable(),
  /** True until whoever bought as a guest claims the account with a mailed code and a password. */
  guest: z.boolean(),
}).meta({ id: 'Account' });

/** How the session reaches the caller: in the answer, or in a cookie that scripts cannot read. */
export const sessionTransport = z.enum(['bearer', 'cookie']).default('bearer');

/** A session just begun. `secret` is null when it went into the cookie. */
export const newSession = z.object({ id, secret: z.string().nullable(), expiresAt: instant }).meta({ id: 'NewSession' });

/** One of the sessions of an account; `device` is the user agent at sign-in, `name` what its owner calls it, or browser and system. */
export const session = z.object({
  id, current: z.boolean(), name: z.string(), device: z.string(), createdAt: instant, lastSeenAt: instant, expiresAt: instant,
}).meta({ id: 'Session' });

/** Somebody a traveller wants at hand; every field but the name may be null. */
export const contact = z.object({
  id,
  name: z.string(),
  phone: z.string().nullable(),
  email: z.string().nullable(),
  note: z.string().nullable(),
  createdAt: instant,
}).meta({ id: 'Contact' });

const contactFields = {
  name: line(200),
  phone: z.string().regex(/^\+?[0-9 ().-]{3,32}$/).nullable().default(null).meta({ example: '+49 30 5550100' }),
  email: emailAddress.nullable().default(null),
  note: z.string().max(2000).nullable().default(null),
};

/** A contact as its owner writes it; what is left out is null. */
export const contactInput = z.strictObject(contactFields).meta({ id: 'ContactInput' });

/** What signing in answers. */
export const withAccount = z.object({ account, session: newSession });
