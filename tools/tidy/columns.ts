import { lineAt } from './tree.ts';
import type { TreeFile } from './tree.ts';

/** A column as a migration declares it. */
export interface Column {
  readonly schema: string;
  readonly table: string;
  readonly name: string;
  readonly type: string;
  readonly path: string;
  readonly line: number;
  readonly comment: string | undefined;
}

const tableWords = new Set(['primary', 'unique', 'check', 'constraint', 'foreign', 'exclude', 'like']);
const comments = /comment\s+on\s+column\s+([a-z_]+)\."?([a-z_]+)"?\.([a-z_0-9]+)\s+is\s+'((?:[^']|'')*)'/gi;
const additions = /alter\s+table\s+(?:only\s+)?([a-z_]+)\."?([a-z_]+)"?\s+add\s+(?:column\s+)?(?:if\s+not\s+exists\s+)?([a-z_0-9]+)\s+([a-z]+)/gi;
const tables = /create\s+(?:unlogged\s+)?table\s+(?:if\s+not\s+exists\s+)?([a-z_]+)\."?([a-z_]+)"?\s*\(/gi;

/** The text with its comments blanked, so that offsets stay. */
function withoutComments(text: string): string {
  return text.replace(/--[^\n]*/g, (comment) => ' '.repeat(comment.length));
}

/** The pieces between top-level commas from `start` (after the opening parenthesis) to its closing one, with their offsets. */
function piecesFrom(text: string, start: number): { text: string; at: number }[] {
  const pieces: { text: string; at: number }[] = [];
  let depth = 0;
  let from = start;
  for (let i = start; i < text.length; i += 1) {
    const char = text[i];
    if (char === "'") i = text.indexOf("'", i + 1);
    else if (char === '(') depth += 1;
    else if (char === ')' && depth > 0) depth -= 1;
    else if (char === ')' || (char === ',' && depth === 0)) {
      pieces.push({ text: text.slice(from, i), at: from });
      from = i + 1;
      if (char === ')') return pieces;
    }
  }
  return pieces;
}

/** Every column of the migrations, with its comment. */
export function columnsOf(files: readonly TreeFile[]): Column[] {
  const migrations = files.filter((file) => /^packages\/server\/migrations.*\.sql$/.test(file.path));
  const said = new Map<string, string>();
  for (const { text } of migrations) {
    for (const [, schema, table, name, comment] of text.matchAll(comments)) said.set(`${schema}.${table}.${name}`.toLowerCase(), comment!.replaceAll("''", "'"));
  }
  return migrations.flatMap((file) => declared(file).map((column) =>
    ({ ...column, comment: said.get(`${column.schema}.${column.table}.${column.name}`) })));
}

function declared(file: TreeFile): Omit<Column, 'comment'>[] {
  const text = withoutComments(file.text);
  const found: Omit<Column, 'comment'>[] = [];
  for (const match of text.matchAll(tables)) {
    const [whole, schema, table] = match;
    for (const piece of piecesFrom(text, match.index + whole.length)) {
      const words = /^\s*"?([a-z_0-9]+)"?\s+([a-z]+)/i.exec(piece.text);
      if (words === null || tableWords.has(words[1]!.toLowerCase())) continue;
      found.push({
        schema: schema!.toLowerCase(), table: table!.toLowerCase(), name: words[1]!.toLowerCase(), type: words[2]!.toLowerCase(), path: file.path,
        line: lineAt(text, piece.at + piece.text.length - piece.text.trimStart().length),
      });
    }
  }
  for (const match of text.matchAll(additions)) {
    const [, schema, table, name, type] = match;
    found.push({
      schema: schema!.toLowerCase(), table: table!.toLowerCase(), name: name!.toLowerCase(), type: type!.toLowerCase(),
      path: file.path, line: lineAt(text, match.index),
    });
  }
  return found;
}
