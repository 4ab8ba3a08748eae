import { Buffer } from 'node:buffer';
import { fromBase64, toBase64 } from '../bytes.ts';
import { RspError } from '../errors.ts';
import { es9plusFunctions, type Es9plusFunction, type Es9plusRequest, type Es9plusResponse, type FieldKind } from './functions.ts';

/** Why a function failed, as SGP.22 says it: codes for software, a message for people. */
export interface StatusCode {
  readonly subjectCode: string;
  readonly reasonCode: string;
  readonly subjectIdentifier?: string;
  readonly message?: string;
}

/** An answer as an LPA reads it. */
export type Es9plusAnswer<F extends Es9plusFunction> =
  | { readonly ok: true; readonly fields: Es9plusResponse<F> }
  | { readonly ok: false; readonly failure: StatusCode };

type Fields = Readonly<Record<string, FieldKind>>;

/**
 * Reads a request. Fields that the function does not name are passed over, a `header` among them.
 * @throws RspError `es9plus/size`, `es9plus/malformed`, `es9plus/missing`, `base64/malformed`
 */
export function readEs9plusRequest<F extends Es9plusFunction>(name: F, body: Uint8Array): Es9plusRequest<F> {
  const { request, maxRequestBytes } = es9plusFunctions[name];
  return readFields(request, parseObject(body, maxRequestBytes)) as Es9plusRequest<F>;
}

/** Writes a request. */
export function writeEs9plusRequest<F extends Es9plusFunction>(name: F, fields: Es9plusRequest<F>): string {
  return JSON.stringify(writeFields(es9plusFunctions[name].request, fields));
}

/** Writes the answer of a function that succeeded. */
export function writeEs9plusSuccess<F extends Es9plusFunction>(name: F, fields: Es9plusResponse<F>): string {
  return JSON.stringify({
    header: { functionExecutionStatus: { status: 'Executed-Success' } },
    ...writeFields(es9plusFunctions[name].response, fields),
  });
}

/** Writes the answer of a function that failed; it goes out with HTTP status 200. */
export function writeEs9plusFailure(failure: StatusCode): string {
  return JSON.stringify({ header: { functionExecutionStatus: { status: 'Failed', statusCodeData: failure } } });
}

/**
 * Reads an answer: an empty body is the success of a function that answers nothing.
 * @throws RspError as {@link readEs9plusRequest}
 */
export function readEs9plusAnswer<F extends Es9plusFunction>(name: F, body: Uint8Array): Es9plusAnswer<F> {
  const { response, maxResponseBytes } = es9plusFunctions[name];
  if (body.length === 0 && 'answersNothing' in es9plusFunctions[name]) return { ok: true, fields: {} as Es9plusResponse<F> };
  const object = parseObject(body, maxResponseBytes);
  const status = objectIn(objectIn(object, 'header'), 'functionExecutionStatus');
  if (status['status'] === 'Executed-Success' || status['status'] === 'Executed-WithWarning') {
    return { ok: true, fields: readFields(response, object) as Es9plusResponse<F> };
  }
  return { ok: false, failure: readStatusCode(status) };
}

function readStatusCode(status: Readonly<Record<string, unknown>>): StatusCode {
  const { subjectCode, reasonCode, subjectIdentifier, message } = objectIn(status, 'statusCodeData');
  if (typeof subjectCode !== 'string' || typeof reasonCode !== 'string') throw new RspError('es9plus/missing', 'status code');
  return {
    subjectCode,
    reasonCode,
    ...(typeof subjectIdentifier === 'string' && { subjectIdentifier }),
    ...(typeof message === 'string' && { message }),
  };
}

function parseObject(body: Uint8Array, maxBytes: number): Readonly<Record<string, unknown>> {
  if (body.length > maxBytes) throw new RspError('es9plus/size');
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8'));
  } catch {
    throw new RspError('es9plus/malformed', 'not JSON');
  }
  return requireObject(parsed);
}

function objectIn(object: Readonly<Record<string, unknown>>, name: string): Readonly<Record<string, unknown>> {
  if (!Object.hasOwn(object, name)) throw new RspError('es9plus/missing', name);
  return requireObject(object[name]);
}

function requireObject(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new RspError('es9plus/malformed', 'not an object');
  return value as Readonly<Record<string, unknown>>;
}

function readFields(fields: Fields, object: Readonly<Record<string, unknown>>): Record<string, Uint8Array | string> {
  const values: Record<string, Uint8Array | string> = {};
  for (const [name, field] of Object.entries(fields)) {
    const value = Object.hasOwn(object, name) ? object[name] : undefined;
    if (value === undefined || value === null) throw new RspError('es9plus/missing', name);
    if (typeof value !== 'string') throw new RspError('es9plus/malformed', name);
    values[name] = readers[field.kind](field as never, value, name);
  }
  return values;
}

const readers: Readonly<{ [K in FieldKind['kind']]: (field: FieldKind & { kind: K }, value: string, name: string) => Uint8Array | string }> = {
  base64(field, value, name) {
    const bytes = fromBase64(value);
    if (bytes.length === 0 || (field.bytes !== undefined && bytes.length !== field.bytes)) throw new RspError('es9plus/malformed', name);
    return bytes;
  },
  transactionId(_field, value, name) {
    if (!/^(?:[0-9a-f]{2}){1,16}$/i.test(value)) throw new RspError('es9plus/malformed', name);
    return value.toUpperCase();
  },
  text(field, value, name) {
    if (value.length === 0 || value.length > field.maxLength) throw new RspError('es9plus/malformed', name);
    return value;
  },
};

function writeFields(fields: Fields, values: Readonly<Record<string, Uint8Array | string>>): Record<string, string> {
  const object: Record<string, string> = {};
  for (const name of Object.keys(fields)) {
    const value = values[name]!;
    object[name] = typeof value === 'string' ? value : toBase64(value);
  }
  return object;
}
