import type { Writable } from 'node:stream';
import pg from 'pg';
import { sql, type RawBuilder } from 'kysely';
import { ServiceError } from '../errors.ts';
import { isRepeatable, isStalePlan } from './failures.ts';
import { compile, type Statement } from './statements.ts';
import { typeParsers } from './values.ts';
import type { Reader, Transactor, TransactionOptions, Tx } from './types.ts';

export { sql } from 'kysely';
export type { RawBuilder } from 'kysely';
export type { Reader, Transactor, TransactionOptions, Tx } from './types.ts';
export { isUniqueViolation, sqlState } from './failures.ts';

export interface DatabaseOptions {
  /** `postgresql://user:password@host:port/name`; a unix socket's folder as `?host=/folder`. */
  readonly url: string;
  /** Connections at most; default 10. */
  readonly maxConnections?: number;
  /** Default 30 s. */
  readonly statementTimeoutMs?: number;
  /** How long a transaction may stand still between statements; default 30 s. */
  readonly idleInTransactionTimeoutMs?: number;
  /** Default 10 s; also how long a caller waits for a free connection. */
  readonly connectTimeoutMs?: number;
  /** `transaction` when the URL leads to a pooler that changes the connection after each transaction: nothing is prepared then. */
  readonly pooling?: 'session' | 'transaction';
  readonly applicationName?: string;
  /** Told of connections that break while nobody uses them. */
  readonly onIdleError?: (error: Error) => void;
}

/** A database with its pool of connections. */
export interface Database extends Transactor {
  /** Runs SQL text of several statements without parameters, outside a transaction: migrations and administration only. */
  script(text: string): Promise<void>;
  /** The server's major version, 15 and so on. Fails where it does not answer. */
  version(): Promise<number>;
  /** Connections now: all, idle, and callers that wait for one. */
  connections(): { readonly total: number; readonly idle: number; readonly waiting: number };
  close(): Promise<void>;
}

const attempts = 6;
const commitSoon = 'set local synchronous_commit = off';

/** Opens a pool; connects at first use. */
export function openDatabase(given: string | DatabaseOptions): Database {
  const options: DatabaseOptions = typeof given === 'string' ? { url: given } : given;
  // A closing connection may still hear that the server stops.
  let closing = false;
  const pool = openPool(options, (error) => { if (!closing) options.onIdleError?.(error); });
  const prepare = options.pooling !== 'transaction';
  const begin = prepare ? 'begin' : beginWithLimits(options);

  // One statement that failed has done nothing.
  const alone = (statement: RawBuilder<unknown>): Promise<pg.QueryResult> => repeatedly(() => pool.query(compile(statement, prepare)));
  const reader = readerOver(alone);
  return {
    ...reader,
    alone: async (statement) => (await alone(statement)).rowCount ?? 0,
    transaction: (work, { durable }: TransactionOptions = {}) =>
      repeatedly((attempt) => once(pool, durable === 'soon' ? `${begin}; ${commitSoon}` : begin, prepare, work, attempt)),
    async script(text) { await pool.query(text); },
    async version() {
      const { number } = await reader.one(sql<{ number: number }>`select current_setting('server_version_num')::int as number`);
      return Math.floor(number / 10_000);
    },
    connections: () => ({ total: pool.totalCount, idle: pool.idleCount, waiting: pool.waitingCount }),
    close() {
      closing = true;
      return pool.end();
    },
  };
}

function openPool(options: DatabaseOptions, onIdleError: (error: Error) => void): pg.Pool {
  const statementTimeoutMs = options.statementTimeoutMs ?? 30_000;
  const config = {
    connectionString: options.url,
    max: options.maxConnections ?? 10,
    connectionTimeoutMillis: options.connectTimeoutMs ?? 10_000,
    idleTimeoutMillis: 60_000,
    keepAlive: true,
    // BEGIN travels with the first statement instead of costing a round trip of its own.
    pipeline: true,
    // The server's own limit answers first; this one frees a caller from a connection that went silent.
    query_timeout: statementTimeoutMs + 10_000,
    application_name: options.applicationName ?? 'yuanyou',
    types: typeParsers,
    // A pooler in transaction mode refuses start-up parameters: there the limits go with each BEGIN.
    ...(options.pooling === 'transaction' ? {} : {
      statement_timeout: statementTimeoutMs,
      idle_in_transaction_session_timeout: options.idleInTransactionTimeoutMs ?? 30_000,
    }),
  };
  const pool = new pg.Pool(config);
  // A connection that breaks while a transaction holds it tells so here too; its next statement fails, which is answer enough.
  pool.on('connect', (client) => { client.on('error', () => {}); });
  pool.on('error', onIdleError);
  return pool;
}

function beginWithLimits(options: DatabaseOptions): string {
  const statement = Math.trunc(options.statementTimeoutMs ?? 30_000);
  const idle = Math.trunc(options.idleInTransactionTimeoutMs ?? 30_000);
  return `begin; set local statement_timeout = ${statement}; set local idle_in_transaction_session_timeout = ${idle}`;
}

function readerOver(query: (query: RawBuilder<unknown>) => Promise<pg.QueryResult>): Reader {
  return {
    async all<R>(q: RawBuilder<R>) {
      return (await query(q)).rows as R[];
    },
    async maybe<R>(q: RawBuilder<R>) {
      const { rows } = await query(q);
      if (rows.length > 1) throw new ServiceError('db/too-many-rows', { rows: rows.length });
      return rows[0] as R | undefined;
    },
    async one<R>(q: RawBuilder<R>) {
      const { rows } = await query(q);
      if (rows.length !== 1) throw new ServiceError(rows.length === 0 ? 'db/no-row' : 'db/too-many-rows', { rows: rows.length });
      return rows[0] as R;
    },
  };
}

async function once<T>(pool: pg.Pool, begin: string, prepare: boolean, work: (tx: Tx) => Promise<T>, attempt: number): Promise<T> {
  const client = await pool.connect();
  let broken: Error | boolean = false;
  const open = openTx(client, prepare);
  try {
    const begun = open.query(begin);
    // `work` may fail before BEGIN is answered; its failure is then the one that counts.
    begun.catch((error: Error) => { broken = error; });
    const result = await work(open.tx);
    open.end();
    const [, end] = await Promise.all([begun, open.query('commit')]);
    if (open.failure()) throw open.failure();
    // A statement failed and `work` went on regardless: PostgreSQL answers COMMIT with ROLLBACK.
    if (end.command !== 'COMMIT') throw new ServiceError('db/rolled-back', { attempt });
    open.committed();
    return result;
  } catch (thrown) {
    open.end();
    await client.query('rollback').catch((failure: Error) => { broken = failure; });
    // What follows a statement that failed fails on its account.
    const error = open.failure() ?? thrown;
    if (isStalePlan(error)) broken = true;
    throw error;
  } finally {
    client.release(broken);
  }
}

interface OpenTx {
  readonly tx: Tx;
  query(query: string | Statement): Promise<pg.QueryResult>;
  /** What a statement failed with that nobody waits for. */
  failure(): unknown;
  end(): void;
  committed(): void;
}

function openTx(client: pg.PoolClient, prepare: boolean): OpenTx {
  let open = true;
  let failure: unknown;
  const calls: (() => void)[] = [];
  const gather = gathererOf(client);
  const send = (query: string | Statement): Promise<pg.QueryResult> => {
    gather();
    return client.query(query as Statement);
  };
  const query = (q: RawBuilder<unknown>): Promise<pg.QueryResult> =>
    (open ? send(compile(q, prepare)) : Promise.reject(new ServiceError('db/transaction-ended')));
  return {
    tx: {
      ...readerOver(query),
      run: async (q) => (await query(q)).rowCount ?? 0,
      send: (q) => { query(q).catch((error: unknown) => { failure ??= error; }); },
      onCommit: (call) => { calls.push(call); },
    },
    query: send,
    failure: () => failure,
    end: () => { open = false; },
    committed: () => { for (const call of calls) call(); },
  };
}

/** Statements that are asked for at once leave in one write: each write wakes the server's process, which costs more than most statements. */
function gathererOf(client: pg.PoolClient): () => void {
  const { stream } = (client as unknown as { readonly connection: { readonly stream: Writable } }).connection;
  let gathering = false;
  return () => {
    if (gathering) return;
    gathering = true;
    stream.cork();
    process.nextTick(() => {
      gathering = false;
      stream.uncork();
    });
  };
}

async function repeatedly<T>(attemptOnce: (attempt: number) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await attemptOnce(attempt);
    } catch (error) {
      if (attempt >= attempts || !isRepeatable(error)) throw error;
      // Two that collided must not come back together.
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 10 * 2 ** attempt));
    }
  }
}
