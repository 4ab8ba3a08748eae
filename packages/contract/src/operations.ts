import { z } from 'zod';
import { id, instant, page, paging } from './core/ids.ts';
import { problems } from './core/problem.ts';
import { route } from './core/route.ts';

/** A delivery of an event that failed too often. It stands aside until somebody sends it again. */
export const deadLetter = z.object({
  eventId: id,
  /** Who should have taken it up. */
  consumer: z.string(),
  event: z.string(),
  /** What it is about: an id of ours. */
  key: z.string(),
  attempts: z.int().nonnegative(),
  /** A code and a place in the source, never a personal value. */
  lastError: z.string().nullable(),
  emittedAt: instant,
  diedAt: instant,
}).meta({ id: 'DeadLetter' });

/** A step of a saga. `stuck`: it failed too often, and waits for an agent. */
export const sagaStep = z.object({
  name: z.string(),
  status: z.enum(['pending', 'running', 'waiting', 'retrying', 'stuck', 'done', 'skipped', 'undoing', 'undone']),
  attempts: z.int().nonnegative(),
  waitingOn: z.string().nullable(),
  dueAt: instant.nullable(),
  startedAt: instant.nullable(),
  endedAt: instant.nullable(),
  lastError: z.string().nullable(),
  skipReason: z.string().nullable(),
}).meta({ id: 'SagaStep' });

/** A piece of work in several steps: a line's provisioning, an account's closure. */
export const saga = z.object({
  sagaId: z.string(),
  kind: z.string(),
  status: z.enum(['running', 'stuck', 'undoing', 'completed', 'undone']),
  steps: z.array(sagaStep),
}).meta({ id: 'Saga' });

const sagaParams = z.strictObject({ sagaId: z.string().min(1).max(120).regex(/^[\x21-\x7e]+$/) });
/** Why an agent stepped in; it stands in the audit trail. Ids and causes only, no personal values. */
const reason = z.string().trim().min(1).max(500).regex(/^[^\p{Cc}]*$/u);
const stepName = z.string().min(1).max(80).regex(/^[\x21-\x7e]+$/);

export const operationsRoutes = {
  listDeadLetters: route({
    operationId: 'listDeadLetters', method: 'GET', path: '/v1/operations/dead-letters', tag: 'Operations', audience: 'agent',
    permission: 'operations:read', summary: 'Deliveries that failed too often, oldest first', query: paging,
    responses: { 200: page(deadLetter) }, problems: ['operations/bad-cursor'],
  }),
  requeueDeadLetter: route({
    operationId: 'requeueDeadLetter', method: 'POST', path: '/v1/operations/dead-letters/:eventId/requeue', tag: 'Operations', audience: 'agent',
    permission: 'operations:write', summary: 'Delivers one of them again, behind what waits for the same consumer and key',
    params: z.strictObject({ eventId: id }), body: z.strictObject({ consumer: z.string().min(1).max(120).regex(/^[\x21-\x7e]+$/), reason }),
    responses: { 204: null }, problems: ['operations/unknown-dead-letter'],
  }),
  listStuckSagas: route({
    operationId: 'listStuckSagas', method: 'GET', path: '/v1/operations/stuck-sagas', tag: 'Operations', audience: 'agent',
    permission: 'operations:read', summary: 'Sagas that wait for an agent, with their steps, oldest first', query: paging,
    responses: { 200: page(saga) }, problems: ['operations/bad-cursor'],
  }),
  getSaga: route({
    operationId: 'getSaga', method: 'GET', path: '/v1/operations/sagas/:sagaId', tag: 'Operations', audience: 'agent',
    permission: 'operations:read', summary: 'How far a saga has come', params: sagaParams, responses: { 200: saga }, problems: ['operations/unknown-saga'],
  }),
  retrySaga: route({
    operationId: 'retrySaga', method: 'POST', path: '/v1/operations/sagas/:sagaId/retry', tag: 'Operations', audience: 'agent',
    permission: 'operations:write', summary: 'Tries the step that is stuck again', params: sagaParams, body: z.strictObject({ reason }),
    responses: { 200: saga }, problems: ['operations/unknown-saga', 'operations/step-not-stuck'],
  }),
  skipSagaStep: route({
    operationId: 'skipSagaStep', method: 'POST', path: '/v1/operations/sagas/:sagaId/skip', tag: 'Operations', audience: 'agent',
    permission: 'operations:write', summary: 'Passes over the step that is stuck: somebody has done its work by hand, or answers for leaving it undone',
    params: sagaParams, body: z.strictObject({ step: stepName, reason }),
    responses: { 200: saga }, problems: ['operations/unknown-saga', 'operations/step-not-stuck', 'operations/no-reason'],
  }),
} as const;

export const operationsProblems = problems({
  'operations/unknown-dead-letter': {
    status: 404,
    title: {
      en: 'There is no such delivery to send again.', 'zh-Hans': '没有可重新投递的此项记录。', 'zh-Hant': '沒有可重新投遞的此項記錄。',
    },
  },
  'operations/unknown-saga': {
    status: 404,
    title: { en: 'There is no such saga.', 'zh-Hans': '没有此流程。', 'zh-Hant': '沒有此流程。' },
  },
  'operations/step-not-stuck': {
    status: 409,
    title: { en: 'No such step is stuck now.', 'zh-Hans': '该步骤目前并未受阻。', 'zh-Hant': '該步驟目前並未受阻。' },
  },
  'operations/no-reason': {
    status: 422,
    title: { en: 'Please give a reason.', 'zh-Hans': '请填写理由。', 'zh-Hant': '請填寫理由。' },
  },
  'operations/bad-cursor': {
    status: 400,
    title: { en: 'This cursor is not one of ours.', 'zh-Hans': '该游标无效。', 'zh-Hant': '該游標無效。' },
  },
});
