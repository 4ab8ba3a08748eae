import type { CatalogueRow, DeviceModel, ListedPlan } from '@yuanyou/contract';
import type { Reader } from '../platform/db/index.ts';
import { refundText, startText } from './model.ts';
import * as store from './store.ts';

/** A plan as the shop shows it, and whether it is on sale. */
export function planOf({ wording, dataBytes, operator: _, ...row }: store.PlanRow): ListedPlan {
  return { ...row, ...wording, dataBytes: Number(dataBytes), refundText: refundText(row.refund), startText: startText(row.start) };
}

type Rats = DeviceModel['rats'];

/** An operator that serves a country: `plans` and `fromPrices` are those of its plans that work there. */
export interface ServingOperator {
  readonly operatorId: string;
  readonly code: string;
  readonly name: CatalogueRow<'operators'>['name'];
  readonly quality: number;
  readonly typicalMbps: number | null;
  readonly rats: Rats;
  readonly networks: { readonly plmn: string; readonly name: string; readonly rats: Rats; readonly quality: number }[];
  readonly plans: number;
  readonly fromPrices: { readonly amountMinor: number; readonly currency: string }[];
}

/** The operators that serve a country, the best first, each with what its plans cost at least. */
export async function servingOperators(db: Reader, country: string): Promise<ServingOperator[]> {
  const [coverage, lowest] = await Promise.all([store.coverageOf(db, country), store.lowestPrices(db, country)]);
  const byOperator = Map.groupBy(coverage, ({ operatorId }) => operatorId);
  return [...byOperator].map(([operatorId, rows]) => {
    // Rows come by quality, so the first is its best network.
    const [{ code, name, quality, typicalMbps }] = rows as [store.CoverageRow, ...store.CoverageRow[]];
    const prices = lowest.filter((price) => price.operatorId === operatorId);
    return {
      operatorId, code, name, quality, typicalMbps,
      rats: [...new Set(rows.flatMap(({ rats }) => rats))].toSorted(),
      networks: rows.map((row) => ({ plmn: row.plmn, name: row.networkName, rats: row.rats, quality: row.quality })),
      plans: Math.max(0, ...prices.map(({ plans }) => plans)),
      fromPrices: prices.map(({ amountMinor, currency }) => ({ amountMinor: Number(amountMinor), currency })),
    };
  });
}
