import { randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { simpleParser } from 'mailparser';
import { SMTPServer, type SMTPServerDataStream, type SMTPServerSession } from 'smtp-server';
import { z } from 'zod';
import { openJournal, readJournal } from '../simulator/journal.ts';
import { createSimulatorServer } from '../simulator/server.ts';

export interface InboxMessage {
  readonly id: string;
  readonly at: string;
  /** The envelope's addresses. */
  readonly from: string;
  readonly to: readonly string[];
  readonly messageId: string | null;
  readonly subject: string;
  readonly text: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly attachments: readonly { readonly fileName: string; readonly mediaType: string; readonly contentBase64: string }[];
}

/**
 * - `refuse`: answers 451, a failure that passes
 * - `reject`: answers 550, a failure that stays
 * - `delay`: waits, then takes the message
 * - `lost-answer`: keeps the message and cuts the connection before saying so
 */
export interface MailFault {
  readonly kind: 'refuse' | 'reject' | 'delay' | 'lost-answer';
  readonly times?: number;
  readonly delayMs?: number;
}

export interface InboxOptions {
  readonly smtpPort?: number;
  readonly httpPort?: number;
  /** Where the messages are kept. */
  readonly folder: string;
  readonly clock?: { now(): Date };
}

export interface Inbox {
  /** `smtp://127.0.0.1:port` */
  readonly smtpUrl: string;
  /** Lists at `/messages?to=`, one at `/messages/<id>`. */
  readonly url: string;
  messages(to?: string): readonly InboxMessage[];
  /** The first message to `to` that fits, waiting for it at most `timeoutMs` (default 5000). */
  waitFor(to: string, fits?: (message: InboxMessage) => boolean, timeoutMs?: number): Promise<InboxMessage>;
  fault(fault: MailFault): void;
  stop(): Promise<void>;
}

const fileOf = (folder: string): string => join(folder, 'inbox.jsonl');

/** Reads the messages from their folder, also while the inbox runs in another process. */
export function readInbox(folder: string): InboxMessage[] {
  return readJournal<InboxMessage>(fileOf(folder));
}

function addressed(messages: readonly InboxMessage[], to: string | undefined): readonly InboxMessage[] {
  const wanted = to?.toLowerCase();
  return wanted === undefined ? messages : messages.filter((message) => message.to.some((address) => address.toLowerCase() === wanted));
}

async function readMail(stream: SMTPServerDataStream, session: SMTPServerSession, at: Date): Promise<InboxMessage> {
  const mail = await simpleParser(stream, { skipHtmlToText: true, skipTextToHtml: true, skipImageLinks: true });
  const sender = session.envelope.mailFrom;
  return {
    id: randomUUID(), at: at.toISOString(), from: sender === false ? '' : sender.address,
    to: session.envelope.rcptTo.map(({ address }) => address),
    messageId: mail.messageId ?? null, subject: mail.subject ?? '', text: mail.text ?? '',
    headers: Object.fromEntries(mail.headerLines.map(({ key, line }) => [key, line.slice(line.indexOf(':') + 1).trim()])),
    attachments: mail.attachments.map((file) => ({
      fileName: file.filename ?? '', mediaType: file.contentType, contentBase64: file.content.toString('base64'),
    })),
  };
}

function smtpError(code: number, text: string): Error {
  return Object.assign(new Error(text), { responseCode: code });
}

/** The library keeps a session's socket on its connection only, and does not type it. */
function cut(smtp: SMTPServer, sessionId: string): void {
  const { connections } = smtp as unknown as { readonly connections: Set<{ readonly id: string; readonly _socket: { destroy(): void } }> };
  for (const connection of connections) if (connection.id === sessionId) connection._socket.destroy();
}

/** A notice that somebody left: a provider would drop its logs of the address. */
const erasureShape = z.object({ requestId: z.string().min(8).max(200), address: z.email(), forgetAfter: z.iso.datetime() });

const faultShape = z.object({
  kind: z.enum(['refuse', 'reject', 'delay', 'lost-answer']), times: z.int().min(1).max(1000).optional(), delayMs: z.int().min(0).max(60_000).optional(),
});

/** Takes notices of erasure: the first answer to a request id stands for every repeat. */
function takeErasures(app: ReturnType<typeof createSimulatorServer>['app'], now: () => Date): void {
  const taken = new Map<string, { readonly requestId: string; readonly receipt: string; readonly at: string }>();
  app.post('/erasures', async (request) => {
    const { requestId } = erasureShape.parse(request.body);
    const one = taken.get(requestId) ?? { requestId, receipt: randomUUID(), at: now().toISOString() };
    taken.set(requestId, one);
    return { receipt: one.receipt };
  });
  app.get('/_control/erasures', async () => ({ items: [...taken.values()] }));
}

/** A mail server that takes every message and keeps it where one can read it. */
export async function startInbox(options: InboxOptions): Promise<Inbox> {
  const now = (): Date => (options.clock ?? { now: () => new Date() }).now();
  const kept: InboxMessage[] = [];
  const journal = openJournal<InboxMessage>(fileOf(options.folder), (message) => kept.push(message));
  const faults: MailFault[] = [];

  async function take(stream: SMTPServerDataStream, session: SMTPServerSession): Promise<void> {
    const message = await readMail(stream, session, now());
    const fault = faults.shift();
    if (fault?.kind === 'refuse') throw smtpError(451, 'Try again later');
    if (fault?.kind === 'reject') throw smtpError(550, 'No such mailbox');
    if (fault?.kind === 'delay') await sleep(fault.delayMs ?? 1000);
    journal.append(message);
    kept.push(message);
    if (fault?.kind === 'lost-answer') cut(smtp, session.id);
  }

  const smtp = new SMTPServer({
    authOptional: true, disabledCommands: ['STARTTLS', 'AUTH'], size: 20_000_000, logger: false, disableReverseLookup: true, closeTimeout: 200,
    onData: (stream, session, done) => { take(stream, session).then(() => done(), (error: Error) => done(error)); },
  });
  smtp.on('error', () => undefined);
  await new Promise<void>((resolve, reject) => {
    smtp.once('error', reject);
    smtp.listen(options.smtpPort ?? 0, '127.0.0.1', () => resolve());
  });

  const web = createSimulatorServer((status) => ({ message: `Simulated failure ${status}` }));
  web.app.get<{ Querystring: { to?: string } }>('/messages', async (request) => ({
    items: addressed(kept, request.query.to).map(({ id, at, from, to, subject }) => ({ id, at, from, to, subject })),
  }));
  web.app.get<{ Params: { id: string } }>('/messages/:id', async (request, reply) =>
    kept.find(({ id }) => id === request.params.id) ?? reply.code(404).send({ message: 'No such message' }));
  takeErasures(web.app, now);
  const fault = (given: MailFault): void => { for (let i = 0; i < (given.times ?? 1); i++) faults.push(given); };
  web.app.post('/_control/mail-faults', async (request) => {
    const { kind, times, delayMs } = faultShape.parse(request.body);
    fault({ kind, ...(times === undefined ? {} : { times }), ...(delayMs === undefined ? {} : { delayMs }) });
    return {};
  });
  const url = await web.listen(options.httpPort ?? 0);

  return {
    smtpUrl: `smtp://127.0.0.1:${(smtp.server.address() as AddressInfo).port}`,
    url,
    messages: (to) => addressed(kept, to),
    async waitFor(to, fits = () => true, timeoutMs = 5000) {
      const deadline = performance.now() + timeoutMs;
      for (;;) {
        const found = addressed(kept, to).find(fits);
        if (found !== undefined) return found;
        if (performance.now() > deadline) throw new Error(`no such message to ${to} within ${timeoutMs} ms; there are ${addressed(kept, to).length}`);
        await sleep(20);
      }
    },
    fault,
    async stop() {
      await new Promise<void>((resolve) => smtp.close(() => resolve()));
      await web.stop();
      journal.close();
    },
  };
}
