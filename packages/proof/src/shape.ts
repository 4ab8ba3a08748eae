import { fromBase64url } from './bytes.ts';
import { ProofError } from './error.ts';

/** Takes an untrusted JSON value apart: answers it typed, with its fields in the declared order, or throws `proof/shape`. */
export type Shape<T> = (value: unknown, place: string) => T;

/** A field that may be absent. */
export interface Optional<T> {
  readonly optional: Shape<T>;
}

type Fields<T> = {
  readonly [K in keyof T]-?: undefined extends T[K] ? Optional<Exclude<T[K], undefined>> : Shape<T[K]>;
};

const INSTANT = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z$/;

/** Control characters, line separators, and characters that reorder a line: none may change how a text looks where it is shown. */
const UNSEEN = /[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;

function refuse(place: string, reason: string): never {
  throw new ProofError('proof/shape', `${place}: ${reason}`);
}

/** An object with exactly these fields. */
export function object<T>(fields: Fields<T>): Shape<T> {
  const names = Object.keys(fields) as (keyof T & string)[];
  return (value, place) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) refuse(place, 'not an object');
    for (const name of Object.keys(value)) if (!Object.hasOwn(fields, name)) refuse(place, 'has a field that is not known');
    const result: Partial<Record<keyof T, unknown>> = {};
    for (const name of names) {
      const field = fields[name] as Shape<unknown> | Optional<unknown>;
      const present = Object.hasOwn(value, name);
      if (!present && typeof field === 'function') refuse(`${place}.${name}`, 'is missing');
      if (!present) continue;
      const shape = typeof field === 'function' ? field : field.optional;
      result[name] = shape((value as Record<string, unknown>)[name], `${place}.${name}`);
    }
    return result as T;
  };
}

export function optional<T>(shape: Shape<T>): Optional<T> {
  return { optional: shape };
}

/** A list of at most `max` items. */
export function list<T>(item: Shape<T>, max: number): Shape<readonly T[]> {
  return (value, place) => {
    if (!Array.isArray(value)) refuse(place, 'not a list');
    if (value.length > max) refuse(place, `more than ${max} items`);
    return value.map((one, at) => item(one, `${place}[${at}]`));
  };
}

/** A text of `min` to `max` UTF-16 units without control characters, or one that a pattern matches whole. */
export function text(min: number, max: number, pattern?: RegExp): Shape<string> {
  return (value, place) => {
    if (typeof value !== 'string') refuse(place, 'not a text');
    if (value.length < min || value.length > max) refuse(place, `not ${min} to ${max} characters long`);
    if (!value.isWellFormed() || UNSEEN.test(value)) refuse(place, 'has characters that a text may not have');
    if (pattern !== undefined && !pattern.test(value)) refuse(place, 'has not the form it must have');
    return value;
  };
}

/** Text of several lines, bounded only by its length. */
export function lines(max: number): Shape<string> {
  return (value, place) => {
    if (typeof value !== 'string' || value.length > max || !value.isWellFormed()) refuse(place, 'not a text, or too long');
    return value;
  };
}

export function integer(min: number, max: number): Shape<number> {
  return (value, place) => {
    // Object.is: a negative zero would print as 0 and so have two forms.
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || Object.is(value, -0)) refuse(place, 'not an integer');
    if (value < min || value > max) refuse(place, 'out of its range');
    return value;
  };
}

export function oneOf<const T extends string>(...values: readonly T[]): Shape<T> {
  return (value, place) => values.find((known) => known === value) ?? refuse(place, 'not one of the values it may have');
}

/** Exactly these texts in this order. */
export function exactly<const T extends readonly string[]>(...values: T): Shape<T> {
  return (value, place) => {
    const same = Array.isArray(value) && value.length === values.length && values.every((known, at) => known === value[at]);
    return same ? values : refuse(place, 'not the list it must be');
  };
}

/** RFC 3339 in UTC with milliseconds, of a day that exists: `2026-11-22T08:00:00.000Z`. */
export const instant: Shape<string> = (value, place) => {
  const written = text(24, 24, INSTANT)(value, place);
  const at = new Date(written);
  if (Number.isNaN(at.getTime()) || at.toISOString() !== written) refuse(place, 'a day that does not exist');
  return written;
};

/** Canonical base64url of exactly `length` bytes, kept as text. */
export function bytes(length: number): Shape<string> {
  return (value, place) => {
    if (typeof value !== 'string') refuse(place, 'not a text');
    fromBase64url(value, place, length);
    return value;
  };
}

/**
 * Parses JSON of at most `maxDepth` levels; its length was bounded by the caller.
 *
 * @throws ProofError `proof/json` or `proof/too-large`.
 */
export function parseJson(source: string, what: string, maxDepth = 12): unknown {
  let depth = 0;
  let inText = false;
  for (let i = 0; i < source.length; i += 1) {
    const unit = source.charCodeAt(i);
    if (inText) {
      if (unit === 0x5c) i += 1;
      else if (unit === 0x22) inText = false;
    } else if (unit === 0x22) inText = true;
    else if (unit === 0x7b || unit === 0x5b) depth += 1;
    else if (unit === 0x7d || unit === 0x5d) depth -= 1;
    if (depth > maxDepth) throw new ProofError('proof/too-large', `${what} is nested too deeply`);
  }
  try {
    return JSON.parse(source);
  } catch {
    throw new ProofError('proof/json', `${what} is not JSON`);
  }
}
