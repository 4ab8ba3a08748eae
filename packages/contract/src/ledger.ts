import { z } from 'zod';
import { instant, page, paging } from './core/ids.ts';
import { money } from './core/money.ts';
import { problems } from './core/problem.ts';
import { route } from './core/route.ts';

/** A traveller's money: what was paid in and can go back, and what was given as promotional credit. */
export const balances = z.object({
  balances: z.array(z.object({ balance: money, promotionalCredit: money })),
}).meta({ id: 'Balances' });

/** One entry of the balance history; `amount` is negative when it left the balance. */
export const balanceEntry = z.object({
  kind: z.string(),
  at: instant,
  ledgerAccount: z.enum(['balance', 'promotional-credit']),
  amount: money,
  balanceAfter: money,
}).meta({ id: 'BalanceEntry' });

export const ledgerRoutes = {
  getBalances: route({
    operationId: 'getBalances', method: 'GET', path: '/v1/balances', tag: 'Balance', audience: 'traveller', whileLeaving: true,
    summary: 'The balance and the promotional credit, by currency', responses: { 200: balances },
  }),
  listBalanceEntries: route({
    operationId: 'listBalanceEntries', method: 'GET', path: '/v1/balances/entries', tag: 'Balance', audience: 'traveller', whileLeaving: true,
    summary: 'The history of the balance, newest first', query: paging, responses: { 200: page(balanceEntry) },
  }),
} as const;

export const ledgerProblems = problems({
  'ledger/overdraft': {
    status: 409,
    title: { en: 'There is not enough balance for this.', 'zh-Hans': '余额不足。', 'zh-Hant': '餘額不足。' },
  },
  'ledger/unbalanced': {
    status: 500,
    title: { en: 'Something went wrong on our side; nothing was booked.', 'zh-Hans': '我们这边出了问题，未记任何账。', 'zh-Hant': '我們這邊出了問題，未記任何帳。' },
  },
  'ledger/id-reused': {
    status: 409,
    title: { en: 'This was already booked with other amounts.', 'zh-Hans': '这笔已按不同金额入账。', 'zh-Hant': '這筆已按不同金額入帳。' },
  },
  'ledger/no-account': {
    status: 500,
    title: { en: 'Something went wrong on our side; nothing was booked.', 'zh-Hans': '我们这边出了问题，未记任何账。', 'zh-Hant': '我們這邊出了問題，未記任何帳。' },
  },
  'ledger/immutable': {
    status: 500,
    title: { en: 'Books cannot be changed.', 'zh-Hans': '账目不可更改。', 'zh-Hant': '帳目不可更改。' },
  },
});
