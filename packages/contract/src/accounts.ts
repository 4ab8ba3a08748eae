import { z } from 'zod';
import { consentRoutes } from './accounts/consents.ts';
import { factorRoutes, longCode, signInRoutes, stepUpProof } from './accounts/factors.ts';
import {
  account, contact, contactInput, countryCode, emailAddress, knownPassword, line, newPassword, session, sessionTransport, verificationCode, withAccount,
} from './accounts/schemas.ts';
import { language } from './core/general.ts';
import { id, page, paging } from './core/ids.ts';
import { problems } from './core/problem.ts';
import { route } from './core/route.ts';

export { consent, document, documentKind } from './accounts/consents.ts';
export type { DocumentKind } from './accounts/consents.ts';
export { factor, factors, stepUpProof } from './accounts/factors.ts';
export type { Factor, StepUpProof } from './accounts/factors.ts';
export { passkey, passkeyAssertion, passkeyCreated, passkeyCreation, passkeyCreationOptions, passkeyProof, passkeyRequest, passkeyRequestOptions } from './accounts/passkeys.ts';
export { account, accountState, contact, contactInput, countryCode, emailAddress, newPassword, newSession, session, sessionTransport } from './accounts/schemas.ts';
export type { AccountState } from './accounts/schemas.ts';

/** A step-up in the body: the password, or any other proof that the account has. */
const proof = { password: knownPassword.optional(), proof: stepUpProof.optional() };

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
    responses: { 201: withAccount }, problems: ['accounts/wrong-credentials', 'accounts/second-factor-needed'],
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
  renameSession: route({
    operationId: 'renameSession', method: 'PATCH', path: '/v1/sessions/:sessionId', tag: 'Account', audience: 'traveller',
    summary: 'Gives the device of a session a name', params: z.strictObject({ sessionId: id }), body: z.strictObject({ name: line(100) }),
    responses: { 204: null },
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
    summary: 'Sets a new password and ends every other session', body: z.strictObject({ ...proof, newPassword }),
    responses: { 204: null }, problems: ['accounts/wrong-password', 'accounts/wrong-proof'],
  }),
  changeEmail: route({
    operationId: 'changeEmail', method: 'POST', path: '/v1/account/email', tag: 'Account', audience: 'traveller',
    summary: 'Sends a code to a new address; the address changes once the code is confirmed',
    body: z.strictObject({ email: emailAddress, ...proof }), responses: { 202: null }, problems: ['accounts/wrong-password', 'accounts/wrong-proof'],
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

const guestRoutes = {
  openGuest: route({
    operationId: 'openGuest', method: 'POST', path: '/v1/guests', tag: 'Account', audience: 'public', idempotent: true,
    summary: 'Opens an account for one purchase, without a password, and signs in; a code to claim it goes out by email',
    body: z.strictObject({ email: emailAddress, name: line(200).optional(), language: language.optional(), country: countryCode.optional(), transport: sessionTransport }),
    responses: { 201: withAccount },
  }),
  requestClaim: route({
    operationId: 'requestClaim', method: 'POST', path: '/v1/claims', tag: 'Account', audience: 'public',
    summary: 'Sends a code to claim what was bought as a guest, if anything was; the answer is the same either way',
    body: z.strictObject({ email: emailAddress }), responses: { 202: null },
  }),
  claimAccount: route({
    operationId: 'claimAccount', method: 'POST', path: '/v1/claims/confirmation', tag: 'Account', audience: 'public',
    summary: 'Makes the guest\'s account one\'s own with the mailed code and a password, ends its sessions and signs in',
    body: z.strictObject({ email: emailAddress, code: longCode, password: newPassword, name: line(200).optional(), transport: sessionTransport }),
    responses: { 201: withAccount }, problems: ['accounts/wrong-code', 'accounts/email-taken'],
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

/** Every route of accounts. */
export const accountsRoutes = { ...identityRoutes, ...signInRoutes, ...factorRoutes, ...guestRoutes, ...consentRoutes, ...contactRoutes } as const;

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
  'accounts/second-factor-needed': {
    status: 401,
    title: { en: 'Please prove a second time that it is you.', 'zh-Hans': '请完成第二步验证。', 'zh-Hant': '請完成第二步驗證。' },
  },
  'accounts/sign-in-expired': {
    status: 401,
    title: { en: 'This sign-in took too long; please begin again.', 'zh-Hans': '本次登录已超时，请重新开始。', 'zh-Hant': '本次登入已逾時，請重新開始。' },
  },
  'accounts/wrong-proof': {
    status: 403,
    title: { en: 'This proof is not right, or it has run out.', 'zh-Hans': '验证未通过或已失效。', 'zh-Hant': '驗證未通過或已失效。' },
  },
  'accounts/one-time-codes-on': {
    status: 409,
    title: { en: 'Codes from an authenticator app are already on.', 'zh-Hans': '身份验证器已启用。', 'zh-Hant': '驗證器已啟用。' },
  },
  'accounts/one-time-codes-off': {
    status: 409,
    title: { en: 'Codes from an authenticator app are not on.', 'zh-Hans': '身份验证器未启用。', 'zh-Hant': '驗證器未啟用。' },
  },
  'accounts/too-many-passkeys': {
    status: 409,
    title: { en: 'There are enough passkeys already; remove one first.', 'zh-Hans': '通行密钥数量已达上限，请先删除一个。', 'zh-Hant': '通行金鑰數量已達上限，請先刪除一個。' },
  },
  'accounts/guest': {
    status: 409,
    title: { en: 'Please claim the account with a password first.', 'zh-Hans': '请先设置密码认领账户。', 'zh-Hant': '請先設定密碼認領帳戶。' },
  },
  'accounts/document-fixed': {
    status: 409,
    title: { en: 'This version is published and does not change.', 'zh-Hans': '该版本已发布，不能更改。', 'zh-Hant': '此版本已發布，不能變更。' },
  },
  'accounts/document-not-in-force': {
    status: 409,
    title: { en: 'This version is not the one in force.', 'zh-Hans': '该版本并非当前生效的版本。', 'zh-Hant': '此版本並非目前生效的版本。' },
  },
  'accounts/consent-needed': {
    status: 409,
    title: { en: 'The service cannot go on without this; close the account instead.', 'zh-Hans': '使用本服务需要同意该文件；如不同意，请注销账户。', 'zh-Hant': '使用本服務需要同意該文件；如不同意，請註銷帳戶。' },
  },
});
