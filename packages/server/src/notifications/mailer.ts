import { createPrivateKey } from 'node:crypto';
import { createTransport, type SendMailOptions } from 'nodemailer';
import type { Attachment } from './model.ts';

export interface Mail {
  /** Stable over attempts, so that a provider can recognise a repeat. */
  readonly messageId: string;
  readonly to: string;
  readonly language: string;
  readonly code: string;
  readonly subject: string;
  readonly text: string;
  readonly attachments: readonly Attachment[];
}

/**
 * `sent`: the provider took it. `refused`: it never will. `later`: it was not taken, another attempt may work.
 * `unknown`: the connection broke where the provider may have taken it. `silent`: it was not this mail; the provider does not answer at all.
 */
export type MailOutcome =
  | { readonly kind: 'sent' }
  | { readonly kind: 'refused' | 'later' | 'unknown'; readonly reason: string; readonly silent?: true };

/** The way out for mail. */
export interface Mailer {
  /** How long one attempt may take in all; a worker that is silent for longer has died. Default a minute. */
  readonly limitMs?: number;
  send(mail: Mail): Promise<MailOutcome>;
}

export interface SmtpOptions {
  /** `smtp://host:port` or `smtps://...`, with `user:password@` where the provider asks for it. */
  readonly url: string;
  readonly fromName: string;
  readonly fromAddress: string;
  /** RSA only: nodemailer leaves the signature out without a word for other keys. */
  readonly dkim?: { readonly domain: string; readonly selector: string; readonly privateKeyPem: string };
  /** Refuses to send where the server does not turn the connection to TLS. */
  readonly requireTls?: boolean;
  /** For each step of the conversation; default 20 s. */
  readonly timeoutMs?: number;
  /** As {@link Mailer.limitMs}; half of it is the conversation's, the rest is left to note how it ended. */
  readonly limitMs?: number;
}

export const sendLimitMs = 60_000;

function dkimOf(options: SmtpOptions): { domainName: string; keySelector: string; privateKey: string } | undefined {
  if (options.dkim === undefined) return undefined;
  const { domain, selector, privateKeyPem } = options.dkim;
  if (createPrivateKey(privateKeyPem).asymmetricKeyType !== 'rsa') throw new Error('the DKIM key must be an RSA key');
  return { domainName: domain, keySelector: selector, privateKey: privateKeyPem };
}

function outcomeOf(error: unknown): MailOutcome {
  const { responseCode, code, message } = error as { responseCode?: number; code?: string; message?: string };
  // Says something of the server and nothing of the message, whatever the server's number.
  if (code === 'ETLS') return { kind: 'later', reason: code, silent: true };
  if (responseCode !== undefined) return { kind: responseCode >= 500 ? 'refused' : 'later', reason: `smtp ${responseCode}` };
  const neverBegan = ['ECONNREFUSED', 'EDNS', 'ENOTFOUND', 'EHOSTUNREACH', 'ENETUNREACH', 'ETLS', 'EAUTH'].includes(code ?? '')
    || /ECONNREFUSED|^Connection timeout$|^Greeting never received$/.test(message ?? '');
  return { kind: neverBegan ? 'later' : 'unknown', reason: code ?? 'connection', silent: true };
}

/** Mail over SMTP, a connection a message. */
export function smtpMailer(options: SmtpOptions): Mailer {
  const url = new URL(options.url);
  const timeoutMs = options.timeoutMs ?? 20_000;
  const limitMs = options.limitMs ?? sendLimitMs;
  const dkim = dkimOf(options);
  const transport = createTransport({
    host: url.hostname, port: Number(url.port || (url.protocol === 'smtps:' ? 465 : 25)), secure: url.protocol === 'smtps:',
    requireTLS: options.requireTls === true,
    connectionTimeout: timeoutMs, greetingTimeout: timeoutMs, socketTimeout: timeoutMs,
    ...(url.username === '' ? {} : { auth: { user: decodeURIComponent(url.username), pass: decodeURIComponent(url.password) } }),
    ...(dkim === undefined ? {} : { dkim }),
  });
  const domain = options.fromAddress.slice(options.fromAddress.lastIndexOf('@') + 1);
  return {
    limitMs,
    async send(mail) {
      const letter: SendMailOptions = {
        from: { name: options.fromName, address: options.fromAddress }, to: { name: '', address: mail.to },
        messageId: `<${mail.messageId}@${domain}>`, subject: mail.subject, text: mail.text,
        headers: { 'X-Message-Code': mail.code, 'Auto-Submitted': 'auto-generated', 'Content-Language': mail.language },
        attachments: mail.attachments.map(({ fileName, mediaType, bytes }) => ({
          filename: fileName, contentType: mediaType, content: Buffer.from(bytes),
        })),
        // Texts come from templates and stored values: none may make the mailer read a file or a URL.
        disableFileAccess: true, disableUrlAccess: true,
      };
      try {
        await withLimit(limitMs / 2, transport.sendMail(letter));
        return { kind: 'sent' };
      } catch (error) {
        return outcomeOf(error);
      }
    },
  };
}

async function withLimit(ms: number, sending: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(Object.assign(new Error('send limit'), { code: 'ELIMIT' })), ms);
  });
  try {
    await Promise.race([sending, limit]);
  } finally {
    clearTimeout(timer);
  }
}
