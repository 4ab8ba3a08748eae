import { recipes } from '../ledger/index.ts';
import { lineFailed, lineProvisioned } from '../lines/index.ts';
import type { Reader } from '../platform/db/index.ts';
import type { Endpoint } from '../platform/http/types.ts';
import type { Outbox } from '../platform/jobs/types.ts';
import type { Concern, ExportFile, SubjectHolder } from '../platform/subject/index.ts';
import type { Usage } from '../usage/index.ts';
import { placeOrder } from './place.ts';
import type { PlaceDeps, Wish } from './place.ts';
import { orderEndpoints } from './routes.ts';
import * as store from './store.ts';
import type { Order } from './store.ts';

export type { Order } from './store.ts';
export type { Wish } from './place.ts';

export interface Orders {
  place(wish: Wish): Promise<Order>;
  readonly endpoints: Endpoint[];
  readonly holder: SubjectHolder;
}

export interface OrdersDeps extends PlaceDeps {
  readonly outbox: Outbox;
  readonly usage: Pick<Usage, 'grant' | 'revoke'>;
}

async function fulfil(deps: OrdersDeps, lineId: string): Promise<void> {
  await deps.db.transaction(async (tx) => {
    const order = await store.lockOrderOfLine(tx, lineId);
    if (order?.state === 'paid') await store.endOrder(tx, order, 'fulfilled', deps.clock.now());
  });
}

/** The line could not be provisioned: everything that was paid goes back to where it came from. */
async function undo(deps: OrdersDeps, lineId: string): Promise<void> {
  await deps.db.transaction(async (tx) => {
    const order = await store.lockOrderOfLine(tx, lineId);
    if (order?.state !== 'paid') return;
    const revoked = await deps.usage.revoke(tx, order.lineId);
    if (revoked && order.cashMinor + order.promoMinor > 0n) {
      await deps.ledger.post(tx, recipes.undoPurchase({
        id: `order:${order.orderId}:undone`, at: deps.clock.now(), currency: order.currency, accountId: order.accountId,
        cashMinor: order.cashMinor, promoMinor: order.promoMinor, refs: { orderId: order.orderId, lineId },
      }));
    }
    await store.endOrder(tx, order, 'undone', deps.clock.now());
    await deps.audit.record(tx, {
      actor: { kind: 'system', id: 'orders' }, action: 'orders.undo', subjectKind: 'order', subjectId: order.orderId, accountId: order.accountId,
    });
  });
}

async function concerns(db: Reader, accountId: string): Promise<Concern[]> {
  const open = await store.openOrders(db, accountId);
  if (open === 0) return [];
  return [{
    code: 'orders/in-flight',
    severity: 'blocker',
    title: { en: 'An order is being fulfilled; it ends by itself within minutes', 'zh-Hans': '有订单正在处理，几分钟内会自行完成', 'zh-Hant': '有訂單正在處理，幾分鐘內會自行完成' },
    legalBasis: 'performance of the contract that was just concluded',
    owner: 'system',
    eta: 'PT10M',
    about: { orders: open },
  }];
}

async function exported(db: Reader, accountId: string): Promise<ExportFile[]> {
  const rows: ExportFile['rows'][number][] = [];
  for (let before: string | null = null; ;) {
    const batch: Order[] = await store.ordersOf(db, accountId, before, 500);
    for (const o of batch) {
      rows.push({
        orderId: o.orderId, planId: o.planId, lineId: o.lineId, state: o.state, orderedAt: o.orderedAt.toISOString(),
        paidFromBalanceMinor: Number(o.cashMinor), paidFromPromotionalCreditMinor: Number(o.promoMinor), currency: o.currency,
      });
    }
    before = batch.at(-1)?.orderId ?? null;
    if (batch.length < 500) return [{ name: 'orders', rows }];
  }
}

/** Orders: a plan bought becomes a line. */
export function createOrders(deps: OrdersDeps): Orders {
  deps.outbox.subscribe(lineProvisioned, 'orders.fulfil', ({ body }) => fulfil(deps, body.lineId));
  deps.outbox.subscribe(lineFailed, 'orders.undo', ({ body }) => undo(deps, body.lineId));
  return {
    place: (wish) => placeOrder(deps, wish),
    endpoints: orderEndpoints(deps),
    holder: {
      slice: 'orders',
      closureConcerns: concerns,
      exportData: exported,
      // An order is a booking record: amounts, dates and internal ids stay as the law on books asks; it names nobody.
      erase: async (tx, accountId) => ({ erased: {}, kept: { orders: (await store.ordersOf(tx, accountId, null, 10_000)).length } }),
    },
  };
}
