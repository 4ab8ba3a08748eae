import type { LocalText } from '@yuanyou/contract';
import type { Reader } from '../platform/db/index.ts';
import * as store from './store.ts';
import { beginningsOf, placesOf, spansOf, unitsOf, wishOf } from './words.ts';

/** Where a search goes on: whether it had to take any of the places, and the fit of the last plan. */
export interface SearchAfter {
  readonly any: boolean;
  readonly fit: store.Fit;
}

interface Found {
  readonly plans: (store.PlanRow & { fit: store.Fit })[];
  /** True when no plan reached all the places named, so that those which reach one of them were taken. */
  readonly any: boolean;
  readonly understood: {
    readonly places: { readonly code: string; readonly name: LocalText }[];
    readonly dataBytes: number | null;
    readonly validityDays: number | null;
    readonly unknownWords: string[];
  };
}

function byTerm(rows: readonly { readonly asked: string; readonly place: string }[]): Map<string, string[]> {
  const terms = new Map<string, string[]>();
  for (const { asked, place } of rows) terms.set(asked, [...terms.get(asked) ?? [], place]);
  return terms;
}

/** A region is also served by plans for the whole world. */
function widened(group: readonly string[]): string[] {
  return group.some((place) => place !== place.toUpperCase()) ? [...new Set([...group, 'world'])] : [...group];
}

/** Finds plans for words in any of the languages: places, an amount, a period, in any order. */
export async function search(db: Reader, query: string, after: SearchAfter | null, limit: number): Promise<Found> {
  const { dataBytes, validityDays, pieces } = wishOf(query);
  const units = unitsOf(pieces);
  const spans = spansOf(units);
  const terms = spans.length === 0 ? [] : await store.placeTerms(db, spans.map(({ term }) => term), beginningsOf(spans));
  const { groups, unknown } = placesOf(units, byTerm(terms.filter(({ whole }) => whole)), byTerm(terms.filter(({ whole }) => !whole)));
  const names = new Map(terms.map(({ place, name }) => [place, name]));
  const places = [...new Set(groups.flat())].map((code) => ({ code, name: names.get(code)! }));
  const understood = { places, dataBytes, validityDays, unknownWords: unknown };
  if (groups.length === 0 && dataBytes === null) return { plans: [], any: false, understood };
  const all = groups.map(widened);
  const find = (wanted: readonly (readonly string[])[]) => store.searchPlans(db, { groups: wanted, dataBytes, validityDays }, after?.fit ?? null, limit);
  const plans = after?.any === true ? [] : await find(all);
  if (plans.length > 0 || all.length < 2 || after?.any === false) return { plans, any: false, understood };
  return { plans: await find([all.flat()]), any: true, understood };
}
