import { operationsRoutes } from '@yuanyou/contract';
import type { saga as sagaSchema } from '@yuanyou/contract';
import type { z } from 'zod';
import { ServiceError } from '../platform/errors.ts';
import { endpoint } from '../platform/http/index.ts';
import type { Endpoint } from '../platform/http/index.ts';
import type { PageOf, SagaView } from '../platform/jobs/index.ts';
import { requeue, retry, skip } from './mend.ts';
import type { MendDeps } from './mend.ts';

/** The codes of the jobs as the contract knows them. */
const shownAs: Readonly<Record<string, string>> = {
  'jobs/unknown-saga': 'operations/unknown-saga',
  'jobs/step-not-stuck': 'operations/step-not-stuck',
  'jobs/no-reason': 'operations/no-reason',
  'jobs/bad-cursor': 'operations/bad-cursor',
};

async function translated<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    const code = error instanceof ServiceError ? shownAs[error.code] : undefined;
    if (code === undefined || !(error instanceof ServiceError)) throw error;
    throw new ServiceError(code, error.details, { cause: error });
  }
}

function shown(view: SagaView): z.input<typeof sagaSchema> {
  return {
    sagaId: view.sagaId, kind: view.kind, status: view.status,
    steps: view.steps.map((step) => ({
      ...step,
      dueAt: step.dueAt?.toISOString() ?? null, startedAt: step.startedAt?.toISOString() ?? null, endedAt: step.endedAt?.toISOString() ?? null,
    })),
  };
}

async function viewed(deps: MendDeps, sagaId: string): Promise<z.input<typeof sagaSchema>> {
  const view = await deps.sagas.view(sagaId);
  if (view === undefined) throw new ServiceError('operations/unknown-saga', { sagaId });
  return shown(view);
}

function pageOf({ cursor, limit }: { readonly cursor?: string | undefined; readonly limit: number }): PageOf {
  return cursor === undefined ? { limit } : { cursor, limit };
}

export function operationsEndpoints(deps: MendDeps): Endpoint[] {
  const act = (principal: { readonly agentId: string }, reason: string) => ({ agentId: principal.agentId, reason });
  return [
    endpoint(operationsRoutes.listDeadLetters, async ({ query }) => {
      const { items, nextCursor } = await translated(deps.deadLetters.list(pageOf(query)));
      return {
        status: 200,
        body: {
          nextCursor,
          items: items.map((letter) => ({ ...letter, emittedAt: letter.emittedAt.toISOString(), diedAt: letter.diedAt.toISOString() })),
        },
      };
    }),
    endpoint(operationsRoutes.requeueDeadLetter, async ({ params, body, principal }) => {
      await requeue(deps, act(principal, body.reason), params.eventId, body.consumer);
      return { status: 204 };
    }),
    endpoint(operationsRoutes.listStuckSagas, async ({ query }) => {
      const { items, nextCursor } = await translated(deps.sagas.stuck(pageOf(query)));
      const views = await Promise.all(items.map(({ sagaId }) => deps.sagas.view(sagaId)));
      return { status: 200, body: { items: views.flatMap((view) => (view === undefined ? [] : [shown(view)])), nextCursor } };
    }),
    endpoint(operationsRoutes.getSaga, async ({ params }) => ({ status: 200, body: await viewed(deps, params.sagaId) })),
    endpoint(operationsRoutes.retrySaga, async ({ params, body, principal }) => {
      await translated(retry(deps, act(principal, body.reason), params.sagaId));
      return { status: 200, body: await viewed(deps, params.sagaId) };
    }),
    endpoint(operationsRoutes.skipSagaStep, async ({ params, body, principal }) => {
      await translated(skip(deps, act(principal, body.reason), params.sagaId, body.step));
      return { status: 200, body: await viewed(deps, params.sagaId) };
    }),
  ];
}
