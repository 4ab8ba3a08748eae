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
  compileQuery: (node: Parameters<typeof compiler.compileQuery>[0], id: Parameters<typeof compiler.compileQuery>[1]) => {
    const parameters: unknown[] = [];
    const text = plainText(node, parameters);
    return text === undefined ? compiler.compileQuery(node, id) : { sql: text, parameters };
  },
};

/** The part of kysely's nodes that a `sql` template is made of. */
interface PlainNode {
  readonly kind: string;
  readonly sqlFragments?: readonly string[];
  readonly parameters?: readonly PlainNode[];
  readonly value?: unknown;
  readonly immediate?: boolean;
}

const templates = new WeakMap<readonly string[], string>();

/**
 * Text and parameters of templates with values and templates in them, which is nearly all that is run: kysely's visitor takes several times
 * as long as the driver needs for the rest. Undefined where there is more to it.
 */
function plainText(node: PlainNode, parameters: unknown[]): string | undefined {
  const { sqlFragments: fragments, parameters: inner } = node;
  if (node.kind === 'ValueNode' && node.immediate !== true) return `$${parameters.push(node.value)}`;
  if (node.kind !== 'RawNode' || fragments === undefined || inner === undefined) return undefined;
  // With values only, and numbered from 1, a template's text is always the same.
  const isFixed = parameters.length === 0 && inner.every((one) => one.kind === 'ValueNode' && one.immediate !== true);
  const known = isFixed ? templates.get(fragments) : undefined;
  if (known !== undefined) {
    for (const one of inner) parameters.push(one.value);
    return known;
  }
  let text = fragments[0] ?? '';
  for (const [index, one] of inner.entries()) {
    const piece = plainText(one, parameters);
    if (piece === undefined) return undefined;
    text += piece + (fragments[index + 1] ?? '');
  }
  if (isFixed) templates.set(fragments, text);
  return text;
}
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
  const compiled: Pick<CompiledQuery<unknown>, 'sql' | 'parameters'> = query.compile(executors);
  const name = prepare ? nameOf(compiled.sql) : undefined;
  const values = compiled.parameters as unknown[];
  return name === undefined ? { text: compiled.sql, values } : { name, text: compiled.sql, values };
}
