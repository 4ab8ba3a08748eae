import { sql } from '../platform/db/index.ts';
import type { Reader, Tx } from '../platform/db/index.ts';
import type { ChartRow } from './chart.ts';
import type { LedgerAccountKind } from './model.ts';

export async function insertAccounts(tx: Tx, rows: readonly ChartRow[], openedAt: Date): Promise<void> {
  await tx.run(sql`
    insert into ledger.account (code, kind, currency, guarded, account_id, opened_at)
    select code, kind, currency, guarded, account_id, ${openedAt}
      from unnest(${rows.map((r) => r.code)}::text[], ${rows.map((r) => r.kind)}::text[], ${rows.map((r) => r.currency)}::text[],
                  ${rows.map((r) => r.guarded)}::boolean[], ${rows.map((r) => r.accountId ?? null)}::uuid[])
           as u (code, kind, currency, guarded, account_id)
     order by code
    on conflict (code) do nothing`);
}

export async function postTransfer(
  tx: Tx, id: string, kind: string, at: Date, refs: Readonly<Record<string, string>>, codes: readonly string[], amounts: readonly bigint[],
): Promise<boolean> {
  const row = await tx.one<{ posted: boolean }>(sql`
    select ledger.post(${id}, ${kind}, ${at}, ${JSON.stringify(refs)}::jsonb, ${codes}::text[], ${amounts.map(String)}::bigint[]) as posted`);
  return row.posted;
}

export async function guardedBalance(db: Reader, code: string): Promise<bigint | undefined> {
  const row = await db.maybe<{ balance_minor: bigint }>(sql`select balance_minor from ledger.account where code = ${code} and guarded`);
  return row?.balance_minor;
}

export interface TravellerBalance {
  readonly code: string;
  readonly currency: string;
  readonly balanceMinor: bigint;
}

export function balancesOf(db: Reader, accountId: string): Promise<TravellerBalance[]> {
  return db.all<TravellerBalance>(sql`
    select code, currency, -balance_minor as "balanceMinor" from ledger.account where account_id = ${accountId} order by code`);
}

export interface EntryRow {
  readonly entryNo: bigint;
  readonly transferId: string;
  readonly code: string;
  readonly currency: string;
  readonly kind: string;
  readonly at: Date;
  readonly amountMinor: bigint;
  readonly balanceAfterMinor: bigint;
  readonly refs: Readonly<Record<string, string>>;
}

/** A traveller's entries, newest first; amounts as the traveller sees them (credit positive). */
export function entriesOf(db: Reader, accountId: string, beforeEntryNo: bigint | null, limit: number): Promise<EntryRow[]> {
  return db.all<EntryRow>(sql`
    select e.entry_no as "entryNo", e.transfer_id as "transferId", a.code, a.currency, t.kind, t.at,
           -e.amount_minor as "amountMinor", -e.balance_after as "balanceAfterMinor", t.refs
      from ledger.account a
      cross join lateral (
        select * from ledger.entry e
         where e.account_code = a.code and (${beforeEntryNo}::bigint is null or e.entry_no < ${beforeEntryNo}::bigint)
         order by e.entry_no desc limit ${limit}) e
      join ledger.transfer t on t.id = e.transfer_id
     where a.account_id = ${accountId}
     order by e.entry_no desc limit ${limit}`);
}

export interface TrialBalanceRow {
  readonly code: string;
  readonly kind: LedgerAccountKind;
  readonly currency: string;
  readonly debitMinor: bigint;
  readonly creditMinor: bigint;
}

/** Sums of all entries by account; a whole scan, for reports and checks, never on a request's path. */
export function sumsByAccount(db: Reader): Promise<TrialBalanceRow[]> {
  return db.all<TrialBalanceRow>(sql`
    select a.code, a.kind, a.currency,
           coalesce(sum(e.amount_minor) filter (where e.amount_minor > 0), 0)::bigint as "debitMinor",
           coalesce(-sum(e.amount_minor) filter (where e.amount_minor < 0), 0)::bigint as "creditMinor"
      from ledger.account a left join ledger.entry e on e.account_code = a.code
     group by a.code order by a.code`);
}

/** Guarded accounts whose running balance or version chain does not follow from their entries. */
export function brokenChains(db: Reader): Promise<{ code: string }[]> {
  return db.all<{ code: string }>(sql`
    select a.code
      from ledger.account a
      left join lateral (
        select sum(e.amount_minor) as total, count(*) as steps, max(e.version_after) as last,
               bool_and(e.balance_after = e.running) as chained
          from (select *, sum(amount_minor) over (order by version_after) as running
                  from ledger.entry where account_code = a.code) e) s on true
     where a.guarded
       and (a.balance_minor <> coalesce(s.total, 0) or a.version <> coalesce(s.steps, 0)
            or a.version <> coalesce(s.last, 0) or not coalesce(s.chained, true))
     order by a.code`);
}
