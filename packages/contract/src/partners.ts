import { z } from 'zod';
import { id, instant, page, paging } from './core/ids.ts';
import { money } from './core/money.ts';
import { problems } from './core/problem.ts';
import { route } from './core/route.ts';

/** A mobile network that serves our travellers. The key to its API is never shown. */
export const operator = z.object({
  id,
  /** Short and unique: lower-case letters, digits and hyphens. */
  code: z.string(),
  name: z.string(),
  /** Home networks as MCC and MNC, for example `44010`. */
  plmns: z.array(z.string()),
  restUrl: z.string(),
  /** What a gigabyte (10^9 bytes) costs us. */
  costPerGigabyte: money,
  createdAt: instant,
}).meta({ id: 'Operator' });

export const partnersRoutes = {
  listOperators: route({
    operationId: 'listOperators', method: 'GET', path: '/v1/operators', tag: 'Partners', audience: 'agent', permission: 'partners:read',
    summary: 'The operators that serve our travellers, by code', query: paging, responses: { 200: page(operator) },
  }),
} as const;

export const partnersProblems = problems({
  'partners/insecure-url': {
    status: 422,
    title: {
      en: 'The address of the operator must begin with https://.',
      'zh-Hans': '运营商地址必须以 https:// 开头。', 'zh-Hant': '電信業者位址必須以 https:// 開頭。',
    },
  },
  'partners/unknown-operator': {
    status: 404,
    title: { en: 'There is no such operator.', 'zh-Hans': '没有这个运营商。', 'zh-Hant': '沒有這個電信業者。' },
  },
  'partners/operator-unreachable': {
    status: 503,
    title: {
      en: 'The operator does not answer at the moment; we keep trying.',
      'zh-Hans': '运营商暂时没有响应，我们会继续尝试。', 'zh-Hant': '電信業者暫時沒有回應，我們會繼續嘗試。',
    },
  },
  'partners/operator-refused': {
    status: 502,
    title: { en: 'The operator refused this.', 'zh-Hans': '运营商拒绝了此操作。', 'zh-Hant': '電信業者拒絕了此操作。' },
  },
  'partners/wrong-state': {
    status: 409,
    title: {
      en: 'The line is not in a state at the operator that allows this.',
      'zh-Hans': '该线路在运营商处的状态不允许此操作。', 'zh-Hant': '該線路在電信業者處的狀態不允許此操作。',
    },
  },
  'partners/unknown-subscriber': {
    status: 409,
    title: { en: 'The operator does not know this line.', 'zh-Hans': '运营商处没有这条线路。', 'zh-Hant': '電信業者沒有這條線路。' },
  },
});
