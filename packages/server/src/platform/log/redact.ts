/**
 * Names of fields that hold a person's or a secret's value wherever they turn up. The rule is that logs carry ids only; this is the net
 * below it.
 */
const hidden: ReadonlySet<string> = new Set([
  'email', 'name', 'firstname', 'lastname', 'fullname', 'phone', 'msisdn', 'address', 'street', 'city', 'postcode', 'birthdate', 'dateofbirth',
  'ip', 'remoteaddress', 'useragent', 'to', 'recipient', 'subject', 'text', 'note', 'comment', 'freetext',
  'password', 'passphrase', 'secret', 'token', 'session', 'cookie', 'setcookie', 'authorization', 'apikey', 'idempotencykey',
  'iccid', 'imsi', 'eid', 'imei', 'ki', 'opc', 'pin', 'puk', 'matchingid', 'activationcode', 'confirmationcode', 'masterkey', 'privatekey',
  'card', 'pan', 'iban', 'body', 'rawbody', 'headers', 'parameters', 'values',
]);

const deepest = 6;
const longestList = 50;
const longestText = 2000;
const mask = '[hidden]';

/** A copy of what is to be logged, without hidden fields, bounded in depth and size. */
export function redact(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return value.length > longestText ? `${value.slice(0, longestText)}…` : value;
  if (typeof value === 'bigint') return value.toString();
  if (value === null || typeof value !== 'object') return value;
  if (value instanceof Date) return value;
  if (value instanceof Error) return describeError(value, depth);
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (depth >= deepest) return '[deeper]';
  if (Array.isArray(value)) return value.slice(0, longestList).map((element) => redact(element, depth + 1));
  return Object.fromEntries(Object.entries(value).map(([key, held]) => [key, isHidden(key) ? mask : redact(held, depth + 1)]));
}

function isHidden(key: string): boolean {
  return hidden.has(key.replaceAll(/[_-]/g, '').toLowerCase());
}

/** What an error says, less what the database quotes of rows and parameters. */
export function describeError(error: Error, depth = 0): Record<string, unknown> {
  const fields = error as Error & Partial<Record<'code' | 'severity' | 'constraint' | 'table' | 'schema' | 'routine' | 'details', unknown>>;
  const fromDatabase = typeof fields.severity === 'string' && typeof fields.code === 'string';
  const message = fromDatabase ? error.message.replaceAll(/"[^"]*"/g, '"…"') : error.message;
  return {
    type: error.name,
    ...(fields.code === undefined ? {} : { code: fields.code }),
    message: redact(message),
    ...(fromDatabase ? { constraint: fields.constraint, table: fields.table, schema: fields.schema, routine: fields.routine } : {}),
    ...(fields.details === undefined ? {} : { details: redact(fields.details, depth + 1) }),
    // The stack's head repeats the message.
    stack: (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line)).slice(0, 12).join('\n'),
    ...(error.cause instanceof Error && depth < deepest ? { cause: describeError(error.cause, depth + 1) } : {}),
  };
}
