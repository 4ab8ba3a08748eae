import type { Clock } from '../platform/clock/index.ts';
import type { Reader, Tx } from '../platform/db/index.ts';
import { ServiceError } from '../platform/errors.ts';
import type { Concern, ExportFile, SubjectHolder } from '../platform/subject/index.ts';
import { houseChart, partnerChart, travellerChart } from './chart.ts';
import { faultOf, signedMinor } from './model.ts';
import type { Transfer } from './model.ts';
import * as store from './store.ts';

export * as recipes from './recipes.ts';
export { ledgerEndpoints } from './routes.ts';
export { cashAccount, houseAccount, partnerPayable, promoAccount } from './chart.ts';
export type { Entry, Transfer } from './model.ts';
export type { EntryRow, TravellerBalance } from './store.ts';

/** The result of checking the books as a whole. */
export interface BooksCheck {
  /** Sum over all entries by currency; every value is 0n when the books balance. */
  readonly sums: Readonly<Record<string, bigint>>;
  readonly accounts: readonly store.TrialBalanceRow[];
  /** Guarded accounts whose balance does not follow from their entries. */
  readonly broken: readonly string[];
  readonly ok: boolean;
}

export interface Ledger {
  /** Opens the house's own accounts in a currency. Idempotent. */
  openHouse(tx: Tx, currency: string): Promise<void>;
  /** Opens a traveller's accounts in a currency. Idempotent. */
  openTraveller(tx: Tx, accountId: string, currency: string): Promise<void>;
  openPartner(tx: Tx, partnerId: string, currency: string): Promise<void>;
  /**
   * Posts a transfer; a repeat of the same transfer answers `already`.
   * @throws ServiceError `ledger/overdraft`, `ledger/unbalanced`, `ledger/id-reused`, `ledger/no-account`
   */
  post(tx: Tx, transfer: Transfer): Promise<'posted' | 'already'>;
  /** Balance of a traveller's ledger account in minor units, positive when we owe it; 0n when it was never opened. */
  balance(db: Reader, code: string): Promise<bigint>;
  balances(db: Reader, accountId: string): Promise<store.TravellerBalance[]>;
  entries(db: Reader, accountId: string, before: bigint | null, limit: number): Promise<store.EntryRow[]>;
  checkBooks(db: Reader): Promise<BooksCheck>;
  readonly holder: SubjectHolder;
}

const codesBySqlState: Readonly<Record<string, string>> = {
  YL001: 'ledger/immutable',
  YL002: 'ledger/unbalanced',
  YL003: 'ledger/id-reused',
  YL004: 'ledger/no-account',
  YL005: 'ledger/overdraft',
};

function translated(error: unknown): unknown {
  const state = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
  const code = codesBySqlState[state];
  return code === undefined ? error : new ServiceError(code, {}, { cause: error });
}

async function post(tx: Tx, transfer: Transfer): Promise<'posted' | 'already'> {
  const fault = faultOf(transfer);
  if (fault !== undefined) throw new ServiceError('ledger/unbalanced', { fault });
  try {
    const posted = await store.postTransfer(
      tx, transfer.id, transfer.kind, transfer.at, transfer.refs, transfer.entries.map((e) => e.account), transfer.entries.map(signedMinor));
    return posted ? 'posted' : 'already';
  } catch (error) {
    throw translated(error);
  }
}

async function checkBooks(db: Reader): Promise<BooksCheck> {
  const accounts = await store.sumsByAccount(db);
  const sums: Record<string, bigint> = {};
  for (const row of accounts) sums[row.currency] = (sums[row.currency] ?? 0n) + row.debitMinor - row.creditMinor;
  const broken = (await store.brokenChains(db)).map((row) => row.code);
  return { sums, accounts, broken, ok: broken.length === 0 && Object.values(sums).every((sum) => sum === 0n) };
}

async function concerns(db: Reader, accountId: string): Promise<Concern[]> {
  const found: Concern[] = [];
  for (const { code, currency, balanceMinor } of await store.balancesOf(db, accountId)) {
    if (balanceMinor === 0n) continue;
    const promotional = code.includes(':promo:');
    found.push({
      code: promotional ? 'ledger/promotional-credit' : 'ledger/balance',
      severity: 'choice',
      title: promotional
        ? { en: 'Promotional credit cannot be paid out; it ends with the account', 'zh-Hans': '赠送金额不能提现，将随账户一同结束', 'zh-Hant': '贈送金額不能提領，將隨帳戶一同結束' }
        : { en: 'Your balance: choose where it goes', 'zh-Hans': '您的余额：请选择退到哪里', 'zh-Hant': '您的餘額：請選擇退到哪裡' },
      amount: { amountMinor: Number(balanceMinor), currency },
      owner: 'traveller',
      fix: { operationId: 'applyForClosure' },
    });
  }
  return found;
}

async function exportEntries(db: Reader, accountId: string): Promise<ExportFile[]> {
  const rows: ExportFile['rows'][number][] = [];
  let before: bigint | null = null;
  for (;;) {
    const batch: store.EntryRow[] = await store.entriesOf(db, accountId, before, 500);
    for (const row of batch) {
      rows.push({
        at: row.at.toISOString(), kind: row.kind, ledgerAccount: row.code.includes(':promo:') ? 'promotional credit' : 'balance',
        amountMinor: Number(row.amountMinor), balanceAfterMinor: Number(row.balanceAfterMinor), currency: row.currency,
      });
    }
    const last = batch.at(-1);
    if (last === undefined || batch.length < 500) return [{ name: 'balance-history', rows }];
    before = last.entryNo;
  }
}

/** The books: accounts, transfers, balances and their checks. */
export function createLedger(deps: { readonly clock: Clock }): Ledger {
  const now = (): Date => deps.clock.now();
  return {
    openHouse: (tx, currency) => store.insertAccounts(tx, houseChart(currency), now()),
    openTraveller: (tx, accountId, currency) => store.insertAccounts(tx, travellerChart(accountId, currency), now()),
    openPartner: (tx, partnerId, currency) => store.insertAccounts(tx, [partnerChart(partnerId, currency)], now()),
    post,
    balance: async (db, code) => -((await store.guardedBalance(db, code)) ?? 0n),
    balances: store.balancesOf,
    entries: store.entriesOf,
    checkBooks,
    holder: {
      slice: 'ledger',
      closureConcerns: concerns,
      exportData: exportEntries,
      // Books are kept as the law asks; they name the account only by its internal id, which leads nowhere after erasure.
      erase: async (tx, accountId) => ({ erased: {}, kept: { ledgerAccounts: (await store.balancesOf(tx, accountId)).length } }),
    },
  };
}
