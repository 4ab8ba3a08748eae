import { randomUUID } from 'node:crypto';
import { operationsProblems, operationsRoutes as routes, permissionsOf } from '@yuanyou/contract';
import type { Role, Route } from '@yuanyou/contract';
import { Registry } from 'prom-client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { layFoundation, type Foundation } from '../../test/foundation.ts';
import { drive, serveForTest, tableAuthenticator, type RawCall } from '../platform/http/testing.ts';
import { addJobFigures, createJobs, type EventType, type Jobs, type StepOutcome } from '../platform/jobs/index.ts';
import { createOperations } from './index.ts';

const happened: EventType<{ n: number }> = { name: 'test.happened', body: z.object({ n: z.number() }) };
const agentId = randomUUID();
let ground: Foundation;
let jobs: Jobs;
let served: Awaited<ReturnType<typeof serveForTest>>;
let heard: number[];
let deaf = true;
let step: () => Promise<StepOutcome>;
const refuse = (): Promise<StepOutcome> => Promise.resolve({ kind: 'refused', code: 'test/no' });
const succeed = (): Promise<StepOutcome> => Promise.resolve({ kind: 'done' });
const errors: object[] = [];
const metrics = new Registry();

beforeAll(async () => {
  ground = await layFoundation();
  heard = [];
  const log = { ...ground.log, error: (fields: object) => { errors.push(fields); } };
  jobs = createJobs({ db: ground.db, clock: ground.clock, log, settings: { maxDeliveryAttempts: 1 } });
  jobs.outbox.subscribe(happened, 'test.listener', ({ body }) => {
    if (deaf) throw new Error('deaf');
    heard.push(body.n);
    return Promise.resolve();
  });
  jobs.sagas.register({ kind: 'test.work', steps: [{ name: 'first', pivot: true, run: succeed }, { name: 'second', run: () => step() }] });
  addJobFigures(metrics, ground.db);
  const agent = (role: Role) => ({ kind: 'agent' as const, agentId, permissions: permissionsOf([role]) });
  served = await serveForTest({
    endpoints: createOperations({ db: ground.db, audit: ground.audit, deadLetters: jobs.deadLetters, sagas: jobs.sagas }).endpoints,
    db: ground.db, problems: operationsProblems,
    authenticators: [tableAuthenticator('agent', 'ag_', { ag_viewer: agent('viewer'), ag_finance: agent('finance'), ag_operations: agent('operations') })],
  });
});
afterAll(async () => {
  await served.close();
  await ground.stop();
});

async function ask(method: 'GET' | 'POST', path: string, body?: object, who = 'ag_operations'): Promise<{ status: number; body: never }> {
  const answer = await fetch(`${served.url}/v1/operations/${path}`, {
    method, headers: { authorization: `Bearer ${who}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  return { status: answer.status, body: (text === '' ? null : JSON.parse(text)) as never };
}

async function dies(n: number): Promise<string> {
  deaf = true;
  await ground.db.transaction((tx) => jobs.outbox.emit(tx, happened, `key-${n}`, { n }));
  await jobs.drain();
  const { items } = await jobs.deadLetters.list({ limit: 100 });
  return items.find(({ key }) => key === `key-${n}`)!.eventId;
}

async function sticks(): Promise<string> {
  step = refuse;
  const sagaId = randomUUID();
  await ground.db.transaction((tx) => jobs.sagas.start(tx, 'test.work', sagaId, {}));
  await jobs.drain();
  return sagaId;
}
const audited = async (kind: string, id: string) =>
  (await ground.audit.ofSubject(ground.db, { kind, id }, { limit: 10 })).items.map(({ actor, action, reason, details }) => ({ by: actor.id, action, reason, details }));

test('what died is seen, logged and counted, and goes out again when an agent says so', async () => {
  const eventId = await dies(1);
  expect(errors).toContainEqual(expect.objectContaining({ eventId, consumer: 'test.listener' }));
  expect(await metrics.metrics()).toContain('jobs_dead_deliveries 1');
  const { body } = await ask('GET', 'dead-letters', undefined, 'ag_viewer');
  expect(body).toMatchObject({ items: [{ eventId, consumer: 'test.listener', event: 'test.happened', key: 'key-1', attempts: 1 }], nextCursor: null });
  deaf = false;
  const given = { consumer: 'test.listener', reason: 'the listener hears again' };
  expect((await ask('POST', `dead-letters/${eventId}/requeue`, given)).status).toBe(204);
  await jobs.drain();
  expect(heard).toEqual([1]);
  expect(await ask('POST', `dead-letters/${eventId}/requeue`, given)).toMatchObject({ status: 404, body: { code: 'operations/unknown-dead-letter' } });
  expect(await audited('event', eventId)).toEqual([{ by: agentId, action: 'operations.requeue', reason: given.reason, details: { consumer: 'test.listener' } }]);
  expect(await metrics.metrics()).toContain('jobs_dead_deliveries 0');
});

test('a stuck saga is shown with its steps; tried again it goes on', async () => {
  const sagaId = await sticks();
  expect(errors).toContainEqual(expect.objectContaining({ sagaId }));
  expect(await metrics.metrics()).toContain('jobs_stuck_sagas 1');
  const { body } = await ask('GET', 'stuck-sagas', undefined, 'ag_viewer');
  expect(body).toMatchObject({
    items: [{ sagaId, kind: 'test.work', status: 'stuck', steps: [{ name: 'first', status: 'done' }, { name: 'second', status: 'stuck', lastError: 'test/no' }] }],
  });
  step = succeed;
  expect(await ask('POST', `sagas/${sagaId}/retry`, { reason: 'mended' })).toMatchObject({ status: 200, body: { sagaId, status: 'running' } });
  await jobs.drain();
  expect(await ask('GET', `sagas/${sagaId}`)).toMatchObject({ status: 200, body: { status: 'completed' } });
  expect(await ask('POST', `sagas/${sagaId}/retry`, { reason: 'again' })).toMatchObject({ status: 409, body: { code: 'operations/step-not-stuck' } });
  expect(await audited('saga', sagaId)).toEqual([{ by: agentId, action: 'operations.retry', reason: 'mended', details: { step: 'second' } }]);
});

test('a stuck step is skipped with a reason, and that alone', async () => {
  const sagaId = await sticks();
  const skip = (body: object) => ask('POST', `sagas/${sagaId}/skip`, body);
  expect((await skip({ step: 'second', reason: '  ' })).status).toBe(400);
  expect(await skip({ step: 'first', reason: 'why not' })).toMatchObject({ status: 409, body: { code: 'operations/step-not-stuck' } });
  expect((await skip({ step: 'second', reason: 'done by hand' })).body).toMatchObject({ steps: [{}, { name: 'second', status: 'skipped', skipReason: 'done by hand' }] });
  await jobs.drain();
  expect((await ask('GET', `sagas/${sagaId}`)).body).toMatchObject({ status: 'completed' });
  expect(await audited('saga', sagaId)).toEqual([{ by: agentId, action: 'operations.skip', reason: 'done by hand', details: { step: 'second' } }]);
});

test('what is unknown, unreadable or not allowed is refused by its code', async () => {
  expect(await ask('GET', 'sagas/none')).toMatchObject({ status: 404, body: { code: 'operations/unknown-saga' } });
  expect(await ask('POST', 'sagas/none/retry', { reason: 'x' })).toMatchObject({ status: 404, body: { code: 'operations/unknown-saga' } });
  for (const list of ['dead-letters', 'stuck-sagas']) {
    for (const cursor of ['x', '%00', '2026-13-45T00:00:00.000Z a', '2026-11-22T00:00:00.000Z%20%00']) {
      expect(await ask('GET', `${list}?cursor=${cursor}`), cursor).toMatchObject({ status: 400, body: { code: 'operations/bad-cursor' } });
    }
  }
  expect((await ask('GET', 'dead-letters', undefined, 'ag_finance')).status).toBe(403);
  expect((await ask('POST', 'sagas/none/retry', { reason: 'x' }, 'ag_viewer')).status).toBe(403);
});

test('lists are paged', async () => {
  for (let n = 10; n < 13; n++) await dies(n);
  const ids = await Promise.all([sticks(), sticks(), sticks()]);
  const walk = async (list: string): Promise<Record<string, string>[]> => {
    const found: Record<string, string>[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const { body }: { body: { items: Record<string, string>[]; nextCursor: string | null } } =
        await ask('GET', `${list}?limit=2${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`);
      found.push(...body.items);
      cursor = body.nextCursor;
    }
    return found;
  };
  expect((await walk('dead-letters')).map(({ key }) => key)).toEqual(['key-10', 'key-11', 'key-12']);
  expect((await walk('stuck-sagas')).map(({ sagaId }) => sagaId)).toEqual(ids.toSorted());
});

const calls: Record<keyof typeof routes, () => Omit<RawCall, 'route'>> = {
  listDeadLetters: () => ({ query: { limit: '10', cursor: '12' } }),
  requeueDeadLetter: () => ({ params: { eventId: randomUUID() }, body: { consumer: 'test.listener', reason: 'x' } }),
  listStuckSagas: () => ({ query: { limit: '10', cursor: '2026-11-22T08:00:00.000Z a' } }),
  getSaga: () => ({ params: { sagaId: randomUUID() } }),
  retrySaga: () => ({ params: { sagaId: randomUUID() }, body: { reason: 'x' } }),
  skipSagaStep: () => ({ params: { sagaId: randomUUID() }, body: { step: 'second', reason: 'x' } }),
};

test.each(Object.entries(routes) as [keyof typeof routes, Route][])('%s never fails on our side, whatever it is sent', async (operation, route) => {
  const call: RawCall = { route, ...calls[operation](), headers: { authorization: 'Bearer ag_operations' } };
  for (const { status, context } of await drive(served.url, call, () => {})) expect(status, context).toBeLessThan(500);
}, 60_000);
