import { recipes } from '../ledger/index.ts';
import { lineFailed, lineProvisioned, longestProvisioningMs } from '../lines/index.ts';
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

const minuteMs = 60_000;

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

/** One concern for each order whose line is not there yet: it ends by itself, at the latest when the operator is given up. */
function concernOf({ orderId, lineId, orderedAt }: Order, now: Date): Concern {
  const endsBy = orderedAt.getTime() + longestProvisioningMs + 10 * minuteMs;
  return {
    code: 'orders/in-flight',
    severity: 'blocker',
    title: {
      en: 'An order is being fulfilled. That takes minutes; while the operator does not answer we keep trying for up to a day, then everything paid comes back.'
        + ' While it waits you can give it up.',
      'zh-Hans': '有订单正在处理，通常只需几分钟。若运营商未响应，我们最多持续尝试一天，之后全额退回。等待期间您可以放弃该订单。',
      'zh-Hant': '有訂單正在處理，通常只需幾分鐘。若電信商未回應，我們最多持續嘗試一天，之後全額退回。等待期間您可以放棄此訂單。',
    },
    legalBasis: 'performance of the contract that was just concluded',
    fix: { operationId: 'cancelOrder', params: { orderId } },
    owner: 'operator',
    eta: `PT${Math.max(1, Math.ceil((endsBy - now.getTime()) / minuteMs))}M`,
    about: { orderId, lineId },
  };
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
      closureConcerns: async (db, accountId) => (await store.openOrders(db, accountId)).map((order) => concernOf(order, deps.clock.now())),
      exportData: exported,
      // An order is a booking record: amounts, dates and internal ids stay as the law on books asks; it names nobody.
      erase: async (tx, accountId) => ({ erased: {}, kept: { orders: (await store.ordersOf(tx, accountId, null, 10_000)).length } }),
    },
  };
}
