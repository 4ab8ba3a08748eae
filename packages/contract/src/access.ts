import { z } from 'zod';
import { emailAddress, newPassword, newSession, sessionTransport } from './accounts.ts';
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

export const accessRoutes = {
  signInAgent: route({
    operationId: 'signInAgent', method: 'POST', path: '/v1/agent-sessions', tag: 'Agents', audience: 'public', summary: 'Signs an agent in',
    body: z.strictObject({ email: emailAddress, password: z.string().min(1).max(200), transport: sessionTransport }),
    responses: { 201: withSession }, problems: ['access/wrong-credentials'],
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
});
