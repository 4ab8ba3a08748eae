import { startEmbedded, type EmbeddedServer } from './platform/db/embedded.ts';
import { openDatabase, sqlState, type Database } from './platform/db/index.ts';
import { keysMigrations, mainMigrations, migrate, readMigrations } from './platform/db/migrations.ts';
import { ServiceError } from './platform/errors.ts';
import type { Logger } from './platform/log/index.ts';
import type { Config, DatabaseConfig } from './config.ts';

/** The two databases: everything, and the keys that open it. */
export interface Databases {
  readonly main: Database;
  readonly keys: Database;
  readonly url: string;
  readonly keysUrl: string;
  /** Settles when the embedded server ends by itself; never for a given one. */
  readonly lost: Promise<void>;
  /** Closes the pools and stops the embedded server if this process runs it. */
  close(): Promise<void>;
}

const oldestVersion = 15;

/** Starts or reaches the databases, and brings both to this version's schema. */
export async function openDatabases(config: Config, log: Logger): Promise<Databases> {
  const { where } = config.database;
  const embedded = where.kind === 'embedded' ? await startEmbedded({ folder: where.folder, databases: ['yuanyou', 'yuanyou_keys'] }) : undefined;
  try {
    const [url, keysUrl] = where.kind === 'given' ? [where.url, where.keysUrl] : [embedded!.url('yuanyou'), embedded!.url('yuanyou_keys')];
    if (where.kind === 'given') await reach(where);
    const ran = [...await migrate(url, readMigrations(mainMigrations)), ...await migrate(keysUrl, readMigrations(keysMigrations))];
    log.info({ embedded: embedded !== undefined, migrated: ran.length }, 'database ready');
    return opened(config.database, url, keysUrl, embedded, log);
  } catch (error) {
    await embedded?.stop();
    throw error;
  }
}

function opened(config: DatabaseConfig, url: string, keysUrl: string, embedded: EmbeddedServer | undefined, log: Logger): Databases {
  const { pooling, maxConnections, statementTimeoutMs } = config;
  const onIdleError = (error: Error): void => { log.warn({ err: error }, 'a database connection broke'); };
  const main = openDatabase({ url, pooling, maxConnections, statementTimeoutMs, onIdleError });
  const keys = openDatabase({
    url: keysUrl, pooling, maxConnections: Math.max(2, Math.ceil(maxConnections / 3)), statementTimeoutMs, onIdleError,
  });
  return {
    main, keys, url, keysUrl,
    lost: embedded?.lost ?? new Promise(() => {}),
    async close() {
      await Promise.all([main.close(), keys.close()]);
      await embedded?.stop();
    },
  };
}

async function reach(where: Extract<DatabaseConfig['where'], { kind: 'given' }>): Promise<void> {
  await checkServer('DATABASE_URL', where.url);
  try {
    await checkServer('KEYS_DATABASE_URL', where.keysUrl);
  } catch (error) {
    if (!where.mayMakeKeys || sqlState(error) !== '3D000') throw error;
    await makeKeysDatabase(where.url, where.keysUrl);
  }
}

/** Connects once, with the variable's name in the failure. */
async function checkServer(variable: string, url: string): Promise<void> {
  const db = openDatabase({ url, maxConnections: 1, connectTimeoutMs: 10_000 });
  try {
    const version = await db.version();
    if (version < oldestVersion) throw new ServiceError('db/too-old', { variable, version, oldest: oldestVersion });
  } catch (cause) {
    if (cause instanceof ServiceError) throw cause;
    throw new ServiceError('db/unreachable', { variable, at: withoutSecrets(url) }, { cause: cause as Error });
  } finally {
    await db.close();
  }
}

async function makeKeysDatabase(url: string, keysUrl: string): Promise<void> {
  const name = decodeURIComponent(new URL(keysUrl).pathname.slice(1));
  const db = openDatabase({ url, maxConnections: 1 });
  try {
    await db.script(`create database "${name.replaceAll('"', '""')}"`);
  } catch (cause) {
    // Another process of ours may have been quicker.
    if (sqlState(cause) !== '42P04') throw new ServiceError('db/no-keys-database', { name }, { cause: cause as Error });
  } finally {
    await db.close();
  }
}

function withoutSecrets(text: string): string {
  const { hostname, port, pathname, searchParams } = new URL(text);
  return `${searchParams.get('host') ?? hostname}:${port === '' ? '5432' : port}${pathname}`;
}
