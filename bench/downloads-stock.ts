import { setTimeout as sleep } from 'node:timers/promises';
import { loadConfig } from '../packages/server/src/config.ts';
import { masterKeyOf } from '../packages/server/src/data-folder.ts';
import { openDatabases } from '../packages/server/src/databases.ts';
import { createInventory } from '../packages/server/src/inventory/index.ts';
import { createAudit } from '../packages/server/src/platform/audit/index.ts';
import { systemClock } from '../packages/server/src/platform/clock/index.ts';
import { sql } from '../packages/server/src/platform/db/index.ts';
import { newId } from '../packages/server/src/platform/ids.ts';
import { createJobs } from '../packages/server/src/platform/jobs/index.ts';
import { createKeys } from '../packages/server/src/platform/keys/index.ts';
import { createLog } from '../packages/server/src/platform/log/index.ts';
import { createSmdp, developmentPki } from '../packages/server/src/smdp/index.ts';

/** A profile on order and how a phone fetches it. */
export interface StockedOrder {
  readonly profileId: string;
  readonly activationCode: string;
}

/** Profiles of the running server's stock, put on order over its database. */
export interface DownloadStock {
  order(count: number): Promise<readonly StockedOrder[]>;
  /** Waits until the outbox has delivered everything. */
  settled(): Promise<void>;
  /** Transactions that the database has committed so far; PostgreSQL counts with a second's delay. */
  transactions(): Promise<number>;
  /** @throws when a profile's verified install notification has not arrived */
  requireInstalled(orders: readonly StockedOrder[]): Promise<void>;
  close(): Promise<void>;
}

const batch = 200;

/** Joins the database that the server of this environment runs. */
export async function openStock(env: NodeJS.ProcessEnv): Promise<DownloadStock> {
  const config = loadConfig(env);
  const { log } = createLog(config.log);
  const databases = await openDatabases(config, log);
  const db = databases.main;
  const clock = systemClock;
  const keys = createKeys({ db: databases.keys, masterKey: masterKeyOf(config), keyFolder: config.keys.folder, clock });
  const { outbox, schedule } = createJobs({ db, clock, log });
  const common = { db, clock, dataKeys: keys.dataKeys, audit: createAudit({ clock }), schedule, outbox, log };
  const inventory = createInventory(common);
  const smdp = createSmdp({
    ...common, keys, addresses: [config.es9.address], profiles: { load: () => { throw new Error('the bench binds nothing'); } },
    pki: await developmentPki({ folder: config.es9.pki.folder, signers: keys, hosts: ['localhost'], at: clock.now() }),
  });
  const operatorId = newId();
  const card = { serviceProviderName: 'Bench', profileName: 'Bench plan', owner: { mcc: '001', mnc: '01' } };

  const orderBatch = (count: number): Promise<StockedOrder[]> => db.transaction(async (tx) => {
    const orders: StockedOrder[] = [];
    for (let left = count; left > 0; left -= 1) {
      const { profileId, iccid } = await inventory.reserve(tx, operatorId);
      const { activationCode } = await smdp.order(tx, { profileId, iccid, card });
      await inventory.mark(tx, profileId, 'released');
      await smdp.release(tx, profileId);
      orders.push({ profileId, activationCode });
    }
    return orders;
  });

  return {
    async order(count) {
      await inventory.generateStock(operatorId, count, { iccidPrefix: '8988211', plmn: '00101', firstSerial: 1 });
      const orders: StockedOrder[] = [];
      while (orders.length < count) orders.push(...await orderBatch(Math.min(batch, count - orders.length)));
      return orders;
    },
    async settled() {
      for (let round = 0; round < 600; round += 1) {
        const { waiting } = await db.one(sql<{ waiting: bigint }>`select count(*) as waiting from jobs.delivery where status not in ('done', 'dead')`);
        if (waiting === 0n) return;
        await sleep(50);
      }
      throw new Error('the outbox does not come to rest');
    },
    async transactions() {
      await sleep(1_500);
      const { committed } = await db.one(sql<{ committed: bigint }>`
        select xact_commit as committed from pg_stat_database where datname = current_database()`);
      return Number(committed);
    },
    async requireInstalled(orders) {
      const { installed } = await db.one(sql<{ installed: bigint }>`
        select count(*) as installed from smdp.download_order o join smdp.notification n on n.profile_id = o.profile_id
        where o.state = 'installed' and n.event = 'installed' and o.profile_id = any(${orders.map(({ profileId }) => profileId)}::uuid[])`);
      if (installed !== BigInt(orders.length)) throw new Error(`${installed} of ${orders.length} profiles are reported as installed`);
      const { fsync } = await db.one(sql<{ fsync: string }>`select current_setting('fsync') as fsync`);
      if (fsync !== 'on') throw new Error('PostgreSQL runs without fsync');
    },
    close: () => databases.close(),
  };
}
