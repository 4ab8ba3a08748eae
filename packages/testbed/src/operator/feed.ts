import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Register, UsageRecord } from './register.ts';

const header = 'id,start,stop,iccid,imsi,bytes,imei,mccmnc';

function csv(records: readonly UsageRecord[]): string {
  const lines = records.map((r) => [r.id, r.start, r.stop, r.iccid, r.imsi, r.bytes, r.imei, r.mccmnc].join(','));
  return `${[header, ...lines].join('\n')}\n`;
}

function writeWhole(folder: string, name: string, text: string): void {
  mkdirSync(folder, { recursive: true });
  const half = join(folder, `.${name}.part`);
  const descriptor = openSync(half, 'w');
  writeSync(descriptor, text);
  fsyncSync(descriptor);
  closeSync(descriptor);
  renameSync(half, join(folder, name));
}

/**
 * Writes what waits, one file for each hour in which use ended; answers the names.
 * The name and its records are noted before the file is written, so that a crash in between writes the same file again.
 */
export function writeUsageFiles(register: Register, folder: string, operator: string): string[] {
  const byHour = new Map<string, UsageRecord[]>();
  for (const record of register.waiting()) {
    const hour = record.stop.slice(0, 13).replaceAll(/[-T]/g, '');
    byHour.set(hour, [...byHour.get(hour) ?? [], record]);
  }
  for (const [hour, records] of [...byHour].sort(([one], [other]) => (one < other ? -1 : 1))) {
    const name = `${operator}-${hour}-${String(register.fileCount() + 1).padStart(6, '0')}.csv`;
    register.save({ file: { name, recordIds: records.map((record) => record.id), written: false } });
  }
  const names: string[] = [];
  for (const { name, records } of register.unwritten()) {
    writeWhole(folder, name, csv(records));
    register.save({ file: { name, recordIds: records.map((record) => record.id), written: true } });
    names.push(name);
  }
  return names;
}
