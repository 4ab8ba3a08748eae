import { sql } from '../platform/db/index.ts';
import type { Reader, Tx } from '../platform/db/index.ts';
import type { CallName, Receipt } from './ports.ts';

/** An operator as stored, without its key. */
export interface Operator {
  readonly operatorId: string;
  readonly code: string;
  readonly name: string;
  readonly plmns: readonly string[];
  readonly restUrl: string;
  readonly feedFolder: string;
  readonly costPerGigabyteMinor: bigint;
  readonly currency: string;
  readonly createdAt: Date;
}

const columns = sql.raw(`id as "operatorId", code, name, plmns, rest_url as "restUrl", feed_folder as "feedFolder",
  cost_per_gigabyte_minor as "costPerGigabyteMinor", currency, created_at as "createdAt"`);

/** Inserts or updates by code; answers the id that stands. */
export async function upsertOperator(tx: Tx, o: Operator & { readonly apiKey: Buffer }): Promise<string> {
  const row = await tx.one<{ id: string }>(sql`
    insert into partners.operator (id, code, name, plmns, rest_url, api_key, feed_folder, cost_per_gigabyte_minor, currency, created_at)
    values (${o.operatorId}, ${o.code}, ${o.name}, ${o.plmns}::text[], ${o.restUrl}, ${o.apiKey}, ${o.feedFolder},
            ${o.costPerGigabyteMinor}::bigint, ${o.currency}, ${o.createdAt})
    on conflict (code) do update
       set name = excluded.name, plmns = excluded.plmns, rest_url = excluded.rest_url, api_key = excluded.api_key,
           feed_folder = excluded.feed_folder, cost_per_gigabyte_minor = excluded.cost_per_gigabyte_minor, currency = excluded.currency
    returning id`);
  return row.id;
}

export function findOperator(db: Reader, operatorId: string): Promise<(Operator & { readonly apiKey: Buffer }) | undefined> {
  return db.maybe(sql`select ${columns}, api_key as "apiKey" from partners.operator where id = ${operatorId}`);
}

export function operators(db: Reader, afterCode: string | null, limit: number): Promise<Operator[]> {
  return db.all(sql`
    select ${columns} from partners.operator
     where ${afterCode}::text is null or code > ${afterCode}::text
     order by code limit ${limit}`);
}

export async function insertReceipt(tx: Tx, r: Receipt): Promise<void> {
  await tx.run(sql`
    insert into partners.receipt (request_id, operator_id, call, reference, state, at)
    values (${r.requestId}, ${r.operatorId}, ${r.call}, ${r.reference}, ${r.state}, ${r.at})
    on conflict (request_id) do nothing`);
}

export function findReceipt(db: Reader, requestId: string): Promise<Receipt | undefined> {
  return db.maybe<Receipt & { call: CallName }>(sql`
    select request_id as "requestId", operator_id as "operatorId", call, reference, state, at from partners.receipt where request_id = ${requestId}`);
}
