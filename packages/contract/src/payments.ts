import { z } from 'zod';
import { id, instant, page, paging } from './core/ids.ts';
import { currency, money } from './core/money.ts';
import { problems } from './core/problem.ts';
import { route } from './core/route.ts';

/**
 * `created`: noted, not yet known to the gateway. `awaiting`: the payer has not paid yet. `processing`: the payer's bank is at it.
 * `captured`: the money is ours to hold. `canceled`: closed without a payment.
 */
export const paymentStatus = z.enum(['created', 'awaiting', 'processing', 'captured', 'canceled']);
export type PaymentStatus = z.infer<typeof paymentStatus>;

/** `requested`: ours to send. `pending`: the gateway works on it. The other two are final. */
export const refundStatus = z.enum(['requested', 'pending', 'succeeded', 'failed']);
export type RefundStatus = z.infer<typeof refundStatus>;

/** A payment into the balance. */
export const payment = z.object({
  id,
  amount: money,
  status: paymentStatus,
  /** What of it was paid back or is on its way back. */
  refunded: money,
  /** The card, masked; null until paid and after erasure. */
  method: z.object({ brand: z.string(), last4: z.string() }).nullable(),
  createdAt: instant,
  capturedAt: instant.nullable(),
}).meta({ id: 'Payment' });

/** A top-up begun: the payer pays at the gateway, never with us. */
export const topUp = z.object({
  payment,
  /** For the gateway's own form in the page; null once paid or canceled. */
  clientSecret: z.string().nullable(),
  /** The gateway's page, where it has one. */
  payUrl: z.string().nullable(),
}).meta({ id: 'TopUp' });

/** How much to pay in: 1.00 to 500.00 of the currency. */
export const newTopUp = z.object({
  amount: z.object({ amountMinor: z.int().min(100).max(50_000), currency }),
}).meta({ id: 'NewTopUp' });

/** A voucher's code, as printed: case, dashes and spaces do not matter. */
export const redemption = z.object({ code: z.string().min(8).max(40) }).meta({ id: 'VoucherRedemption' });

/** What a voucher was worth; it is promotional credit: spendable, never paid out. */
export const redeemed = z.object({ promotionalCredit: money }).meta({ id: 'VoucherRedeemed' });

/** Vouchers of one amount each, valid until an instant. */
export const newVoucherBatch = z.object({
  name: z.string().min(1).max(80),
  amount: z.object({ amountMinor: z.int().min(1).max(100_000), currency }),
  count: z.int().min(1).max(10_000),
  validUntil: instant,
}).meta({ id: 'NewVoucherBatch' });

/** The codes are answered to the one who made the batch; afterwards they are kept sealed. */
export const voucherBatch = z.object({
  id, name: z.string(), amount: money, count: z.int(), validUntil: instant, codes: z.array(z.string()),
}).meta({ id: 'VoucherBatch' });

const paymentId = z.object({ paymentId: id });

export const paymentsRoutes = {
  startTopUp: route({
    operationId: 'startTopUp', method: 'POST', path: '/v1/top-ups', tag: 'Payments', audience: 'traveller', idempotent: true,
    summary: 'Begin a payment into the balance', body: newTopUp, responses: { 201: topUp },
    problems: ['payments/gateway-unreachable', 'payments/currency', 'payments/too-many-open'],
  }),
  cancelTopUp: route({
    operationId: 'cancelTopUp', method: 'POST', path: '/v1/top-ups/:paymentId/cancel', tag: 'Payments', audience: 'traveller', whileLeaving: true,
    summary: 'Close a top-up that was not paid; one that was paid meanwhile is captured instead', params: paymentId,
    responses: { 200: payment }, problems: ['payments/unknown-payment', 'payments/gateway-unreachable'],
  }),
  listPayments: route({
    operationId: 'listPayments', method: 'GET', path: '/v1/payments', tag: 'Payments', audience: 'traveller', whileLeaving: true,
    summary: 'Payments into the balance, newest first', query: paging, responses: { 200: page(payment) },
  }),
  getPayment: route({
    operationId: 'getPayment', method: 'GET', path: '/v1/payments/:paymentId', tag: 'Payments', audience: 'traveller', whileLeaving: true,
    summary: 'One payment', params: paymentId, responses: { 200: payment }, problems: ['payments/unknown-payment'],
  }),
  redeemVoucher: route({
    operationId: 'redeemVoucher', method: 'POST', path: '/v1/vouchers/redeem', tag: 'Payments', audience: 'traveller', idempotent: true,
    summary: 'Turn a voucher into promotional credit', body: redemption, responses: { 200: redeemed },
    problems: ['payments/voucher-unknown', 'payments/voucher-spent', 'payments/voucher-expired', 'general/too-many-requests'],
  }),
  receiveGatewayEvent: route({
    operationId: 'receiveGatewayEvent', method: 'POST', path: '/v1/webhooks/gateway', tag: 'Payments', audience: 'public',
    summary: 'The payment gateway tells what happened; signed over the raw body', responses: { 204: null },
    problems: ['payments/signature'],
  }),
  createVoucherBatch: route({
    operationId: 'createVoucherBatch', method: 'POST', path: '/v1/voucher-batches', tag: 'Payments', audience: 'agent',
    permission: 'payments:write', idempotent: true, summary: 'Make a batch of vouchers', body: newVoucherBatch, responses: { 201: voucherBatch },
    problems: ['payments/currency', 'payments/batch-over'],
  }),
} as const;

export const paymentsProblems = problems({
  'payments/gateway-unreachable': {
    status: 503,
    title: {
      en: 'The payment service does not answer at the moment; nothing was charged.',
      'zh-Hans': '支付服务暂时没有响应，未扣任何款项。', 'zh-Hant': '付款服務暫時沒有回應，未扣任何款項。',
    },
  },
  'payments/gateway-refused': {
    status: 502,
    title: { en: 'The payment service refused this.', 'zh-Hans': '支付服务拒绝了此操作。', 'zh-Hant': '付款服務拒絕了此操作。' },
  },
  'payments/currency': {
    status: 422,
    title: { en: 'This currency is not offered.', 'zh-Hans': '不支持此币种。', 'zh-Hant': '不支援此幣別。' },
  },
  'payments/too-many-open': {
    status: 409,
    title: {
      en: 'There are too many unpaid top-ups; pay or cancel one first.',
      'zh-Hans': '未支付的充值过多，请先支付或取消其中一笔。', 'zh-Hant': '未付款的儲值過多，請先付款或取消其中一筆。',
    },
  },
  'payments/unknown-payment': {
    status: 404,
    title: { en: 'There is no such payment.', 'zh-Hans': '没有这笔支付。', 'zh-Hant': '沒有這筆付款。' },
  },
  'payments/unknown-refund': {
    status: 404,
    title: { en: 'There is no such refund.', 'zh-Hans': '没有这笔退款。', 'zh-Hant': '沒有這筆退款。' },
  },
  'payments/refund-exceeds': {
    status: 409,
    title: {
      en: 'More cannot be paid back than was paid in.',
      'zh-Hans': '退款金额不能超过已支付金额。', 'zh-Hant': '退款金額不能超過已付金額。',
    },
  },
  'payments/refund-under-way': {
    status: 409,
    title: { en: 'The refund is on its way already.', 'zh-Hans': '退款已在途中。', 'zh-Hant': '退款已在途中。' },
  },
  'payments/id-reused': {
    status: 409,
    title: { en: 'This was already asked for with other values.', 'zh-Hans': '此请求已用不同内容提交过。', 'zh-Hant': '此請求已用不同內容提交過。' },
  },
  'payments/voucher-unknown': {
    status: 404,
    title: { en: 'This voucher code is not known.', 'zh-Hans': '没有这个兑换码。', 'zh-Hant': '沒有這個兌換碼。' },
  },
  'payments/voucher-spent': {
    status: 409,
    title: { en: 'This voucher was used already.', 'zh-Hans': '此兑换码已被使用。', 'zh-Hant': '此兌換碼已被使用。' },
  },
  'payments/voucher-expired': {
    status: 410,
    title: { en: 'This voucher has expired.', 'zh-Hans': '此兑换码已过期。', 'zh-Hant': '此兌換碼已過期。' },
  },
  'payments/batch-over': {
    status: 422,
    title: { en: 'A batch must be valid for some time to come.', 'zh-Hans': '有效期必须在将来。', 'zh-Hant': '有效期必須在將來。' },
  },
  'payments/signature': {
    status: 400,
    title: { en: 'The signature does not fit the body.', 'zh-Hans': '签名与内容不符。', 'zh-Hant': '簽章與內容不符。' },
  },
});
