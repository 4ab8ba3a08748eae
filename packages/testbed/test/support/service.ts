import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { testDatabase } from '@yuanyou/server/testing';
import type { Database } from '@yuanyou/server/testing';
import { firstAgent } from '../../src/demo/programs.ts';
import { startCluster } from '../../src/instance/cluster.ts';
import type { Cluster, Member } from '../../src/instance/cluster.ts';

/** A running service for tests, in a folder and databases of its own. */
export interface Service {
  readonly cluster: Cluster;
  readonly folder: string;
  readonly db: Database;
  readonly keysDb: Database;
  readonly agentSecret: string;
  /** The only member, where there is one. */
  readonly server: Member;
  /** Ends everything and removes what it kept; a member that does not end well fails. */
  stop(): Promise<void>;
}

export interface Databases {
  readonly db: Database;
  readonly url: string;
  readonly keysDb: Database;
  readonly keysUrl: string;
  drop(): Promise<void>;
}

/** Short leases, so that what a killed process held is taken over soon. */
const quick = {
  YUANYOU_JOBS_LEASE_MS: '1000', YUANYOU_MAIL_LIMIT_MS: '3000', YUANYOU_FEED_SECONDS: '1', YUANYOU_REQUESTS_PER_MINUTE: '0', YUANYOU_TRUST_PROXY: '127.0.0.1',
  YUANYOU_DATABASE_CONNECTIONS: '8',
};

export async function startService(
  options: { readonly processes?: number; readonly env?: Readonly<Record<string, string>>; readonly databases?: Databases } = {},
): Promise<Service> {
  const folder = mkdtempSync(join(tmpdir(), 'yuanyou-closure-'));
  const databases = options.databases ?? await testDatabase();
  const { db, keysDb } = databases;
  let cluster: Cluster | undefined;
  const stop = async (): Promise<void> => {
    await cluster?.stop();
    await databases.drop();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    mkdirSync(join(folder, 'artefacts'));
    const shared = { dataFolder: join(folder, 'data'), databaseUrl: databases.url, keysUrl: databases.keysUrl, env: { ...quick, ...options.env } };
    cluster = await startCluster({ ...shared, ...(options.processes === undefined ? {} : { processes: options.processes }) });
    const agentSecret = await firstAgent(cluster.members[0]!.apiUrl, {
      PATH: process.env['PATH'], YUANYOU_DATA: shared.dataFolder, DATABASE_URL: databases.url, KEYS_DATABASE_URL: databases.keysUrl,
    });
    return { cluster, folder, db, keysDb, agentSecret, server: cluster.members[0]!, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
