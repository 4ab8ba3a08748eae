import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { ServiceError } from '../errors.ts';

/** One SQL file of a migrations folder. */
export interface Migration {
  /** The file's name: `0020-ledger-accounts.sql`. */
  readonly name: string;
  readonly text: string;
  /** SHA-256 of the text, hex. */
  readonly hash: string;
}

const packageRoot = join(import.meta.dirname, '..', '..', '..');
/** Schemas of the main database. */
export const mainMigrations = join(packageRoot, 'migrations');
/** Schema of the key store's database. */
export const keysMigrations = join(packageRoot, 'migrations-keys');

const fileName = /^\d{4}-[a-z0-9-]+\.sql$/;
// Any number will do, as long as all processes of ours use it and nothing else does.
const lockKey = 7_309_453_120_661n;

/**
 * The migrations of a folder in their order.
 * @throws ServiceError `db/no-migrations` where the folder is missing: a service without its schema must not start.
 */
export function readMigrations(folder: string): Migration[] {
  if (!existsSync(folder)) throw new ServiceError('db/no-migrations', { folder });
  const names = readdirSync(folder).filter((name) => name.endsWith('.sql')).sort();
  const wrong = names.find((name) => !fileName.test(name));
  if (wrong !== undefined) throw new ServiceError('db/migration-name', { file: wrong });
  const twice = names.find((name, at) => at > 0 && name.slice(0, 4) === names[at - 1]!.slice(0, 4));
  if (twice !== undefined) throw new ServiceError('db/migration-number-twice', { file: twice });
  return names.map((name) => {
    const text = readFileSync(join(folder, name), 'utf8');
    return { name, text, hash: createHash('sha256').update(text).digest('hex') };
  });
}

/** Stands for all texts and names of some folders: the same hash means the same schema. */
export function hashOf(...folders: readonly (readonly Migration[])[]): string {
  const hash = createHash('sha256');
  for (const folder of folders) for (const { name, hash: text } of folder) hash.update(`${name}\0${text}\n`);
  return hash.digest('hex');
}

/**
 * Brings a database to the migrations given, in one transaction: all of them or none. Several processes may start at once: the first works,
 * the others wait for it. Answers the names it ran.
 *
 * @throws ServiceError `db/schema-newer` when the database has migrations this version does not know, `db/schema-differs` when a file was
 * changed after it ran, `db/migration-failed` with file and line.
 */
export async function migrate(url: string, migrations: readonly Migration[]): Promise<string[]> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000, application_name: 'yuanyou-migrate' });
  // A connection lost between two statements is told by the next one.
  client.on('error', () => {});
  await client.connect();
  try {
    await client.query(`begin; set local statement_timeout = 0; set local lock_timeout = '5min'`);
    await client.query('select pg_advisory_xact_lock($1)', [lockKey]);
    const pending = await findPending(client, migrations);
    for (const migration of pending) await apply(client, migration);
    await client.query('commit');
    return pending.map(({ name }) => name);
  } finally {
    await client.end();
  }
}

async function findPending(client: pg.Client, migrations: readonly Migration[]): Promise<Migration[]> {
  const known = await client.query<{ there: boolean }>(`select to_regclass('platform.migration') is not null as there`);
  if (known.rows[0]?.there !== true) {
    await client.query('create schema if not exists platform');
    await client.query('create table platform.migration (name text primary key, hash text not null, applied_at timestamptz not null default now())');
  }
  const { rows } = await client.query<{ name: string; hash: string }>('select name, hash from platform.migration order by name');
  const applied = new Map(rows.map((row) => [row.name, row.hash]));
  const ours = new Set(migrations.map(({ name }) => name));
  const unknown = rows.filter(({ name }) => !ours.has(name)).map(({ name }) => name);
  if (unknown.length > 0) throw new ServiceError('db/schema-newer', { unknown });
  const changed = migrations.filter(({ name, hash }) => (applied.get(name) ?? hash) !== hash).map(({ name }) => name);
  if (changed.length > 0) throw new ServiceError('db/schema-differs', { changed });
  return migrations.filter(({ name }) => !applied.has(name));
}

async function apply(client: pg.Client, { name, text, hash }: Migration): Promise<void> {
  try {
    await client.query(text);
  } catch (cause) {
    const { message, position } = cause as { message: string; position?: string };
    const line = position === undefined ? undefined : text.slice(0, Number(position)).split('\n').length;
    throw new ServiceError('db/migration-failed', { file: name, ...(line === undefined ? {} : { line }), reason: message }, { cause: cause as Error });
  }
  await client.query('insert into platform.migration (name, hash) values ($1, $2)', [name, hash]);
}
