import type { DataKeys } from '../platform/keys/types.ts';
import type { Attachment, Words } from './model.ts';

export interface Content extends Words {
  readonly attachments: readonly Attachment[];
}

const addressContext = 'notifications.message.address';
const contentContext = 'notifications.message.content';

/** Subject, text and files in one sealed value: a length in front of the words, the files' bytes behind. */
export async function sealContent(keys: DataKeys, subjectId: string, content: Content): Promise<Buffer> {
  const words = Buffer.from(JSON.stringify({
    subject: content.subject, text: content.text,
    files: content.attachments.map(({ fileName, mediaType, bytes }) => ({ fileName, mediaType, length: bytes.length })),
  }));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(words.length);
  return keys.seal(subjectId, contentContext, Buffer.concat([length, words, ...content.attachments.map(({ bytes }) => bytes)]));
}

export async function openContent(keys: DataKeys, subjectId: string, sealed: Buffer): Promise<Content> {
  const plain = await keys.open(subjectId, contentContext, sealed);
  let at = 4 + plain.readUInt32BE(0);
  const { subject, text, files } = JSON.parse(plain.toString('utf8', 4, at)) as
    Words & { files: { fileName: string; mediaType: string; length: number }[] };
  const attachments = files.map(({ fileName, mediaType, length }) => {
    at += length;
    return { fileName, mediaType, bytes: plain.subarray(at - length, at) };
  });
  return { subject, text, attachments };
}

export function sealAddress(keys: DataKeys, subjectId: string, address: string): Promise<Buffer> {
  return keys.seal(subjectId, addressContext, address);
}

export function openAddress(keys: DataKeys, subjectId: string, sealed: Buffer): Promise<string> {
  return keys.openText(subjectId, addressContext, sealed);
}
