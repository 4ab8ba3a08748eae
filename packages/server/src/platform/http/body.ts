import { ServiceError } from '../errors.ts';

const deepest = 32;

/**
 * JSON from a request's body; undefined for an empty one.
 * @throws `general/unsupported-media-type`, `general/bad-request`
 */
export function readJson(raw: Buffer, contentType: string | undefined): unknown {
  if (raw.byteLength === 0) return undefined;
  if (!/^application\/json\s*(;\s*charset="?utf-8"?\s*)?$/i.test(contentType ?? '')) throw new ServiceError('general/unsupported-media-type');
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(raw));
  } catch {
    throw new ServiceError('general/bad-request', { field: 'body' });
  }
  if (!isPlain(value, deepest)) throw new ServiceError('general/bad-request', { field: 'body' });
  return value;
}

/** True when the value is nested no deeper than allowed and names no key that could reach a prototype. */
function isPlain(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  if (depth === 0) return false;
  if (Array.isArray(value)) return value.every((one) => isPlain(one, depth - 1));
  return Object.entries(value).every(([key, one]) => key !== '__proto__' && isPlain(one, depth - 1));
}
