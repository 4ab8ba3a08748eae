import type { PaymentStatus, RefundStatus } from '@yuanyou/contract';
import { sql } from '../platform/db/index.ts';
import type { Reader, Tx } from '../platform/db/index.ts';

export interface PaymentRow {
  readonly paymentId: string;
  readonly accountId: string;
  readonly intentId: string | null;
  readonly amountMinor: bigint;
  readonly currency: string;
  readonly status: PaymentStatus;
  readonly capturedMinor: bigint;
  readonly refundedMinor: bigint;
  readonly cardBrand: string | null;
  readonly cardLast4: string | null;
  readonly createdAt: Date;
  readonly capturedAt: Date | null;
}

/** The place of a row in a list, newest first. */
export interface Place { readonly at: Date; readonly id: string }

const paymentColumns = sql.raw(`id as "paymentId", account_id as "accountId", intent_id as "intentId", amount_minor as "amountMinor", currency, status,
  captured_minor as "capturedMinor", refunded_minor as "refundedMinor", card_brand as "cardBrand", card_last4 as "cardLast4",
  created_at as "createdAt", captured_at as "capturedAt"`);

/** Inserts a payment; answers the row that stands under this request of the account. */
export async function insertPayment(
  tx: Tx, p: Pick<PaymentRow, 'paymentId' | 'accountId' | 'amountMinor' | 'currency' | 'createdAt'> & { readonly requestKey: Buffer },
): Promise<PaymentRow> {
  await tx.run(sql`
    insert into payments.payment (id, account_id, request_key, amount_minor, currency, status, created_at)
    values (${p.paymentId}, ${p.accountId}, ${p.requestKey}, ${p.amountMinor}::bigint, ${p.currency}, 'created', ${p.createdAt})
    on conflict (account_id, request_key) do nothing`);
  return tx.one(sql`select ${paymentColumns} from payments.payment where account_id = ${p.accountId} and request_key = ${p.requestKey}`);
}

export async function countOpen(db: Reader, accountId: string): Promise<number> {
  const row = await db.one<{ n: bigint }>(sql`
    select count(*) as n from payments.payment where account_id = ${accountId} and status in ('created', 'awaiting', 'processing')`);
  return Number(row.n);
}

export function findPayment(db: Reader, paymentId: string): Promise<PaymentRow | undefined> {
  return db.maybe(sql`select ${paymentColumns} from payments.payment where id = ${paymentId}`);
}

export function lockPayment(tx: Tx, paymentId: string): Promise<PaymentRow | undefined> {
  return tx.maybe(sql`select ${paymentColumns} from payments.payment where id = ${paymentId} for update`);
}

export async function setIntent(tx: Tx, paymentId: string, intentId: string): Promise<boolean> {
  return await tx.run(sql`
    update payments.payment set intent_id = ${intentId}, status = 'awaiting' where id = ${paymentId} and status = 'created' and intent_id is null`) === 1;
}

export async function setStatus(tx: Tx, paymentId: string, status: PaymentStatus): Promise<void> {
  await tx.run(sql`update payments.payment set status = ${status} where id = ${paymentId}`);
}

export async function setCaptured(
  tx: Tx, paymentId: string, c: { intentId: string; capturedMinor: bigint; card: { brand: string; last4: string } | null; at: Date },
): Promise<void> {
  await tx.run(sql`
    update payments.payment
       set status = 'captured', intent_id = ${c.intentId}, captured_minor = ${c.capturedMinor}::bigint, captured_at = ${c.at},
           card_brand = ${c.card?.brand ?? null}, card_last4 = ${c.card?.last4 ?? null}
     where id = ${paymentId}`);
}

export function paymentsOf(db: Reader, accountId: string, before: Place | null, limit: number): Promise<PaymentRow[]> {
  return db.all(sql`
    select ${paymentColumns} from payments.payment
     where account_id = ${accountId}
       and (${before?.at ?? null}::timestamptz is null or (created_at, id) < (${before?.at ?? null}::timestamptz, ${before?.id ?? null}::uuid))
     order by created_at desc, id desc limit ${limit}`);
}

export function openPaymentsOf(db: Reader, accountId: string): Promise<PaymentRow[]> {
  return db.all(sql`
    select ${paymentColumns} from payments.payment
     where account_id = ${accountId} and status in ('created', 'awaiting', 'processing') order by created_at, id limit 100`);
}

/** Payments that have stood open since before, longest not looked at first; marks them as looked at. */
export function takeStalePayments(tx: Tx, before: Date, now: Date, limit: number): Promise<PaymentRow[]> {
  return tx.all(sql`
    update payments.payment set looked_at = ${now}
     where id in (select id from payments.payment
                   where status in ('created', 'awaiting', 'processing') and coalesce(looked_at, created_at) < ${before}
                   order by coalesce(looked_at, created_at), id limit ${limit} for update skip locked)
    returning ${paymentColumns}`);
}

/** Sets part of a payment aside for a refund; false when that much is not left. */
export async function reserveRefund(tx: Tx, paymentId: string, amountMinor: bigint): Promise<boolean> {
  return await tx.run(sql`
    update payments.payment set refunded_minor = refunded_minor + ${amountMinor}::bigint
     where id = ${paymentId} and status = 'captured' and captured_minor - refunded_minor >= ${amountMinor}::bigint`) === 1;
}

export async function releaseRefund(tx: Tx, paymentId: string, amountMinor: bigint): Promise<void> {
  await tx.run(sql`update payments.payment set refunded_minor = refunded_minor - ${amountMinor}::bigint where id = ${paymentId}`);
}

export interface RefundRow {
  readonly refundId: string;
  readonly paymentId: string;
  readonly accountId: string;
  readonly amountMinor: bigint;
  readonly currency: string;
  readonly status: RefundStatus;
  readonly gatewayRefundId: string | null;
  readonly failure: string | null;
  readonly requestedAt: Date;
  readonly sentAt: Date | null;
  readonly settledAt: Date | null;
}

const refundColumns = sql.raw(`id as "refundId", payment_id as "paymentId", account_id as "accountId", amount_minor as "amountMinor", currency, status,
  gateway_refund_id as "gatewayRefundId", failure, requested_at as "requestedAt", sent_at as "sentAt", settled_at as "settledAt"`);

export async function insertRefund(
  tx: Tx, r: Pick<RefundRow, 'refundId' | 'paymentId' | 'accountId' | 'amountMinor' | 'currency' | 'requestedAt'>,
): Promise<void> {
  await tx.run(sql`
    insert into payments.refund (id, payment_id, account_id, amount_minor, currency, status, requested_at)
    values (${r.refundId}, ${r.paymentId}, ${r.accountId}, ${r.amountMinor}::bigint, ${r.currency}, 'requested', ${r.requestedAt})`);
}

export function findRefund(db: Reader, refundId: string): Promise<RefundRow | undefined> {
  return db.maybe(sql`select ${refundColumns} from payments.refund where id = ${refundId}`);
}

export function lockRefund(tx: Tx, refundId: string): Promise<RefundRow | undefined> {
  return tx.maybe(sql`select ${refundColumns} from payments.refund where id = ${refundId} for update`);
}

export async function setSent(tx: Tx, refundId: string, at: Date): Promise<void> {
  await tx.run(sql`update payments.refund set sent_at = coalesce(sent_at, ${at}::timestamptz) where id = ${refundId}`);
}

export async function setRefund(
  tx: Tx, refundId: string, r: { status: RefundStatus; gatewayRefundId: string | null; failure: string | null; settledAt: Date | null },
): Promise<void> {
  await tx.run(sql`
    update payments.refund
       set status = ${r.status}, gateway_refund_id = coalesce(${r.gatewayRefundId}::text, gateway_refund_id), failure = ${r.failure}::text,
           settled_at = ${r.settledAt}::timestamptz
     where id = ${refundId}`);
}

export function refundsOf(db: Reader, accountId: string, before: Place | null, limit: number): Promise<RefundRow[]> {
  return db.all(sql`
    select ${refundColumns} from payments.refund
     where account_id = ${accountId}
       and (${before?.at ?? null}::timestamptz is null or (requested_at, id) < (${before?.at ?? null}::timestamptz, ${before?.id ?? null}::uuid))
     order by requested_at desc, id desc limit ${limit}`);
}

/** Refunds that were sent and have no end yet, longest not looked at first; marks them as looked at. */
export function takeStaleRefunds(tx: Tx, before: Date, now: Date, limit: number): Promise<{ refundId: string }[]> {
  return tx.all(sql`
    update payments.refund set looked_at = ${now}
     where id in (select id from payments.refund
                   where status in ('requested', 'pending') and sent_at is not null and coalesce(looked_at, sent_at) < ${before}
                   order by coalesce(looked_at, sent_at), id limit ${limit} for update skip locked)
    returning id as "refundId"`);
}

/** True when the event is new. */
export async function noteEvent(tx: Tx, eventId: string, type: string, at: Date): Promise<boolean> {
  return await tx.run(sql`
    insert into payments.gateway_event (event_id, type, received_at) values (${eventId}, ${type}, ${at}) on conflict (event_id) do nothing`) === 1;
}

export function dropEvents(tx: Tx, before: Date, limit: number): Promise<number> {
  return tx.run(sql`
    delete from payments.gateway_event where event_id in (select event_id from payments.gateway_event where received_at < ${before} limit ${limit})`);
}

export interface BatchRow {
  readonly batchId: string;
  readonly name: string;
  readonly amountMinor: bigint;
  readonly currency: string;
  readonly count: number;
  readonly validUntil: Date;
  readonly codes: Buffer;
}

/** Inserts a batch; answers the row that stands under this request of the agent. */
export async function insertBatch(
  tx: Tx, b: BatchRow & { readonly agentId: string; readonly requestKey: Buffer; readonly createdAt: Date },
): Promise<BatchRow> {
  await tx.run(sql`
    insert into payments.voucher_batch (id, name, agent_id, request_key, codes, amount_minor, currency, count, valid_until, created_at)
    values (${b.batchId}, ${b.name}, ${b.agentId}, ${b.requestKey}, ${b.codes}, ${b.amountMinor}::bigint, ${b.currency}, ${b.count}, ${b.validUntil}, ${b.createdAt})
    on conflict (agent_id, request_key) do nothing`);
  return tx.one(sql`
    select id as "batchId", name, amount_minor as "amountMinor", currency, count, valid_until as "validUntil", codes
      from payments.voucher_batch where agent_id = ${b.agentId} and request_key = ${b.requestKey}`);
}

export async function insertVouchers(tx: Tx, batchId: string, ids: readonly string[], indexes: readonly Buffer[]): Promise<void> {
  await tx.run(sql`
    insert into payments.voucher (id, batch_id, code_index)
    select u.id, ${batchId}::uuid, u.code_index from unnest(${ids}::uuid[], ${indexes}::bytea[]) as u (id, code_index)`);
}

export interface VoucherRow {
  readonly voucherId: string;
  readonly accountId: string | null;
  readonly requestKey: Buffer | null;
  readonly amountMinor: bigint;
  readonly currency: string;
  readonly validUntil: Date;
}

export function lockVoucher(tx: Tx, codeIndex: Buffer): Promise<VoucherRow | undefined> {
  return tx.maybe(sql`
    select v.id as "voucherId", v.account_id as "accountId", v.request_key as "requestKey", b.amount_minor as "amountMinor", b.currency,
           b.valid_until as "validUntil"
      from payments.voucher v join payments.voucher_batch b on b.id = v.batch_id
     where v.code_index = ${codeIndex} for update of v`);
}

export async function setRedeemed(tx: Tx, voucherId: string, accountId: string, requestKey: Buffer, at: Date): Promise<void> {
  await tx.run(sql`
    update payments.voucher set account_id = ${accountId}, request_key = ${requestKey}, redeemed_at = ${at} where id = ${voucherId} and account_id is null`);
}

export interface RedeemedRow {
  readonly voucherId: string;
  readonly redeemedAt: Date;
  readonly amountMinor: bigint;
  readonly currency: string;
}

export function redeemedOf(db: Reader, accountId: string, before: Place | null, limit: number): Promise<RedeemedRow[]> {
  return db.all(sql`
    select v.id as "voucherId", v.redeemed_at as "redeemedAt", b.amount_minor as "amountMinor", b.currency
      from payments.voucher v join payments.voucher_batch b on b.id = v.batch_id
     where v.account_id = ${accountId}
       and (${before?.at ?? null}::timestamptz is null or (v.redeemed_at, v.id) < (${before?.at ?? null}::timestamptz, ${before?.id ?? null}::uuid))
     order by v.redeemed_at desc, v.id desc limit ${limit}`);
}

/** Drops what the law does not ask to keep; amounts, dates and the gateway's numbers stay. */
export async function eraseOf(tx: Tx, accountId: string): Promise<{ cards: number; requestKeys: number; payments: number; refunds: number; vouchers: number }> {
  const cards = await tx.run(sql`
    update payments.payment set card_brand = null, card_last4 = null
     where account_id = ${accountId} and (card_brand is not null or card_last4 is not null)`);
  const keys = await tx.run(sql`update payments.payment set request_key = null where account_id = ${accountId} and request_key is not null`);
  const more = await tx.run(sql`update payments.voucher set request_key = null where account_id = ${accountId} and request_key is not null`);
  const kept = await tx.one<{ payments: bigint; refunds: bigint; vouchers: bigint }>(sql`
    select (select count(*) from payments.payment where account_id = ${accountId}) as payments,
           (select count(*) from payments.refund where account_id = ${accountId}) as refunds,
           (select count(*) from payments.voucher where account_id = ${accountId}) as vouchers`);
  return { cards, requestKeys: keys + more, payments: Number(kept.payments), refunds: Number(kept.refunds), vouchers: Number(kept.vouchers) };
}
