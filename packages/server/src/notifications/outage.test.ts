import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { layFoundation, type Foundation } from '../../test/foundation.ts';
import { sql } from '../platform/db/index.ts';
import { serveForTest, tableAuthenticator } from '../platform/http/testing.ts';
import { createJobs } from '../platform/jobs/index.ts';
import { createNotifications, defineMessage, messageEnded, type Mail, type MailOutcome, type Notifications, type NotificationsDeps } from './index.ts';

const words = () => ({ subject: 'Plan', text: 'Your plan' });
const receipt = defineMessage<object>({ kind: 'test.receipt', render: { en: words, 'zh-Hans': words, 'zh-Hant': words } });
const hour = 3_600_000;
const away: MailOutcome = { kind: 'later', reason: 'ECONNREFUSED', silent: true };

let ground: Foundation;
let notifications: Notifications;
let answer: (mail: Mail) => MailOutcome | Promise<MailOutcome>;
let tried: string[];
let ended: { messageId: string; subjectId: string; status: string }[];
let errors: object[];

function depsOf(jobs: Foundation['jobs']): NotificationsDeps {
  return {
    db: ground.db, clock: ground.clock, dataKeys: ground.keys.dataKeys, blindIndex: ground.keys.blindIndex, outbox: jobs.outbox,
    schedule: jobs.schedule, attempts: ground.attempts, verifyUrl: 'https://yuanyou.example/verify-message',
    log: { warn() {}, error(fields: object) { errors.push(fields); } } as NotificationsDeps['log'],
    mailer: { async send(mail) { tried.push(mail.messageId); return answer(mail); } },
  };
}

beforeAll(async () => {
  ground = await layFoundation();
  notifications = createNotifications(depsOf(ground.jobs));
  ground.jobs.outbox.subscribe(messageEnded, 'test.ended', ({ body }) => { ended.push(body); return Promise.resolve(); });
});
afterAll(() => ground.stop());
beforeEach(() => {
  [tried, ended, errors] = [[], [], []];
  answer = () => ({ kind: 'sent' });
});

async function queue(subjectId: string = randomUUID()): Promise<{ messageId: string; subjectId: string }> {
  const prepared = await notifications.queue({ subjectId, to: { email: 'mei@example.org' }, language: 'en', kind: receipt, params: {} });
  await ground.db.transaction((tx) => prepared.save(tx));
  return { messageId: prepared.messageId, subjectId };
}

/** Lets time pass in steps; what is due at each is done. */
async function pass(ms: number, stepMs = 10 * 60_000): Promise<void> {
  for (let passed = 0; passed < ms; passed += stepMs) {
    await ground.jobs.drain();
    ground.clock.advance(stepMs);
  }
  await ground.jobs.drain();
}
const statusOf = async (messageId: string) => (await notifications.standing(ground.db, messageId))?.status;

test('an outage of three days loses nothing, costs few attempts, and its end is announced once', async () => {
  answer = () => away;
  const message = await queue();
  await pass(72 * hour, 3 * hour);
  expect(await statusOf(message.messageId)).toBe('queued');
  expect(tried.length).toBeGreaterThan(15);
  expect(tried.length).toBeLessThan(40);
  answer = () => ({ kind: 'sent' });
  await pass(hour, hour / 4);
  expect(await statusOf(message.messageId)).toBe('sent');
  expect(ended).toEqual([{ ...message, status: 'sent' }]);
  expect((await ground.jobs.deadLetters.list({ limit: 10 })).items).toEqual([]);
}, 60_000);

test('after five days a message is given up: logged, announced, and shown to agents without its recipient', async () => {
  answer = () => ({ kind: 'later', reason: 'smtp 451' });
  const message = await queue();
  await pass(114 * hour, 6 * hour);
  expect(await statusOf(message.messageId)).toBe('queued');
  await pass(9 * hour, 3 * hour);
  expect(await statusOf(message.messageId)).toBe('failed');
  expect(ended).toEqual([{ ...message, status: 'failed' }]);
  expect(errors).toMatchObject([{ messageId: message.messageId, kind: 'test.receipt', reason: 'smtp 451' }]);
  const served = await serveForTest({
    endpoints: notifications.endpoints, db: ground.db,
    authenticators: [tableAuthenticator('agent', 'ag_', { ag_one: { kind: 'agent', agentId: randomUUID(), permissions: new Set(['operations:read']) } })],
  });
  const page = await fetch(`${served.url}/v1/operations/failed-messages`, { headers: { authorization: 'Bearer ag_one' } });
  const text = await page.text();
  expect(JSON.parse(text)).toMatchObject({ items: [{ messageId: message.messageId, kind: 'test.receipt', failure: 'smtp 451' }], nextCursor: null });
  expect(text).not.toContain(message.subjectId);
  await served.close();
}, 60_000);

test('while the provider is silent, new messages do not try it one by one; they go out once it answers', async () => {
  answer = () => away;
  const subjectId = randomUUID();
  await queue(subjectId);
  await ground.jobs.drain();
  const before = tried.length;
  for (let i = 0; i < 20; i++) await queue(subjectId);
  await ground.jobs.drain();
  expect(tried.length).toBe(before);
  answer = () => ({ kind: 'sent' });
  await pass(60_000, 10_000);
  const { n } = await ground.db.one<{ n: bigint }>(sql`
    select count(*) as n from notifications.message where subject_id = ${subjectId} and status = 'sent'`);
  expect(n).toBe(21n);
});

test('several processes sweep at once, and every message goes out once', async () => {
  answer = () => away;
  const queued = [];
  for (let i = 0; i < 30; i++) queued.push((await queue()).messageId);
  await ground.jobs.drain();
  tried = [];
  answer = async () => { await new Promise((resolve) => { setTimeout(resolve, 2); }); return { kind: 'sent' }; };
  ground.clock.advance(hour);
  const others = [1, 2].map(() => {
    const jobs = createJobs({ db: ground.db, clock: ground.clock, log: ground.log });
    createNotifications(depsOf(jobs));
    return jobs;
  });
  await Promise.all([ground.jobs, ...others].map((jobs) => jobs.drain()));
  expect(tried.toSorted()).toEqual(queued.toSorted());
});

test('a key store that is away for an hour loses nothing: the attempt is not taken for one of unknown outcome', async () => {
  const message = await queue();
  const { dataKeys } = ground.keys;
  const { open, isDestroyed } = dataKeys;
  (dataKeys as { open: unknown }).open = () => Promise.reject(new Error('away'));
  (dataKeys as { isDestroyed: unknown }).isDestroyed = () => Promise.reject(new Error('away'));
  await pass(hour);
  expect(tried).toEqual([]);
  expect(await statusOf(message.messageId)).toBe('queued');
  Object.assign(dataKeys, { open, isDestroyed });
  await pass(hour);
  expect(await statusOf(message.messageId)).toBe('sent');
});

test('what is dropped with its subject is announced; its texts and its hash go, its register stays', async () => {
  const subjectId = `case:${randomUUID()}`;
  const sent = await queue(subjectId);
  await ground.jobs.drain();
  answer = () => away;
  const waiting = await queue(subjectId);
  await ground.jobs.drain();
  expect(await ground.db.transaction((tx) => notifications.eraseTexts(tx, subjectId))).toBe(2);
  expect(await ground.db.transaction((tx) => notifications.eraseTexts(tx, subjectId))).toBe(0);
  await ground.jobs.drain();
  expect(ended).toEqual([{ ...sent, status: 'sent' }, { ...waiting, status: 'suppressed' }]);
  const rows = await ground.db.all(sql`
    select kind, code is not null as code, queued_at is not null as queued, address, content, address_hash, status
      from notifications.message where subject_id = ${subjectId} order by queued_at, id`);
  const bare = { kind: 'test.receipt', code: true, queued: true, address: null, content: null, address_hash: null };
  expect(rows).toEqual([{ ...bare, status: 'sent' }, { ...bare, status: 'suppressed' }]);
  answer = () => ({ kind: 'sent' });
  tried = [];
  await pass(hour);
  expect(tried).toEqual([]);
});

test('due messages are found by an index', async () => {
  const { rows } = await ground.db.one<{ rows: string }>(sql`
    select string_agg(indexdef, ' ') as rows from pg_indexes where schemaname = 'notifications' and tablename = 'message'`);
  expect(rows).toContain(`(next_attempt_at, id) WHERE (status = 'queued'::text)`);
  expect(rows).toContain(`(sending_until, id) WHERE (status = 'sending'::text)`);
});
