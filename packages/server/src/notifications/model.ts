import type { Language } from '@yuanyou/contract';

/** A file that travels with a message. */
export interface Attachment {
  readonly fileName: string;
  readonly mediaType: string;
  readonly bytes: Uint8Array;
}

export interface Words {
  readonly subject: string;
  readonly text: string;
}

/** A kind of message, declared once by the slice that has something to say. */
export interface MessageKind<P> {
  /** `<slice>.<what>`, for example `orders.receipt`. */
  readonly kind: string;
  /** `service`: the contract or the law asks for it. `outreach`: everything else; it never reaches an address that left. */
  readonly purpose: 'service' | 'outreach';
  readonly render: Readonly<Record<Language, (params: P) => Words>>;
}

export function defineMessage<P>(declaration: Omit<MessageKind<P>, 'purpose'> & { readonly purpose?: MessageKind<P>['purpose'] }): MessageKind<P> {
  return { purpose: 'service', ...declaration };
}

export type MessageStatus = 'queued' | 'sending' | 'sent' | 'failed' | 'suppressed';

const footers: Readonly<Record<Language, (code: string, verifyUrl: string) => string>> = {
  en: (code, url) => `Message code: ${code}\nIs this message really from us? Enter the code at ${url}\nWe never ask for a password or a code.`,
  'zh-Hans': (code, url) => `消息编码：${code}\n想确认这条消息是否由我们发出？请在 ${url} 输入编码查询。\n我们绝不会向您索要密码或验证码。`,
  'zh-Hant': (code, url) => `訊息編碼：${code}\n想確認這則訊息是否由我們發出？請在 ${url} 輸入編碼查詢。\n我們絕不會向您索取密碼或驗證碼。`,
};

/** The message as it will be read, with the code by which anyone can check that it is ours. */
export function rendered<P>(kind: MessageKind<P>, language: Language, params: P, code: string, verifyUrl: string): Words {
  const { subject, text } = kind.render[language](params);
  return { subject: subject.replaceAll(/[\r\n]+/g, ' ').trim(), text: `${text.trimEnd()}\n\n-- \n${footers[language](code, verifyUrl)}\n` };
}

const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const codeLength = 12;

/** 60 bits as twelve symbols of Crockford's base 32. */
export function codeFrom(random: Uint8Array): string {
  return [...random.subarray(0, codeLength)].map((byte) => alphabet[byte & 31]!).join('');
}

export function shownCode(code: string): string {
  return code.match(/.{4}/g)!.join('-');
}

/** What a person typed, as stored; undefined when it cannot be a code. */
export function readCode(typed: string): string | undefined {
  const code = typed.toUpperCase().replaceAll(/[\s-]/g, '').replaceAll('O', '0').replaceAll(/[IL]/g, '1');
  return code.length === codeLength && [...code].every((symbol) => alphabet.includes(symbol)) ? code : undefined;
}

/** `mei@example.org` as `m***@e***.org`. */
export function maskedEmail(email: string): string {
  const at = email.lastIndexOf('@');
  const domain = email.slice(at + 1);
  const dot = domain.lastIndexOf('.');
  const first = (part: string): string => `${[...part][0] ?? ''}***`;
  return `${first(email.slice(0, at))}@${first(domain.slice(0, Math.max(dot, 0)))}${dot < 0 ? '' : domain.slice(dot)}`;
}

/** What the sender needs of a stored message to decide. */
export interface Standing {
  readonly status: MessageStatus;
  readonly suppressed: boolean;
  readonly unknownOutcomes: number;
  readonly nextAttemptAt: Date | null;
  readonly sendingUntil: Date | null;
}

export type Move =
  | { readonly kind: 'nothing-to-do' }
  | { readonly kind: 'not-due' }
  | { readonly kind: 'suppress' }
  /** Another worker is at it. */
  | { readonly kind: 'busy' }
  | { readonly kind: 'give-up'; readonly unknownOutcomes: number }
  | { readonly kind: 'send'; readonly unknownOutcomes: number };

/**
 * A message whose fate is unknown is sent again under the same Message-ID, by which mail programs show it once: a copy too many does less
 * harm than a receipt that never came. An answer is most often lost after the mail was taken, so two of those end it; a sender that died
 * had most often not begun, so it takes four of them.
 */
const mostUnknownOutcomes = 4;
export const lostAnswerWeighs = 2;

export function nextMove(standing: Standing, now: Date): Move {
  if (standing.status !== 'queued' && standing.status !== 'sending') return { kind: 'nothing-to-do' };
  const abandoned = standing.status === 'sending';
  if (abandoned && standing.sendingUntil !== null && standing.sendingUntil > now) return { kind: 'busy' };
  if (standing.suppressed) return { kind: 'suppress' };
  if (standing.nextAttemptAt !== null && standing.nextAttemptAt > now) return { kind: 'not-due' };
  const unknownOutcomes = standing.unknownOutcomes + (abandoned ? 1 : 0);
  return { kind: unknownOutcomes >= mostUnknownOutcomes ? 'give-up' : 'send', unknownOutcomes };
}

/** The first attempt's repeat comes soon; the longest pause is what an outage of days is sat out with. */
export const retryBackoff = { firstMs: 5000, factor: 3, longestMs: 15 * 60_000 };

/** A provider that does not take a message for this long never will. */
const longestDeliveryMs = 5 * 86_400_000;

/** Whether a message is too old for another attempt. */
export function isGivenUp(queuedAt: Date, now: Date): boolean {
  return now.getTime() - queuedAt.getTime() >= longestDeliveryMs;
}
