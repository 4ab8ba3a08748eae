import { fromHex, toHex } from '../bytes.ts';
import { RspError } from '../errors.ts';
import type { EuiccState } from './state.ts';

/** Byte strings in JSON: an object with this key alone. */
const BYTES = '$hex';

/** An eUICC's state as JSON, session included. It holds session keys, so it is as secret as the eUICC. */
export function saveEuicc(state: EuiccState): string {
  return JSON.stringify(encodeBytes(state));
}

/**
 * The state that {@link saveEuicc} wrote.
 * @throws RspError `euicc/state`
 */
export function loadEuicc(text: string): EuiccState {
  let state: unknown;
  try {
    state = decodeBytes(JSON.parse(text));
  } catch (cause) {
    throw new RspError('euicc/state', 'not readable', { cause });
  }
  if (typeof state !== 'object' || state === null || (state as { version?: unknown }).version !== 1) throw new RspError('euicc/state', 'version');
  return state as EuiccState;
}

function encodeBytes(value: unknown): unknown {
  if (value instanceof Uint8Array) return { [BYTES]: toHex(value) };
  if (Array.isArray(value)) return value.map(encodeBytes);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, encodeBytes(inner)]));
}

function decodeBytes(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(decodeBytes);
  if (typeof value !== 'object' || value === null) return value;
  const hex = (value as Record<string, unknown>)[BYTES];
  if (typeof hex === 'string') return fromHex(hex);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, decodeBytes(inner)]));
}
