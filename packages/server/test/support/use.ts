import { randomUUID } from 'node:crypto';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sql } from '../../src/platform/db/index.ts';
import type { House } from './house.ts';

export const gigabyte = 1_000_000_000;

/** One row of a usage file, as the operator's network counted it. */
export interface Use {
  readonly iccid: string;
  readonly bytes: number;
  /** When it ended; a minute before it began. Default: now, by the house's clock. */
  readonly at?: Date;
  readonly id?: string;
  readonly startedAt?: Date;
  readonly plmn?: string;
}

export function usageCsv(house: House, uses: readonly Use[]): string {
  const rows = uses.map(({ iccid, bytes, at = house.clock.now(), id = randomUUID(), startedAt = new Date(at.getTime() - 60_000), plmn = '44010' }) =>
    [id, startedAt.toISOString(), at.toISOString(), iccid, '440990000000001', bytes, '353000000000018', plmn].join(','));
  return `${['id,start,stop,iccid,imsi,bytes,imei,mccmnc', ...rows].join('\n')}\n`;
}

let files = 0;

/** Leaves a file in the operator's feed folder, whole at once; answers its name. */
export function leaveFile(house: House, text: string | Buffer, name?: string): string {
  files += 1;
  const folder = house.config.demo!.operator.feedFolder;
  const named = name ?? `sakura-${String(files).padStart(6, '0')}.csv`;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `.${named}.part`), text);
  renameSync(join(folder, `.${named}.part`), join(folder, named));
  return named;
}

/** Use arrives in one file and is applied. */
export async function use(house: House, ...uses: readonly Use[]): Promise<void> {
  leaveFile(house, usageCsv(house, uses));
  await house.later(house.config.feeds.everyMs);
}

/** How batches ended, oldest first. */
export function batches(house: House, source: string): Promise<{ state: string; records: number; duplicates: number; suspended: number; reason: string | null }[]> {
  return house.db.all(sql`
    select state, records, duplicates, suspended, reason from usage.batch where source = ${source} order by received_at, batch_id`);
}
