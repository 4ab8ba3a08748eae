import { ledgerRoutes } from '@yuanyou/contract';
import { endpoint } from '../platform/http/types.ts';
import type { Endpoint } from '../platform/http/types.ts';
import type { Reader } from '../platform/db/index.ts';
import type { Ledger } from './index.ts';

/** The balance as the traveller sees it. */
export function ledgerEndpoints(ledger: Ledger, db: Reader): Endpoint[] {
  return [
    endpoint(ledgerRoutes.getBalances, async ({ principal }) => {
      const byCurrency = new Map<string, { cash: number; promo: number }>();
      for (const { code, currency, balanceMinor } of await ledger.balances(db, principal.accountId)) {
        const row = byCurrency.get(currency) ?? { cash: 0, promo: 0 };
        row[code.includes(':promo:') ? 'promo' : 'cash'] = Number(balanceMinor);
        byCurrency.set(currency, row);
      }
      return {
        status: 200,
        body: {
          balances: [...byCurrency].map(([currency, { cash, promo }]) => ({
            balance: { amountMinor: cash, currency }, promotionalCredit: { amountMinor: promo, currency },
          })),
        },
      };
    }),
    endpoint(ledgerRoutes.listBalanceEntries, async ({ principal, query }) => {
      const before = query.cursor !== undefined && /^\d{1,18}$/.test(query.cursor) ? BigInt(query.cursor) : null;
      const rows = await ledger.entries(db, principal.accountId, before, query.limit + 1);
      const shown = rows.slice(0, query.limit);
      return {
        status: 200,
        body: {
          items: shown.map((row) => ({
            kind: row.kind,
            at: row.at.toISOString(),
            ledgerAccount: row.code.includes(':promo:') ? 'promotional-credit' as const : 'balance' as const,
            amount: { amountMinor: Number(row.amountMinor), currency: row.currency },
            balanceAfter: { amountMinor: Number(row.balanceAfterMinor), currency: row.currency },
          })),
          nextCursor: rows.length > query.limit ? String(shown.at(-1)!.entryNo) : null,
        },
      };
    }),
  ];
}
