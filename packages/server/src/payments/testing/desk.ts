import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'vitest';
import { layFoundation, type Foundation } from '../../../test/foundation.ts';
import { startSimulator, type Simulator } from '../../../test/simulators.ts';
import { cashAccount, createLedger, type Ledger } from '../../ledger/index.ts';
import { sql } from '../../platform/db/index.ts';
import { createPayments, paymentCaptured, refundSettled, stripeGateway, type Payments, type StartedTopUp } from '../index.ts';

export interface GatewayBooks {
  readonly intents: readonly { readonly id: string; readonly status: string; readonly metadata: Readonly<Record<string, string>> }[];
  readonly refunds: readonly { readonly id: string; readonly amountMinor: number; readonly status: string; readonly metadata: Readonly<Record<string, string>> }[];
}

/** Payments over real books and a gateway in a process of its own, whose events arrive over HTTP. */
export interface Desk {
  readonly ground: Foundation;
  readonly gateway: Simulator;
  readonly ledger: Ledger;
  readonly payments: Payments;
  /** What payments told the house, in order. */
  readonly events: string[];
  /** Events of the gateway that were refused. */
  readonly refused: unknown[];
  begin(accountId: string, amountMinor?: bigint, idempotencyKey?: string): Promise<StartedTopUp>;
  pay(topUp: StartedTopUp, cardNumber?: string, hold?: boolean): Promise<unknown>;
  /** Waits for the gateway's event about a payment. */
  heard(topUp: StartedTopUp): Promise<void>;
  /** A whole top-up; answers its payment. */
  paid(accountId: string, amountMinor?: bigint, cardNumber?: string): Promise<string>;
  requested(paymentId: string, amountMinor: bigint): Promise<string>;
  cash(accountId: string): Promise<bigint>;
  fault(kind: string, match: string, more?: object): Promise<unknown>;
  /** Moves both clocks: a signature that looks old is refused. */
  later(ms: number): Promise<void>;
  books(): Promise<GatewayBooks>;
  refundsOf(refundId: string): Promise<GatewayBooks['refunds'][number][]>;
  booksBalance(): Promise<void>;
  close(): Promise<void>;
}

async function listen(receive: (body: Buffer, signature: string) => Promise<void>, refused: unknown[]) {
  const merchant = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part)).on('end', () => {
      receive(Buffer.concat(parts), String(request.headers['stripe-signature'])).then(
        () => response.writeHead(204).end(), (error: unknown) => { refused.push(error); response.writeHead(400).end(); });
    });
  });
  await new Promise<void>((resolve) => merchant.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(merchant.address() as AddressInfo).port}/`, close() { merchant.closeAllConnections(); merchant.close(); } };
}

function paymentsOn(ground: Foundation, ledger: Ledger, gateway: Simulator): Payments {
  const url = gateway.shown['url']!;
  return createPayments({
    requirePayer: async () => {},
    db: ground.db, clock: ground.clock, ledger, outbox: ground.jobs.outbox, schedule: ground.jobs.schedule, dataKeys: ground.keys.dataKeys,
    blindIndex: ground.keys.blindIndex, attempts: ground.attempts, audit: ground.audit, log: ground.log, currencies: ['EUR'], payPageUrl: `${url}/pay`,
    gateway: stripeGateway({ secretKey: gateway.shown['secretKey']!, webhookSecret: 'whsec_test', url, timeoutMs: 500 }),
  });
}

export async function openDesk(): Promise<Desk> {
  const refused: unknown[] = [];
  const events: string[] = [];
  const merchant = await listen((body, signature) => payments.receiveEvent(body, signature), refused);
  const [ground, gateway] = await Promise.all([
    layFoundation(), startSimulator('gateway', { webhookUrl: merchant.url, webhookSecret: 'whsec_test', asyncRefundMs: null })]);
  const ledger = createLedger({ clock: ground.clock });
  await ground.db.transaction((tx) => ledger.openHouse(tx, 'EUR'));
  const payments = paymentsOn(ground, ledger, gateway);
  ground.jobs.outbox.subscribe(paymentCaptured, 'test.captured', async ({ body }) => { events.push(`captured ${body.paymentId}`); });
  ground.jobs.outbox.subscribe(refundSettled, 'test.refunds', async ({ body }) => { events.push(`${body.outcome} ${body.refundId}`); });

  const begin: Desk['begin'] = (accountId, amountMinor = 5000n, idempotencyKey = randomUUID()) =>
    payments.startTopUp({ accountId, amountMinor, currency: 'EUR', idempotencyKey });
  const pay: Desk['pay'] = (topUp, cardNumber = '4242424242424242', hold = false) => gateway.post(`/pay/${topUp.payment.intentId}`, { cardNumber, hold });
  const later: Desk['later'] = async (ms) => {
    await gateway.post('/_control/clock', { advanceMs: ms });
    ground.clock.advance(ms);
  };
  const heard: Desk['heard'] = async (topUp) => {
    for (let round = 0; round < 300; round++) {
      const row = await ground.db.one<{ n: bigint }>(sql`
        select count(*) as n from jobs.delivery where key = ${topUp.payment.intentId!} and event = 'payments.gateway-told' and status <> 'done'`);
      if (row.n > 0n) return;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    throw new Error('nothing heard of the gateway');
  };
  const books: Desk['books'] = () => gateway.get('/_control/books');

  return {
    ground, gateway, ledger, payments, events, refused, begin, pay, later, heard, books,
    async paid(accountId, amountMinor, cardNumber) {
      const topUp = await begin(accountId, amountMinor);
      await pay(topUp, cardNumber);
      await heard(topUp);
      await ground.jobs.drain();
      expect((await payments.payment(ground.db, topUp.payment.paymentId))!.status).toBe('captured');
      // Lists go by time, and this clock stands still.
      await later(1000);
      return topUp.payment.paymentId;
    },
    async requested(paymentId, amountMinor) {
      const refundId = randomUUID();
      await ground.db.transaction((tx) => payments.requestRefund(tx, { refundId, paymentId, amountMinor }));
      return refundId;
    },
    cash: (accountId) => ledger.balance(ground.db, cashAccount(accountId, 'EUR')),
    fault: (kind, match, more = {}) => gateway.post('/_control/faults', { kind, match, ...more }),
    refundsOf: async (refundId) => (await books()).refunds.filter(({ metadata }) => metadata['refund_id'] === refundId),
    async booksBalance() { expect((await ledger.checkBooks(ground.db)).ok).toBe(true); },
    async close() {
      await gateway.stop();
      merchant.close();
      await ground.stop();
    },
  };
}
