import { pipeline } from 'node:stream/promises';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { parse } from 'csv-parse';
import { ServiceError } from '../platform/errors.ts';
import type { UsageRecord } from './model.ts';

const header = ['id', 'start', 'stop', 'iccid', 'imsi', 'bytes', 'imei', 'mccmnc'];
/** A file of an hour is far smaller; a larger one is refused before it is read. */
export const maxFileBytes = 64 * 1024 * 1024;
const maxRows = 500_000;
const maxBytes = 1n << 50n;
const pieceBytes = 64 * 1024;

function refuse(row: number, why: string): never {
  throw new ServiceError('usage/file-refused', { row, why });
}

function instantOf(text: string, row: number): Date {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z$/.test(text)) refuse(row, 'a time is not RFC 3339 in UTC');
  const at = new Date(text);
  if (Number.isNaN(at.getTime())) refuse(row, 'a time does not exist');
  return at;
}

function recordOf(cells: readonly string[], rowNo: number): UsageRecord {
  if (cells.length !== header.length) refuse(rowNo, 'the number of columns differs');
  const [recordId, start, stop, iccid, , bytes, , mccmnc] = cells as [string, string, string, string, string, string, string, string];
  if (!/^[\x21-\x7e]{1,64}$/.test(recordId)) refuse(rowNo, 'the id is empty, too long or not ASCII');
  if (!/^\d{18,20}F?$/i.test(iccid)) refuse(rowNo, 'the ICCID has not 18 to 20 digits');
  if (!/^\d{1,16}$/.test(bytes) || BigInt(bytes) > maxBytes) refuse(rowNo, 'bytes is not a whole number within bounds');
  if (!/^(\d{5,6})?$/.test(mccmnc)) refuse(rowNo, 'mccmnc has not 5 or 6 digits');
  const startedAt = instantOf(start, rowNo);
  const stoppedAt = instantOf(stop, rowNo);
  if (stoppedAt < startedAt) refuse(rowNo, 'stop lies before start');
  return { rowNo, recordId, startedAt, stoppedAt, iccid: iccid.replace(/F$/i, ''), bytes: BigInt(bytes), plmn: mccmnc === '' ? null : mccmnc };
}

/** The file piece by piece, with a turn for everybody else in between: a large one takes seconds. */
async function* piecesOf(bytes: Uint8Array): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  for (let at = 0; at < bytes.length; at += pieceBytes) {
    const text = decoder.decode(bytes.subarray(at, at + pieceBytes), { stream: true });
    if (text !== '') yield text;
    await nextTurn();
  }
  const rest = decoder.decode();
  if (rest !== '') yield rest;
}

async function recordsOf(rows: AsyncIterable<readonly string[]>): Promise<UsageRecord[]> {
  const records: UsageRecord[] = [];
  let seenHeader = false;
  for await (const cells of rows) {
    if (!seenHeader) {
      if (cells.join(',') !== header.join(',')) refuse(0, 'the header differs');
      seenHeader = true;
    } else {
      if (records.length === maxRows) refuse(0, 'too many rows');
      records.push(recordOf(cells, records.length + 1));
    }
  }
  if (!seenHeader) refuse(0, 'the header differs');
  return records;
}

/**
 * Reads a usage file by the hour: CSV, UTF-8, columns id,start,stop,iccid,imsi,bytes,imei,mccmnc, times in UTC.
 * @throws ServiceError `usage/file-refused` with the row (1 is the first after the header) and the reason; a file is taken whole or not at all.
 */
export async function parseUsageCsv(bytes: Uint8Array): Promise<UsageRecord[]> {
  if (bytes.length > maxFileBytes) refuse(0, 'the file is too large');
  try {
    return await pipeline(piecesOf(bytes), parse({ relax_column_count: true, skip_empty_lines: true, max_record_size: 2048, bom: true }), recordsOf);
  } catch (error) {
    if (error instanceof ServiceError) throw error;
    throw new ServiceError('usage/file-refused', { row: 0, why: 'not CSV in UTF-8' }, { cause: error });
  }
}
