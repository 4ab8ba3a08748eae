import type { Reader } from '../platform/db/index.ts';
import type { Concern, ExportFile, SubjectHolder } from '../platform/subject/index.ts';
import * as store from './store.ts';

const batchSize = 200;
type Row = ExportFile['rows'][number];

function inFlight(payment: store.PaymentRow): Concern {
  const amount = { amountMinor: Number(payment.amountMinor), currency: payment.currency };
  const about = { paymentId: payment.paymentId };
  if (payment.status === 'processing') {
    return {
      code: 'payments/payment-in-flight', severity: 'blocker', amount, about, owner: 'payment-processor', eta: 'P3D',
      legalBasis: 'The payment may still become yours: it must reach your balance before it can be paid back.',
      title: {
        en: 'A payment is being worked on by your bank', 'zh-Hans': '您的银行正在处理一笔付款', 'zh-Hant': '您的銀行正在處理一筆付款',
      },
      fix: { operationId: 'cancelTopUp', params: { paymentId: payment.paymentId } },
    };
  }
  return {
    code: 'payments/top-up-unpaid', severity: 'info', amount, about, owner: 'system',
    title: {
      en: 'A top-up that was not paid will be canceled', 'zh-Hans': '一笔未支付的充值将被取消', 'zh-Hant': '一筆未付款的儲值將被取消',
    },
    fix: { operationId: 'cancelTopUp', params: { paymentId: payment.paymentId } },
  };
}

function refundOnItsWay(refund: store.RefundRow): Concern {
  return {
    code: 'payments/refund-in-flight', severity: 'info', owner: 'payment-processor', eta: 'P14D', about: { refundId: refund.refundId },
    amount: { amountMinor: Number(refund.amountMinor), currency: refund.currency },
    title: {
      en: 'A refund is on its way; it arrives also when the account is gone',
      'zh-Hans': '一笔退款正在途中，账户注销后仍会到账', 'zh-Hant': '一筆退款正在途中，帳戶註銷後仍會入帳',
    },
  };
}

function cardsRemembered(payments: readonly store.PaymentRow[]): Concern[] {
  const cards = [...new Set(payments.flatMap(({ cardBrand, cardLast4 }) => (cardLast4 === null ? [] : [`${cardBrand ?? 'card'} ${cardLast4}`])))];
  if (cards.length === 0) return [];
  return [{
    code: 'payments/cards-remembered', severity: 'info', owner: 'system', about: { count: cards.length, cards: cards.join(', ') },
    title: {
      en: 'The last digits of your cards are erased with the account; full numbers were never with us',
      'zh-Hans': '卡号末四位将随账户删除；我们从未保存完整卡号', 'zh-Hant': '卡號末四碼將隨帳戶刪除；我們從未保存完整卡號',
    },
  }];
}

/** Every row of a list that is read in batches, newest first. */
async function every<R>(read: (before: store.Place | null) => Promise<R[]>, placeOf: (row: R) => store.Place): Promise<R[]> {
  const rows: R[] = [];
  for (;;) {
    const last = rows.at(-1);
    const batch = await read(last === undefined ? null : placeOf(last));
    rows.push(...batch);
    if (batch.length < batchSize) return rows;
  }
}

const payments = (db: Reader, accountId: string): Promise<store.PaymentRow[]> =>
  every((before) => store.paymentsOf(db, accountId, before, batchSize), ({ createdAt, paymentId }) => ({ at: createdAt, id: paymentId }));
const refunds = (db: Reader, accountId: string): Promise<store.RefundRow[]> =>
  every((before) => store.refundsOf(db, accountId, before, batchSize), ({ requestedAt, refundId }) => ({ at: requestedAt, id: refundId }));
const redeemed = (db: Reader, accountId: string): Promise<store.RedeemedRow[]> =>
  every((before) => store.redeemedOf(db, accountId, before, batchSize), ({ redeemedAt, voucherId }) => ({ at: redeemedAt, id: voucherId }));

async function exportData(db: Reader, accountId: string): Promise<ExportFile[]> {
  const paid: Row[] = (await payments(db, accountId)).map((p) => ({
    paymentId: p.paymentId, status: p.status, amountMinor: Number(p.amountMinor), capturedMinor: Number(p.capturedMinor),
    refundedMinor: Number(p.refundedMinor), currency: p.currency, card: p.cardLast4 === null ? null : `${p.cardBrand ?? 'card'} ${p.cardLast4}`,
    createdAt: p.createdAt.toISOString(), capturedAt: p.capturedAt?.toISOString() ?? null,
  }));
  const back: Row[] = (await refunds(db, accountId)).map((r) => ({
    refundId: r.refundId, paymentId: r.paymentId, status: r.status, amountMinor: Number(r.amountMinor), currency: r.currency,
    requestedAt: r.requestedAt.toISOString(), settledAt: r.settledAt?.toISOString() ?? null,
  }));
  const given: Row[] = (await redeemed(db, accountId)).map((v) => ({
    voucherId: v.voucherId, amountMinor: Number(v.amountMinor), currency: v.currency, redeemedAt: v.redeemedAt.toISOString(),
  }));
  return [{ name: 'payments', rows: paid }, { name: 'refunds', rows: back }, { name: 'vouchers', rows: given }];
}

/** Payments of a person: theirs to take along; what the law asks to keep is amounts, dates and the gateway's numbers. */
export const paymentsHolder: SubjectHolder = {
  slice: 'payments',
  async closureConcerns(db, accountId) {
    const open = await store.openPaymentsOf(db, accountId);
    const onTheirWay = (await refunds(db, accountId)).filter(({ status }) => status === 'requested' || status === 'pending');
    return [...open.map(inFlight), ...onTheirWay.map(refundOnItsWay), ...cardsRemembered(await payments(db, accountId))];
  },
  exportData,
  async erase(tx, accountId) {
    const { cards, requestKeys, ...kept } = await store.eraseOf(tx, accountId);
    return { erased: { cards, requestKeys }, kept };
  },
};
