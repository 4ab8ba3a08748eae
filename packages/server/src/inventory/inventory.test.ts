import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inventoryRoutes, stockProfile } from '@yuanyou/contract';
import { createAudit } from '../platform/audit/index.ts';
import { manualClock } from '../platform/clock/index.ts';
import { openDatabase, sql } from '../platform/db/index.ts';
import type { Database } from '../platform/db/index.ts';
import { testDatabase } from '../platform/db/testing.ts';
import { newId } from '../platform/ids.ts';
import { createKeys } from '../platform/keys/index.ts';
import { createInventory } from './index.ts';
import type { Inventory } from './index.ts';

const clock = manualClock(new Date('2026-11-22T08:00:00Z'));
const range = { iccidPrefix: '8999901', plmn: '00101', firstSerial: 1, msisdnPrefix: '99970' };
const actor = { kind: 'agent', id: newId() } as const;

let database: Awaited<ReturnType<typeof testDatabase>>;
let keysDatabase: Database;
let keyFolder: string;
let inventory: Inventory;
const tasks = new Map<string, () => Promise<void>>();
const warnings: unknown[] = [];

beforeAll(async () => {
  database = await testDatabase();
  keysDatabase = openDatabase(database.keysUrl);
  keyFolder = mkdtempSync(join(tmpdir(), 'yuanyou-keys-'));
  const { dataKeys } = createKeys({ db: keysDatabase, masterKey: Buffer.alloc(32, 7), keyFolder, clock });
  const log = pino({ level: 'warn' }, { write: (line: string) => { warnings.push(JSON.parse(line)); } });
  inventory = createInventory({
    db: database.db, clock, dataKeys, audit: createAudit({ clock }), log, lowStockBelow: 3,
    schedule: { every: (name, _everyMs, run) => { tasks.set(name, run); } },
  });
});

afterAll(async () => {
  await keysDatabase.close();
  await database.drop();
  rmSync(keyFolder, { recursive: true, force: true });
});

const reserve = (operatorId: string) => database.db.transaction((tx) => inventory.reserve(tx, operatorId));
const mark = (profileId: string, state: Parameters<Inventory['mark']>[2]) => database.db.transaction((tx) => inventory.mark(tx, profileId, state));

describe('generated stock', () => {
  it('comes in once, however often it is asked for', async () => {
    const operatorId = newId();
    expect(await inventory.generateStock(operatorId, 1_200, range)).toEqual({ added: 1_200, taken: 0 });
    expect(await inventory.generateStock(operatorId, 1_205, range)).toEqual({ added: 5, taken: 1_200 });
    const counts = (await inventory.counts(database.db)).find((row) => row.operatorId === operatorId);
    expect(counts).toEqual({ operatorId, byState: { available: 1_205 }, low: false });
  });

  it('refuses a range that does not fit', async () => {
    await expect(inventory.generateStock(newId(), 1, { ...range, plmn: 'x' })).rejects.toThrow('inventory/bad-range');
  });

  it('keeps its keys sealed, and opens them to who asks by id', async () => {
    const operatorId = newId();
    await inventory.generateStock(operatorId, 1, { ...range, firstSerial: 50_000 });
    const { profileId } = await reserve(operatorId);
    const secrets = await inventory.secrets(profileId);
    expect(secrets.ki).toMatch(/^[0-9a-f]{32}$/);
    const row = await database.db.one<{ row: string; sealed: Buffer }>(
      sql`select p::text as row, sealed_secrets as sealed from inventory.profile p where id = ${profileId}`);
    expect(row.row).not.toContain(secrets.ki);
    expect(row.sealed.includes(secrets.ki)).toBe(false);
    expect(row.sealed.includes(Buffer.from(secrets.ki, 'hex'))).toBe(false);
    await expect(inventory.secrets(newId())).rejects.toThrow('inventory/unknown-profile');
  });
});

describe('reserving', () => {
  it('never gives one profile to two, and says when the stock is out', async () => {
    const operatorId = newId();
    await inventory.generateStock(operatorId, 8, { ...range, firstSerial: 60_000 });
    const outcomes = await Promise.allSettled(Array.from({ length: 10 }, () => reserve(operatorId)));
    const taken = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value.profileId] : []));
    expect(new Set(taken).size).toBe(8);
    expect(outcomes.filter((outcome) => outcome.status === 'rejected').map((outcome) => String(outcome.reason)))
      .toEqual(['ServiceError: inventory/out-of-stock', 'ServiceError: inventory/out-of-stock']);
  });

  it('gives back what a failed transaction took', async () => {
    const operatorId = newId();
    await inventory.generateStock(operatorId, 1, { ...range, firstSerial: 70_000 });
    await expect(database.db.transaction(async (tx) => {
      await inventory.reserve(tx, operatorId);
      throw new Error('the order failed');
    })).rejects.toThrow('the order failed');
    expect(await reserve(operatorId)).toMatchObject({ state: 'allocated', operatorId });
  });
});

describe('the states of a profile', () => {
  it('follow the table, and repeat without effect', async () => {
    const operatorId = newId();
    await inventory.generateStock(operatorId, 1, { ...range, firstSerial: 80_000 });
    const { profileId, iccid } = await reserve(operatorId);
    expect(await mark(profileId, 'released')).toBe('allocated');
    expect(await mark(profileId, 'downloaded')).toBe('released');
    expect(await mark(profileId, 'downloaded')).toBe('downloaded');
    await expect(mark(profileId, 'available')).rejects.toMatchObject({ code: 'inventory/step-not-allowed', details: { from: 'downloaded', to: 'available' } });
    expect(await mark(profileId, 'installed')).toBe('downloaded');
    expect(await mark(profileId, 'deleted')).toBe('installed');
    expect(await inventory.byIccid(database.db, iccid)).toMatchObject({ profileId, state: 'deleted' });
    await expect(mark(newId(), 'retired')).rejects.toThrow('inventory/unknown-profile');
  });

  it('end with retiring: the keys are gone at once, the numbers are free, the row goes after its time', async () => {
    const operatorId = newId();
    const own = { ...range, firstSerial: 81_000 };
    await inventory.generateStock(operatorId, 1, own);
    const { profileId, iccid } = await reserve(operatorId);
    await mark(profileId, 'retired');
    await expect(inventory.secrets(profileId)).rejects.toThrow('inventory/keys-gone');
    await expect(mark(profileId, 'available')).rejects.toThrow('inventory/step-not-allowed');
    expect(await inventory.byIccid(database.db, iccid)).toBeUndefined();
    expect(await inventory.generateStock(operatorId, 1, own)).toEqual({ added: 1, taken: 0 });

    clock.advance(89 * 86_400_000);
    await tasks.get('inventory.forget-retired')!();
    expect(await inventory.byId(database.db, profileId)).toMatchObject({ state: 'retired' });
    clock.advance(2 * 86_400_000);
    await tasks.get('inventory.forget-retired')!();
    expect(await inventory.byId(database.db, profileId)).toBeUndefined();
    expect(await inventory.byIccid(database.db, iccid)).toMatchObject({ state: 'available' });
  });
});

describe('low stock', () => {
  it('is told by the operator, every hour', async () => {
    const operatorId = newId();
    await inventory.generateStock(operatorId, 2, { ...range, firstSerial: 90_000 });
    expect(await inventory.lowStock(database.db)).toContainEqual({ operatorId, available: 2 });
    await tasks.get('inventory.low-stock')!();
    expect(warnings).toContainEqual(expect.objectContaining({ operatorId, available: 2 }));
    await inventory.generateStock(operatorId, 1, { ...range, firstSerial: 90_002 });
    expect((await inventory.lowStock(database.db)).map((row) => row.operatorId)).not.toContain(operatorId);
  });
});

describe('an import', () => {
  const header = 'iccid,imsi,msisdn,ki,opc,pin1,puk1,adm1';
  const key = '0123456789abcdef'.repeat(2);
  const row = (iccid: string, imsi: string) => `${iccid},${imsi},,${key},${key},1234,12345678,0123456789abcdef`;
  const csv = [header, row('8999902000000000012', '001020000000001'), row('8999902000000000020', '001020000000002')].join('\n');
  const operatorId = newId();

  it('changes nothing in a dry run', async () => {
    expect(await inventory.import(actor, operatorId, csv, true)).toEqual({ dryRun: true, rows: 2, imported: 0, faults: [], moreFaults: 0 });
    expect((await inventory.counts(database.db)).map((count) => count.operatorId)).not.toContain(operatorId);
  });

  it('brings all rows in, with an audit entry', async () => {
    expect(await inventory.import(actor, operatorId, csv, false)).toMatchObject({ imported: 2, faults: [] });
    const { profileId } = await reserve(operatorId);
    expect(await inventory.secrets(profileId)).toEqual({ ki: key, opc: key, pin1: '1234', puk1: '12345678', adm1: '0123456789abcdef' });
    const page = await createAudit({ clock }).ofSubject(database.db, { kind: 'operator', id: operatorId }, { limit: 10 });
    expect(page.items).toMatchObject([{ action: 'inventory.import', actor, details: { imported: 2 } }]);
  });

  it('brings nothing in when one row is wrong or taken', async () => {
    const mixed = [header, row('8999902000000000038', '001020000000003'), row('8999902000000000020', '001020000000004'), row('8', '001020000000005')].join('\n');
    expect(await inventory.import(actor, operatorId, mixed, false)).toEqual({
      dryRun: false, rows: 3, imported: 0, moreFaults: 0,
      faults: [{ line: 3, column: 'iccid', fault: 'taken-iccid' }, { line: 4, column: 'iccid', fault: 'bad-iccid' }],
    });
  });

  it('is all or nothing when two bring the same numbers at once', async () => {
    const other = [header, row('8999902000000000046', '001020000000011'), row('8999902000000000053', '001020000000012')].join('\n');
    const outcomes = await Promise.allSettled([inventory.import(actor, operatorId, other, false), inventory.import(actor, operatorId, other, false)]);
    const imported = outcomes.reduce((sum, outcome) => sum + (outcome.status === 'fulfilled' ? outcome.value.imported : 0), 0);
    expect(imported).toBe(2);
  });
});

describe('the endpoints', () => {
  const call = (operationId: string, parsed: object) => {
    const endpoint = inventory.endpoints.find(({ route }) => route.operationId === operationId)!;
    return endpoint.handle({ principal: { kind: 'agent', agentId: actor.id, permissions: new Set() }, query: {}, body: undefined, ...parsed } as never) as Promise<any>;
  };

  it('page through the stock without a gap, in the contract’s form', async () => {
    const operatorId = newId();
    await inventory.generateStock(operatorId, 7, { ...range, firstSerial: 100_000 });
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const query = inventoryRoutes.listStock.query.parse({ operatorId, state: 'available', limit: 3, cursor });
      const { body } = await call('listStock', { query });
      for (const item of body.items) expect(stockProfile.safeParse(item).error).toBeUndefined();
      seen.push(...body.items.map((item: { iccid: string }) => item.iccid));
      cursor = body.nextCursor ?? undefined;
    } while (cursor !== undefined);
    expect(seen.length).toBe(7);
    expect(new Set(seen).size).toBe(7);
  });

  it('list with any filter, and count every state', async () => {
    for (const query of [{ limit: 2 }, { limit: 2, state: 'available' }, { limit: 2, cursor: 'nonsense' }]) {
      expect((await call('listStock', { query })).body.items).toHaveLength(2);
    }
    const { body } = await call('countStock', {});
    expect(inventoryRoutes.countStock.responses[200].safeParse(body).error).toBeUndefined();
  });
});
