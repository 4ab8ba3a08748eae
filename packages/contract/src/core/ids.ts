import { z } from 'zod';

/** Every id of ours is a UUID (version 7: ordered by time), in lower case. */
export const id = z.uuid().meta({ example: '0198c5d2-7a10-7c3e-9a44-3f1f0a6f2b11' });

/** An instant, RFC 3339 in UTC with milliseconds. */
export const instant = z.iso.datetime({ offset: false }).meta({ example: '2026-11-22T08:00:00.000Z' });

/** One page of a list: `nextCursor` is null on the last page. */
export function page<T extends z.ZodType>(item: T) {
  return z.object({ items: z.array(item), nextCursor: z.string().nullable() });
}

/** The query of a paged list. */
export const paging = z.object({
  cursor: z.string().max(512).optional(),
  limit: z.coerce.number().int().min(1).max(100).default(20),
});
