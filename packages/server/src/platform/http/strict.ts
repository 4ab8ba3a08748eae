import { ZodObject } from 'zod';
import type { ZodType } from 'zod';
import { RequestShapeError } from './problems.ts';

/** Refuses unknown members at the top of params, query and body, whether or not the contract said so. */
export function strict(schema: ZodType | undefined): ZodType | undefined {
  return schema instanceof ZodObject ? schema.strict() : schema;
}

/** @throws RequestShapeError */
export function readPart(part: 'params' | 'query' | 'body', schema: ZodType | undefined, value: unknown): unknown {
  if (schema === undefined) return undefined;
  const parsed = schema.safeParse(value);
  if (!parsed.success) throw new RequestShapeError(part, parsed.error);
  return parsed.data;
}
