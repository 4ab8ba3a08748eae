import { ConfigError } from './config.ts';
import { sqlState } from './platform/db/index.ts';
import { ServiceError } from './platform/errors.ts';

type Details = Readonly<Record<string, unknown>>;

/** What to say of failures that the person who starts the service can mend. */
const sayings: Readonly<Record<string, (details: Details, error: ServiceError) => string>> = {
  'db/unreachable': (d, error) => `${String(d['variable'])}: ${reachFailure(error.cause)} (${String(d['at'])})`,
  'db/too-old': (d) => `${String(d['variable'])}: PostgreSQL ${String(d['oldest'])} or newer is needed, this is ${String(d['version'])}`,
  'db/no-keys-database': (d) => `KEYS_DATABASE_URL: there is no database "${String(d['name'])}" and it could not be made; create it or say which`,
  'db/schema-newer': (d) => `the database was used by a newer version: it has migrations unknown here (${listed(d['unknown'])})`,
  'db/schema-differs': (d) => `the database was made with other migrations: changed since they ran (${listed(d['changed'])})`,
  'db/migration-failed': (d) => `migration ${String(d['file'])} failed (line ${listed([d['line'] ?? 'unknown'])}): ${String(d['reason'])}`,
  'db/embedded-missing': (d) => `embedded PostgreSQL is not installed (${String(d['package'])}); install it or set DATABASE_URL`,
  'db/embedded-version': (d) => `the data folder holds a PostgreSQL ${String(d['found'])} database, this version runs ${String(d['expected'])}`,
  'db/embedded-start': (d) => `embedded PostgreSQL did not start: ${String(d['output'])}`,
  'db/embedded-initdb': (d) => `embedded PostgreSQL could not make its folder: ${String(d['output'])}`,
  'db/embedded-still-running': (d) => `an old PostgreSQL still runs in the data folder (processes ${listed(d['pids'])})`,
  'db/embedded-no-user': () => 'embedded PostgreSQL cannot run as root and there is no user "nobody"; start as another user or set DATABASE_URL',
  'data/unusable': (d) => `YUANYOU_DATA: the folder cannot be used, ${String(d['reason'])} (${String(d['folder'])})`,
  'keys/wrong-master-key': () => 'YUANYOU_MASTER_KEY: is not the key that this database and its key files were made with',
  'keys/bad-master-key': () => 'YUANYOU_MASTER_KEY: must be 32 bytes in base64',
  'keys/bad-master-key-file': (d) => `the master key's file does not hold 32 bytes in base64 (${String(d['file'])})`,
  'keys/missing-key-file': (d) => `YUANYOU_KEY_FOLDER: has no file of the key "${String(d['name'])}", which is in use; every machine on the database needs the same folder`,
  'keys/bad-key-file': (d) => `YUANYOU_KEY_FOLDER: the file of the key "${String(d['name'])}" is damaged`,
  'keys/other-signer': (d) => `YUANYOU_KEY_FOLDER: its key "${String(d['name'])}" is not the one in use; every machine on the database needs the same folder`,
  'transparency/bad-key': (d) => `YUANYOU_KEY_FOLDER: its key "transparency-log" is not the one that the log ${String(d['origin'])} was opened with`,
  'access/admin-exists': () => 'there is an admin already; an admin invites further agents',
};

/** The lines to print for a failed start: one for each fault, as one only where there is one. */
export function failureLines(error: unknown): readonly string[] {
  if (error instanceof ConfigError) return error.lines;
  if (error instanceof ServiceError) return [flat(sayings[error.code]?.(error.details, error) ?? `${error.code} ${JSON.stringify(error.details)}`)];
  if (error instanceof Error && 'code' in error && 'syscall' in error) return [flat(systemFailure(error as NodeJS.ErrnoException))];
  return [flat(error instanceof Error ? error.message : String(error))];
}

function systemFailure(error: NodeJS.ErrnoException & { address?: string; port?: number }): string {
  const place = error.port === undefined ? error.path ?? '' : `${error.address ?? ''}:${error.port}`;
  if (error.code === 'EADDRINUSE') return `cannot listen on ${place}: the port is in use (PORT and YUANYOU_ES9_PORT choose others)`;
  if (error.code === 'EACCES' && error.syscall === 'listen') return `cannot listen on ${place}: the port is not open to this user`;
  if (error.code === 'EADDRNOTAVAIL') return `cannot listen on ${place}: this machine has no such address (YUANYOU_HOST)`;
  return `${error.code ?? 'error'}: ${error.message}`;
}

function reachFailure(cause: unknown): string {
  const state = sqlState(cause);
  const { code, message } = cause as { code?: string; message?: string };
  if (state?.startsWith('28') === true) return 'the server refuses this user or password';
  if (state === '3D000') return 'there is no such database on the server';
  if (state === '53300') return 'the server has no connection left';
  if (state !== undefined) return `the server answers ${state}`;
  if (code === 'ECONNREFUSED') return 'nothing answers there';
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return 'no such host';
  if (code === 'ENOENT') return 'there is no such socket';
  return message === undefined || message === '' ? code ?? 'no connection' : message;
}

function listed(value: unknown): string {
  return Array.isArray(value) ? value.slice(0, 5).join(', ') : String(value);
}

function flat(text: string): string {
  return text.replaceAll(/\s*[\r\n]+\s*/g, ' | ').slice(0, 600);
}
