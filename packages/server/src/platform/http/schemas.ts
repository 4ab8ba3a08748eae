import { z } from 'zod';
import type { ZodType } from 'zod';

export type Json = Record<string, unknown>;
type Direction = 'input' | 'output';

/** JSON Schemas of zod schemas; those with an id become components. */
export interface Schemas {
  /** The components so far, by name. */
  readonly named: Record<string, Json>;
  of(schema: ZodType, io: Direction): Json;
}

export function createSchemas(): Schemas {
  const named: Record<string, Json> = {};
  const add = (name: string, schema: Json) => {
    const known = named[name];
    if (known !== undefined && JSON.stringify(known) !== JSON.stringify(schema)) throw new Error(`Two schemas are called ${name}`);
    named[name] = schema;
  };
  return {
    named,
    of(schema, io) {
      const { root, definitions } = convert(schema, io);
      const answered = io === 'output' ? definitions : convert(schema, 'output').definitions;
      // A component that is sent otherwise than it is answered (defaults, say) has a name for each direction.
      const nameOf = (name: string) => (io === 'output' || name.endsWith('Input') || same(definitions[name], answered[name]) ? name : `${name}Input`);
      for (const [name, definition] of Object.entries(definitions)) add(nameOf(name), refer(definition, nameOf));
      return refer(root, nameOf);
    },
  };
}

function convert(schema: ZodType, io: Direction): { root: Json; definitions: Record<string, Json> } {
  const { $schema: _dialect, $defs, ...root } = z.toJSONSchema(schema, { target: 'draft-2020-12', io, unrepresentable: 'any' }) as Json;
  return { root: closed(root), definitions: Object.fromEntries(Object.entries((($defs ?? {}) as Record<string, Json>)).map(([name, one]) => [name, closed(one)])) };
}

/** Objects are strict in both directions. */
function closed<T>(value: T): T {
  if (Array.isArray(value)) return value.map(closed) as T;
  if (typeof value !== 'object' || value === null) return value;
  const copy = Object.fromEntries(Object.entries(value).map(([key, one]) => [key, closed(one as unknown)]));
  if ('properties' in copy && !('additionalProperties' in copy)) copy['additionalProperties'] = false;
  return copy as T;
}

function same(one: Json | undefined, other: Json | undefined): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

function refer(value: Json, nameOf: (name: string) => string): Json {
  const walk = (one: unknown): unknown => {
    if (Array.isArray(one)) return one.map(walk);
    if (typeof one !== 'object' || one === null) return one;
    return Object.fromEntries(Object.entries(one).map(([key, inner]) => (
      key === '$ref' && typeof inner === 'string' ? [key, `#/components/schemas/${nameOf(inner.replace('#/$defs/', ''))}`] : [key, walk(inner)])));
  };
  return walk(value) as Json;
}
