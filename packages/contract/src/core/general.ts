import { z } from 'zod';
import { problems } from './problem.ts';
import { route } from './route.ts';

/** The problems that any route can answer. */
export const generalProblems = problems({
  'general/bad-request': {
    status: 400,
    title: { en: 'Something in the request is not as it should be.', 'zh-Hans': '请求中有内容不符合要求。', 'zh-Hant': '請求中有內容不符合要求。' },
  },
  'general/unauthenticated': {
    status: 401,
    title: { en: 'Please sign in first.', 'zh-Hans': '请先登录。', 'zh-Hant': '請先登入。' },
  },
  'general/forbidden': {
    status: 403,
    title: { en: 'You may not do this.', 'zh-Hans': '您无权执行此操作。', 'zh-Hant': '您無權執行此操作。' },
  },
  'general/foreign-origin': {
    status: 403,
    title: {
      en: 'This request came from another website and was refused.',
      'zh-Hans': '该请求来自其他网站，已被拒绝。', 'zh-Hant': '該請求來自其他網站，已被拒絕。',
    },
  },
  'general/not-found': {
    status: 404,
    title: { en: 'There is nothing here.', 'zh-Hans': '未找到所请求的内容。', 'zh-Hant': '找不到所請求的內容。' },
  },
  'general/conflict': {
    status: 409,
    title: { en: 'This does not fit the present state.', 'zh-Hans': '此操作与当前状态冲突。', 'zh-Hant': '此操作與目前狀態衝突。' },
  },
  'general/in-progress': {
    status: 409,
    title: {
      en: 'The same request is still being worked on; please ask again in a moment.',
      'zh-Hans': '相同的请求仍在处理中，请稍后再试。', 'zh-Hant': '相同的請求仍在處理中，請稍後再試。',
    },
  },
  'general/idempotency-key-missing': {
    status: 400,
    title: {
      en: 'This request needs an Idempotency-Key header of 16 to 128 letters, digits or -._~.',
      'zh-Hans': '该请求需要 Idempotency-Key 请求头（16 至 128 个字母、数字或 -._~）。',
      'zh-Hant': '該請求需要 Idempotency-Key 標頭（16 至 128 個字母、數字或 -._~）。',
    },
  },
  'general/idempotency-key-reused': {
    status: 422,
    title: {
      en: 'This Idempotency-Key was used for another request.',
      'zh-Hans': '此 Idempotency-Key 已用于另一个请求。', 'zh-Hant': '此 Idempotency-Key 已用於另一個請求。',
    },
  },
  'general/too-large': {
    status: 413,
    title: { en: 'The request is too large.', 'zh-Hans': '请求内容过大。', 'zh-Hant': '請求內容過大。' },
  },
  'general/unsupported-media-type': {
    status: 415,
    title: {
      en: 'The body must be sent as application/json.', 'zh-Hans': '请求体须以 application/json 发送。', 'zh-Hant': '請求主體須以 application/json 傳送。',
    },
  },
  'general/leaving': {
    status: 423,
    title: {
      en: 'This account is being closed; only the closure can be reached.',
      'zh-Hans': '该账户正在注销，目前只能访问注销页面。', 'zh-Hant': '此帳戶正在註銷，目前只能存取註銷頁面。',
    },
  },
  'general/too-many-requests': {
    status: 429,
    title: { en: 'Too many attempts; please wait a little.', 'zh-Hans': '操作过于频繁，请稍候再试。', 'zh-Hant': '操作過於頻繁，請稍候再試。' },
  },
  'general/internal': {
    status: 500,
    title: { en: 'Something went wrong on our side.', 'zh-Hans': '我们这边出了问题。', 'zh-Hant': '我們這邊出了問題。' },
  },
  'general/unavailable': {
    status: 503,
    title: { en: 'The service is not ready; please try again shortly.', 'zh-Hans': '服务暂不可用，请稍后再试。', 'zh-Hant': '服務暫不可用，請稍後再試。' },
  },
});

/** Every error of the API, `application/problem+json` (RFC 9457). */
export const problem = z.object({
  /** A relative reference: `/problems/<code>`. */
  type: z.string(),
  /** Words for people, in the language asked for. */
  title: z.string(),
  status: z.int(),
  /** The stable code that programs decide by. */
  code: z.string(),
  /** Names this one request in our logs. */
  requestId: z.string(),
  /** Where the request does not fit, as JSON pointers (RFC 6901) under `/body`, `/query` or `/params`; values are never repeated. */
  errors: z.array(z.object({ pointer: z.string(), reason: z.string() })).optional(),
  /** Ids, counts and names of fields that explain the code. */
  details: z.record(z.string(), z.unknown()).optional(),
}).meta({ id: 'Problem' });

export type Problem = z.infer<typeof problem>;

/** `ok` for each thing the process needs. */
export const readiness = z.object({
  ready: z.boolean(),
  checks: z.record(z.string(), z.enum(['ok', 'failing'])),
}).meta({ id: 'Readiness' });

export const generalRoutes = {
  getHealth: route({
    operationId: 'getHealth', method: 'GET', path: '/healthz', tag: 'Operation', audience: 'public',
    summary: 'Whether the process runs', responses: { 200: z.object({ status: z.literal('ok') }) },
  }),
  getReadiness: route({
    operationId: 'getReadiness', method: 'GET', path: '/readyz', tag: 'Operation', audience: 'public',
    summary: 'Whether the process can serve', responses: { 200: readiness, 503: readiness },
  }),
} as const;

/** The languages that the service speaks. */
export const language = z.enum(['en', 'zh-Hans', 'zh-Hant']).meta({ id: 'Language' });

export type Language = z.infer<typeof language>;
