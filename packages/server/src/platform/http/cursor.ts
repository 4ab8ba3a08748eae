import type { ZodType } from 'zod';
import { ServiceError } from '../errors.ts';

/** An opaque cursor from the sort key of a page's last row. */
export function cursorOf(key: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(key)).toString('base64url');
}

/**
 * The sort key in a cursor, checked; undefined for the first page.
 * @throws `general/bad-request` when the cursor is not one of ours.
 */
export function readCursor<T>(cursor: string | undefined, shape: ZodType<T>): T | undefined {
  if (cursor === undefined) return undefined;
  let given: unknown;
  try {
    given = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    throw new ServiceError('general/bad-request', { field: 'cursor' });
  }
  const parsed = shape.safeParse(given);
  if (!parsed.success) throw new ServiceError('general/bad-request', { field: 'cursor' });
  return parsed.data;
}

/** A page from up to `limit` + 1 rows: the extra row only says that there are more. */
export function pageOf<R>(rows: readonly R[], limit: number, keyOf: (row: R) => readonly (string | number)[]): { items: R[]; nextCursor: string | null } {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return { items, nextCursor: rows.length > limit && last !== undefined ? cursorOf(keyOf(last)) : null };
}
