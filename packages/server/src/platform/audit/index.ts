import type { Clock } from '../clock/index.ts';
import { ServiceError } from '../errors.ts';
import { newId } from '../ids.ts';
import * as store from './store.ts';
import type { Audit, AuditPage, AuditPaging, AuditRecord } from './types.ts';

export * from './types.ts';

const newest = 'ffffffff-ffff-ffff-ffff-ffffffffffff';
const largestDetails = 16 * 1024;
const mostAtOnce = 200;

export function createAudit(deps: { readonly clock: Clock }): Audit {
  return {
    async record(tx, entry) {
      const details = JSON.stringify(entry.details ?? null);
      if (details.length > largestDetails) throw new ServiceError('audit/too-large', { action: entry.action });
      const at = deps.clock.now();
      store.insertEntry(tx, newId(at.getTime()), at, entry);
    },
    ofSubject: (db, subject, page) => paged(page, (before, limit) => store.listOfSubject(db, subject.kind, subject.id, before, limit)),
    ofAccount: (db, accountId, page) => paged(page, (before, limit) => store.listOfAccount(db, accountId, before, limit)),
  };
}

async function paged(
  page: AuditPaging, list: (before: string, limit: number) => Promise<AuditRecord[]>,
): Promise<AuditPage> {
  const limit = Math.max(1, Math.min(page.limit, mostAtOnce));
  const rows = await list(readCursor(page.cursor), limit + 1);
  const items = rows.slice(0, limit);
  return { items, nextCursor: rows.length > limit ? items.at(-1)!.id : null };
}

function readCursor(cursor: string | undefined): string {
  if (cursor === undefined) return newest;
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(cursor)) throw new ServiceError('audit/bad-cursor');
  return cursor;
}
