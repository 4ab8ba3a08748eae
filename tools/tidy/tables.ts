import ts from 'typescript';
import { columnsOf } from './columns.ts';
import type { Column } from './columns.ts';
import { markOf } from './personal.ts';
import { schemaOwners } from './sql.ts';
import { everyNode, isTest, lineOf, parsed } from './tree.ts';
import type { Fault, TreeFile } from './tree.ts';

const retentionPath = 'packages/server/src/wiring/retention.ts';
const grammar = /^retained: (contract|legal-obligation|legitimate-interest|consent); until=P(\d+)([YMWD])(?:; entry=([a-z_]+\.[a-z_]+))?$/;
const comments = /comment\s+on\s+table\s+([a-z_]+)\."?([a-z_]+)"?\s+is\s+'((?:[^']|'')*)'/gi;
const daysIn: Readonly<Record<string, number>> = { Y: 365.25, M: 30.4375, W: 7, D: 1 };
/** What is gone so soon is not in the public table: it outlives no envelope. */
const briefDays = 7;

/** What a table says of rows that stay when the account is erased. */
interface Retained {
  readonly table: string;
  readonly ground: string;
  readonly days: number;
  /** The row of the retention table that speaks for it; its own name unless it says another. */
  readonly entry: string;
  readonly path: string;
  readonly line: number;
}

interface Entry {
  readonly field: string;
  readonly ground: string;
  readonly days: number | undefined;
  readonly line: number;
}

/** Law 4, table by table: what holds something of an account is deleted by its slice's erase, or says on what ground it stays and until when. */
export function tableFaults(files: readonly TreeFile[]): Fault[] {
  const columns = columnsOf(files);
  const { retained, faults } = readRetained(files);
  const entries = readEntries(files);
  const owners = schemaOwners(files);
  const held = accountTables(columns).flatMap((column) => {
    const table = nameOf(column);
    const owner = owners.get(column.schema);
    const said = retained.some((one) => one.table === table);
    const done = owner === undefined ? new Set<string>() : erasedBy(files, owner);
    if (said || done.has(`delete ${table}`)) return [];
    const what = done.has(`update ${table}`) ? 'changes it and leaves its rows' : 'does not name it';
    return [fault(column.path, column.line, `${table} holds something of an account (${column.name}), and the erase of ${owner ?? column.schema} ${what}: `
      + `delete them, or comment on the table 'retained: <ground>; until=P...'`)];
  });
  return [...faults, ...held, ...closureFaults(files, columns), ...longFaults(columns, retained), ...retained.flatMap((one) => retainedFaults(one, entries)), ...entryFaults(entries, columns, retained)];
}

function fault(path: string, line: number, reason: string): Fault {
  return { law: 'tables', path, line, reason };
}

function nameOf(column: Pick<Column, 'schema' | 'table'>): string {
  return `${column.schema}.${column.table}`;
}

/** A column for each table that holds something of an account: its id, or what is marked as personal. */
function accountTables(columns: readonly Column[]): Column[] {
  const found = new Map<string, Column>();
  for (const column of columns) {
    if (found.has(nameOf(column))) continue;
    if (column.name === 'account_id' || markOf(column.comment)?.subject === 'account') found.set(nameOf(column), column);
  }
  return [...found.values()];
}

function readRetained(files: readonly TreeFile[]): { readonly retained: Retained[]; readonly faults: Fault[] } {
  const retained: Retained[] = [];
  const faults: Fault[] = [];
  for (const { path, text } of files.filter((file) => file.path.startsWith('packages/server/migrations') && file.path.endsWith('.sql'))) {
    for (const match of text.matchAll(comments)) {
      const table = `${match[1]}.${match[2]}`.toLowerCase();
      const line = text.slice(0, match.index).split('\n').length;
      const [, ground, count, unit, entry] = grammar.exec(match[3]!) ?? [];
      if (ground === undefined) faults.push(fault(path, line, `${table}: the comment does not read 'retained: <ground>; until=P...'`));
      else retained.push({ table, ground, days: Number(count) * daysIn[unit!]!, entry: entry ?? table, path, line });
    }
  }
  return { retained, faults };
}

/** The rows of the public retention table: every object with a `field` in its file. */
function readEntries(files: readonly TreeFile[]): Entry[] {
  const file = files.find(({ path }) => path === retentionPath);
  if (file === undefined) return [];
  const source = parsed(file);
  const numbers = new Map<string, number>();
  const entries: Entry[] = [];
  everyNode(source, (node) => {
    if (ts.isVariableDeclaration(node) && ts.isIdentifier(node.name) && node.initializer !== undefined && ts.isNumericLiteral(node.initializer)) {
      numbers.set(node.name.text, Number(node.initializer.text));
    }
  });
  everyNode(source, (node) => {
    if (!ts.isObjectLiteralExpression(node)) return;
    const [field, ground, keepDays] = ['field', 'ground', 'keepDays'].map((name) => valueOf(node, name));
    if (field === undefined || !ts.isStringLiteral(field) || ground === undefined || !ts.isStringLiteral(ground)) return;
    const days = keepDays === undefined ? undefined : ts.isNumericLiteral(keepDays) ? Number(keepDays.text) : numbers.get(keepDays.getText(source));
    entries.push({ field: field.text, ground: ground.text, days, line: lineOf(source, node) });
  });
  return entries;
}

function valueOf(node: ts.ObjectLiteralExpression, name: string): ts.Expression | undefined {
  const property = node.properties.find((one) => one.name !== undefined && ts.isIdentifier(one.name) && one.name.text === name);
  return property !== undefined && ts.isPropertyAssignment(property) ? property.initializer : undefined;
}

function agree(retained: Retained, entry: Entry): boolean {
  // A year has no whole number of days.
  return retained.ground === entry.ground && entry.days !== undefined && Math.abs(retained.days - entry.days) <= 1;
}

function retainedFaults(one: Retained, entries: readonly Entry[]): Fault[] {
  if (one.days <= briefDays) return [];
  const entry = entries.find(({ field }) => field === one.entry);
  if (entry === undefined) return [fault(one.path, one.line, `${one.table} is retained, and ${one.entry} is not in the retention table`)];
  return agree(one, entry) ? [] : [fault(one.path, one.line, `${one.table} and the retention table's ${one.entry} differ in ground or time`)];
}

/** What the public table names exists and says the same of itself. */
function entryFaults(entries: readonly Entry[], columns: readonly Column[], retained: readonly Retained[]): Fault[] {
  const tables = new Set(columns.map(nameOf));
  return entries.flatMap(({ field, line }) => {
    if (!tables.has(field)) return [fault(retentionPath, line, `${field} is no table`)];
    return retained.some((one) => one.entry === field) ? [] : [fault(retentionPath, line, `the table ${field} does not say that it is retained`)];
  });
}

/** A column that says it ends with the closure is emptied by erase, where its row stays. */
function closureFaults(files: readonly TreeFile[], columns: readonly Column[]): Fault[] {
  const owners = schemaOwners(files);
  return columns.flatMap((column) => {
    const mark = markOf(column.comment);
    if (mark?.deleteAfter !== 'closure' || mark.subject !== 'account') return [];
    const [table, owner] = [nameOf(column), owners.get(column.schema)];
    const done = owner === undefined ? new Set<string>() : erasedBy(files, owner);
    // A table that erase does not name at all is told of already.
    if (done.has(`delete ${table}`) || !done.has(`update ${table}`) || done.has(`empty ${table}.${column.name}`)) return [];
    return [fault(column.path, column.line, `${table}.${column.name} ends with the closure, and erase does not set it to null`)];
  });
}

/** No personal column may say that it stays longer than its table does. */
function longFaults(columns: readonly Column[], retained: readonly Retained[]): Fault[] {
  return columns.flatMap((column) => {
    const [, count, unit] = /^P(\d+)([YMWD])$/.exec(markOf(column.comment)?.deleteAfter ?? '') ?? [];
    const table = retained.find((one) => one.table === nameOf(column));
    if (count === undefined || table === undefined || Number(count) * daysIn[unit!]! <= table.days + 1) return [];
    return [fault(column.path, column.line, `${nameOf(column)}.${column.name} stays longer than its table, which ends after ${Math.round(table.days)} days`)];
  });
}

const erasing = new WeakMap<readonly TreeFile[], Map<string, Set<string>>>();

/** `delete schema.table`, `update schema.table` and what the latter empties, for every such statement that the slice's `erase` reaches. */
function erasedBy(files: readonly TreeFile[], slice: string): Set<string> {
  const known = erasing.get(files) ?? new Map<string, Set<string>>();
  erasing.set(files, known);
  const found = known.get(slice) ?? statementsReached(files, slice);
  known.set(slice, found);
  return found;
}

/** By names within the slice: a call of a name reaches every function of that name. */
function statementsReached(files: readonly TreeFile[], slice: string): Set<string> {
  const bodies = functionsOf(files, slice);
  const statements = new Set<string>();
  const seen = new Set<string>();
  const waiting = ['erase'];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (seen.has(name)) continue;
    seen.add(name);
    for (const body of bodies.get(name) ?? []) {
      everyNode(body, (node) => {
        if (ts.isIdentifier(node) && bodies.has(node.text)) waiting.push(node.text);
        if (ts.isTemplateLiteral(node) || ts.isStringLiteral(node)) for (const one of statementsIn(node.getText())) statements.add(one);
      });
    }
  }
  return statements;
}

/** Also `empty schema.table.column` for what an update sets to null. */
function statementsIn(text: string): string[] {
  const plain = text.replaceAll('"', '').toLowerCase();
  const deleted = [...plain.matchAll(/\bdelete\s+from\s+([a-z_]+\.[a-z_]+)/g)].map((match) => `delete ${match[1]}`);
  const updated = [...plain.matchAll(/\bupdate\s+([a-z_]+\.[a-z_]+)(?:\s+(?:as\s+)?[a-z_]+)?\s+set\b(.*?)(?=\bwhere\b|\bupdate\b|$)/gs)].flatMap(([, table, changes]) =>
    [`update ${table}`, ...[...changes!.matchAll(/\b([a-z_0-9]+)\s*=\s*null\b/g)].map((match) => `empty ${table}.${match[1]}`)]);
  return [...deleted, ...updated];
}

function functionsOf(files: readonly TreeFile[], slice: string): Map<string, ts.Node[]> {
  const bodies = new Map<string, ts.Node[]>();
  for (const file of files.filter(({ path }) => path.startsWith(`packages/server/src/${slice}/`) && path.endsWith('.ts') && !isTest(path))) {
    everyNode(parsed(file), (node) => {
      const [name, body] = namedFunction(node);
      if (name !== undefined && body !== undefined) bodies.set(name, [...bodies.get(name) ?? [], body]);
    });
  }
  return bodies;
}

const nothing = [undefined, undefined] as const;

function namedFunction(node: ts.Node): readonly [string | undefined, ts.Node | undefined] {
  if ((ts.isFunctionDeclaration(node) || ts.isMethodDeclaration(node)) && node.name !== undefined && ts.isIdentifier(node.name)) {
    return [node.name.text, node.body];
  }
  if (!(ts.isVariableDeclaration(node) || ts.isPropertyAssignment(node)) || !ts.isIdentifier(node.name) || node.initializer === undefined) return nothing;
  const { initializer } = node;
  // A function, or a name that stands for one.
  return ts.isArrowFunction(initializer) || ts.isFunctionExpression(initializer) || ts.isPropertyAccessExpression(initializer)
    ? [node.name.text, initializer] : nothing;
}
