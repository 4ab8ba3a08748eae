import type { CatalogueSet } from '@yuanyou/contract';

/** How a value stands in a cell; `read` answers undefined for a cell that is none. */
interface Cell {
  readonly write: (value: unknown) => string;
  readonly read: (cell: string) => unknown;
}

/** A column of a CSV file and the member it stands for; an `optional` one may be left out. */
export interface Column {
  readonly name: string;
  readonly path: readonly string[];
  readonly cell: Cell;
  readonly optional: boolean;
}

const text: Cell = { write: String, read: (cell) => cell };

const whole: Cell = {
  write: (value) => (value === null ? '' : String(value as number)),
  read: (cell) => (cell === '' ? null : /^\d{1,16}$/.test(cell) ? Number(cell) : undefined),
};

const yesNo: Cell = {
  write: (value) => (value === true ? 'yes' : 'no'),
  read: (cell) => ({ yes: true, no: false, true: true, false: false })[cell.toLowerCase()],
};

const optionalText: Cell = { write: (value) => (value === null || value === undefined ? '' : value as string), read: (cell) => (cell === '' ? null : cell) };

/** Codes apart by spaces. */
const codes: Cell = { write: (value) => (value as string[]).join(' '), read: (cell) => cell.split(/\s+/).filter((one) => one !== '') };

/** Names apart by semicolons, as they have spaces within. */
const names: Cell = { write: (value) => (value as string[]).join('; '), read: (cell) => cell.split(';').map((one) => one.trim()).filter((one) => one !== '') };

interface Price {
  readonly amountMinor: number;
  readonly currency: string;
}

function pricesRead(cell: string, between: RegExp): Price[] | undefined {
  const prices = cell.split(between).filter((one) => one !== '').map((one) => /^([A-Z]{3})=(\d{1,15})$/.exec(one));
  if (prices.includes(null)) return undefined;
  return prices.map((match) => ({ amountMinor: Number(match![2]), currency: match![1]! }));
}

const pricesWritten = (prices: readonly Price[], between: string): string => prices.map(({ amountMinor, currency }) => `${currency}=${amountMinor}`).join(between);

/** `EUR=900 USD=990`, in minor units. */
const prices: Cell = { write: (value) => pricesWritten(value as Price[], ' '), read: (cell) => pricesRead(cell, /\s+/) };

/** A rule's kind, and after a colon its days: `first-use:180`, `pro-rata:14`, `none`. */
const rule: Cell = {
  write(value) {
    const { kind, withinDays } = value as { kind: string; withinDays?: number };
    return withinDays === undefined ? kind : `${kind}:${withinDays}`;
  },
  read(cell) {
    const match = /^([a-z-]{1,20})(?::(\d{1,5}))?$/.exec(cell);
    if (match === null) return undefined;
    return { kind: match[1], ...(match[2] === undefined ? {} : { withinDays: Number(match[2]) }) };
  },
};

interface TopUp {
  readonly code: string;
  readonly dataBytes: number;
  readonly validityDays: number | null;
  readonly prices: Price[];
}

/** Code, bytes, more days (or none) and prices of each: `plus-1gb 1000000000 7 EUR=300/USD=330; …`. */
const topUps: Cell = {
  write: (value) => (value as TopUp[]).map((one) => `${one.code} ${one.dataBytes} ${one.validityDays ?? 0} ${pricesWritten(one.prices, '/')}`).join('; '),
  read(cell) {
    const offers = cell.split(';').map((one) => one.trim()).filter((one) => one !== '').map((one) => {
      const match = /^(\S{1,60}) (\d{1,16}) (\d{1,5}) (\S{1,400})$/.exec(one);
      const asked = match === null ? undefined : pricesRead(match[4]!, /\//);
      if (match === null || asked === undefined) return undefined;
      return { code: match[1], dataBytes: Number(match[2]), validityDays: match[3] === '0' ? null : Number(match[3]), prices: asked };
    });
    return offers.includes(undefined) ? undefined : offers;
  },
};

const column = (name: string, cell: Cell, path: readonly string[] = [name], optional = false): Column => ({ name, path, cell, optional });
const maybe = (name: string, cell: Cell, path: readonly string[] = [name]): Column => column(name, cell, path, true);

function inLanguages(member: string, optional = false): Column[] {
  return ['en', 'zh-Hans', 'zh-Hant'].map((language) => column(`${member}_${language}`, optional ? optionalText : text, [member, language], optional));
}

const name = inLanguages('name');

/** The columns of each data set's CSV, in the order that export writes. */
export const columnsOf: { readonly [S in CatalogueSet]: readonly Column[] } = {
  countries: [column('code', text), ...name, maybe('also', names), maybe('mccs', codes)],
  regions: [column('code', text), ...name, column('countries', codes), maybe('also', names)],
  operators: [column('code', text), ...name, column('home_country', text, ['homeCountry'])],
  networks: [column('plmn', text), column('country', text), column('name', text), column('rats', codes)],
  coverage: [
    column('operator', text), column('plmn', text), column('rats', codes), column('quality', whole), maybe('typical_mbps', whole, ['typicalMbps']),
  ],
  plans: [
    column('slug', text), column('operator', text), column('kind', text), column('region', optionalText), column('countries', codes),
    column('data_bytes', whole, ['dataBytes']), column('validity_days', whole, ['validityDays']), column('start', rule), column('refund', rule),
    column('top_ups', topUps, ['topUps']), column('hotspot', yesNo), column('max_mbps', whole, ['speed', 'maxMbps']),
    column('after_allowance_kbps', whole, ['speed', 'afterAllowanceKbps']), ...name, ...inLanguages('description'), column('prices', prices),
    maybe('on_sale', yesNo, ['onSale']), maybe('position', whole),
  ],
  devices: [
    column('model', text), column('brand', text), column('name', text), maybe('also', names), column('esim', text), column('rats', codes),
    ...inLanguages('note', true),
  ],
};

/** The value at a path of a row; of a text that is null, null. */
export function valueAt(row: unknown, path: readonly string[]): unknown {
  let value = row;
  for (const member of path) value = value === null || value === undefined ? value : (value as Record<string, unknown>)[member];
  return value;
}

/** The row that these values make; a text without a word in any language is null. */
export function rowFrom(values: readonly { readonly path: readonly string[]; readonly value: unknown }[]): Record<string, unknown> {
  const row: Record<string, unknown> = {};
  for (const { path: [member, inner], value } of values) {
    if (inner === undefined) row[member!] = value;
    else row[member!] = { ...(row[member!] as object | undefined), [inner]: value };
  }
  const note = row['note'];
  if (typeof note === 'object' && note !== null && Object.values(note).every((one) => one === null)) row['note'] = null;
  return row;
}
