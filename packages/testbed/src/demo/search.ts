import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { sql } from '@yuanyou/server/testing';
import type { Database } from '@yuanyou/server/testing';
import type { Traveller } from './journey.ts';

/** A personal value with the forms in which it is looked for. */
export interface Needle {
  readonly value: string;
  readonly forms: readonly Buffer[];
}

/** A value in the forms in which it could lie about. */
function forms(value: string): Buffer[] {
  const utf8 = Buffer.from(value);
  const texts = [value, value.toLowerCase(), value.toUpperCase(), JSON.stringify(value).slice(1, -1), utf8.toString('base64').replace(/=+$/, ''), utf8.toString('hex')];
  return [...new Set(texts)].map((text) => Buffer.from(text)).concat(Buffer.from(value, 'utf16le'));
}

/** Everything personal that a traveller gave. */
export function needlesOf({ email, password, name, contacts }: Traveller): Needle[] {
  const given = [email, password, name, ...contacts.flatMap((c) => [c.name, c.phone, c.email, c.note].filter((value) => value !== null))];
  return needlesFor(given);
}

export function needlesFor(values: readonly string[]): Needle[] {
  return values.map((value) => ({ value, forms: forms(value) }));
}

/** The personal values found in some bytes. */
export function found(bytes: Buffer, needles: readonly Needle[]): string[] {
  return needles.filter((needle) => needle.forms.some((form) => bytes.includes(form))).map((needle) => needle.value);
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return filesBelow(path);
    return entry.isFile() ? [path] : [];
  });
}

async function tablesOf(db: Database): Promise<string[]> {
  const rows = await db.all<{ name: string }>(sql`
    select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname not in ('pg_catalog', 'information_schema') order by 1`);
  return rows.map((row) => row.name);
}

/** Every row of every table as text: bytea comes out in hex, which is one of the forms looked for. */
export async function inRows(db: Database, needles: readonly Needle[]): Promise<{ hits: string[]; rows: number }> {
  const hits: string[] = [];
  let rows = 0;
  for (const table of await tablesOf(db)) {
    const texts = await db.all<{ row: string }>(sql`select t::text as row from ${sql.raw(table)} t`);
    rows += texts.length;
    for (const value of found(Buffer.from(texts.map((text) => text.row).join('\n')), needles)) hits.push(`${value} in ${table}`);
  }
  return { hits, rows };
}

/** Every file below the data folder but the counterparts' own books: heaps, WAL, key files, feeds. */
export function inFiles(dataFolder: string, needles: readonly Needle[]): { hits: string[]; bytes: number } {
  const hits: string[] = [];
  let bytes = 0;
  for (const path of filesBelow(dataFolder)) {
    if (path.startsWith(join(dataFolder, 'testbed'))) continue;
    bytes += statSync(path).size;
    for (const value of found(readFileSync(path), needles)) hits.push(`${value} in ${path.slice(dataFolder.length + 1)}`);
  }
  return { hits, bytes };
}
