import { z } from 'zod';
import { language } from './core/general.ts';
import { id, instant, page, paging } from './core/ids.ts';
import { problems } from './core/problem.ts';
import { route } from './core/route.ts';

/** An email address, at most 254 characters (RFC 5321 4.5.3.1.3 less the angle brackets). */
export const emailAddress = z.email().max(254).meta({ example: 'traveller@example.com' });

/** A new password: 10 to 200 characters of any kind. */
export const newPassword = z.string().min(10).max(200).meta({ example: 'correct horse battery' });

const knownPassword = z.string().min(1).max(200);
const line = (longest: number) => z.string().trim().min(1).max(longest).regex(/^[^\p{Cc}]*$/u);
const verificationCode = z.string().regex(/^\d{6}$/).meta({ example: '482913' });

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
  passwordChangedAt: instant,
  emailChangedAt: instant.nullable(),
}).meta({ id: 'Account' });

/** How the session reaches the caller: in the answer, or in a cookie that scripts cannot read. */
export const sessionTransport = z.enum(['bearer', 'cookie']).default('bearer');

/** A session just begun. `secret` is null when it went into the cookie. */
export const newSession = z.object({ id, secret: z.string().nullable(), expiresAt: instant }).meta({ id: 'NewSession' });

/** One of the sessions of an account; `device` is the user agent at sign-in. */
export const session = z.object({
  id, current: z.boolean(), device: z.string(), createdAt: instant, lastSeenAt: instant, expiresAt: instant,
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

const withAccount = z.object({ account, session: newSession });

const identityRoutes = {
  signUp: route({
    operationId: 'signUp', method: 'POST', path: '/v1/accounts', tag: 'Account', audience: 'public', idempotent: true,
    summary: 'Opens an account and signs in; a code to verify the address goes out by email',
    body: z.strictObject({
      email: emailAddress, password: newPassword, name: line(200), language: language.optional(),
      country: countryCode.optional(), transport: sessionTransport,
    }),
    responses: { 201: withAccount }, problems: ['accounts/email-taken'],
  }),
  signIn: route({
    operationId: 'signIn', method: 'POST', path: '/v1/sessions', tag: 'Account', audience: 'public',
    summary: 'Signs in', body: z.strictObject({ email: emailAddress, password: knownPassword, transport: sessionTransport }),
    responses: { 201: withAccount }, problems: ['accounts/wrong-credentials'],
  }),
  listSessions: route({
    operationId: 'listSessions', method: 'GET', path: '/v1/sessions', tag: 'Account', audience: 'traveller', whileLeaving: true,
    summary: 'Where the account is signed in, newest first', query: paging, responses: { 200: page(session) },
  }),
  signOut: route({
    operationId: 'signOut', method: 'DELETE', path: '/v1/sessions/current', tag: 'Account', audience: 'traveller', whileLeaving: true,
    summary: 'Ends the session of this call', responses: { 204: null },
  }),
  revokeSession: route({
    operationId: 'revokeSession', method: 'DELETE', path: '/v1/sessions/:sessionId', tag: 'Account', audience: 'traveller', whileLeaving: true,
    summary: 'Ends one session', params: z.strictObject({ sessionId: id }), responses: { 204: null },
  }),
  getAccount: route({
    operationId: 'getAccount', method: 'GET', path: '/v1/account', tag: 'Account', audience: 'traveller', whileLeaving: true,
    summary: 'The account of the caller', responses: { 200: account },
  }),
  changeAccount: route({
    operationId: 'changeAccount', method: 'PATCH', path: '/v1/account', tag: 'Account', audience: 'traveller',
    summary: 'Corrects name, language or country',
    body: z.strictObject({ name: line(200).optional(), language: language.optional(), country: countryCode.nullable().optional() }),
    responses: { 200: account },
  }),
  changePassword: route({
    operationId: 'changePassword', method: 'POST', path: '/v1/account/password', tag: 'Account', audience: 'traveller',
    summary: 'Sets a new password and ends every other session', body: z.strictObject({ password: knownPassword, newPassword }),
    responses: { 204: null }, problems: ['accounts/wrong-password'],
  }),
  changeEmail: route({
    operationId: 'changeEmail', method: 'POST', path: '/v1/account/email', tag: 'Account', audience: 'traveller',
    summary: 'Sends a code to a new address; the address changes once the code is confirmed',
    body: z.strictObject({ email: emailAddress, password: knownPassword }), responses: { 202: null }, problems: ['accounts/wrong-password'],
  }),
  requestEmailVerification: route({
    operationId: 'requestEmailVerification', method: 'POST', path: '/v1/account/email-verification', tag: 'Account', audience: 'traveller',
    summary: 'Sends a fresh code to the address of the account', responses: { 202: null },
  }),
  confirmEmail: route({
    operationId: 'confirmEmail', method: 'POST', path: '/v1/account/email-verification/confirmation', tag: 'Account', audience: 'traveller',
    summary: 'Confirms an address with the code that was sent to it', body: z.strictObject({ code: verificationCode }),
    responses: { 200: account }, problems: ['accounts/wrong-code', 'accounts/email-taken'],
  }),
} as const;

const oneContact = z.strictObject({ contactId: id });

const contactRoutes = {
  listContacts: route({
    operationId: 'listContacts', method: 'GET', path: '/v1/contacts', tag: 'Contacts', audience: 'traveller', whileLeaving: true,
    summary: 'The contacts of the account, oldest first', query: paging, responses: { 200: page(contact) },
  }),
  addContact: route({
    operationId: 'addContact', method: 'POST', path: '/v1/contacts', tag: 'Contacts', audience: 'traveller', idempotent: true,
    summary: 'Adds a contact', body: contactInput, responses: { 201: contact }, problems: ['accounts/too-many-contacts'],
  }),
  getContact: route({
    operationId: 'getContact', method: 'GET', path: '/v1/contacts/:contactId', tag: 'Contacts', audience: 'traveller', whileLeaving: true,
    summary: 'One contact', params: oneContact, responses: { 200: contact },
  }),
  replaceContact: route({
    operationId: 'replaceContact', method: 'PUT', path: '/v1/contacts/:contactId', tag: 'Contacts', audience: 'traveller',
    summary: 'Replaces a contact', params: oneContact, body: contactInput, responses: { 200: contact },
  }),
  removeContact: route({
    operationId: 'removeContact', method: 'DELETE', path: '/v1/contacts/:contactId', tag: 'Contacts', audience: 'traveller',
    whileLeaving: true, summary: 'Removes a contact', params: oneContact, responses: { 204: null },
  }),
} as const;

export const accountsRoutes = { ...identityRoutes, ...contactRoutes } as const;

export const accountsProblems = problems({
  'accounts/email-taken': {
    status: 409,
    title: { en: 'There is already an account with this address.', 'zh-Hans': '该邮箱已注册账户。', 'zh-Hant': '此電子郵件已註冊帳戶。' },
  },
  'accounts/wrong-credentials': {
    status: 401,
    title: { en: 'The address or the password is not right.', 'zh-Hans': '邮箱或密码不正确。', 'zh-Hant': '電子郵件或密碼不正確。' },
  },
  'accounts/wrong-password': {
    status: 403,
    title: { en: 'The password is not right.', 'zh-Hans': '密码不正确。', 'zh-Hant': '密碼不正確。' },
  },
  'accounts/wrong-code': {
    status: 422,
    title: { en: 'This code is not right, or it has run out.', 'zh-Hans': '验证码不正确或已失效。', 'zh-Hant': '驗證碼不正確或已失效。' },
  },
  'accounts/unknown': {
    status: 404,
    title: { en: 'There is no such account.', 'zh-Hans': '该账户不存在。', 'zh-Hant': '此帳戶不存在。' },
  },
  'accounts/closed': {
    status: 410,
    title: { en: 'This account is closed.', 'zh-Hans': '该账户已注销。', 'zh-Hant': '此帳戶已註銷。' },
  },
  'accounts/leaving': {
    status: 423,
    title: {
      en: 'This account is being closed.', 'zh-Hans': '该账户正在注销。', 'zh-Hant': '此帳戶正在註銷。',
    },
  },
  'accounts/too-many-contacts': {
    status: 409,
    title: { en: 'The address book is full.', 'zh-Hans': '联系人数量已达上限。', 'zh-Hant': '聯絡人數量已達上限。' },
  },
});
