import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { layFoundation, type Foundation } from '../../test/foundation.ts';
import { startSimulator, type Simulator } from '../../test/simulators.ts';
import { sql } from '../platform/db/index.ts';
import { serveForTest } from '../platform/http/testing.ts';
import { createNotifications, messageEnded, defineMessage, smtpMailer, type Notifications } from './index.ts';

interface Received { id: string; to: string[]; subject: string; text: string; messageId: string; headers: Record<string, string>; attachments: { contentBase64: string }[] }

const words = ({ plan }: { plan: string }) => ({ subject: `Plan ${plan}`, text: `Your plan: ${plan}` });
const receipt = defineMessage<{ plan: string }>({ kind: 'test.receipt', render: { en: words, 'zh-Hans': words, 'zh-Hant': words } });
const offer = defineMessage<{ plan: string }>({ ...receipt, kind: 'test.offer', purpose: 'outreach' });

let ground: Foundation;
let inbox: Simulator;
let notifications: Notifications;
let subjectId: string;
let email: string;
let ended: { messageId: string; subjectId: string; status: string }[];

beforeAll(async () => {
  [ground, inbox] = await Promise.all([layFoundation(), startSimulator('inbox')]);
  notifications = createNotifications({
    db: ground.db, clock: ground.clock, dataKeys: ground.keys.dataKeys, blindIndex: ground.keys.blindIndex, outbox: ground.jobs.outbox,
    schedule: ground.jobs.schedule, attempts: ground.attempts, log: ground.log, verifyUrl: 'https://yuanyou.example/verify-message',
    mailer: smtpMailer({ url: inbox.shown['smtpUrl']!, fromName: 'Yuanyou', fromAddress: 'hello@yuanyou.example', timeoutMs: 1500 }),
  });
  ground.jobs.outbox.subscribe(messageEnded, 'test.ended', ({ body }) => { ended.push(body); return Promise.resolve(); });
});
afterAll(async () => {
  await inbox.stop();
  await ground.stop();
});
beforeEach(() => {
  ended = [];
  subjectId = randomUUID();
  email = `mei.${subjectId.slice(0, 8)}@example.org`;
});

async function queue(kind = receipt, whose = subjectId) {
  const prepared = await notifications.queue({ subjectId: whose, to: { email }, language: 'en', kind, params: { plan: 'Japan 3 GB' } });
  return { prepared, outcome: await ground.db.transaction((tx) => prepared.save(tx)) };
}

async function received(): Promise<Received[]> {
  const { items } = await inbox.get<{ items: { id: string }[] }>(`/messages?to=${email}`);
  return Promise.all(items.map(({ id }) => inbox.get<Received>(`/messages/${id}`)));
}

/** Lets due deliveries run, and those that back off come due. */
async function patiently(rounds = 4): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    await ground.jobs.drain();
    ground.clock.advance(600_000);
  }
  await ground.jobs.drain();
}
const statusOf = async (messageId: string) => (await notifications.standing(ground.db, messageId))?.status;

test('a message arrives with its code, and the code can be checked', async () => {
  const { prepared } = await queue();
  await ground.jobs.drain();
  const [mail, ...more] = await received();
  expect(more).toEqual([]);
  expect(mail).toMatchObject({ subject: 'Plan Japan 3 GB', messageId: `<${prepared.messageId}@yuanyou.example>` });
  expect(mail!.text).toContain(prepared.code);
  expect(mail!.headers['x-message-code']).toBe(prepared.code);
  const verdict = await notifications.verify(prepared.code.toLowerCase());
  expect(verdict).toMatchObject({ ours: true, kind: 'test.receipt', to: 'm***@e***.org' });
  expect(await notifications.verify('0000-0000-0000')).toEqual({ ours: false });
});

test('files travel along', async () => {
  const bytes = Buffer.from('%PDF certificate');
  const prepared = await notifications.queue({
    subjectId, to: { email }, language: 'zh-Hans', kind: receipt, params: { plan: '日本' },
    attachments: [{ fileName: 'certificate.pdf', mediaType: 'application/pdf', bytes }],
  });
  await ground.db.transaction((tx) => prepared.save(tx));
  await ground.jobs.drain();
  expect((await received())[0]!.attachments[0]!.contentBase64).toBe(bytes.toString('base64'));
});

test('a message of a transaction that failed is never sent', async () => {
  const prepared = await notifications.queue({ subjectId, to: { email }, language: 'en', kind: receipt, params: { plan: 'x' } });
  await expect(ground.db.transaction(async (tx) => {
    await prepared.save(tx);
    throw new Error('no');
  })).rejects.toThrow('no');
  await ground.jobs.drain();
  expect(await received()).toEqual([]);
});

test('what is at rest shows neither address nor text', async () => {
  await queue();
  const { rows } = await ground.db.one<{ rows: string }>(sql`select string_agg(m::text, ' ') as rows from notifications.message m`);
  const { events } = await ground.db.one<{ events: string }>(sql`select coalesce(string_agg(d::text, ' '), '') as events from jobs.delivery d`);
  for (const clear of [email, 'example.org', 'Japan 3 GB', Buffer.from(email).toString('hex')]) {
    expect(rows).not.toContain(clear);
    expect(events).not.toContain(clear);
  }
});

test('a provider that says later is asked again; one that says never is not', async () => {
  await inbox.post('/_control/mail-faults', { kind: 'refuse', times: 2 });
  const { prepared } = await queue();
  await patiently();
  expect(await received()).toHaveLength(1);
  expect(await statusOf(prepared.messageId)).toBe('sent');
  await inbox.post('/_control/mail-faults', { kind: 'reject' });
  const second = await queue();
  await patiently();
  expect(await statusOf(second.prepared.messageId)).toBe('failed');
  expect(await received()).toHaveLength(1);
});

test('an answer lost after the mail was taken leads to one repeat under the same Message-ID, and never to a third', async () => {
  await inbox.post('/_control/mail-faults', { kind: 'lost-answer', times: 2 });
  const { prepared } = await queue();
  await patiently();
  const mails = await received();
  expect(mails).toHaveLength(2);
  expect(new Set(mails.map(({ messageId }) => messageId)).size).toBe(1);
  expect(await statusOf(prepared.messageId)).toBe('failed');
});

test('a sender that dies between sending and noting repeats once', async () => {
  const { prepared } = await queue();
  // As a worker leaves it that is killed while it sends.
  await ground.db.transaction((tx) => tx.run(sql`
    update notifications.message set status = 'sending', attempts = 1, next_attempt_at = null, sending_until = ${new Date(ground.clock.now().getTime() + 60_000)}
     where id = ${prepared.messageId}`));
  await ground.jobs.drain();
  expect(await received()).toEqual([]);
  await patiently();
  expect(await received()).toHaveLength(1);
  expect(await statusOf(prepared.messageId)).toBe('sent');
});

test('after suppression nothing waits, nothing is queued, nothing is sent', async () => {
  const { prepared } = await queue();
  const { dropped } = await ground.db.transaction((tx) => notifications.suppress(tx, subjectId));
  expect(dropped).toBe(1);
  expect((await queue()).outcome).toBe('suppressed');
  await patiently(1);
  expect(await received()).toEqual([]);
  expect(await statusOf(prepared.messageId)).toBe('suppressed');
});

test('suppression waits for a message that is on its way out', async () => {
  const { prepared } = await queue();
  await ground.db.transaction((tx) => tx.run(sql`
    update notifications.message set status = 'sending', next_attempt_at = null, sending_until = ${new Date(ground.clock.now().getTime() + 60_000)} where id = ${prepared.messageId}`));
  await expect(ground.db.transaction((tx) => notifications.suppress(tx, subjectId))).rejects.toMatchObject({ code: 'notifications/sending' });
  ground.clock.advance(61_000);
  await ground.db.transaction((tx) => notifications.suppress(tx, subjectId));
  await patiently(1);
  expect(await received()).toEqual([]);
});

test('queueing and suppressing at once never leaves a message behind', async () => {
  const prepared = await Promise.all(Array.from({ length: 10 }, () =>
    notifications.queue({ subjectId, to: { email }, language: 'en', kind: receipt, params: { plan: 'x' } })));
  await Promise.all([
    ...prepared.map((one) => ground.db.transaction((tx) => one.save(tx))),
    ground.db.transaction((tx) => notifications.suppress(tx, subjectId)),
  ]);
  const { n } = await ground.db.one<{ n: bigint }>(sql`select count(*) as n from notifications.message where subject_id = ${subjectId} and status = 'queued'`);
  expect(n).toBe(0n);
});

test('an address that left gets no outreach under another subject, but what a new contract needs', async () => {
  await ground.db.transaction((tx) => notifications.suppress(tx, subjectId, { email: email.toUpperCase(), until: new Date(ground.clock.now().getTime() + 86_400_000) }));
  const again = randomUUID();
  expect((await queue(offer, again)).outcome).toBe('suppressed');
  expect((await queue(receipt, again)).outcome).toBe('queued');
  ground.clock.advance(2 * 86_400_000);
  expect((await queue(offer, again)).outcome).toBe('queued');
  await ground.jobs.drain();
});

test('a person takes the messages along; erased, only the register stays, and the code still answers', async () => {
  const { prepared } = await queue();
  await ground.jobs.drain();
  const [file] = await notifications.holder.exportData(ground.db, subjectId);
  expect(file!.rows).toMatchObject([{ kind: 'test.receipt', to: email, subject: 'Plan Japan 3 GB', code: prepared.code }]);
  expect(await ground.db.transaction((tx) => notifications.holder.erase(tx, subjectId))).toEqual({ erased: { messageTexts: 1 }, kept: { messageRegister: 1 } });
  expect(await ground.db.transaction((tx) => notifications.holder.erase(tx, subjectId))).toEqual({ erased: { messageTexts: 0 }, kept: { messageRegister: 1 } });
  expect((await notifications.holder.exportData(ground.db, subjectId))[0]!.rows).toEqual([]);
  expect(await notifications.verify(prepared.code)).toMatchObject({ ours: true, to: null });
});

test('a message whose key was destroyed is not sent', async () => {
  const { prepared } = await queue();
  await ground.keys.dataKeys.destroy(subjectId, 'closed');
  await patiently(1);
  expect(await statusOf(prepared.messageId)).toBe('failed');
  expect(await notifications.verify(prepared.code)).toMatchObject({ ours: true, to: null });
});

test('texts run out', async () => {
  await queue();
  await ground.jobs.drain();
  ground.clock.advance(400 * 86_400_000);
  await ground.jobs.drain();
  expect((await notifications.holder.exportData(ground.db, subjectId))[0]!.rows).toEqual([]);
});

test('anyone may check a code over HTTP, a person a limited number of times', async () => {
  const { prepared } = await queue();
  await ground.jobs.drain();
  const served = await serveForTest({
    endpoints: notifications.endpoints, db: ground.db, clock: ground.clock,
    problems: { 'general/too-many-requests': { status: 429, title: { en: 'x', 'zh-Hans': 'x', 'zh-Hant': 'x' } } },
  });
  const check = (code: string) => fetch(`${served.url}/v1/messages/verify/${code}`);
  expect(await (await check(prepared.code)).json()).toMatchObject({ ours: true, to: 'm***@e***.org', channel: 'email' });
  expect(await (await check('0000-0000-0000')).json()).toEqual({ ours: false });
  const statuses = [];
  for (let i = 0; i < 60; i++) statuses.push((await check('0000-0000-0000')).status);
  expect(statuses.at(-1)).toBe(429);
  await served.close();
});

test('an Ed25519 key for DKIM is refused instead of being left out in silence', async () => {
  const { generateKeyPairSync } = await import('node:crypto');
  const { privateKey } = generateKeyPairSync('ed25519');
  const privateKeyPem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  expect(() => smtpMailer({
    url: 'smtp://127.0.0.1:1', fromName: 'x', fromAddress: 'a@example.org', dkim: { domain: 'example.org', selector: 's', privateKeyPem },
  })).toThrow('RSA');
});
