import { afterAll, beforeAll, expect, test } from 'vitest';
import { testDatabase, type TestDatabase } from '../platform/db/testing.ts';
import { newId } from '../platform/ids.ts';
import * as store from './store.ts';
import { tellThreshold } from './tell.ts';

let database: TestDatabase;
beforeAll(async () => { database = await testDatabase(); });
afterAll(() => database.drop());

async function reached(): Promise<{ lineId: string; accountId: string; allowanceId: string; percent: number }> {
  const [lineId, allowanceId, accountId, at] = [newId(), newId(), newId(), new Date()];
  await database.db.transaction((tx) => store.insertAllowance(tx, {
    lineId, allowanceId, accountId, orderId: newId(), operatorId: newId(), state: 'active', totalBytes: 10n, usedBytes: 0n, boughtAt: at, validityDays: 1,
    validFrom: at, validUntil: at, currency: 'EUR', paidCashMinor: 1n, paidPromoMinor: 0n, earnedMinor: 0n, refundRule: { kind: 'none' }, toldPercent: 0, cutoffAt: null,
  }));
  return { lineId, accountId, allowanceId, percent: 80 };
}

function desk(state: { active: boolean; reached: boolean }) {
  const sent: string[] = [];
  const deps = {
    db: database.db,
    accounts: {
      contactPoint: async () => (state.reached ? { email: 'mei@example.org', name: 'Mei', language: 'en' as const } : undefined),
      isActive: async () => state.active,
    },
    notifications: {
      queue: async ({ kind }: { kind: { kind: string } }) => ({ messageId: newId(), code: 'x', save: async () => { sent.push(kind.kind); return 'queued' as const; } }),
    },
  } as unknown as Parameters<typeof tellThreshold>[0];
  return { sent, deps };
}

test('a threshold is told of once', async () => {
  const { sent, deps } = desk({ active: true, reached: true });
  const event = await reached();
  for (let repeat = 0; repeat < 3; repeat++) await tellThreshold(deps, event);
  expect(sent).toEqual(['usage.threshold']);
});

test('whoever is leaving or has left is told nothing', async () => {
  const event = await reached();
  const leaving = desk({ active: false, reached: true });
  await tellThreshold(leaving.deps, event);
  const left = desk({ active: false, reached: false });
  await tellThreshold(left.deps, event);
  expect([...leaving.sent, ...left.sent]).toEqual([]);
});
