import type { ClosureAction, ClosureState } from '@yuanyou/contract';
import type { Actor } from '../platform/audit/types.ts';
import { sql } from '../platform/db/index.ts';
import type { Reader, Tx } from '../platform/db/index.ts';
import { newId } from '../platform/ids.ts';
import type { Case, ErasureReport, FiredRule, Refusal, Settlement } from './model.ts';

const columns = sql`case_id as "caseId", case_number as "caseNumber", account_id as "accountId", state, language, choices, reason, rules, refusal,
  receipt_id as "receiptId", submitted_at as "submittedAt", target_at as "targetAt", promised_at as "promisedAt", cooling_off_until as "coolingOffUntil",
  executing_at as "executingAt", execution_id as "executionId", completed_at as "completedAt", envelope, envelope_destroyed_at as "envelopeDestroyedAt", confirmation_id as "confirmationId", settlement, erasure`;

export interface NewCase {
  readonly caseId: string;
  readonly caseNumber: string;
  readonly accountId: string;
  readonly idempotencyKey: string;
  readonly receiptId: string;
  readonly language: string;
  readonly choices: Case['choices'];
  readonly reason: string | null;
  readonly reasonSealed: Buffer | null;
  readonly accessCodeHash: Buffer;
  readonly accessCodeSealed: Buffer;
  readonly submittedAt: Date;
  readonly targetAt: Date;
  readonly promisedAt: Date;
}

export async function insertCase(tx: Tx, c: NewCase): Promise<void> {
  await tx.run(sql`
    insert into closure.case (case_id, case_number, account_id, idempotency_key, receipt_id, state, language, choices, reason, reason_sealed,
                              access_code_hash, access_code_sealed, submitted_at, target_at, promised_at)
    values (${c.caseId}, ${c.caseNumber}, ${c.accountId}, ${c.idempotencyKey}, ${c.receiptId}, 'submitted', ${c.language}, ${JSON.stringify(c.choices)}::jsonb, ${c.reason},
            ${c.reasonSealed}, ${c.accessCodeHash}, ${c.accessCodeSealed}, ${c.submittedAt}, ${c.targetAt}, ${c.promisedAt})`);
}

export function findCase(db: Reader, caseId: string): Promise<Case | undefined> {
  return db.maybe<Case>(sql`select ${columns} from closure.case where case_id = ${caseId}`);
}

export function lockCase(tx: Tx, caseId: string): Promise<Case | undefined> {
  return tx.maybe<Case>(sql`select ${columns} from closure.case where case_id = ${caseId} for update`);
}

export function openCaseOf(db: Reader, accountId: string): Promise<Case | undefined> {
  return db.maybe<Case>(sql`
    select ${columns} from closure.case
     where account_id = ${accountId} and state not in ('withdrawn', 'refused', 'completed', 'partiallyCompleted')`);
}

export function caseOfExecution(db: Reader, executionId: string): Promise<Case | undefined> {
  return db.maybe<Case>(sql`select ${columns} from closure.case where execution_id = ${executionId}`);
}

/** The latest case of an account that has settled: money that comes in later goes back. */
export function settledCaseOf(db: Reader, accountId: string): Promise<Case | undefined> {
  return db.maybe<Case>(sql`
    select ${columns} from closure.case where account_id = ${accountId} and settlement is not null order by case_id desc limit 1`);
}

export function caseByNumber(db: Reader, caseNumber: string): Promise<(Case & { accessCodeHash: Buffer }) | undefined> {
  return db.maybe(sql`select ${columns}, access_code_hash as "accessCodeHash" from closure.case where case_number = ${caseNumber}`);
}

export function caseByKey(db: Reader, accountId: string, idempotencyKey: string): Promise<(Case & { accessCodeSealed: Buffer | null }) | undefined> {
  return db.maybe(sql`
    select ${columns}, access_code_sealed as "accessCodeSealed" from closure.case where account_id = ${accountId} and idempotency_key = ${idempotencyKey}`);
}

/** Cases in a state, the nearest promise first. */
export function casesIn(db: Reader, state: ClosureState, after: { promisedAt: Date; caseId: string } | null, limit: number): Promise<Case[]> {
  return db.all<Case>(sql`
    select ${columns} from closure.case
     where state = ${state} and (${after === null} or (promised_at, case_id) > (${after?.promisedAt ?? null}::timestamptz, ${after?.caseId ?? null}::uuid))
     order by promised_at, case_id limit ${limit}`);
}

export async function saveState(tx: Tx, c: Case, action: ClosureAction, to: ClosureState, at: Date, actor: Actor, reason: string | null): Promise<void> {
  await tx.run(sql`
    update closure.case set state = ${to},
           executing_at = case when ${to} = 'executing' then ${at} else executing_at end,
           completed_at = case when ${to} in ('completed', 'partiallyCompleted') then ${at} else completed_at end
     where case_id = ${c.caseId}`);
  await tx.run(sql`
    insert into closure.change (case_id, change_id, at, action, from_state, to_state, by_kind, by_id, reason)
    values (${c.caseId}, ${newId(at.getTime())}, ${at}, ${action}, ${c.state}, ${to}, ${actor.kind}, ${actor.id}, ${reason})`);
}

export async function saveRules(tx: Tx, caseId: string, rules: readonly FiredRule[]): Promise<void> {
  await tx.run(sql`update closure.case set rules = ${JSON.stringify(rules)}::jsonb where case_id = ${caseId}`);
}

export async function saveRefusal(tx: Tx, caseId: string, refusal: Refusal): Promise<void> {
  await tx.run(sql`update closure.case set refusal = ${JSON.stringify(refusal)}::jsonb where case_id = ${caseId}`);
}

export async function saveExecution(tx: Tx, caseId: string, executionId: string): Promise<void> {
  await tx.run(sql`update closure.case set execution_id = ${executionId} where case_id = ${caseId}`);
}

export async function saveCoolingOff(tx: Tx, caseId: string, until: Date): Promise<void> {
  await tx.run(sql`update closure.case set cooling_off_until = ${until} where case_id = ${caseId}`);
}

/** Keeps the first envelope: a repeat of the step must not make a second salt or token. */
export async function saveEnvelope(tx: Tx, caseId: string, envelope: Buffer): Promise<void> {
  await tx.run(sql`update closure.case set envelope = ${envelope} where case_id = ${caseId} and envelope is null and envelope_destroyed_at is null`);
}

/** Lets go of an envelope whose execution was undone; another one may follow. */
export async function clearEnvelope(tx: Tx, caseId: string): Promise<void> {
  await tx.run(sql`update closure.case set envelope = null where case_id = ${caseId}`);
}

/** Envelopes that live longer than their certificate says they may. */
export function overdueEnvelopes(db: Reader, issuedBefore: Date, limit: number): Promise<{ caseId: string; executionId: string }[]> {
  return db.all<{ caseId: string; executionId: string }>(sql`
    select c.case_id as "caseId", c.execution_id as "executionId"
      from closure.case c join closure.certificate t on t.case_id = c.case_id
     where c.envelope is not null and t.issued_at < ${issuedBefore} order by t.issued_at limit ${limit}`);
}

export async function dropEnvelope(tx: Tx, caseId: string, at: Date): Promise<void> {
  await tx.run(sql`update closure.case set envelope = null, envelope_destroyed_at = coalesce(envelope_destroyed_at, ${at}) where case_id = ${caseId}`);
}

export async function saveConfirmation(tx: Tx, caseId: string, messageId: string): Promise<void> {
  await tx.run(sql`update closure.case set confirmation_id = ${messageId} where case_id = ${caseId} and confirmation_id is null`);
}

export async function saveSettlement(tx: Tx, caseId: string, settlement: Settlement | null): Promise<void> {
  await tx.run(sql`update closure.case set settlement = ${settlement === null ? null : JSON.stringify(settlement)}::jsonb where case_id = ${caseId}`);
}

export async function clearSettlement(tx: Tx, caseId: string): Promise<void> {
  await tx.run(sql`update closure.case set settlement = null where case_id = ${caseId}`);
}

export async function saveErasure(tx: Tx, caseId: string, report: ErasureReport): Promise<void> {
  await tx.run(sql`update closure.case set erasure = ${JSON.stringify(report)}::jsonb where case_id = ${caseId}`);
}

/** Lets go of what the applicant wrote in free text and of the sealed code; the case itself names nobody. */
export function eraseOf(tx: Tx, accountId: string): Promise<number> {
  return tx.run(sql`
    update closure.case set reason_sealed = null, access_code_sealed = null
     where account_id = ${accountId} and (reason_sealed is not null or access_code_sealed is not null)`);
}

export function casesOf(db: Reader, accountId: string): Promise<Case[]> {
  return db.all<Case>(sql`select ${columns} from closure.case where account_id = ${accountId} order by case_id limit 100`);
}

export interface ReceiptRow {
  /** Stable id: `operator:<id>`, `payment-processor`, ... */
  readonly recipient: string;
  readonly name: string;
  readonly kind: 'operator' | 'payment-processor' | 'message-gateway';
  readonly state: 'told' | 'confirmed' | 'failed';
  readonly reference: string | null;
  readonly toldAt: Date;
}

export async function saveReceipt(tx: Tx, caseId: string, r: ReceiptRow): Promise<void> {
  await tx.run(sql`
    insert into closure.receipt (case_id, recipient, name, kind, state, reference, told_at)
    values (${caseId}, ${r.recipient}, ${r.name}, ${r.kind}, ${r.state}, ${r.reference}, ${r.toldAt})
    on conflict (case_id, recipient) do update set state = excluded.state, reference = excluded.reference, told_at = excluded.told_at`);
}

export function receiptsOf(db: Reader, caseId: string): Promise<ReceiptRow[]> {
  return db.all<ReceiptRow>(sql`select recipient, name, kind, state, reference, told_at as "toldAt" from closure.receipt where case_id = ${caseId} order by recipient`);
}

export interface ExportRow {
  readonly exportId: string;
  readonly caseId: string;
  readonly tokenHash: Buffer;
  readonly messageId: string;
  readonly blobId: string;
  readonly madeAt: Date;
  readonly expiresAt: Date;
}

const exportColumns = sql`export_id as "exportId", case_id as "caseId", token_hash as "tokenHash", message_id as "messageId", blob_id as "blobId", made_at as "madeAt", expires_at as "expiresAt"`;

export async function insertExport(tx: Tx, e: ExportRow): Promise<void> {
  await tx.run(sql`
    insert into closure.export (export_id, case_id, token_hash, message_id, blob_id, made_at, expires_at)
    values (${e.exportId}, ${e.caseId}, ${e.tokenHash}, ${e.messageId}, ${e.blobId}, ${e.madeAt}, ${e.expiresAt})`);
}

export function exportOfCase(db: Reader, caseId: string): Promise<ExportRow | undefined> {
  return db.maybe<ExportRow>(sql`select ${exportColumns} from closure.export where case_id = ${caseId}`);
}

export function findExport(db: Reader, exportId: string): Promise<ExportRow | undefined> {
  return db.maybe<ExportRow>(sql`select ${exportColumns} from closure.export where export_id = ${exportId}`);
}

export interface CertificateRow {
  readonly leafId: string;
  readonly jws: string;
  readonly salt: string;
  readonly issuedAt: Date;
  readonly bundle: string | null;
}

/** The certificate is signed once: the first that is stored stays. Answers true when it was this one. */
export async function insertCertificate(tx: Tx, caseId: string, c: Omit<CertificateRow, 'bundle'>): Promise<boolean> {
  return (await tx.run(sql`
    insert into closure.certificate (case_id, leaf_id, jws, salt, issued_at) values (${caseId}, ${c.leafId}, ${c.jws}, ${c.salt}, ${c.issuedAt})
    on conflict (case_id) do nothing`)) === 1;
}

export function certificateOf(db: Reader, caseId: string): Promise<CertificateRow | undefined> {
  return db.maybe<CertificateRow>(sql`
    select leaf_id as "leafId", jws, salt, issued_at as "issuedAt", bundle from closure.certificate where case_id = ${caseId}`);
}

export async function saveBundle(tx: Tx, caseId: string, bundle: string): Promise<void> {
  await tx.run(sql`update closure.certificate set bundle = ${bundle} where case_id = ${caseId} and bundle is null`);
}
