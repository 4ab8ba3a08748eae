import ts from 'typescript';
import { columnsOf } from './columns.ts';
import type { Column } from './columns.ts';
import { ranks } from './ranks.ts';
import { schemaOwners } from './sql.ts';
import { everyNode, isTest, parsed } from './tree.ts';
import type { Fault, TreeFile } from './tree.ts';

/** Words in a column's name that mean something personal wherever they stand. */
const personalWords = new Set([
  'email', 'phone', 'address', 'iccid', 'imsi', 'eid', 'msisdn', 'imei', 'ip', 'birthday', 'passport', 'iban', 'pan', 'recipient', 'sealed', 'contact',
]);
/** Whole names that are personal in a slice; the platform's rooms use them for their own things. */
const personalNames = new Set([
  'name', 'full_name', 'first_name', 'last_name', 'display_name', 'user_agent', 'note', 'notes', 'text', 'body', 'subject', 'comment', 'message', 'reason', 'city', 'street',
]);

const grammar = /^pii: class=(sealed|pseudonymous|keyed); ground=(contract|legal-obligation|legitimate-interest|consent); deleteAfter=(closure|row|P(?:\d+[YMWD]|T\d+[HM]))(?:; subject=([a-z-]+))?$/;

interface Mark {
  readonly kind: 'sealed' | 'pseudonymous' | 'keyed';
  readonly deleteAfter: string;
  /** Whose: `account` unless it says otherwise. */
  readonly subject: string;
}

export function markOf(comment: string | undefined): Mark | undefined {
  const match = grammar.exec(comment ?? '');
  return match === null ? undefined : { kind: match[1] as Mark['kind'], deleteAfter: match[3]!, subject: match[4] ?? 'account' };
}

function isSlice(owner: string | undefined): owner is string {
  return owner !== undefined && (ranks[owner] ?? 0) > 0;
}

function looksPersonal(column: Column, slice: boolean): boolean {
  // An instant or a flag about something personal is not the thing.
  if (['timestamptz', 'date', 'boolean', 'integer', 'bigint', 'smallint', 'uuid', 'interval'].includes(column.type)) return false;
  if (slice && personalNames.has(column.name)) return true;
  const words = column.name.split('_');
  return words.some((word) => personalWords.has(word)) || (words.includes('user') && words.includes('agent'));
}

function columnFault(column: Column, slice: boolean): string | undefined {
  const { comment } = column;
  const name = `${column.schema}.${column.table}.${column.name}`;
  if (comment !== undefined && /^not pii: \S/.test(comment)) return undefined;
  if (comment === undefined || !/\bpii\b/.test(comment)) {
    if (column.type === 'jsonb' || column.type === 'json') return `${name} may hold anything: comment it 'pii: ...' or 'not pii: <what it holds>'`;
    return looksPersonal(column, slice) ? `${name} looks personal: comment it 'pii: class=...; ground=...; deleteAfter=...' or 'not pii: <why>'` : undefined;
  }
  const mark = markOf(comment);
  if (mark === undefined) return `${name}: the comment does not read 'pii: class=...; ground=...; deleteAfter=...'`;
  if (mark.kind === 'sealed' && column.type !== 'bytea') return `${name} is sealed, so it is bytea`;
  return undefined;
}

/** Every personal column says its class, its ground and its end. */
export function personalFaults(files: readonly TreeFile[]): Fault[] {
  const owners = schemaOwners(files);
  return columnsOf(files).flatMap((column) => {
    const reason = columnFault(column, isSlice(owners.get(column.schema)));
    return reason === undefined ? [] : [{ law: 'personal', path: column.path, line: column.line, reason }];
  });
}

const duties = ['closureConcerns', 'exportData', 'erase'] as const;

/** Law 4: a slice that stores something of an account answers for it when the account closes, and the closure asks every slice that can answer. */
export function holderFaults(files: readonly TreeFile[]): Fault[] {
  const owners = schemaOwners(files);
  const holding = new Map<string, Column>();
  for (const column of columnsOf(files)) {
    const owner = owners.get(column.schema);
    const mark = markOf(column.comment);
    if (isSlice(owner) && (column.name === 'account_id' || mark?.subject === 'account') && !holding.has(owner)) holding.set(owner, column);
  }
  const mute = [...holding].flatMap(([slice, column]) => {
    const missing = missingDuties(files, slice);
    return missing.length === 0 ? [] : [{
      law: 'holders', path: doorOf(slice), line: 1,
      reason: `${slice} keeps ${column.table}.${column.name} of an account but exports no ${missing.join(', ')}`,
    }];
  });
  return [...mute, ...unaskedFaults(files)];
}

function doorOf(slice: string): string {
  return `packages/server/src/${slice}/index.ts`;
}

/** Every slice with a holder stands in the list that the closure is given. */
function unaskedFaults(files: readonly TreeFile[]): Fault[] {
  const asked = slicesAsked(files);
  return Object.keys(ranks).filter((slice) => isSlice(slice) && !missingDuties(files, slice).includes('holder') && !asked.has(slice)).map((slice) =>
    ({ law: 'holders', path: doorOf(slice), line: 1, reason: `${slice} has a holder, and the closure's list of holders does not name it` }));
}

/** The slices in `holders: () => [a.holder, b.c.holder]`, wherever the wiring says it. */
function slicesAsked(files: readonly TreeFile[]): Set<string> {
  const asked = new Set<string>();
  for (const file of files.filter(({ path }) => /^packages\/server\/src\/(wiring\/)?[a-z-]+\.ts$/.test(path) && !isTest(path))) {
    everyNode(parsed(file), (node) => {
      if (!ts.isPropertyAssignment(node) || node.name.getText() !== 'holders') return;
      everyNode(node.initializer, (inner) => {
        if (!ts.isPropertyAccessExpression(inner) || inner.name.text !== 'holder') return;
        const { expression } = inner;
        if (ts.isIdentifier(expression)) asked.add(expression.text);
        else if (ts.isPropertyAccessExpression(expression)) asked.add(expression.name.text);
      });
    });
  }
  return asked;
}

function missingDuties(files: readonly TreeFile[], slice: string): string[] {
  const folder = `packages/server/src/${slice}/`;
  const names = new Set<string>();
  for (const file of files.filter(({ path }) => path.startsWith(folder) && path.endsWith('.ts') && !isTest(path))) {
    const atDoor = file.path === doorOf(slice);
    everyNode(parsed(file), (node) => {
      const name = declaredName(node);
      if (name === 'holder' ? atDoor : duties.some((duty) => duty === name)) names.add(name!);
    });
  }
  return ['holder', ...duties].filter((name) => !names.has(name));
}

function declaredName(node: ts.Node): string | undefined {
  if (ts.isShorthandPropertyAssignment(node)) return node.name.text;
  if (ts.isPropertyAssignment(node) || ts.isPropertySignature(node) || ts.isMethodDeclaration(node) || ts.isVariableDeclaration(node)
    || ts.isFunctionDeclaration(node)) return node.name !== undefined && ts.isIdentifier(node.name) ? node.name.text : undefined;
  return undefined;
}
