import type { CatalogueFault, CatalogueRow, CatalogueSet } from '@yuanyou/contract';

/** What the catalogue holds that rows of a file point to. */
export interface Known {
  readonly countries: ReadonlySet<string>;
  readonly regions: ReadonlySet<string>;
  readonly operators: ReadonlySet<string>;
  readonly networks: ReadonlyMap<string, CatalogueRow<'networks'>>;
  /** Operator and country, a space between. */
  readonly covered: ReadonlySet<string>;
}

/** Something wrong with a row: its member, what, and the value. */
export type RowFault = readonly [member: string, fault: CatalogueFault['fault'], value: string];

type Check<S extends CatalogueSet> = (row: CatalogueRow<S>, known: Known) => RowFault[];

function missing(member: string, fault: CatalogueFault['fault'], values: readonly string[], known: { has(value: string): boolean }): RowFault[] {
  return values.filter((value) => !known.has(value)).map((value) => [member, fault, value]);
}

function repeated(member: string, values: readonly string[]): RowFault[] {
  return [...new Set(values.filter((value, at) => values.indexOf(value) !== at))].map((value) => [member, 'repeated-value', value]);
}

/** A plan for one country names no region, another reaches several. */
function kindFaults({ kind, region, countries }: CatalogueRow<'plans'>): RowFault[] {
  const fits = kind === 'single' ? countries.length === 1 && region === null : countries.length > 1;
  return fits ? [] : [['kind', 'wrong-kind', kind]];
}

function planFaults(row: CatalogueRow<'plans'>, known: Known): RowFault[] {
  const operator = missing('operator', 'unknown-operator', [row.operator], known.operators);
  const countries = missing('countries', 'unknown-country', row.countries, known.countries);
  const uncovered = operator.length > 0 ? [] : row.countries.filter((one) => known.countries.has(one) && !known.covered.has(`${row.operator} ${one}`));
  return [
    ...operator, ...countries, ...kindFaults(row),
    ...missing('region', 'unknown-region', row.region === null ? [] : [row.region], known.regions),
    ...uncovered.map((one): RowFault => ['countries', 'not-covered', one]),
    ...repeated('countries', row.countries),
    ...repeated('prices', row.prices.map(({ currency }) => currency)),
    ...repeated('topUps', row.topUps.map(({ code }) => code)),
    ...row.topUps.flatMap((offer) => repeated('topUps', offer.prices.map(({ currency }) => currency))),
  ];
}

function coverageFaults({ operator, plmn, rats }: CatalogueRow<'coverage'>, { operators, networks }: Known): RowFault[] {
  const there = networks.get(plmn)?.rats;
  return [
    ...missing('operator', 'unknown-operator', [operator], operators), ...missing('plmn', 'unknown-network', [plmn], networks),
    ...repeated('rats', rats), ...missing('rats', 'rat-not-there', there === undefined ? [] : rats, new Set<string>(there)),
  ];
}

const checks: { readonly [S in CatalogueSet]: Check<S> } = {
  countries: ({ mccs }) => repeated('mccs', mccs),
  regions: ({ countries }, known) => [...missing('countries', 'unknown-country', countries, known.countries), ...repeated('countries', countries)],
  operators: ({ code, homeCountry }, known) => [
    ...missing('code', 'unknown-operator', [code], known.operators), ...missing('homeCountry', 'unknown-country', [homeCountry], known.countries),
  ],
  networks: ({ country, rats }, known) => [...missing('country', 'unknown-country', [country], known.countries), ...repeated('rats', rats)],
  coverage: coverageFaults,
  plans: planFaults,
  devices: ({ rats }) => repeated('rats', rats),
};

/** What is wrong with a row beside the catalogue it comes into. */
export function faultsBeside<S extends CatalogueSet>(set: S, row: CatalogueRow<S>, known: Known): RowFault[] {
  return checks[set](row, known);
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1)).map(([key, inner]) => [key, sorted(inner)]));
}

/** Whether two rows say the same; the order of prices says nothing. */
export function saysTheSame(one: CatalogueRow, other: CatalogueRow): boolean {
  const form = (row: CatalogueRow): string => JSON.stringify(sorted('prices' in row
    ? { ...row, prices: row.prices.toSorted((a, b) => (a.currency < b.currency ? -1 : 1)) } : row));
  return form(one) === form(other);
}
