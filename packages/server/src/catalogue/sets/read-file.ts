import { catalogueRows } from '@yuanyou/contract';
import type { CatalogueFault, CatalogueRow, CatalogueSet } from '@yuanyou/contract';
import { CsvError, parse } from 'csv-parse/sync';
import type { ZodError } from 'zod';
import { columnsOf, rowFrom } from './columns.ts';
import type { Column } from './columns.ts';

const maxRows = 20_000;
/** Rows nest less; deeper ones are not worth reading. */
const maxDepth = 16;

/** A row of a file and the line it begins on, from 1. */
export interface FileRow<S extends CatalogueSet> {
  readonly line: number;
  readonly row: CatalogueRow<S>;
}

/** The rows that can be read, and what is wrong with the others. */
export interface SetFile<S extends CatalogueSet> {
  readonly rows: readonly FileRow<S>[];
  readonly faults: readonly CatalogueFault[];
}

/** A fault of a line; the value is shortened. */
export function faultAt(line: number, fault: CatalogueFault['fault'], column: string | null = null, value?: unknown): CatalogueFault {
  const shown = value === undefined || value === null ? null : (typeof value === 'string' ? value : JSON.stringify(value)).slice(0, 80);
  return { line, column, fault, value: shown };
}

/** Reads a file of a data set and lists what is wrong with it by itself. */
export function readFile<S extends CatalogueSet>(set: S, format: 'csv' | 'json', text: string): SetFile<S> {
  const { rows, faults } = format === 'csv' ? csvRows(set, text) : jsonRows(text);
  if (rows.length > maxRows) return { rows: [], faults: [faultAt(rows[maxRows]!.line, 'too-many-rows')] };
  const good: FileRow<S>[] = [];
  const bad = [...faults];
  for (const { line, value } of rows) {
    const parsed = catalogueRows[set].safeParse(value);
    if (parsed.success) good.push({ line, row: parsed.data as CatalogueRow<S> });
    else bad.push(...faultsOf(parsed.error, line, value, format === 'csv' ? columnsOf[set] : undefined));
  }
  return { rows: good, faults: bad };
}

/** One fault for each member that does not fit. */
function faultsOf(error: ZodError, line: number, value: unknown, columns: readonly Column[] | undefined): CatalogueFault[] {
  const faults = error.issues.flatMap((issue): CatalogueFault[] => {
    if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => faultAt(line, 'unknown-column', key.slice(0, 80)));
    const path = issue.path.map(String);
    const named = columns?.find((column) => column.path.every((member, at) => path[at] === member) || path.every((member, at) => column.path[at] === member));
    let wrong: unknown = value;
    for (const member of path) wrong = (wrong as Record<string, unknown> | undefined)?.[member];
    const column = path.length === 0 ? null : named?.name ?? path.join('.').slice(0, 80);
    return [faultAt(line, wrong === undefined && path.length > 0 ? 'missing-column' : 'bad-value', column, wrong)];
  });
  return [...new Map(faults.map((fault) => [`${fault.fault} ${fault.column}`, fault])).values()];
}

interface Values {
  readonly rows: { readonly line: number; readonly value: unknown }[];
  readonly faults: CatalogueFault[];
}

interface CsvRecord {
  readonly record: readonly string[];
  readonly raw: string;
  readonly info: { readonly lines: number };
}

function csvRows(set: CatalogueSet, text: string): Values {
  const faults: CatalogueFault[] = [];
  let records: CsvRecord[];
  try {
    // The typings do not know that `info` and `raw` wrap each record.
    records = parse(text, {
      bom: true, info: true, raw: true, trim: true, skipEmptyLines: true, relaxColumnCount: true, maxRecordSize: 100_000, to: maxRows + 2,
      skipRecordsWithError: true, onSkip: (error) => { faults.push(faultAt(lineOf(error), 'unreadable')); },
    }) as never;
  } catch (error) {
    return { rows: [], faults: [faultAt(lineOf(error), 'unreadable')] };
  }
  const header = (records[0]?.record ?? []).map((name) => name.toLowerCase());
  const columns = columnsOf[set].map((column) => ({ ...column, at: header.indexOf(column.name.toLowerCase()) }));
  const wrong = headerFaults(header, columns);
  if (wrong.length > 0) return { rows: [], faults: [...faults, ...wrong] };
  const rows: Values['rows'] = [];
  for (const { record, raw, info } of records.slice(1)) {
    const line = info.lines - (raw.trim().match(/\r\n|\r|\n/g)?.length ?? 0);
    if (record.length !== header.length) {
      faults.push(faultAt(line, 'unreadable', null, `${record.length} cells, ${header.length} columns`));
      continue;
    }
    const cells = columns.filter(({ at }) => at >= 0).map(({ name, path, cell, at }) => ({ name, path, text: record[at]!, value: cell.read(record[at]!) }));
    const unread = cells.filter(({ value }) => value === undefined);
    faults.push(...unread.map(({ name, text: said }) => faultAt(line, 'bad-value', name, said)));
    if (unread.length === 0) rows.push({ line, value: rowFrom(cells) });
  }
  return { rows, faults };
}

function lineOf(error: unknown): number {
  return error instanceof CsvError && typeof error['lines'] === 'number' && error['lines'] > 0 ? error['lines'] : 1;
}

function headerFaults(header: readonly string[], columns: readonly (Column & { readonly at: number })[]): CatalogueFault[] {
  const known = new Set(columns.map(({ name }) => name.toLowerCase()));
  return [
    ...columns.filter(({ at, optional }) => at < 0 && !optional).map(({ name }) => faultAt(1, 'missing-column', name)),
    ...header.filter((name, at) => !known.has(name) || header.indexOf(name) !== at).map((name) => faultAt(1, 'unknown-column', name.slice(0, 80))),
  ];
}

/** The items of a JSON array with the line each begins on. */
function jsonRows(text: string): Values {
  const rows: Values['rows'] = [];
  const faults: CatalogueFault[] = [];
  const items = itemsOf(text);
  if (items === undefined) return { rows, faults: [faultAt(1, 'unreadable')] };
  for (const { line, text: item } of items) {
    try {
      rows.push({ line, value: JSON.parse(item) as unknown });
    } catch {
      faults.push(faultAt(line, 'unreadable', null, item.trim()));
    }
  }
  return { rows, faults };
}

/** Cuts an array at the commas of its first depth; undefined when it is no array, or nests too deep. */
function itemsOf(text: string): { readonly line: number; readonly text: string }[] | undefined {
  const whole = text.replace(/^\uFEFF/, '');
  const open = /^\s*\[/.exec(whole);
  const close = /\]\s*$/.exec(whole);
  if (open === null || close === null || close.index < open[0].length) return undefined;
  const items: { line: number; text: string }[] = [];
  let [depth, from, quoted] = [0, open[0].length, false];
  let line = open[0].split('\n').length;
  const cut = (to: number): void => {
    const item = whole.slice(from, to);
    const lead = /^\s*/.exec(item)![0];
    if (item.length > lead.length || items.length > 0 || to < close.index) items.push({ line: line + lead.split('\n').length - 1, text: item });
    line += item.split('\n').length - 1;
    from = to + 1;
  };
  for (let at = from; at < close.index; at += 1) {
    const char = whole[at];
    if (quoted) {
      if (char === '\\') at += 1;
      else if (char === '"') quoted = false;
    } else if (char === '"') quoted = true;
    else if (char === '{' || char === '[') depth += 1;
    else if (char === '}' || char === ']') depth -= 1;
    else if (char === ',' && depth === 0) cut(at);
    if (depth > maxDepth) return undefined;
  }
  cut(close.index);
  return items;
}
