import { closureRoutes } from '@yuanyou/contract';
import type { closureCase } from '@yuanyou/contract';
import type { z } from 'zod';
import { timingSafeEqual } from 'node:crypto';
import type { Tx } from '../platform/db/index.ts';
import { ServiceError } from '../platform/errors.ts';
import { endpoint } from '../platform/http/types.ts';
import type { Endpoint } from '../platform/http/types.ts';
import { applyForClosure } from './apply.ts';
import { approveByAgent, refuse, skipCoolingOff } from './decide.ts';
import { openExport, tokenHash } from './export.ts';
import { closureCursor, cursorAfter } from './cursor.ts';
import { tryRefundsAgain } from './model.ts';
import type { Case } from './model.ts';
import { locked } from './move.ts';
import type { ClosureDeps } from './ports.ts';
import { preflight } from './preflight.ts';
import { caseByAccess, statusOf } from './status.ts';
import * as store from './store.ts';
import { withdraw } from './withdraw.ts';

async function caseShown(deps: ClosureDeps, caseId: string): Promise<z.input<typeof closureCase>> {
  const theCase = await store.findCase(deps.db, caseId);
  if (theCase === undefined) throw new ServiceError('closure/no-such-case', { caseId });
  const view = theCase.executionId === null ? undefined : await deps.sagas.view(theCase.executionId);
  return {
    caseId, caseNumber: theCase.caseNumber, state: theCase.state, submittedAt: theCase.submittedAt.toISOString(), promisedAt: theCase.promisedAt.toISOString(),
    rules: [...theCase.rules], stuckStep: view?.steps.find((step) => step.status === 'stuck')?.name ?? null,
  };
}

/** Steps that an agent may pass over: the certificate then says what was not confirmed. Money, erasure and proof cannot be passed over. */
const skippable: readonly string[] = ['terminate-lines', 'unbind-devices', 'deliver-export', 'tell-recipients', 'confirm'];

function executionOf(theCase: Case): string {
  if (theCase.executionId === null) throw new ServiceError('closure/action-not-allowed', { caseNumber: theCase.caseNumber, state: theCase.state });
  return theCase.executionId;
}

/** A step that is not stuck cannot be skipped: the traveller's tracker says so, too. */
async function skipStep(deps: ClosureDeps, tx: Tx, theCase: Case, step: string, reason: string): Promise<void> {
  if (!skippable.includes(step)) throw new ServiceError('closure/action-not-allowed', { caseNumber: theCase.caseNumber, step });
  try {
    await deps.sagas.skip(tx, executionOf(theCase), step, reason);
  } catch (error) {
    if (!(error instanceof ServiceError) || !['jobs/step-not-stuck', 'jobs/unknown-saga'].includes(error.code)) throw error;
    throw new ServiceError('closure/action-not-allowed', { caseNumber: theCase.caseNumber, state: theCase.state, step }, { cause: error });
  }
}

function travellerEndpoints(deps: ClosureDeps): Endpoint[] {
  return [
    endpoint(closureRoutes.getPreflight, async ({ principal }) => ({ status: 200, body: await preflight(deps, principal.accountId) })),
    endpoint(closureRoutes.applyForClosure, async ({ principal, body, idempotencyKey }) => ({
      status: 201,
      // The schema lets through exactly one of the two.
      body: await applyForClosure(deps, { ...body, proof: body.proof ?? { password: body.password ?? '' }, accountId: principal.accountId, idempotencyKey }),
    })),
    endpoint(closureRoutes.getClosureStatus, async ({ body, remoteAddress }) => ({
      status: 200, body: await statusOf(deps, (await caseByAccess(deps, body, remoteAddress)).caseId),
    })),
    endpoint(closureRoutes.withdrawClosure, async ({ body, remoteAddress }) => {
      const theCase = await caseByAccess(deps, body, remoteAddress);
      await withdraw(deps, theCase);
      return { status: 200, body: await statusOf(deps, theCase.caseId) };
    }),
    endpoint(closureRoutes.skipCoolingOff, async ({ body, remoteAddress }) => {
      const { caseId } = await caseByAccess(deps, body, remoteAddress);
      await skipCoolingOff(deps, caseId);
      return { status: 200, body: await statusOf(deps, caseId) };
    }),
    endpoint(closureRoutes.getCertificate, async ({ body, remoteAddress }) => {
      const { caseId } = await caseByAccess(deps, body, remoteAddress);
      const certificate = await store.certificateOf(deps.db, caseId);
      if (certificate?.bundle == null) throw new ServiceError('closure/no-certificate');
      return { status: 200, body: certificate.bundle };
    }),
    endpoint(closureRoutes.downloadExport, async ({ params, query }) => {
      const row = await store.findExport(deps.db, params.exportId);
      const fits = row !== undefined && row.expiresAt > deps.clock.now() && timingSafeEqual(row.tokenHash, tokenHash(query.token));
      const blob = fits ? await deps.blobs.get(deps.db, row.blobId) : undefined;
      if (blob === undefined) throw new ServiceError('closure/no-such-export');
      return { status: 200, body: openExport(blob.bytes, query.token), headers: { 'content-disposition': 'attachment; filename="yuanyou-export.zip"' } };
    }),
  ];
}

function agentEndpoints(deps: ClosureDeps): Endpoint[] {
  return [
    endpoint(closureRoutes.listClosureCases, async ({ query }) => {
      const rows = await store.casesIn(deps.db, query.state, cursorAfter(query.cursor), query.limit + 1);
      const shown = rows.slice(0, query.limit);
      const items = [];
      for (const row of shown) items.push(await caseShown(deps, row.caseId));
      return { status: 200, body: { items, nextCursor: rows.length > query.limit ? closureCursor(shown.at(-1)!) : null } };
    }),
    endpoint(closureRoutes.decideClosureCase, async ({ principal, params, body }) => {
      if (body.decision === 'approve') await approveByAgent(deps, params.caseId, principal.agentId, body.reason);
      else await refuse(deps, params.caseId, principal.agentId, { reason: body.reason, legalGround: body.legalGround, complaintBody: body.complaintBody });
      return { status: 200, body: await caseShown(deps, params.caseId) };
    }),
    endpoint(closureRoutes.retryClosureStep, async ({ principal, params, body }) => {
      await deps.db.transaction(async (tx) => {
        const theCase = await locked(tx, params.caseId);
        if (theCase.settlement !== null) await store.saveSettlement(tx, theCase.caseId, tryRefundsAgain(theCase.settlement));
        await deps.sagas.wake(tx, executionOf(theCase));
        await deps.audit.record(tx, {
          actor: { kind: 'agent', id: principal.agentId }, action: 'closure.retry', subjectKind: 'closure', subjectId: theCase.caseId,
          accountId: theCase.accountId, reason: body.reason,
        });
      });
      return { status: 200, body: await caseShown(deps, params.caseId) };
    }),
    endpoint(closureRoutes.skipClosureStep, async ({ principal, params, body }) => {
      await deps.db.transaction(async (tx) => {
        const theCase = await locked(tx, params.caseId);
        await skipStep(deps, tx, theCase, body.step, body.reason);
        await deps.audit.record(tx, {
          actor: { kind: 'agent', id: principal.agentId }, action: 'closure.skip', subjectKind: 'closure', subjectId: theCase.caseId,
          accountId: theCase.accountId, reason: body.reason, details: { step: body.step },
        });
      });
      return { status: 200, body: await caseShown(deps, params.caseId) };
    }),
  ];
}

/** Leaving, for travellers (also without signing in) and for agents. */
export function closureEndpoints(deps: ClosureDeps): Endpoint[] {
  return [...travellerEndpoints(deps), ...agentEndpoints(deps)];
}
