import { z } from 'zod';
import { stepUpProof } from './accounts/factors.ts';
import { id, instant, page, paging } from './core/ids.ts';
import { money } from './core/money.ts';
import { problems } from './core/problem.ts';
import { route } from './core/route.ts';

/** The states of a closure case. */
export const closureState = z.enum([
  'submitted', 'verifying', 'inReview', 'moreInformationAsked', 'coolingOff', 'executing', 'completed', 'withdrawn', 'refused', 'partiallyCompleted',
]);
export type ClosureState = z.infer<typeof closureState>;

/** The one table of what may happen to a case in which state, and where it leads. Server and clients read this table. */
export const closureActions = {
  verify: { from: ['submitted'], to: 'verifying', by: 'system' },
  sendToReview: { from: ['verifying'], to: 'inReview', by: 'system' },
  approve: { from: ['verifying', 'inReview'], to: 'coolingOff', by: 'agent' },
  askForMore: { from: ['inReview'], to: 'moreInformationAsked', by: 'agent' },
  answer: { from: ['moreInformationAsked'], to: 'inReview', by: 'traveller' },
  refuse: { from: ['inReview', 'moreInformationAsked'], to: 'refused', by: 'agent' },
  withdraw: { from: ['submitted', 'verifying', 'inReview', 'moreInformationAsked', 'coolingOff'], to: 'withdrawn', by: 'traveller' },
  execute: { from: ['coolingOff'], to: 'executing', by: 'system' },
  undo: { from: ['executing'], to: 'inReview', by: 'system' },
  complete: { from: ['executing', 'partiallyCompleted'], to: 'completed', by: 'system' },
  completePartially: { from: ['executing'], to: 'partiallyCompleted', by: 'system' },
} as const satisfies Record<string, { readonly from: readonly ClosureState[]; readonly to: ClosureState; readonly by: 'system' | 'agent' | 'traveller' }>;

export type ClosureAction = keyof typeof closureActions;

/** Whether an action is allowed on a case now: `closureCan('withdraw', theCase)`. */
export function closureCan(action: ClosureAction, theCase: { readonly state: ClosureState }): boolean {
  return (closureActions[action].from as readonly ClosureState[]).includes(theCase.state);
}

/** The steps of a closure in the order in which they run. */
export const closureSteps = [
  'freeze', 'suspend-lines', 'final-usage', 'settle', 'pay-out', 'terminate-lines', 'unbind-devices', 'deliver-export', 'tell-recipients', 'erase',
  'certify', 'log', 'confirm', 'destroy-envelope',
] as const;

const localText = z.object({ en: z.string(), 'zh-Hans': z.string(), 'zh-Hant': z.string() });

/** Something that stands between a traveller and leaving, or that they should know or choose first. */
export const concern = z.object({
  code: z.string(),
  severity: z.enum(['info', 'choice', 'blocker']),
  title: localText,
  amount: money.optional(),
  legalBasis: z.string().optional(),
  fix: z.object({ operationId: z.string(), params: z.record(z.string(), z.string()).optional() }).optional(),
  owner: z.enum(['traveller', 'agent', 'operator', 'payment-processor', 'system']),
  eta: z.string().optional(),
  about: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
}).meta({ id: 'Concern' });

/** The checklist before leaving. */
export const preflight = z.object({
  ready: z.boolean(),
  concerns: z.array(concern),
  conditions: z.object({
    coolingOffDays: z.object({ default: z.int(), least: z.int(), most: z.int() }),
    targetDays: z.int(),
    promiseWorkingDays: z.int(),
    refundWithinDays: z.int(),
    exportLinkDays: z.int(),
    unbindWaitHours: z.int(),
  }),
}).meta({ id: 'Preflight' });

/** What the traveller chose. */
export const closureChoices = z.strictObject({
  /** Money from payments: back to the original methods, or given up explicitly. */
  balance: z.enum(['originalMethods', 'giveUp']),
  /** Promotional credit cannot be paid out; giving it up must be said. */
  promotionalCredit: z.literal('giveUp'),
  export: z.boolean(),
  /** Days in which the application can still be withdrawn; 0 skips the time. */
  coolingOffDays: z.int().min(0).max(14),
}).meta({ id: 'ClosureChoices' });

/** Why somebody leaves; saying it is optional. */
export const closureReason = z.enum(['tripOver', 'price', 'coverage', 'quality', 'privacy', 'other']);

/** The receipt of an application: it is shown once and mailed; the access code opens the status page without signing in. */
export const closureReceipt = z.object({
  caseNumber: z.string(),
  accessCode: z.string(),
  statusUrl: z.url(),
  state: closureState,
  submittedAt: instant,
  targetAt: instant,
  promisedAt: instant,
  choices: closureChoices,
  appeal: z.string(),
}).meta({ id: 'ClosureReceipt' });

/** The states of a step, as the saga's runner knows them. */
export const closureStepState = z.enum(['pending', 'running', 'waiting', 'retrying', 'stuck', 'done', 'skipped', 'undoing', 'undone']);

/** Where a case stands: what the tracker shows. */
export const closureStatus = z.object({
  caseNumber: z.string(),
  state: closureState,
  submittedAt: instant,
  targetAt: instant,
  promisedAt: instant,
  coolingOffUntil: instant.nullable(),
  completedAt: instant.nullable(),
  /** The rules that decided, or why a person looks at it, in words. */
  rules: z.array(z.object({ code: z.string(), outcome: z.enum(['passed', 'review']), words: z.string() })),
  refusal: z.object({ reason: z.string(), legalGround: z.string(), complaintBody: z.string() }).nullable(),
  steps: z.array(z.object({
    step: z.enum(closureSteps),
    state: closureStepState,
    waitingOn: z.string().nullable(),
    until: instant.nullable(),
    startedAt: instant.nullable(),
    endedAt: instant.nullable(),
    actsNow: z.enum(['nobody', 'system', 'traveller', 'operator', 'payment-processor', 'agent']),
  })),
  refunds: z.array(z.object({ amount: money, method: z.string(), state: z.enum(['requested', 'pending', 'succeeded', 'failed']) })),
  recipients: z.array(z.object({ recipient: z.string(), state: z.enum(['told', 'confirmed', 'failed']), toldAt: instant })),
  certificate: z.boolean(),
  may: z.object({ withdraw: z.boolean(), skipCoolingOff: z.boolean() }),
}).meta({ id: 'ClosureStatus' });

const access = z.strictObject({ caseNumber: z.string().max(40), accessCode: z.string().max(60) });

/** A case as agents see it. */
export const closureCase = z.object({
  caseId: id,
  caseNumber: z.string(),
  state: closureState,
  submittedAt: instant,
  promisedAt: instant,
  rules: closureStatus.shape.rules,
  stuckStep: z.string().nullable(),
}).meta({ id: 'ClosureCase' });

export const closureRoutes = {
  getPreflight: route({
    operationId: 'getPreflight', method: 'GET', path: '/v1/closure/preflight', tag: 'Closure', audience: 'traveller', whileLeaving: true,
    summary: 'What leaving will do, what is to be chosen first, and what stands in the way', responses: { 200: preflight },
  }),
  applyForClosure: route({
    operationId: 'applyForClosure', method: 'POST', path: '/v1/closure/applications', tag: 'Closure', audience: 'traveller', idempotent: true, whileLeaving: true,
    summary: 'Applies to close the account; the receipt comes at once',
    body: z.strictObject({
      email: z.email().max(254),
      /** Proof that it is the traveller: the password, or any other factor the account already has. Exactly one of the two. */
      password: z.string().min(1).max(256).optional(),
      proof: stepUpProof.optional(),
      reason: closureReason.optional(),
      reasonText: z.string().max(2000).optional(),
      choices: closureChoices,
    }).refine((body) => (body.password === undefined) !== (body.proof === undefined), 'give either the password or another proof'),
    responses: { 201: closureReceipt },
    problems: ['closure/blocked', 'closure/already-open', 'closure/proof-refused', 'accounts/wrong-password', 'accounts/wrong-proof', 'general/too-many-requests'],
  }),
  getClosureStatus: route({
    operationId: 'getClosureStatus', method: 'POST', path: '/v1/closure/status', tag: 'Closure', audience: 'public',
    summary: 'Where a case stands; works without signing in, until the end and beyond', body: access, responses: { 200: closureStatus },
    problems: ['closure/no-such-case', 'general/too-many-requests'],
  }),
  withdrawClosure: route({
    operationId: 'withdrawClosure', method: 'POST', path: '/v1/closure/withdrawal', tag: 'Closure', audience: 'public',
    summary: 'Withdraws the application, as long as nothing irreversible has begun', body: access, responses: { 200: closureStatus },
    problems: ['closure/no-such-case', 'closure/action-not-allowed'],
  }),
  skipCoolingOff: route({
    operationId: 'skipCoolingOff', method: 'POST', path: '/v1/closure/cooling-off/skip', tag: 'Closure', audience: 'public',
    summary: 'Begins at once instead of waiting for the end of the cooling-off time', body: access, responses: { 200: closureStatus },
    problems: ['closure/no-such-case', 'closure/action-not-allowed'],
  }),
  getCertificate: route({
    operationId: 'getCertificate', method: 'POST', path: '/v1/closure/certificate', tag: 'Closure', audience: 'public',
    summary: 'The closure certificate with its proof from the transparency log', body: access, responses: { 200: 'application/json' },
    problems: ['closure/no-such-case', 'closure/no-certificate'],
  }),
  downloadExport: route({
    operationId: 'downloadExport', method: 'GET', path: '/v1/exports/:exportId', tag: 'Closure', audience: 'public',
    summary: 'The account’s data as a ZIP, by the link that was mailed',
    params: z.object({ exportId: id }), query: z.object({ token: z.string().min(20).max(100) }), responses: { 200: 'application/zip' },
    problems: ['closure/no-such-export'],
  }),
  listClosureCases: route({
    operationId: 'listClosureCases', method: 'GET', path: '/v1/closure/cases', tag: 'Closure', audience: 'agent', permission: 'closure:read',
    summary: 'Cases in a state, oldest promise first', query: paging.extend({ state: closureState }), responses: { 200: page(closureCase) },
  }),
  decideClosureCase: route({
    operationId: 'decideClosureCase', method: 'POST', path: '/v1/closure/cases/:caseId/decision', tag: 'Closure', audience: 'agent', permission: 'closure:decide',
    summary: 'Approves a case in review, or refuses it with reason, legal ground and complaint body',
    params: z.object({ caseId: id }),
    body: z.discriminatedUnion('decision', [
      z.strictObject({ decision: z.literal('approve'), reason: z.string().min(1).max(1000) }),
      z.strictObject({
        decision: z.literal('refuse'), reason: z.string().min(1).max(1000), legalGround: z.string().min(1).max(500), complaintBody: z.string().min(1).max(500),
      }),
    ]),
    responses: { 200: closureCase }, problems: ['closure/no-such-case', 'closure/action-not-allowed'],
  }),
  retryClosureStep: route({
    operationId: 'retryClosureStep', method: 'POST', path: '/v1/closure/cases/:caseId/retry', tag: 'Closure', audience: 'agent', permission: 'closure:decide',
    summary: 'Makes a stuck or waiting case look again at once', params: z.object({ caseId: id }),
    body: z.strictObject({ reason: z.string().min(1).max(1000) }), responses: { 200: closureCase }, problems: ['closure/no-such-case'],
  }),
  skipClosureStep: route({
    operationId: 'skipClosureStep', method: 'POST', path: '/v1/closure/cases/:caseId/skip', tag: 'Closure', audience: 'agent', permission: 'closure:decide',
    summary: 'Skips the stuck step of a case, with a reason that the certificate will name', params: z.object({ caseId: id }),
    body: z.strictObject({ step: z.enum(closureSteps), reason: z.string().min(1).max(1000) }), responses: { 200: closureCase },
    problems: ['closure/no-such-case', 'closure/action-not-allowed'],
  }),
} as const;

export const closureProblems = problems({
  'closure/blocked': {
    status: 409,
    title: {
      en: 'Something must be settled first; the preflight names it and how.', 'zh-Hans': '有事项需先处理；预检已列明内容与办法。', 'zh-Hant': '有事項需先處理；預檢已列明內容與辦法。',
    },
  },
  'closure/already-open': {
    status: 409, title: { en: 'An application is already open for this account.', 'zh-Hans': '该账户已有进行中的申请。', 'zh-Hant': '此帳戶已有進行中的申請。' },
  },
  'closure/proof-refused': {
    status: 403, title: { en: 'The email address or the password is not right.', 'zh-Hans': '邮箱或密码不正确。', 'zh-Hant': '電子郵件或密碼不正確。' },
  },
  'closure/no-such-case': {
    status: 404, title: { en: 'Case number and access code do not fit.', 'zh-Hans': '案件号与访问码不符。', 'zh-Hant': '案件編號與存取碼不符。' },
  },
  'closure/action-not-allowed': {
    status: 409, title: { en: 'This is not possible in the case’s present state.', 'zh-Hans': '案件当前状态下不能这样做。', 'zh-Hant': '案件目前狀態下無法這樣做。' },
  },
  'closure/needs-payout': {
    status: 409,
    title: {
      en: 'Part of the balance cannot go back to the payments it came from; an agent arranges another payout.',
      'zh-Hans': '部分余额无法退回原支付方式，客服将安排其他退款方式。', 'zh-Hant': '部分餘額無法退回原付款方式，客服將安排其他退款方式。',
    },
  },
  'closure/recipient-unreachable': {
    status: 503,
    title: {
      en: 'Someone who has to be told does not answer at the moment; we keep trying.',
      'zh-Hans': '需要通知的一方暂时没有响应，我们会继续尝试。', 'zh-Hant': '需要通知的一方暫時沒有回應，我們會繼續嘗試。',
    },
  },
  'closure/no-certificate': {
    status: 404, title: { en: 'There is no certificate yet.', 'zh-Hans': '证书尚未生成。', 'zh-Hant': '憑證尚未產生。' },
  },
  'closure/no-such-export': {
    status: 404, title: { en: 'The link is wrong or has expired.', 'zh-Hans': '链接有误或已过期。', 'zh-Hant': '連結有誤或已過期。' },
  },
});
