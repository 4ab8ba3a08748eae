import { createHash } from 'node:crypto';
import type { DocumentKind } from '@yuanyou/contract';
import type { Actor } from '../../platform/audit/types.ts';
import type { Reader } from '../../platform/db/types.ts';
import { ServiceError } from '../../platform/errors.ts';
import type { AccountsDeps } from '../deps.ts';
import { lockAccount } from '../store.ts';
import * as store from './store.ts';

/** What one must agree to, to go on; the rest is free and may be taken back. */
const required: Readonly<Record<DocumentKind, boolean>> = { terms: true, privacy: true, marketing: false };

export const isRequired = (kind: DocumentKind): boolean => required[kind];

/** The documents in force that one must agree to and has not, in this version. */
export async function listDue(db: Reader, accountId: string, now: Date): Promise<store.DocumentRow[]> {
  const standing = await store.listStanding(db, accountId);
  return (await store.listInForce(db, now)).filter((document) => (
    isRequired(document.kind) && !standing.some(({ kind, version, granted }) => kind === document.kind && version === document.version && granted)));
}

export interface Decision {
  readonly kind: DocumentKind;
  readonly version: string;
  readonly granted: boolean;
}

/**
 * Writes down what somebody agreed to or took back; the same request again changes nothing.
 * @throws `accounts/document-not-in-force`, `accounts/consent-needed`
 */
export async function recordConsents(
  deps: AccountsDeps, accountId: string, requestId: string, decisions: readonly Decision[],
): Promise<store.ConsentRow[]> {
  const at = deps.clock.now();
  const inForce = await store.listInForce(deps.db, at);
  for (const { kind, version, granted } of decisions) {
    if (granted && !inForce.some((one) => one.kind === kind && one.version === version)) throw new ServiceError('accounts/document-not-in-force', { kind, version });
    if (!granted && isRequired(kind)) throw new ServiceError('accounts/consent-needed', { kind });
    if (!granted && await store.findDocument(deps.db, kind, version) === undefined) throw new ServiceError('accounts/document-not-in-force', { kind, version });
  }
  const rows = decisions.map((one, index) => ({ ...one, id: numbered(requestId, index), at }));
  await deps.db.transaction(async (tx) => {
    await lockAccount(tx, accountId);
    for (const row of rows) await store.insertConsent(tx, accountId, row);
    await deps.audit.record(tx, {
      actor: { kind: 'account', id: accountId }, action: 'accounts.record-consents', subjectKind: 'account', subjectId: accountId, accountId,
      details: { decisions: decisions.map(({ kind, version, granted }) => ({ kind, version, granted })) },
    });
  });
  return rows;
}

/** The id of one of a request's rows: the request's own id with its place mixed in. */
function numbered(requestId: string, index: number): string {
  const tail = createHash('sha256').update(`${requestId}\n${index}`).digest('hex').slice(0, 12);
  return `${requestId.slice(0, 24)}${tail}`;
}

/** Publishes a version; the same again changes nothing. @throws `accounts/document-fixed` */
export async function publishDocument(deps: AccountsDeps, actor: Actor, row: store.DocumentRow): Promise<void> {
  await deps.db.transaction(async (tx) => {
    if (await store.insertDocument(tx, row)) {
      await deps.audit.record(tx, { actor, action: 'accounts.publish-document', subjectKind: 'document', subjectId: `${row.kind} ${row.version}` });
      return;
    }
    const known = await store.findDocument(tx, row.kind, row.version);
    const same = known !== undefined && known.url === row.url && known.sha256.equals(row.sha256) && known.effectiveAt.getTime() === row.effectiveAt.getTime();
    if (!same) throw new ServiceError('accounts/document-fixed');
  });
}
