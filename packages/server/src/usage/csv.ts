import { parse } from 'csv-parse/sync';
import { ServiceError } from '../platform/errors.ts';
import type { UsageRecord } from './model.ts';

const header = ['id', 'start', 'stop', 'iccid', 'imsi', 'bytes', 'imei', 'mccmnc'];
/** A file of an hour is far smaller; a larger one is refused before it is read. */
export const maxFileBytes = 64 * 1024 * 1024;
const maxRows = 500_000;
const maxBytes = 1n << 50n;

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

/**
 * Reads a usage file by the hour: CSV, UTF-8, columns id,start,stop,iccid,imsi,bytes,imei,mccmnc, times in UTC.
 * @throws ServiceError `usage/file-refused` with the row (1 is the first after the header) and the reason; a file is taken whole or not at all.
 */
export function parseUsageCsv(bytes: Uint8Array): UsageRecord[] {
  if (bytes.length > maxFileBytes) refuse(0, 'the file is too large');
  let rows: string[][];
  try {
    rows = parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes), {
      relax_column_count: true, skip_empty_lines: true, max_record_size: 2048, bom: true,
    });
  } catch (error) {
    throw new ServiceError('usage/file-refused', { row: 0, why: 'not CSV in UTF-8' }, { cause: error });
  }
  if (rows[0]?.join(',') !== header.join(',')) refuse(0, 'the header differs');
  if (rows.length - 1 > maxRows) refuse(0, 'too many rows');
  return rows.slice(1).map((cells, index) => recordOf(cells, index + 1));
}
