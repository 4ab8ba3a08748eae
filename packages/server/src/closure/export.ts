import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto';
import { ZipFile } from 'yazl';
import type { ExportFile } from '../platform/subject/index.ts';
import type { ClosureDeps } from './ports.ts';

type Row = ExportFile['rows'][number];

/** One cell of CSV (RFC 4180); a leading character that spreadsheets take for a formula is defused. */
function cell(value: Row[string] | undefined): string {
  const text = value === null || value === undefined ? '' : String(value);
  const safe = /^[=+\-@\t\r]/.test(text) && typeof value === 'string' ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

export function csvOf(rows: readonly Row[]): string {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  return [columns.map(cell), ...rows.map((row) => columns.map((column) => cell(row[column])))].map((cells) => `${cells.join(',')}\r\n`).join('');
}

const vcardText = (value: string): string => value.replace(/[\\,;]/g, (c) => `\\${c}`).replace(/\r?\n/g, '\\n');

/** Contacts as vCard 4.0 (RFC 6350). */
export function vcardOf(rows: readonly Row[]): string {
  return rows.map((row) => {
    const lines = ['BEGIN:VCARD', 'VERSION:4.0', `FN:${vcardText(String(row['name'] ?? ''))}`];
    if (typeof row['phone'] === 'string') lines.push(`TEL:${vcardText(row['phone'])}`);
    if (typeof row['email'] === 'string') lines.push(`EMAIL:${vcardText(row['email'])}`);
    if (typeof row['note'] === 'string') lines.push(`NOTE:${vcardText(row['note'])}`);
    return `${[...lines, 'END:VCARD'].join('\r\n')}\r\n`;
  }).join('');
}

function zipOf(files: readonly { readonly name: string; readonly bytes: Buffer }[], at: Date): Promise<Buffer> {
  const zip = new ZipFile();
  for (const { name, bytes } of files) zip.addBuffer(bytes, name, { mtime: at });
  zip.end();
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    zip.outputStream.on('data', (chunk: Buffer) => chunks.push(chunk)).on('end', () => resolve(Buffer.concat(chunks))).on('error', reject);
  });
}

/** Everything that every slice keeps of an account, as one ZIP: each list as JSON and CSV, contacts as vCard too. */
export async function buildExport(deps: Pick<ClosureDeps, 'db' | 'holders' | 'clock'>, accountId: string): Promise<Buffer> {
  const files: { name: string; bytes: Buffer }[] = [];
  for (const holder of deps.holders()) {
    for (const { name, rows } of await holder.exportData(deps.db, accountId)) {
      files.push({ name: `${name}.json`, bytes: Buffer.from(`${JSON.stringify(rows, null, 2)}\n`) });
      files.push({ name: `${name}.csv`, bytes: Buffer.from(csvOf(rows)) });
      if (name === 'contacts') files.push({ name: 'contacts.vcf', bytes: Buffer.from(vcardOf(rows)) });
    }
  }
  return zipOf(files, deps.clock.now());
}

export const tokenHash = (token: string): Buffer => createHash('sha256').update(token).digest();

function keyOf(token: string, salt: Buffer): Buffer {
  return Buffer.from(hkdfSync('sha256', token, salt, 'yuanyou export', 32));
}

/** Seals the ZIP under a key derived from the token (HKDF-SHA-256, AES-256-GCM): salt 16, nonce 12, tag 16, ciphertext. */
export function sealExport(zip: Buffer, token: string): Buffer {
  const salt = randomBytes(16);
  const nonce = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', keyOf(token, salt), nonce);
  const sealed = Buffer.concat([cipher.update(zip), cipher.final()]);
  return Buffer.concat([salt, nonce, cipher.getAuthTag(), sealed]);
}

export function openExport(sealed: Buffer, token: string): Buffer {
  const decipher = createDecipheriv('aes-256-gcm', keyOf(token, sealed.subarray(0, 16)), sealed.subarray(16, 28));
  decipher.setAuthTag(sealed.subarray(28, 44));
  return Buffer.concat([decipher.update(sealed.subarray(44)), decipher.final()]);
}
