import { z } from 'zod';
import { id, page, paging } from './core/ids.ts';
import { money } from './core/money.ts';
import { problems } from './core/problem.ts';
import { route } from './core/route.ts';

/** A text in each language of the shop. */
export const localText = z.object({ en: z.string(), 'zh-Hans': z.string(), 'zh-Hant': z.string() }).meta({ id: 'LocalText' });

/** ISO 3166-1 alpha-2. */
export const country = z.string().regex(/^[A-Z]{2}$/).meta({ example: 'JP' });

/** When the validity period begins: with the purchase, or with the first use, which must come within some days. */
export const startRule = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('purchase') }),
  z.object({ kind: z.literal('first-use'), withinDays: z.int().positive() }),
]).meta({ id: 'StartRule' });

/** What goes back when a plan ends early: the unused part within some days of the purchase, or nothing. */
export const refundRule = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('pro-rata'), withinDays: z.int().positive() }),
  z.object({ kind: z.literal('none') }),
]).meta({ id: 'RefundRule' });

/** A product offering: so much data in these countries for so long. 1 GB is 1,000,000,000 bytes. */
export const plan = z.object({
  planId: id,
  slug: z.string().regex(/^[a-z0-9-]{3,60}$/).meta({ example: 'japan-3gb-15d' }),
  operatorId: id,
  countries: z.array(country).min(1),
  dataBytes: z.int().positive(),
  validityDays: z.int().positive(),
  start: startRule,
  refund: refundRule,
  name: localText,
  description: localText,
  refundText: localText,
  prices: z.array(money).min(1),
}).meta({ id: 'Plan' });

export type LocalText = z.infer<typeof localText>;
export type StartRule = z.infer<typeof startRule>;
export type RefundRule = z.infer<typeof refundRule>;
export type Plan = z.infer<typeof plan>;

export const catalogueRoutes = {
  listPlans: route({
    operationId: 'listPlans', method: 'GET', path: '/v1/plans', tag: 'Plans', audience: 'public',
    summary: 'Plans on sale, by slug; of one country when asked', query: paging.extend({ country: country.optional() }),
    responses: { 200: page(plan) },
  }),
  getPlan: route({
    operationId: 'getPlan', method: 'GET', path: '/v1/plans/:planId', tag: 'Plans', audience: 'public',
    summary: 'One plan', params: z.object({ planId: id }), responses: { 200: plan }, problems: ['catalogue/unknown-plan'],
  }),
} as const;

export const catalogueProblems = problems({
  'catalogue/unknown-plan': { status: 404, title: { en: 'There is no such plan.', 'zh-Hans': '没有这个套餐。', 'zh-Hant': '沒有這個方案。' } },
});
