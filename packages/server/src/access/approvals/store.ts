import type { Permission } from '@yuanyou/contract';
import { sql } from '../../platform/db/index.ts';
import type { Reader, Tx } from '../../platform/db/types.ts';
import type { Json } from '../../platform/jobs/types.ts';

export type ApprovalState = 'pending' | 'approved' | 'refused' | 'used' | 'expired';

export interface ApprovalRow {
  readonly id: string;
  readonly kind: string;
  /** Of whoever may agree. */
  readonly permission: Permission;
  readonly subjectKind: string;
  readonly subjectId: string;
  readonly details: Json;
  readonly state: ApprovalState;
  readonly askedBy: string;
  readonly askedAt: Date;
  readonly decidedBy: string | null;
  readonly decidedAt: Date | null;
  readonly decisionText: string | null;
  readonly usedAt: Date | null;
  readonly expiresAt: Date;
}

const columns = sql.raw(`id, kind, permission, subject_kind as "subjectKind", subject_id as "subjectId", details, state, asked_by as "askedBy",
  asked_at as "askedAt", decided_by as "decidedBy", decided_at as "decidedAt", decision_text as "decisionText", used_at as "usedAt", expires_at as "expiresAt"`);

export async function isRuleOn(db: Reader, kind: string): Promise<boolean> {
  return await db.maybe(sql`select 1 from access.approval_rule where kind = ${kind}`) !== undefined;
}

export async function listRulesOn(db: Reader): Promise<{ kind: string; changedAt: Date }[]> {
  return db.all(sql`select kind, changed_at as "changedAt" from access.approval_rule order by kind limit 1000`);
}

export async function putRule(tx: Tx, kind: string, agentId: string, at: Date): Promise<void> {
  await tx.run(sql`insert into access.approval_rule (kind, changed_by, changed_at) values (${kind}, ${agentId}, ${at}) on conflict do nothing`);
}

export async function deleteRule(tx: Tx, kind: string): Promise<void> {
  await tx.run(sql`delete from access.approval_rule where kind = ${kind}`);
}

export interface Act {
  readonly kind: string;
  readonly subjectKind: string;
  readonly subjectId: string;
  readonly digest: Buffer;
}

/** The open approval of an act, locked until the transaction ends. */
export function findOpen(tx: Tx, act: Act): Promise<ApprovalRow | undefined> {
  return tx.maybe<ApprovalRow>(sql`
    select ${columns} from access.approval
     where kind = ${act.kind} and subject_kind = ${act.subjectKind} and subject_id = ${act.subjectId} and details_digest = ${act.digest}
       and state in ('pending', 'approved')
       for update`);
}

/** False when the same act was asked for at the same time. */
export async function insertApproval(
  tx: Tx, row: Act & { id: string; permission: Permission; details: Json; askedBy: string; at: Date; expiresAt: Date },
): Promise<boolean> {
  return await tx.run(sql`
    insert into access.approval (id, kind, permission, subject_kind, subject_id, details, details_digest, state, asked_by, asked_at, expires_at)
    values (${row.id}, ${row.kind}, ${row.permission}, ${row.subjectKind}, ${row.subjectId}, ${JSON.stringify(row.details)}::jsonb, ${row.digest}, 'pending',
      ${row.askedBy}, ${row.at}, ${row.expiresAt})
    on conflict do nothing`) === 1;
}

export function findApproval(db: Reader, approvalId: string): Promise<ApprovalRow | undefined> {
  return db.maybe<ApprovalRow>(sql`select ${columns} from access.approval where id = ${approvalId}`);
}

export function lockApproval(tx: Tx, approvalId: string): Promise<ApprovalRow | undefined> {
  return tx.maybe<ApprovalRow>(sql`select ${columns} from access.approval where id = ${approvalId} for update`);
}

/** Newest first, before the id last seen. */
export function listApprovals(db: Reader, states: readonly ApprovalState[], before: string | null, limit: number): Promise<ApprovalRow[]> {
  return db.all<ApprovalRow>(sql`
    select ${columns} from access.approval
     where state = any(${states}::text[])
       and (${before}::uuid is null or id < ${before}::uuid)
     order by id desc limit ${limit}`);
}

export async function decideApproval(
  tx: Tx, approvalId: string, decision: { state: 'approved' | 'refused'; by: string; at: Date; text: string; expiresAt: Date },
): Promise<void> {
  await tx.run(sql`
    update access.approval
       set state = ${decision.state}, decided_by = ${decision.by}, decided_at = ${decision.at}, decision_text = ${decision.text}, expires_at = ${decision.expiresAt}
     where id = ${approvalId}`);
}

export async function markUsed(tx: Tx, approvalId: string, by: string, at: Date): Promise<void> {
  await tx.run(sql`update access.approval set state = 'used', used_by = ${by}, used_at = ${at} where id = ${approvalId}`);
}

export async function markExpired(tx: Tx, approvalId: string): Promise<void> {
  await tx.run(sql`update access.approval set state = 'expired' where id = ${approvalId}`);
}

export async function expireApprovals(tx: Tx, now: Date): Promise<number> {
  return tx.run(sql`
    update access.approval set state = 'expired' where id in
      (select id from access.approval where state in ('pending', 'approved') and expires_at <= ${now} order by expires_at limit 1000 for update skip locked)`);
}
