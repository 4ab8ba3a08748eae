import { createHash } from 'node:crypto';
import { PostgresQueryCompiler, type CompiledQuery, type RawBuilder } from 'kysely';

/** What goes to the driver. With a name, PostgreSQL parses and plans the text once a connection. */
export interface Statement {
  readonly name?: string;
  readonly text: string;
  readonly values: unknown[];
}

const compiler = new PostgresQueryCompiler();
// `compile` asks for no more than these three of an executor; a whole Kysely instance would add plugins and logging we do not use.
const executor = {
  withPlugins: () => executor,
  transformQuery: <N>(node: N): N => node,
  compileQuery: (node: Parameters<typeof compiler.compileQuery>[0], id: Parameters<typeof compiler.compileQuery>[1]) =>
    compiler.compileQuery(node, id),
};
const executors = { getExecutor: () => executor } as unknown as Parameters<RawBuilder<unknown>['compile']>[0];

/** Texts beyond this many are sent unnamed: a name lives as long as its connection, in our memory and in PostgreSQL's. */
const maxNames = 1000;
const maxNamedLength = 20_000;
const names = new Map<string, string>();

function nameOf(text: string): string | undefined {
  const known = names.get(text);
  if (known !== undefined) return known;
  if (names.size >= maxNames || text.length > maxNamedLength) return undefined;
  const name = `y${createHash('sha256').update(text).digest('hex').slice(0, 30)}`;
  names.set(text, name);
  return name;
}

/** Compiles a query of the `sql` tag; named when `prepare` is set. */
export function compile(query: RawBuilder<unknown>, prepare: boolean): Statement {
  const compiled: CompiledQuery<unknown> = query.compile(executors);
  const name = prepare ? nameOf(compiled.sql) : undefined;
  const values = compiled.parameters as unknown[];
  return name === undefined ? { text: compiled.sql, values } : { name, text: compiled.sql, values };
}
