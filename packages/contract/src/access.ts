import { z } from 'zod';
import { emailAddress, newPassword, newSession, sessionTransport } from './accounts.ts';
import { passkey, passkeyCreated, passkeyCreation, passkeyProof, passkeyRequest } from './accounts/passkeys.ts';
import { id, instant, page, paging } from './core/ids.ts';
import { problems } from './core/problem.ts';
import { route } from './core/route.ts';

/** What an agent is there for; permissions follow from it. */
export const role = z.enum(['viewer', 'support', 'finance', 'operations', 'admin']).meta({ id: 'Role' });
export type Role = z.infer<typeof role>;

/**
 * What each permission allows, and the roles that carry it; `admin` carries all.
 * A route for agents names one of these, and so does the scope of an API key.
 */
export const permissions = {
  'agents:read': { roles: ['viewer', 'support', 'finance', 'operations'] },
  'agents:write': { roles: [] },
  'approvals:read': { roles: ['viewer', 'support', 'finance', 'operations'] },
  'api-keys:write': { roles: ['operations'] },
  'catalogue:read': { roles: ['viewer', 'support', 'finance', 'operations'] },
  'catalogue:write': { roles: ['operations'] },
  'closure:read': { roles: ['viewer', 'support', 'finance', 'operations'] },
  'closure:decide': { roles: ['support', 'operations'] },
  'documents:write': { roles: ['operations'] },
  'inventory:read': { roles: ['viewer', 'support', 'operations'] },
  'inventory:write': { roles: ['operations'] },
  'operations:read': { roles: ['viewer', 'support', 'operations'] },
  'operations:write': { roles: ['operations'] },
  'partners:read': { roles: ['viewer', 'finance', 'operations'] },
  'payments:write': { roles: ['finance'] },
  'usage:read': { roles: ['viewer', 'support', 'operations'] },
} as const satisfies Record<string, { readonly roles: readonly Exclude<Role, 'admin'>[] }>;

export type Permission = keyof typeof permissions;

const permission = z.enum(Object.keys(permissions) as [Permission, ...Permission[]]).meta({ id: 'Permission' });

/** What a set of roles may do. */
export function permissionsOf(roles: readonly Role[]): ReadonlySet<Permission> {
  const all = Object.keys(permissions) as Permission[];
  return new Set(roles.includes('admin') ? all
    : all.filter((name) => (permissions[name].roles as readonly Role[]).some((one) => roles.includes(one))));
}

/** One of the staff. `invited` until the invitation is accepted. */
export const agent = z.object({
  id, email: z.string(), name: z.string(), roles: z.array(role), state: z.enum(['invited', 'active', 'disabled']), createdAt: instant,
}).meta({ id: 'Agent' });

/** A key for programs. Its scopes never reach beyond the permissions of the agent who made it. */
export const apiKey = z.object({
  id, agentId: id, name: z.string(), scopes: z.array(permission), createdAt: instant, expiresAt: instant, revokedAt: instant.nullable(),
}).meta({ id: 'ApiKey' });

const name = z.string().trim().min(1).max(200).regex(/^[^\p{Cc}]*$/u);
const roles = z.array(role).min(1).max(5);
const withSession = z.object({ agent, session: newSession });

/** An act that one agent asks for and another must agree to. Once approved, whoever asked does the same call again, and it is spent. */
export const approval = z.object({
  id, kind: z.string(), permission, subject: z.object({ kind: z.string(), id: z.string() }), details: z.record(z.string(), z.unknown()),
  state: z.enum(['pending', 'approved', 'refused', 'used', 'expired']), askedBy: id, askedAt: instant, decidedBy: id.nullable(), decidedAt: instant.nullable(),
  reason: z.string().nullable(), usedAt: instant.nullable(), expiresAt: instant,
}).meta({ id: 'Approval' });

/** Whether acts of a kind need a second person; `permission` is what that person must hold. */
export const approvalRule = z.object({ kind: z.string(), permission, on: z.boolean() }).meta({ id: 'ApprovalRule' });

const password = z.string().min(1).max(200);

const passkeyRoutes = {
  requestAgentPasskeySignIn: route({
    operationId: 'requestAgentPasskeySignIn', method: 'POST', path: '/v1/agent-passkey-challenges', tag: 'Agents', audience: 'public',
    summary: 'A challenge to sign an agent in with a passkey', responses: { 201: passkeyRequest },
  }),
  signInAgentWithPasskey: route({
    operationId: 'signInAgentWithPasskey', method: 'POST', path: '/v1/agent-sessions/passkey', tag: 'Agents', audience: 'public',
    summary: 'Signs an agent in with a passkey', body: z.strictObject({ ...passkeyProof.shape, transport: sessionTransport }),
    responses: { 201: withSession }, problems: ['access/wrong-credentials'],
  }),
  listAgentPasskeys: route({
    operationId: 'listAgentPasskeys', method: 'GET', path: '/v1/agent/passkeys', tag: 'Agents', audience: 'agent',
    summary: 'The passkeys of the caller, oldest first', responses: { 200: z.object({ items: z.array(passkey) }) },
  }),
  startAgentPasskey: route({
    operationId: 'startAgentPasskey', method: 'POST', path: '/v1/agent/passkeys/challenge', tag: 'Agents', audience: 'agent',
    summary: 'A challenge for a new passkey', body: z.strictObject({ password }),
    responses: { 201: passkeyCreation }, problems: ['access/wrong-credentials', 'access/session-needed', 'access/too-many-passkeys'],
  }),
  addAgentPasskey: route({
    operationId: 'addAgentPasskey', method: 'POST', path: '/v1/agent/passkeys', tag: 'Agents', audience: 'agent',
    summary: 'Adds the passkey that was made for a challenge; from now on the password alone does not sign in',
    body: z.strictObject({ challengeId: id, name: z.string().trim().min(1).max(100), created: passkeyCreated }),
    responses: { 201: passkey }, problems: ['access/wrong-proof', 'access/session-needed', 'access/too-many-passkeys'],
  }),
  removeAgentPasskey: route({
    operationId: 'removeAgentPasskey', method: 'POST', path: '/v1/agent/passkeys/:passkeyId/removal', tag: 'Agents', audience: 'agent',
    summary: 'Removes a passkey of the caller', params: z.strictObject({ passkeyId: id }), body: z.strictObject({ password }),
    responses: { 204: null }, problems: ['access/wrong-credentials', 'access/session-needed', 'access/unknown'],
  }),
  removePasskeysOfAgent: route({
    operationId: 'removePasskeysOfAgent', method: 'DELETE', path: '/v1/agents/:agentId/passkeys', tag: 'Agents', audience: 'agent', permission: 'agents:write',
    summary: 'Removes the passkeys of an agent who lost them', params: z.strictObject({ agentId: id }), responses: { 204: null }, problems: ['access/unknown'],
  }),
} as const;

const approvalRoutes = {
  listApprovals: route({
    operationId: 'listApprovals', method: 'GET', path: '/v1/approvals', tag: 'Agents', audience: 'agent', permission: 'approvals:read',
    summary: 'Acts that need a second person, newest first', query: paging.extend({ state: approval.shape.state.optional() }), responses: { 200: page(approval) },
  }),
  getApproval: route({
    operationId: 'getApproval', method: 'GET', path: '/v1/approvals/:approvalId', tag: 'Agents', audience: 'agent', permission: 'approvals:read',
    summary: 'One of them', params: z.strictObject({ approvalId: id }), responses: { 200: approval }, problems: ['access/unknown'],
  }),
  decideApproval: route({
    operationId: 'decideApproval', method: 'POST', path: '/v1/approvals/:approvalId/decision', tag: 'Agents', audience: 'agent', permission: 'approvals:read',
    summary: 'Agrees to an act that another agent asked for, or not; the permission of the act is needed, and a session',
    params: z.strictObject({ approvalId: id }), body: z.strictObject({ approve: z.boolean(), reason: z.string().trim().min(1).max(500) }),
    responses: { 200: approval }, problems: ['access/unknown', 'access/own-approval', 'access/approval-over', 'access/session-needed'],
  }),
  listApprovalRules: route({
    operationId: 'listApprovalRules', method: 'GET', path: '/v1/approval-rules', tag: 'Agents', audience: 'agent', permission: 'approvals:read',
    summary: 'Which kinds of acts need a second person', responses: { 200: z.object({ items: z.array(approvalRule) }) },
  }),
  changeApprovalRule: route({
    operationId: 'changeApprovalRule', method: 'PUT', path: '/v1/approval-rules/:kind', tag: 'Agents', audience: 'agent', permission: 'agents:write',
    summary: 'Turns the rule for a kind on; turning it off needs a second person itself',
    params: z.strictObject({ kind: z.string().min(1).max(100) }), body: z.strictObject({ on: z.boolean() }),
    responses: { 200: approvalRule, 202: approval }, problems: ['access/unknown', 'access/session-needed'],
  }),
} as const;

export const accessRoutes = {
  ...passkeyRoutes, ...approvalRoutes,
  signInAgent: route({
    operationId: 'signInAgent', method: 'POST', path: '/v1/agent-sessions', tag: 'Agents', audience: 'public', summary: 'Signs an agent in',
    body: z.strictObject({ email: emailAddress, password: z.string().min(1).max(200), transport: sessionTransport }),
    responses: { 201: withSession }, problems: ['access/wrong-credentials', 'access/passkey-needed'],
  }),
  signOutAgent: route({
    operationId: 'signOutAgent', method: 'DELETE', path: '/v1/agent-sessions/current', tag: 'Agents', audience: 'agent',
    summary: 'Ends the session of this call', responses: { 204: null },
  }),
  acceptInvitation: route({
    operationId: 'acceptInvitation', method: 'POST', path: '/v1/agent-invitations/acceptance', tag: 'Agents', audience: 'public',
    summary: 'Turns an invitation into an agent with a password, and signs in',
    body: z.strictObject({ code: z.string().min(20).max(100), password: newPassword, transport: sessionTransport }),
    responses: { 201: withSession }, problems: ['access/wrong-invitation'],
  }),
  getAgent: route({
    operationId: 'getAgent', method: 'GET', path: '/v1/agent', tag: 'Agents', audience: 'agent', summary: 'The agent of the caller, and what they may do',
    responses: { 200: z.object({ agent, permissions: z.array(permission) }) },
  }),
  listAgents: route({
    operationId: 'listAgents', method: 'GET', path: '/v1/agents', tag: 'Agents', audience: 'agent', permission: 'agents:read',
    summary: 'The agents, oldest first', query: paging, responses: { 200: page(agent) },
  }),
  inviteAgent: route({
    operationId: 'inviteAgent', method: 'POST', path: '/v1/agents', tag: 'Agents', audience: 'agent', permission: 'agents:write', idempotent: true,
    summary: 'Invites an agent; the invitation code is shown once',
    body: z.strictObject({ email: emailAddress, name, roles }),
    responses: { 201: z.object({ agent, invitation: z.object({ code: z.string(), expiresAt: instant }) }) }, problems: ['access/email-taken'],
  }),
  changeAgent: route({
    operationId: 'changeAgent', method: 'PATCH', path: '/v1/agents/:agentId', tag: 'Agents', audience: 'agent', permission: 'agents:write',
    summary: 'Changes the roles of an agent, or disables one', params: z.strictObject({ agentId: id }),
    body: z.strictObject({ roles: roles.optional(), disabled: z.boolean().optional() }),
    responses: { 200: agent }, problems: ['access/last-admin'],
  }),
  listApiKeys: route({
    operationId: 'listApiKeys', method: 'GET', path: '/v1/api-keys', tag: 'Agents', audience: 'agent', permission: 'agents:read',
    summary: 'The API keys, oldest first', query: paging, responses: { 200: page(apiKey) },
  }),
  createApiKey: route({
    operationId: 'createApiKey', method: 'POST', path: '/v1/api-keys', tag: 'Agents', audience: 'agent', permission: 'api-keys:write', idempotent: true,
    summary: 'Makes an API key; its secret is shown once',
    body: z.strictObject({ name, scopes: z.array(permission).min(1).max(100), expiresAt: instant.optional() }),
    responses: { 201: z.object({ apiKey, secret: z.string() }) }, problems: ['access/scope-beyond-role'],
  }),
  revokeApiKey: route({
    operationId: 'revokeApiKey', method: 'DELETE', path: '/v1/api-keys/:apiKeyId', tag: 'Agents', audience: 'agent', permission: 'api-keys:write',
    summary: 'Revokes an API key', params: z.strictObject({ apiKeyId: id }), responses: { 204: null },
  }),
} as const;

export const accessProblems = problems({
  'access/wrong-credentials': {
    status: 401,
    title: { en: 'The address or the password is not right.', 'zh-Hans': '邮箱或密码不正确。', 'zh-Hant': '電子郵件或密碼不正確。' },
  },
  'access/wrong-invitation': {
    status: 422,
    title: { en: 'This invitation is not right, or it has run out.', 'zh-Hans': '邀请码不正确或已失效。', 'zh-Hant': '邀請碼不正確或已失效。' },
  },
  'access/email-taken': {
    status: 409,
    title: { en: 'There is already an agent with this address.', 'zh-Hans': '该邮箱已属于一位客服人员。', 'zh-Hant': '此電子郵件已屬於一位客服人員。' },
  },
  'access/unknown': {
    status: 404,
    title: { en: 'There is no such agent or key.', 'zh-Hans': '没有这位人员或密钥。', 'zh-Hant': '沒有這位人員或金鑰。' },
  },
  'access/admin-exists': {
    status: 409,
    title: { en: 'There is already an administrator.', 'zh-Hans': '已存在管理员。', 'zh-Hant': '已存在管理員。' },
  },
  'access/last-admin': {
    status: 409,
    title: { en: 'The last administrator must stay.', 'zh-Hans': '必须保留最后一位管理员。', 'zh-Hant': '必須保留最後一位管理員。' },
  },
  'access/scope-beyond-role': {
    status: 403,
    title: { en: 'A key cannot do more than its maker.', 'zh-Hans': '密钥的权限不能超过其创建者。', 'zh-Hant': '金鑰的權限不能超過其建立者。' },
  },
  'access/passkey-needed': {
    status: 401,
    title: { en: 'Please sign in with your passkey.', 'zh-Hans': '请使用通行密钥登录。', 'zh-Hant': '請使用通行金鑰登入。' },
  },
  'access/wrong-proof': {
    status: 403,
    title: { en: 'This proof is not right, or it has run out.', 'zh-Hans': '验证未通过或已失效。', 'zh-Hant': '驗證未通過或已失效。' },
  },
  'access/session-needed': {
    status: 403,
    title: { en: 'This needs a signed-in person, not an API key.', 'zh-Hans': '此操作需由已登录的人员执行，不能使用 API 密钥。', 'zh-Hant': '此操作需由已登入的人員執行，不能使用 API 金鑰。' },
  },
  'access/too-many-passkeys': {
    status: 409,
    title: { en: 'There are enough passkeys already; remove one first.', 'zh-Hans': '通行密钥数量已达上限，请先删除一个。', 'zh-Hant': '通行金鑰數量已達上限，請先刪除一個。' },
  },
  'access/own-approval': {
    status: 403,
    title: { en: 'Somebody else must agree to this.', 'zh-Hans': '须由其他人员批准。', 'zh-Hant': '須由其他人員核准。' },
  },
  'access/approval-over': {
    status: 409,
    title: { en: 'This was decided before, or it has run out.', 'zh-Hans': '该申请已处理或已过期。', 'zh-Hant': '此申請已處理或已過期。' },
  },
});
