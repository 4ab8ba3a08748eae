import { sql, type Reader, type Tx } from '../db/index.ts';
import type { Json } from '../jobs/types.ts';
import type { Actor, AuditEntry, AuditRecord } from './types.ts';

export function insertEntry(tx: Tx, id: string, at: Date, entry: AuditEntry): void {
  const details = entry.details === undefined ? null : JSON.stringify(entry.details);
  tx.send(sql`
    insert into audit.entry (id, at, actor_kind, actor_id, action, subject_kind, subject_id, account_id, reason, details)
    values (${id}::uuid, ${at}, ${entry.actor.kind}, ${entry.actor.id}, ${entry.action}, ${entry.subjectKind}, ${entry.subjectId},
      ${entry.accountId ?? null}::uuid, ${entry.reason ?? null}, ${details}::jsonb)`);
}

interface Row {
  readonly id: string; readonly at: Date; readonly actor_kind: Actor['kind']; readonly actor_id: string; readonly action: string;
  readonly subject_kind: string; readonly subject_id: string; readonly account_id: string | null; readonly reason: string | null;
  readonly details: Json;
}

/** Newest first, older than the entry `before`. */
export async function listOfSubject(
  db: Reader, subjectKind: string, subjectId: string, before: string, limit: number,
): Promise<AuditRecord[]> {
  return (await db.all(sql<Row>`
    select id, at, actor_kind, actor_id, action, subject_kind, subject_id, account_id, reason, details from audit.entry
    where subject_kind = ${subjectKind} and subject_id = ${subjectId} and id < ${before}::uuid
    order by id desc limit ${limit}`)).map(toRecord);
}

export async function listOfAccount(db: Reader, accountId: string, before: string, limit: number): Promise<AuditRecord[]> {
  return (await db.all(sql<Row>`
    select id, at, actor_kind, actor_id, action, subject_kind, subject_id, account_id, reason, details from audit.entry
    where account_id = ${accountId}::uuid and id < ${before}::uuid
    order by id desc limit ${limit}`)).map(toRecord);
}

function toRecord(row: Row): AuditRecord {
  return {
    id: row.id, at: row.at, actor: { kind: row.actor_kind, id: row.actor_id }, action: row.action, subjectKind: row.subject_kind,
    subjectId: row.subject_id, details: row.details,
    ...(row.account_id === null ? {} : { accountId: row.account_id }), ...(row.reason === null ? {} : { reason: row.reason }),
  };
}
