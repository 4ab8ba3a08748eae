import { accessRoutes as routes, id } from '@yuanyou/contract';
import { z } from 'zod';
import { ServiceError } from '../../platform/errors.ts';
import { endpoint, pageOf, readCursor } from '../../platform/http/index.ts';
import type { Endpoint } from '../../platform/http/index.ts';
import type { PasskeyDeps } from '../passkeys/keep.ts';
import { requirePerson } from '../passkeys/routes.ts';
import { changeRule, decideApproval, ruleOffKind } from './approvals.ts';
import type { ApprovalBook } from './approvals.ts';
import * as store from './store.ts';

const allStates: readonly store.ApprovalState[] = ['pending', 'approved', 'refused', 'used', 'expired'];

export function approvalEndpoints(deps: PasskeyDeps, book: ApprovalBook): Endpoint[] {
  return [
    endpoint(routes.listApprovals, async ({ query }) => {
      const before = readCursor(query.cursor, z.tuple([id]))?.[0] ?? null;
      const rows = await store.listApprovals(deps.db, query.state === undefined ? allStates : [query.state], before, query.limit + 1);
      const page = pageOf(rows, query.limit, (row) => [row.id]);
      return { status: 200, body: { items: page.items.map(shown), nextCursor: page.nextCursor } };
    }),
    endpoint(routes.getApproval, async ({ params }) => {
      const row = await store.findApproval(deps.db, params.approvalId);
      if (row === undefined) throw new ServiceError('access/unknown');
      return { status: 200, body: shown(row) };
    }),
    endpoint(routes.decideApproval, async ({ principal, params, body }) => {
      const by = await requirePerson(deps, principal);
      return { status: 200, body: shown(await decideApproval(deps, params.approvalId, { ...body, by, permissions: principal.permissions })) };
    }),
    endpoint(routes.listApprovalRules, async () => {
      const on = new Set((await store.listRulesOn(deps.db)).map(({ kind }) => kind));
      const items = [...book.kinds].filter(([kind]) => kind !== ruleOffKind).map(([kind, permission]) => ({ kind, permission, on: on.has(kind) }));
      return { status: 200, body: { items } };
    }),
    endpoint(routes.changeApprovalRule, async ({ principal, params, body }) => {
      const leave = await changeRule(deps, book, params.kind, body.on, await requirePerson(deps, principal));
      if (leave.kind === 'wait') return { status: 202, body: shown(leave.approval) };
      return { status: 200, body: { kind: params.kind, permission: book.kinds.get(params.kind)!, on: body.on } };
    }),
  ];
}

function shown(row: store.ApprovalRow) {
  return {
    id: row.id, kind: row.kind, permission: row.permission, subject: { kind: row.subjectKind, id: row.subjectId }, details: row.details as Record<string, unknown>,
    state: row.state, askedBy: row.askedBy, askedAt: row.askedAt.toISOString(), decidedBy: row.decidedBy, decidedAt: row.decidedAt?.toISOString() ?? null,
    reason: row.decisionText, usedAt: row.usedAt?.toISOString() ?? null, expiresAt: row.expiresAt.toISOString(),
  };
}
