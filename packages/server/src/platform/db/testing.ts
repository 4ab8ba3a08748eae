import { randomBytes } from 'node:crypto';
import { openDatabase, sql, type Database } from './index.ts';
import { hashOf, keysMigrations, mainMigrations, migrate, readMigrations } from './migrations.ts';

/** Where the shared test server is; set by the test run's global setup. */
export const testServerVariable = 'YUANYOU_TEST_SERVER';

/** A database of one test file, with the key store's beside it. */
export interface TestDatabase {
  readonly db: Database;
  readonly url: string;
  readonly keysDb: Database;
  readonly keysUrl: string;
  /** Closes both and removes them. */
  drop(): Promise<void>;
}

/** Clones the migrated templates: every caller gets databases of its own, empty but for their schema. */
export async function testDatabase(): Promise<TestDatabase> {
  const server = process.env[testServerVariable] ?? process.env['TEST_DATABASE_URL'];
  if (server === undefined) throw new Error('no test server: run under vitest, or set TEST_DATABASE_URL');
  const templates = await ensureTemplates(server);
  const id = randomBytes(6).toString('hex');
  const [name, keysName] = [`yuanyou_test_${id}`, `yuanyou_test_${id}_keys`];
  await administer(server, async (admin) => {
    await admin.script(`create database ${name} template ${templates.main}`);
    await admin.script(`create database ${keysName} template ${templates.keys}`);
  });
  const [url, keysUrl] = [sibling(server, name), sibling(server, keysName)];
  const [db, keysDb] = [openDatabase({ url, maxConnections: 8 }), openDatabase({ url: keysUrl, maxConnections: 4 })];
  return {
    db, url, keysDb, keysUrl,
    async drop() {
      await Promise.all([db.close(), keysDb.close()]);
      await administer(server, async (admin) => {
        await admin.script(`drop database if exists ${name} with (force)`);
        await admin.script(`drop database if exists ${keysName} with (force)`);
      });
    },
  };
}

/** The address of another database on the same server. */
export function sibling(serverUrl: string, database: string): string {
  const url = new URL(serverUrl);
  url.pathname = `/${database}`;
  return url.href;
}

interface Templates { readonly main: string; readonly keys: string }

let ensured: Promise<Templates> | undefined;

/** Templates are named after the migrations' hash: made by the first who needs them, made anew when a migration changes. */
function ensureTemplates(server: string): Promise<Templates> {
  ensured ??= administer(server, async (admin) => ({
    main: await ensureTemplate(admin, server, 'main', mainMigrations),
    keys: await ensureTemplate(admin, server, 'keys', keysMigrations),
  }));
  return ensured;
}

async function ensureTemplate(admin: Database, server: string, kind: string, folder: string): Promise<string> {
  const migrations = readMigrations(folder);
  const name = `yuanyou_template_${kind}_${hashOf(migrations).slice(0, 12)}`;
  const lock = 7_309_453_120_662n;
  // The lock belongs to the session, and the pool has one connection.
  await admin.one(sql`select pg_advisory_lock(${lock})`);
  try {
    const there = await admin.maybe(sql`select 1 from pg_database where datname = ${name}`);
    if (there === undefined) {
      // Under a name of its own until it is complete, so that nobody clones a half-made one.
      const draft = `${name}_draft`;
      await admin.script(`drop database if exists ${draft}`);
      await admin.script(`create database ${draft} template template0`);
      await migrate(sibling(server, draft), migrations);
      await admin.script(`alter database ${draft} rename to ${name}`);
    }
  } finally {
    await admin.one(sql`select pg_advisory_unlock(${lock})`);
  }
  return name;
}

async function administer<T>(server: string, work: (admin: Database) => Promise<T>): Promise<T> {
  const admin = openDatabase({ url: server, maxConnections: 1, applicationName: 'yuanyou-test-admin' });
  try {
    return await work(admin);
  } finally {
    await admin.close();
  }
}
