import { mkdtempSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readInbox, startInbox, type Inbox } from './index.ts';

let folder: string;
let inbox: Inbox;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'inbox-'));
  inbox = await startInbox({ folder });
});
afterEach(() => inbox.stop());

/** A mail client of a few lines, so that the inbox is not only tried with the library the server uses. */
async function send(to: string, body: string): Promise<string> {
  const socket = connect(Number(new URL(inbox.smtpUrl).port), '127.0.0.1');
  let answers = '';
  socket.on('data', (data) => { answers += data.toString(); });
  socket.on('error', () => undefined);
  const ended = new Promise<void>((resolve) => socket.on('close', () => resolve()));
  const said = async (code: string): Promise<void> => {
    while (!answers.includes(`${code} `) && !socket.destroyed) await new Promise((resolve) => setTimeout(resolve, 5));
  };
  await said('220');
  for (const line of ['HELO test', 'MAIL FROM:<service@yuanyou.example>', `RCPT TO:<${to}>`]) socket.write(`${line}\r\n`);
  socket.write('DATA\r\n');
  await said('354');
  answers = '';
  socket.write(`${body.replaceAll('\n', '\r\n')}\r\n.\r\nQUIT\r\n`);
  await ended;
  return answers.slice(0, 3);
}

const mail = 'Message-ID: <m1@yuanyou.example>\nSubject: =?utf-8?B?5L2g5aW9?=\nContent-Type: text/plain; charset=utf-8\n\nHello\n';

test('keeps what it is sent, where another process can read it', async () => {
  expect(await send('mei@example.org', mail)).toBe('250');
  expect(await inbox.waitFor('MEI@example.org')).toMatchObject({ subject: '你好', messageId: '<m1@yuanyou.example>', from: 'service@yuanyou.example' });
  expect(readInbox(folder)).toHaveLength(1);
  const list = await (await fetch(`${inbox.url}/messages?to=mei@example.org`)).json() as { items: { id: string }[] };
  const one = await (await fetch(`${inbox.url}/messages/${list.items[0]!.id}`)).json() as { text: string };
  expect(one.text.trim()).toBe('Hello');
  expect(await (await fetch(`${inbox.url}/messages?to=other@example.org`)).json()).toEqual({ items: [] });
});

test('refuses, rejects, and takes a message without saying so, on command', async () => {
  inbox.fault({ kind: 'refuse' });
  inbox.fault({ kind: 'reject' });
  inbox.fault({ kind: 'lost-answer' });
  expect(await send('mei@example.org', mail)).toBe('451');
  expect(await send('mei@example.org', mail)).toBe('550');
  expect(inbox.messages()).toHaveLength(0);
  expect(await send('mei@example.org', mail)).toBe('');
  expect(inbox.messages()).toHaveLength(1);
});
