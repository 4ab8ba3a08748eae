import type { Catalogue } from '../catalogue/index.ts';
import { priceOf } from '../catalogue/index.ts';
import { promoAccount, recipes } from '../ledger/index.ts';
import type { Ledger } from '../ledger/index.ts';
import type { Lines } from '../lines/index.ts';
import type { Audit } from '../platform/audit/types.ts';
import type { Clock } from '../platform/clock/index.ts';
import type { Transactor, Tx } from '../platform/db/index.ts';
import { ServiceError } from '../platform/errors.ts';
import { newId } from '../platform/ids.ts';
import type { Usage } from '../usage/index.ts';
import * as store from './store.ts';
import type { Order } from './store.ts';

export interface PlaceDeps {
  readonly db: Transactor;
  readonly clock: Clock;
  readonly audit: Audit;
  readonly ledger: Ledger;
  readonly catalogue: Pick<Catalogue, 'plan'>;
  readonly lines: Pick<Lines, 'create' | 'giveUp'>;
  readonly usage: Pick<Usage, 'grant'>;
  /** Refuses when the account may not buy; holds it so until the transaction ends. */
  readonly requireBuyer: (tx: Tx, accountId: string) => Promise<void>;
  /** @throws ServiceError `inventory/out-of-stock` */
  readonly reserve: (tx: Tx, operatorId: string) => Promise<{ readonly profileId: string; readonly iccid: string }>;
  readonly orderDownload: (tx: Tx, wanted: { readonly profileId: string; readonly iccid: string; readonly operatorId: string }) => Promise<unknown>;
}

export interface Wish {
  readonly accountId: string;
  readonly idempotencyKey: string;
  readonly planId: string;
  readonly currency: string;
  readonly expectedTotalMinor: number;
  readonly usePromotionalCredit: boolean;
}

const dayMs = 86_400_000;
type Plan = NonNullable<Awaited<ReturnType<Catalogue['plan']>>>;

async function priced(deps: PlaceDeps, wish: Wish): Promise<{ plan: Plan; totalMinor: bigint }> {
  const plan = await deps.catalogue.plan(deps.db, wish.planId);
  const price = plan === undefined || !plan.onSale ? undefined : priceOf(plan, wish.currency);
  if (plan === undefined || price === undefined) throw new ServiceError('catalogue/unknown-plan', { planId: wish.planId });
  if (price !== wish.expectedTotalMinor) throw new ServiceError('orders/price-changed', { totalMinor: price, currency: wish.currency });
  return { plan, totalMinor: BigInt(price) };
}

async function split(deps: PlaceDeps, tx: Tx, wish: Wish, totalMinor: bigint): Promise<{ cashMinor: bigint; promoMinor: bigint }> {
  if (!wish.usePromotionalCredit) return { cashMinor: totalMinor, promoMinor: 0n };
  const credit = await deps.ledger.balance(tx, promoAccount(wish.accountId, wish.currency));
  const promoMinor = credit < totalMinor ? credit : totalMinor;
  return { cashMinor: totalMinor - promoMinor, promoMinor };
}

async function reserved(deps: PlaceDeps, tx: Tx, operatorId: string): Promise<{ profileId: string; iccid: string }> {
  try {
    return await deps.reserve(tx, operatorId);
  } catch (error) {
    if (error instanceof ServiceError && error.code === 'inventory/out-of-stock') throw new ServiceError('orders/sold-out', {}, { cause: error });
    throw error;
  }
}

async function pay(deps: PlaceDeps, tx: Tx, order: Order): Promise<void> {
  if (order.cashMinor + order.promoMinor === 0n) return;
  await deps.ledger.post(tx, recipes.purchase({
    id: `order:${order.orderId}`, at: order.orderedAt, currency: order.currency, accountId: order.accountId,
    cashMinor: order.cashMinor, promoMinor: order.promoMinor, refs: { orderId: order.orderId, lineId: order.lineId },
  }));
}

async function grant(deps: PlaceDeps, tx: Tx, order: Order, plan: Plan): Promise<void> {
  const firstUse = plan.start.kind === 'first-use' ? plan.start : undefined;
  await deps.usage.grant(tx, {
    lineId: order.lineId, allowanceId: newId(order.orderedAt.getTime()), accountId: order.accountId, orderId: order.orderId, operatorId: plan.operatorId,
    state: firstUse === undefined ? 'active' : 'queued', totalBytes: BigInt(plan.dataBytes), boughtAt: order.orderedAt, validityDays: plan.validityDays,
    validFrom: order.orderedAt, validUntil: new Date(order.orderedAt.getTime() + (firstUse?.withinDays ?? plan.validityDays) * dayMs),
    currency: order.currency, paidCashMinor: order.cashMinor, paidPromoMinor: order.promoMinor, refundRule: plan.refund,
  });
}

/**
 * Buys a plan from the balance: in one transaction the money moves, a profile is taken from stock, its download is ordered and the line
 * exists; what needs the operator follows in the line's own saga. The same key answers the same order.
 * @throws ServiceError `catalogue/unknown-plan`, `orders/price-changed`, `orders/sold-out`, `ledger/overdraft`
 */
export async function placeOrder(deps: PlaceDeps, wish: Wish): Promise<Order> {
  const earlier = await store.orderByKey(deps.db, wish.accountId, wish.idempotencyKey);
  if (earlier !== undefined) return earlier;
  const { plan, totalMinor } = await priced(deps, wish);
  return deps.db.transaction(async (tx) => {
    await deps.requireBuyer(tx, wish.accountId);
    const raced = await store.orderByKey(tx, wish.accountId, wish.idempotencyKey);
    if (raced !== undefined) return raced;
    await deps.ledger.openTraveller(tx, wish.accountId, wish.currency);
    const orderedAt = deps.clock.now();
    const { profileId, iccid } = await reserved(deps, tx, plan.operatorId);
    const order: Order = {
      accountId: wish.accountId, orderId: newId(orderedAt.getTime()), idempotencyKey: wish.idempotencyKey, planId: plan.planId,
      lineId: newId(orderedAt.getTime()), state: 'paid', currency: wish.currency, ...(await split(deps, tx, wish, totalMinor)), orderedAt,
    };
    await deps.orderDownload(tx, { profileId, iccid, operatorId: plan.operatorId });
    await pay(deps, tx, order);
    await deps.lines.create(tx, { lineId: order.lineId, accountId: order.accountId, planId: plan.planId, operatorId: plan.operatorId, profileId, iccid });
    await grant(deps, tx, order, plan);
    await store.insertOrder(tx, order);
    await deps.audit.record(tx, {
      actor: { kind: 'account', id: order.accountId }, action: 'orders.place', subjectKind: 'order', subjectId: order.orderId, accountId: order.accountId,
      details: { planId: plan.planId, lineId: order.lineId, cashMinor: Number(order.cashMinor), promoMinor: Number(order.promoMinor) },
    });
    return order;
  });
}
