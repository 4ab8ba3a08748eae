import { createHash } from 'node:crypto';
import type { Permission } from '@yuanyou/contract';
import type { Tx } from '../../platform/db/types.ts';
import { ServiceError } from '../../platform/errors.ts';
import { newId } from '../../platform/ids.ts';
import type { Json } from '../../platform/jobs/types.ts';
import type { AccessDeps } from '../deps.ts';
import { approvalLifeMs } from '../model.ts';
import * as store from './store.ts';

/** What an agent is about to do. `details` hold all that decides what will happen: ids, states, amounts; never a personal value. */
export interface Act {
  readonly kind: string;
  readonly subject: { readonly kind: string; readonly id: string };
  readonly details: { readonly [name: string]: Json };
  /** The agent who does it now. */
  readonly by: string;
}

export type Leave =
  /** Go on: nobody else need agree, or somebody did; an approval is spent by that. */
  | { readonly kind: 'go'; readonly approvalId: string | null }
  /** Somebody else must agree first; then the same call again goes on. */
  | { readonly kind: 'wait'; readonly approval: store.ApprovalRow };

/** The two-person rule, for acts of agents that a slice declares. */
export interface Approvals {
  /** Makes a kind of act known, at wiring time; `permission` is what whoever agrees must hold. */
  declare(kind: string, permission: Permission): void;
  /**
   * In the transaction of the act itself, before it: asks whether it may be done now. With the rule off, or with an approval of exactly this act by somebody
   * else, it may; otherwise the act is asked for, the caller commits and does nothing more.
   */
  claim(tx: Tx, act: Act): Promise<Leave>;
}

export interface ApprovalBook extends Approvals {
  readonly kinds: ReadonlyMap<string, Permission>;
}

/** Turning a rule off is itself an act for two. */
export const ruleOffKind = 'access.turn-off-approval-rule';

export function createApprovals(deps: AccessDeps): ApprovalBook {
  const kinds = new Map<string, Permission>([[ruleOffKind, 'agents:write']]);
  return {
    kinds,
    declare(kind, permission) { kinds.set(kind, permission); },
    async claim(tx, act) {
      const permission = kinds.get(act.kind);
      if (permission === undefined) throw new Error(`no kind of act is called ${act.kind}`);
      if (act.kind !== ruleOffKind && !await store.isRuleOn(tx, act.kind)) return { kind: 'go', approvalId: null };
      const key = { kind: act.kind, subjectKind: act.subject.kind, subjectId: act.subject.id, digest: digestOf(act.details) };
      const open = await openNow(deps, tx, key);
      if (open?.state === 'approved') return use(deps, tx, open, act.by);
      return { kind: 'wait', approval: open ?? await ask(deps, tx, key, permission, act) };
    },
  };
}

/** The same act, whatever the order in which its details are named. */
function digestOf(details: Json): Buffer {
  const ordered = (value: Json): Json => {
    if (Array.isArray(value)) return value.map(ordered);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1)).map(([name, inner]) => [name, ordered(inner)]));
  };
  return createHash('sha256').update(JSON.stringify(ordered(details))).digest();
}

async function openNow(deps: AccessDeps, tx: Tx, key: store.Act): Promise<store.ApprovalRow | undefined> {
  const open = await store.findOpen(tx, key);
  if (open === undefined || open.expiresAt > deps.clock.now()) return open;
  await store.markExpired(tx, open.id);
  return undefined;
}

async function use(deps: AccessDeps, tx: Tx, approval: store.ApprovalRow, by: string): Promise<Leave> {
  await store.markUsed(tx, approval.id, by, deps.clock.now());
  await deps.audit.record(tx, {
    actor: { kind: 'agent', id: by }, action: 'access.use-approval', subjectKind: 'approval', subjectId: approval.id, details: { kind: approval.kind },
  });
  return { kind: 'go', approvalId: approval.id };
}

async function ask(deps: AccessDeps, tx: Tx, key: store.Act, permission: Permission, act: Act): Promise<store.ApprovalRow> {
  const at = deps.clock.now();
  const id = newId(at.getTime());
  const expiresAt = new Date(at.getTime() + approvalLifeMs);
  const asked = await store.insertApproval(tx, { ...key, id, permission, details: act.details, askedBy: act.by, at, expiresAt });
  if (!asked) return (await store.findOpen(tx, key))!;
  await deps.audit.record(tx, {
    actor: { kind: 'agent', id: act.by }, action: 'access.ask-approval', subjectKind: 'approval', subjectId: id,
    details: { kind: act.kind, of: `${act.subject.kind} ${act.subject.id}` },
  });
  return (await store.findApproval(tx, id))!;
}

/**
 * Another person agrees to an act, or not.
 * @throws `access/unknown`, `general/forbidden`, `access/own-approval`, `access/approval-over`
 */
export async function decideApproval(
  deps: AccessDeps, approvalId: string,
  decision: { readonly approve: boolean; readonly reason: string; readonly by: string; readonly permissions: ReadonlySet<string> },
): Promise<store.ApprovalRow> {
  return deps.db.transaction(async (tx) => {
    const row = await store.lockApproval(tx, approvalId);
    if (row === undefined) throw new ServiceError('access/unknown');
    if (!decision.permissions.has(row.permission)) throw new ServiceError('general/forbidden', { permission: row.permission });
    if (row.askedBy === decision.by) throw new ServiceError('access/own-approval');
    const at = deps.clock.now();
    if (row.state !== 'pending' || row.expiresAt <= at) throw new ServiceError('access/approval-over', { state: row.state === 'pending' ? 'expired' : row.state });
    const state = decision.approve ? 'approved' : 'refused';
    await store.decideApproval(tx, approvalId, { state, by: decision.by, at, text: decision.reason, expiresAt: new Date(at.getTime() + approvalLifeMs) });
    await deps.audit.record(tx, {
      actor: { kind: 'agent', id: decision.by }, action: decision.approve ? 'access.approve' : 'access.refuse', subjectKind: 'approval', subjectId: approvalId,
      reason: decision.reason, details: { kind: row.kind },
    });
    return (await store.findApproval(tx, approvalId))!;
  });
}

/** Turns the rule for a kind on at once, and off when a second person agreed. @throws `access/unknown` */
export async function changeRule(deps: AccessDeps, book: ApprovalBook, kind: string, on: boolean, by: string): Promise<Leave> {
  if (!book.kinds.has(kind) || kind === ruleOffKind) throw new ServiceError('access/unknown');
  return deps.db.transaction(async (tx) => {
    const was = await store.isRuleOn(tx, kind);
    if (was === on) return { kind: 'go', approvalId: null };
    const leave: Leave = on ? { kind: 'go', approvalId: null }
      : await book.claim(tx, { kind: ruleOffKind, subject: { kind: 'approval-rule', id: kind }, details: {}, by });
    if (leave.kind === 'wait') return leave;
    if (on) await store.putRule(tx, kind, by, deps.clock.now());
    else await store.deleteRule(tx, kind);
    await deps.audit.record(tx, {
      actor: { kind: 'agent', id: by }, action: on ? 'access.turn-on-approval-rule' : 'access.turn-off-approval-rule',
      subjectKind: 'approval-rule', subjectId: kind,
    });
    return leave;
  });
}
