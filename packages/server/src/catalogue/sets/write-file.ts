import type { CatalogueRow, CatalogueSet } from '@yuanyou/contract';
import { columnsOf, valueAt } from './columns.ts';

function cell(text: string): string {
  return /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Rows as CSV with a header. */
export function writeCsv<S extends CatalogueSet>(set: S, rows: readonly CatalogueRow<S>[]): string {
  const columns = columnsOf[set];
  const lines = rows.map((row) => columns.map(({ path, cell: form }) => cell(form.write(valueAt(row, path)))).join(','));
  return `${[columns.map(({ name }) => name).join(','), ...lines].join('\r\n')}\r\n`;
}

/** Rows as a JSON array, each on a line of its own, so that a fault's line is easily found. */
export function writeJson(rows: readonly unknown[]): string {
  return rows.length === 0 ? '[]\n' : `[\n${rows.map((row) => JSON.stringify(row)).join(',\n')}\n]\n`;
}
