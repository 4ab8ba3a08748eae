import { z } from 'zod';
import { id, instant, page, paging } from './core/ids.ts';
import { problems } from './core/problem.ts';
import { route } from './core/route.ts';

/** Where the profile is: the first of a line's three axes. */
export const deliveryState = z.enum(['allocated', 'released', 'downloaded', 'installed', 'enabled', 'disabled', 'deleted', 'retired']);
/** What the operator does for the line: the second axis. */
export const serviceState = z.enum(['pending', 'active', 'suspended', 'pendingTerminate', 'terminated']);
/** What is left to use: the third axis. */
export const allowanceState = z.enum(['queued', 'active', 'depleted', 'expired', 'revoked', 'refunded']);

export type DeliveryState = z.infer<typeof deliveryState>;
export type ServiceState = z.infer<typeof serviceState>;
export type AllowanceState = z.infer<typeof allowanceState>;

/** From which states of the service axis each action is allowed, and where it leads. Server and clients read this one table. */
export const lineActions = {
  activate: { from: ['pending'], to: 'active' },
  suspend: { from: ['active'], to: 'suspended' },
  resume: { from: ['suspended'], to: 'active' },
  beginTerminate: { from: ['pending', 'active', 'suspended'], to: 'pendingTerminate' },
  undoTerminate: { from: ['pendingTerminate'], to: 'suspended' },
  terminate: { from: ['pending', 'active', 'suspended', 'pendingTerminate'], to: 'terminated' },
} as const satisfies Record<string, { readonly from: readonly ServiceState[]; readonly to: ServiceState }>;

export type LineAction = keyof typeof lineActions;

/** Whether an action is allowed on a line now: `lineCan('suspend', line)`. */
export function lineCan(action: LineAction, line: { readonly service: ServiceState }): boolean {
  return (lineActions[action].from as readonly ServiceState[]).includes(line.service);
}

/** Which steps of the delivery axis may follow each other; a later report never moves a profile backwards except by these. */
export const deliverySteps: Readonly<Record<DeliveryState, readonly DeliveryState[]>> = {
  allocated: ['released', 'retired'],
  released: ['downloaded', 'installed', 'enabled', 'retired'],
  downloaded: ['released', 'installed', 'enabled', 'disabled', 'deleted', 'retired'],
  installed: ['enabled', 'disabled', 'deleted', 'retired'],
  enabled: ['disabled', 'deleted', 'retired'],
  disabled: ['enabled', 'deleted', 'retired'],
  deleted: ['released', 'downloaded', 'installed', 'retired'],
  retired: [],
};

/** An account's subscribed plan, with its profile and device. */
export const line = z.object({
  lineId: id,
  planId: id,
  delivery: deliveryState,
  service: serviceState,
  iccidTail: z.string().length(4),
  deviceId: id.nullable(),
  createdAt: instant,
  activatedAt: instant.nullable(),
  terminatedAt: instant.nullable(),
}).meta({ id: 'Line' });

/** What a phone needs to download the profile (SGP.22 activation code), as text for a QR code and as its parts. */
export const activation = z.object({
  activationCode: z.string(),
  smdpAddress: z.string(),
  matchingId: z.string(),
}).meta({ id: 'Activation' });

/** One change on one axis of a line, with who made it and why. */
export const lineChange = z.object({
  at: instant,
  axis: z.enum(['delivery', 'service']),
  from: z.string().nullable(),
  to: z.string(),
  by: z.enum(['account', 'agent', 'operator', 'device', 'system']),
  reason: z.string().nullable(),
}).meta({ id: 'LineChange' });

/** A phone's eUICC that holds or held one of the account's profiles. */
export const device = z.object({
  deviceId: id,
  eidTail: z.string().length(4),
  firstSeenAt: instant,
  lines: z.array(z.object({ lineId: id, delivery: deliveryState })),
}).meta({ id: 'Device' });

const lineParams = z.object({ lineId: id });

export const lineRoutes = {
  listLines: route({
    operationId: 'listLines', method: 'GET', path: '/v1/lines', tag: 'Lines', audience: 'traveller', whileLeaving: true,
    summary: 'The account’s lines, newest first', query: paging, responses: { 200: page(line) },
  }),
  getLine: route({
    operationId: 'getLine', method: 'GET', path: '/v1/lines/:lineId', tag: 'Lines', audience: 'traveller', whileLeaving: true,
    summary: 'One line', params: lineParams, responses: { 200: line }, problems: ['lines/unknown'],
  }),
  getActivation: route({
    operationId: 'getActivation', method: 'GET', path: '/v1/lines/:lineId/activation', tag: 'Lines', audience: 'traveller',
    summary: 'The activation code, once the profile is released', params: lineParams, responses: { 200: activation },
    problems: ['lines/unknown', 'lines/not-released'],
  }),
  listLineChanges: route({
    operationId: 'listLineChanges', method: 'GET', path: '/v1/lines/:lineId/changes', tag: 'Lines', audience: 'traveller', whileLeaving: true,
    summary: 'Every change of a line, newest first', params: lineParams, query: paging, responses: { 200: page(lineChange) }, problems: ['lines/unknown'],
  }),
  listDevices: route({
    operationId: 'listDevices', method: 'GET', path: '/v1/devices', tag: 'Lines', audience: 'traveller', whileLeaving: true,
    summary: 'The phones that hold or held a profile of the account', responses: { 200: z.object({ devices: z.array(device) }) },
  }),
} as const;

export const lineProblems = problems({
  'lines/unknown': { status: 404, title: { en: 'There is no such line.', 'zh-Hans': '没有这条线路。', 'zh-Hant': '沒有這條線路。' } },
  'lines/not-released': {
    status: 409,
    title: { en: 'The profile is not ready for download.', 'zh-Hans': '配置文件尚未可供下载。', 'zh-Hant': '設定檔尚未可供下載。' },
  },
  'lines/action-not-allowed': {
    status: 409,
    title: { en: 'This is not possible in the line’s present state.', 'zh-Hans': '线路当前状态下不能这样做。', 'zh-Hant': '線路目前狀態下無法這樣做。' },
  },
});
