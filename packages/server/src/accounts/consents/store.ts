import type { DocumentKind } from '@yuanyou/contract';
import { sql } from '../../platform/db/index.ts';
import type { Reader, Tx } from '../../platform/db/types.ts';

export interface DocumentRow {
  readonly kind: DocumentKind;
  readonly version: string;
  readonly url: string;
  readonly sha256: Buffer;
  readonly effectiveAt: Date;
}

const documentColumns = sql.raw('kind, version, url, sha256, effective_at as "effectiveAt"');

/** One of each kind: the latest whose time has come. */
export function listInForce(db: Reader, now: Date): Promise<DocumentRow[]> {
  return db.all<DocumentRow>(sql`
    select distinct on (kind) ${documentColumns} from accounts.document where effective_at <= ${now} order by kind, effective_at desc, version desc`);
}

export function findDocument(db: Reader, kind: string, version: string): Promise<DocumentRow | undefined> {
  return db.maybe<DocumentRow>(sql`select ${documentColumns} from accounts.document where kind = ${kind} and version = ${version}`);
}

export async function insertDocument(tx: Tx, row: DocumentRow): Promise<boolean> {
  return await tx.run(sql`
    insert into accounts.document (kind, version, url, sha256, effective_at) values (${row.kind}, ${row.version}, ${row.url}, ${row.sha256}, ${row.effectiveAt})
    on conflict do nothing`) === 1;
}

export interface ConsentRow {
  readonly id: string;
  readonly kind: DocumentKind;
  readonly version: string;
  readonly granted: boolean;
  readonly at: Date;
}

/** The same id again changes nothing. */
export async function insertConsent(tx: Tx, accountId: string, row: ConsentRow): Promise<void> {
  await tx.run(sql`
    insert into accounts.consent (id, account_id, kind, version, granted, at) values (${row.id}, ${accountId}, ${row.kind}, ${row.version}, ${row.granted}, ${row.at})
    on conflict do nothing`);
}

/** Newest first. */
export function listConsents(db: Reader, accountId: string, limit: number): Promise<ConsentRow[]> {
  return db.all<ConsentRow>(sql`
    select id, kind, version, granted, at from accounts.consent where account_id = ${accountId} order by at desc, id desc limit ${limit}`);
}

/** What stands of each kind: the latest decision. */
export function listStanding(db: Reader, accountId: string): Promise<ConsentRow[]> {
  return db.all<ConsentRow>(sql`
    select distinct on (kind) id, kind, version, granted, at from accounts.consent where account_id = ${accountId} order by kind, at desc, id desc`);
}

export async function deleteConsents(tx: Tx, accountId: string): Promise<number> {
  return tx.run(sql`delete from accounts.consent where account_id = ${accountId}`);
}
