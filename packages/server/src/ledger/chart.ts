import type { LedgerAccountKind } from './model.ts';

/** An account of the chart: its code, what kind it is, and whether it keeps a guarded running balance. */
export interface ChartRow {
  readonly code: string;
  readonly kind: LedgerAccountKind;
  readonly currency: string;
  readonly guarded: boolean;
  readonly accountId?: string;
}

/** The house's own accounts in one currency. */
const house = {
  gateway: 'asset',
  'refunds-payable': 'liability',
  'deferred-revenue': 'liability',
  'revenue:plans': 'revenue',
  'revenue:breakage': 'revenue',
  promotions: 'expense',
  'partner-cost': 'expense',
  'late-usage-loss': 'expense',
} as const satisfies Record<string, LedgerAccountKind>;

export type HouseAccount = keyof typeof house;

/** The code of one of the house's accounts, for example `deferred-revenue:EUR`. */
export function houseAccount(account: HouseAccount, currency: string): string {
  return `${account}:${currency}`;
}

/** A traveller's money that came from a payment and can go back to one. */
export function cashAccount(accountId: string, currency: string): string {
  return `traveller:${accountId}:cash:${currency}`;
}

/** A traveller's promotional credit: spendable, never paid out. */
export function promoAccount(accountId: string, currency: string): string {
  return `traveller:${accountId}:promo:${currency}`;
}

/** What we owe a partner for use by our travellers. */
export function partnerPayable(partnerId: string, currency: string): string {
  return `partner-payable:${partnerId}:${currency}`;
}

/** Every account of the house in one currency. */
export function houseChart(currency: string): ChartRow[] {
  return Object.entries(house).map(([name, kind]) => ({ code: houseAccount(name as HouseAccount, currency), kind, currency, guarded: false }));
}

/** The two accounts of one traveller in one currency. */
export function travellerChart(accountId: string, currency: string): ChartRow[] {
  return [cashAccount(accountId, currency), promoAccount(accountId, currency)].map((code) => ({
    code, kind: 'liability', currency, guarded: true, accountId,
  }));
}

export function partnerChart(partnerId: string, currency: string): ChartRow {
  return { code: partnerPayable(partnerId, currency), kind: 'liability', currency, guarded: false };
}
