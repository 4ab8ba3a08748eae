import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openDatabase, sql, startEmbedded } from '@yuanyou/server/testing';
import { expect, test } from 'vitest';
import { brokenFor, brokenOverall } from './support/invariants.ts';
import { seeded } from './support/random.ts';
import { startService } from './support/service.ts';
import type { Databases, Service } from './support/service.ts';
import { inUse, leave } from './support/traveller.ts';

/** A database server of the test's own, on disk as in earnest: it will crash. */
async function ownDatabases(): Promise<Databases> {
  const folder = mkdtempSync(join(tmpdir(), 'yuanyou-crash-'));
  const server = await startEmbedded({ folder, databases: ['main', 'keys'] });
  const [url, keysUrl] = [server.url('main'), server.url('keys')];
  const quiet = { maxConnections: 4, onIdleError: () => undefined };
  const [db, keysDb] = [openDatabase({ url, ...quiet }), openDatabase({ url: keysUrl, ...quiet })];
  return {
    db, url, keysDb, keysUrl,
    async drop() {
      await Promise.all([db.close(), keysDb.close()]);
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Kills one of PostgreSQL's own processes: all others end at once, and it comes back from its log. */
async function crash({ db }: Service): Promise<void> {
  const { pid } = await db.one<{ pid: number }>(sql`
    select pid from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid() limit 1`);
  process.kill(pid, 'SIGKILL');
  for (const deadline = Date.now() + 30_000; ;) {
    await sleep(50);
    if (await db.one(sql`select 1`).then(() => true, () => false)) return;
    if (Date.now() > deadline) throw new Error('the database did not come back');
  }
}

test('PostgreSQL crashes again and again while four leave: the service goes on without a restart', async () => {
  const service = await startService({ databases: await ownDatabases() });
  try {
    const journeys = await inUse(service, 4);
    const random = seeded(71);
    const gone = Promise.all(journeys.map((journey) => leave(journey)));
    gone.catch(() => undefined);
    for (let times = 0; times < 5; times++) {
      await sleep(20 + random() * 700);
      await crash(service);
    }
    await gone;
    expect(service.server.alive()).toBe(true);
    for (const journey of journeys) expect(await brokenFor(service, journey)).toEqual([]);
    expect(await brokenOverall(service, journeys)).toEqual([]);
  } finally {
    await service.stop();
  }
}, 300_000);
