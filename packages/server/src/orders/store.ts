import { sql } from '../platform/db/index.ts';
import type { Reader, Tx } from '../platform/db/index.ts';

export interface Order {
  readonly accountId: string;
  readonly orderId: string;
  readonly idempotencyKey: string;
  readonly planId: string;
  readonly lineId: string;
  readonly state: 'paid' | 'fulfilled' | 'undone';
  readonly currency: string;
  readonly cashMinor: bigint;
  readonly promoMinor: bigint;
  readonly orderedAt: Date;
}

const columns = sql`account_id as "accountId", order_id as "orderId", idempotency_key as "idempotencyKey", plan_id as "planId", line_id as "lineId", state, currency,
  cash_minor as "cashMinor", promo_minor as "promoMinor", ordered_at as "orderedAt"`;

export async function insertOrder(tx: Tx, o: Order): Promise<void> {
  await tx.run(sql`
    insert into orders."order" (account_id, order_id, idempotency_key, plan_id, line_id, state, currency, cash_minor, promo_minor, ordered_at)
    values (${o.accountId}, ${o.orderId}, ${o.idempotencyKey}, ${o.planId}, ${o.lineId}, ${o.state}, ${o.currency}, ${o.cashMinor}, ${o.promoMinor}, ${o.orderedAt})`);
}

export function orderByKey(db: Reader, accountId: string, idempotencyKey: string): Promise<Order | undefined> {
  return db.maybe<Order>(sql`select ${columns} from orders."order" where account_id = ${accountId} and idempotency_key = ${idempotencyKey}`);
}

export function findOrder(db: Reader, accountId: string, orderId: string): Promise<Order | undefined> {
  return db.maybe<Order>(sql`select ${columns} from orders."order" where account_id = ${accountId} and order_id = ${orderId}`);
}

export function lockOrderOfLine(tx: Tx, lineId: string): Promise<Order | undefined> {
  return tx.maybe<Order>(sql`select ${columns} from orders."order" where line_id = ${lineId} for update`);
}

export function ordersOf(db: Reader, accountId: string, before: string | null, limit: number): Promise<Order[]> {
  return db.all<Order>(sql`
    select ${columns} from orders."order" where account_id = ${accountId} and (${before}::uuid is null or order_id < ${before}::uuid)
     order by order_id desc limit ${limit}`);
}

export async function endOrder(tx: Tx, o: Order, state: 'fulfilled' | 'undone', at: Date): Promise<void> {
  await tx.run(sql`update orders."order" set state = ${state}, ended_at = ${at} where account_id = ${o.accountId} and order_id = ${o.orderId}`);
}

/** The orders of an account whose lines are being provisioned, oldest first; more than a few at once are bounded. */
export function openOrders(db: Reader, accountId: string): Promise<Order[]> {
  return db.all<Order>(sql`
    select ${columns} from orders."order" where account_id = ${accountId} and state = 'paid' order by order_id limit 100`);
}
