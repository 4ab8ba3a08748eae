import { afterAll, beforeAll, expect, test } from 'vitest';
import { manualClock } from '../clock/index.ts';
import { testDatabase, type TestDatabase } from '../db/testing.ts';
import { newId } from '../ids.ts';
import { createAudit, type Audit, type AuditEntry, type AuditPage } from './index.ts';

const clock = manualClock(new Date('2026-11-22T08:00:00Z'));
let database: TestDatabase;
let audit: Audit;
beforeAll(async () => {
  database = await testDatabase();
  audit = createAudit({ clock });
});
afterAll(() => database.drop());

async function record(entry: Partial<AuditEntry>): Promise<void> {
  clock.advance(1);
  await database.db.transaction((tx) => audit.record(tx, {
    actor: { kind: 'system', id: 'test' }, action: 'test.acted', subjectKind: 'thing', subjectId: 'x', ...entry,
  }));
}

test('an entry keeps what it was told, and nothing more', async () => {
  const accountId = newId();
  const given: AuditEntry = {
    actor: { kind: 'agent', id: newId() }, action: 'closure.approved', subjectKind: 'closure-case', subjectId: newId(), accountId,
    reason: 'rules', details: { rules: ['settled'], lines: 2 },
  };
  await record(given);
  const { items } = await audit.ofAccount(database.db, accountId, { limit: 10 });
  expect(items).toEqual([{ ...given, id: expect.any(String), at: clock.now() }]);
  const subject = { kind: 'closure-case', id: given.subjectId };
  expect(await audit.ofSubject(database.db, subject, { limit: 10 })).toEqual({ items, nextCursor: null });
  const bare = newId();
  await record({ subjectId: bare });
  const [entry] = (await audit.ofSubject(database.db, { kind: 'thing', id: bare }, { limit: 1 })).items;
  expect(Object.keys(entry!).toSorted()).toEqual(['action', 'actor', 'at', 'details', 'id', 'subjectId', 'subjectKind']);
});

test('lists are paged, newest first', async () => {
  const subjectId = newId();
  for (let n = 0; n < 5; n++) await record({ subjectId, details: n });
  const found: unknown[] = [];
  let page: AuditPage = { items: [], nextCursor: null };
  do {
    const paging = { limit: 2, ...(page.nextCursor === null ? {} : { cursor: page.nextCursor }) };
    page = await audit.ofSubject(database.db, { kind: 'thing', id: subjectId }, paging);
    found.push(...page.items.map((item) => item.details));
  } while (page.nextCursor !== null);
  expect(found).toEqual([4, 3, 2, 1, 0]);
  await expect(audit.ofAccount(database.db, newId(), { limit: 2, cursor: 'x' })).rejects.toMatchObject({ code: 'audit/bad-cursor' });
});

test('no act, no entry', async () => {
  const subjectId = newId();
  await expect(database.db.transaction(async (tx) => {
    await audit.record(tx, { actor: { kind: 'system', id: 'test' }, action: 'a.b', subjectKind: 'thing', subjectId });
    throw new Error('no');
  })).rejects.toThrow('no');
  expect((await audit.ofSubject(database.db, { kind: 'thing', id: subjectId }, { limit: 1 })).items).toEqual([]);
});

test('the database refuses to change or delete entries', async () => {
  await record({});
  for (const change of ['delete from audit.entry', `update audit.entry set reason = 'x'`, 'truncate audit.entry']) {
    await expect(database.db.script(change)).rejects.toThrow('never changed');
  }
});
