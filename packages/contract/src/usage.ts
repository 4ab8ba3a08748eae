import { z } from 'zod';
import { id, instant, page, paging } from './core/ids.ts';
import { problems } from './core/problem.ts';
import { route } from './core/route.ts';
import { allowanceState } from './lines.ts';

/** What a line may still use. Bytes are decimal; 1 GB is 1,000,000,000 bytes. */
export const allowance = z.object({
  allowanceId: id,
  lineId: id,
  state: allowanceState,
  totalBytes: z.int().nonnegative(),
  usedBytes: z.int().nonnegative(),
  validFrom: instant,
  validUntil: instant,
}).meta({ id: 'Allowance' });

/** The use of one line on one UTC day in one network. */
export const usageDay = z.object({
  day: z.iso.date(),
  plmn: z.string().nullable(),
  bytes: z.int().nonnegative(),
}).meta({ id: 'UsageDay' });

/** One file or push of usage records as it arrived. */
export const usageBatch = z.object({
  batchId: id,
  operatorId: id,
  source: z.string(),
  state: z.enum(['received', 'applied', 'refused']),
  receivedAt: instant,
  records: z.int(),
  duplicates: z.int(),
  suspended: z.int(),
  reason: z.string().nullable(),
}).meta({ id: 'UsageBatch' });

const lineParams = z.object({ lineId: id });

export const usageRoutes = {
  listAllowances: route({
    operationId: 'listAllowances', method: 'GET', path: '/v1/lines/:lineId/allowances', tag: 'Usage', audience: 'traveller', whileLeaving: true,
    summary: 'The allowances of a line in their order of consumption', params: lineParams,
    responses: { 200: z.object({ allowances: z.array(allowance) }) }, problems: ['lines/unknown'],
  }),
  listUsage: route({
    operationId: 'listUsage', method: 'GET', path: '/v1/lines/:lineId/usage', tag: 'Usage', audience: 'traveller', whileLeaving: true,
    summary: 'Use by day and network, newest first', params: lineParams, query: paging, responses: { 200: page(usageDay) }, problems: ['lines/unknown'],
  }),
  listUsageBatches: route({
    operationId: 'listUsageBatches', method: 'GET', path: '/v1/usage-batches', tag: 'Usage', audience: 'agent', permission: 'usage:read',
    summary: 'Usage batches as they arrived, newest first', query: paging, responses: { 200: page(usageBatch) },
  }),
  retryUsageBatch: route({
    operationId: 'retryUsageBatch', method: 'POST', path: '/v1/usage-batches/:batchId/retry', tag: 'Usage', audience: 'agent',
    permission: 'operations:write', summary: 'Applies a refused batch again, from where it stopped', params: z.strictObject({ batchId: id }),
    body: z.strictObject({ reason: z.string().trim().min(1).max(500).regex(/^[^\p{Cc}]*$/u) }),
    responses: { 202: usageBatch }, problems: ['usage/unknown-batch', 'usage/batch-not-refused'],
  }),
} as const;

export const usageProblems = problems({
  'usage/raw-gone': {
    status: 410,
    title: { en: 'The raw bytes of this batch are gone.', 'zh-Hans': '该批次的原始内容已不存在。', 'zh-Hant': '該批次的原始內容已不存在。' },
  },
  'usage/unknown-batch': {
    status: 404,
    title: { en: 'There is no such batch.', 'zh-Hans': '没有这个批次。', 'zh-Hant': '沒有這個批次。' },
  },
  'usage/batch-not-refused': {
    status: 409,
    title: {
      en: 'Only a refused batch whose raw bytes were kept can be applied again.',
      'zh-Hans': '只有被拒绝且保留了原始内容的批次才能重新处理。', 'zh-Hant': '只有被拒絕且保留了原始內容的批次才能重新處理。',
    },
  },
  'usage/file-refused': {
    status: 422,
    title: { en: 'The usage file cannot be read.', 'zh-Hans': '无法读取该用量文件。', 'zh-Hant': '無法讀取該用量檔案。' },
  },
});
