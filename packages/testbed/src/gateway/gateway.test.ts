import { mkdtempSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readGatewayBooks, signatureHeader, startGatewaySimulator, type GatewaySimulator } from './index.ts';

let folder: string;
let gateway: GatewaySimulator;
let merchant: Server;
let heard: { body: string; signature: string }[];
let now: Date;
const clock = { now: () => now };

async function start(): Promise<void> {
  gateway = await startGatewaySimulator({
    folder, webhookUrl: `http://127.0.0.1:${(merchant.address() as AddressInfo).port}/`, webhookSecret: 'whsec_test', clock, asyncRefundMs: null,
  });
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'gateway-'));
  heard = [];
  now = new Date('2026-11-22T08:00:00Z');
  merchant = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part)).on('end', () => {
      heard.push({ body: Buffer.concat(parts).toString(), signature: String(request.headers['stripe-signature']) });
      response.end();
    });
  });
  await new Promise<void>((resolve) => merchant.listen(0, '127.0.0.1', resolve));
  await start();
});

afterEach(async () => {
  await gateway.stop();
  merchant.closeAllConnections();
  merchant.close();
});

async function post(path: string, fields: Record<string, string>, key?: string): Promise<{ status: number; body: any }> {
  const answer = await fetch(`${gateway.url}${path}`, {
    method: 'POST', body: new URLSearchParams(fields),
    headers: { authorization: `Bearer ${gateway.secretKey}`, ...(key === undefined ? {} : { 'idempotency-key': key }) },
  });
  return { status: answer.status, body: await answer.json() };
}

async function paidIntent(method = 'pm_card_visa'): Promise<string> {
  const { body } = await post('/v1/payment_intents', { amount: '5000', currency: 'eur', 'metadata[payment_id]': 'p1' });
  await post(`/v1/payment_intents/${body.id}/confirm`, { payment_method: method });
  return body.id;
}

test('a payer pays on the page and the merchant hears of it, signed', async () => {
  const { body: intent } = await post('/v1/payment_intents', { amount: '5000', currency: 'eur' });
  expect(intent.status).toBe('requires_payment_method');
  const answer = await fetch(`${gateway.url}/pay/${intent.id}`, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ cardNumber: '4242 4242 4242 4242' }),
  });
  expect(await answer.json()).toEqual({ status: 'succeeded' });
  await gateway.webhooksSettled();
  expect(JSON.parse(heard[0]!.body).type).toBe('payment_intent.succeeded');
  expect(heard[0]!.signature).toBe(signatureHeader(heard[0]!.body, 'whsec_test', now));
  expect(gateway.books().charges).toMatchObject([{ amountMinor: 5000, last4: '4242', brand: 'visa' }]);
});

test('a declined card leaves the intent open and charges nothing', async () => {
  const { body: intent } = await post('/v1/payment_intents', { amount: '5000', currency: 'eur' });
  const answer = await post(`/v1/payment_intents/${intent.id}/confirm`, { payment_method: 'pm_card_visa_chargeDeclined' });
  expect(answer.status).toBe(402);
  expect(gateway.books().charges).toEqual([]);
});

test('refunds never exceed the charge, and are listed by payment with their metadata', async () => {
  const id = await paidIntent();
  expect((await post('/v1/refunds', { payment_intent: id, amount: '3000', 'metadata[refund_id]': 'r1' })).body.status).toBe('succeeded');
  expect((await post('/v1/refunds', { payment_intent: id, amount: '2001' })).status).toBe(400);
  await post('/v1/refunds', { payment_intent: id });
  expect((await post('/v1/refunds', { payment_intent: id })).body.error.code).toBe('charge_already_refunded');
  const list = await fetch(`${gateway.url}/v1/refunds?payment_intent=${id}&limit=1`, { headers: { authorization: `Bearer ${gateway.secretKey}` } });
  expect(await list.json()).toMatchObject({ has_more: true, data: [{ amount: 2000 }] });
});

test('an idempotency key answers the same for a day, refuses another question, and is then forgotten', async () => {
  const id = await paidIntent();
  const first = await post('/v1/refunds', { payment_intent: id, amount: '1000' }, 'key-1');
  expect((await post('/v1/refunds', { payment_intent: id, amount: '1000' }, 'key-1')).body.id).toBe(first.body.id);
  expect((await post('/v1/refunds', { payment_intent: id, amount: '1001' }, 'key-1')).body.error.type).toBe('idempotency_error');
  now = new Date(now.getTime() + 25 * 3600 * 1000);
  expect((await post('/v1/refunds', { payment_intent: id, amount: '1000' }, 'key-1')).body.id).not.toBe(first.body.id);
});

test('a lost answer is done all the same, and the books outlive the simulator', async () => {
  const id = await paidIntent();
  gateway.faults.add({ kind: 'lost-answer', match: 'POST /v1/refunds' });
  await expect(post('/v1/refunds', { payment_intent: id, amount: '1000' }, 'key-1')).rejects.toThrow();
  expect(readGatewayBooks(folder).refunds).toMatchObject([{ amountMinor: 1000 }]);
  await gateway.stop();
  await start();
  expect((await post('/v1/refunds', { payment_intent: id, amount: '1000' }, 'key-1')).body.id).toBe(gateway.books().refunds[0]!.id);
  expect(gateway.books().refunds).toHaveLength(1);
});

test('fails, waits, and keeps silent after doing, on command', async () => {
  const id = await paidIntent();
  gateway.faults.add({ kind: 'fail', match: 'POST /v1/refunds', status: 503 });
  expect((await post('/v1/refunds', { payment_intent: id })).status).toBe(503);
  gateway.faults.add({ kind: 'delay', match: 'POST /v1/refunds', delayMs: 50 });
  const before = performance.now();
  await post('/v1/refunds', { payment_intent: id, amount: '1' });
  expect(performance.now() - before).toBeGreaterThan(45);
  gateway.faults.add({ kind: 'timeout-after-doing', match: 'POST /v1/refunds', delayMs: 60_000 });
  await expect(fetch(`${gateway.url}/v1/refunds`, {
    method: 'POST', body: new URLSearchParams({ payment_intent: id, amount: '2' }),
    headers: { authorization: `Bearer ${gateway.secretKey}` }, signal: AbortSignal.timeout(100),
  })).rejects.toThrow();
  expect(gateway.books().refunds.map((refund) => refund.amountMinor)).toEqual([1, 2]);
});

test('webhooks are doubled and dropped on command; a refund to a closed card fails later', async () => {
  gateway.webhookFaults.duplicate = 1;
  const id = await paidIntent('pm_card_refundFail');
  await gateway.webhooksSettled();
  expect(new Set(heard.map(({ body }) => JSON.parse(body).id)).size).toBe(1);
  expect(heard).toHaveLength(2);
  gateway.webhookFaults.drop = 1;
  const { body: refund } = await post('/v1/refunds', { payment_intent: id });
  gateway.settleRefund(refund.id, 'failed');
  await gateway.webhooksSettled();
  expect(JSON.parse(heard.at(-1)!.body).type).toBe('refund.failed');
  expect((await post('/v1/refunds', { payment_intent: id })).status).toBe(200);
});

test('a wrong key is refused', async () => {
  expect((await fetch(`${gateway.url}/v1/refunds`)).status).toBe(401);
});
