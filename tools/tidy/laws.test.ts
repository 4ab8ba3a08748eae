import { describe, expect, it } from 'vitest';
import { laws } from './laws.ts';
import type { Fault, TreeFile } from './tree.ts';

const src = 'packages/server/src';
const migrations = 'packages/server/migrations';

/** The law whose name begins so, on a tree of these files. */
function judged(law: string, files: Readonly<Record<string, string>>): Fault[] {
  const [found] = Object.entries(laws).filter(([name]) => name.startsWith(`${law}:`)).map(([, judge]) => judge);
  const tree: TreeFile[] = Object.entries(files).map(([path, text]) => ({ path, text }));
  return found!(tree, new Set(['lines/unknown', 'general/internal']));
}

function reasons(law: string, files: Readonly<Record<string, string>>): string[] {
  return judged(law, files).map((fault) => fault.reason);
}

describe('ranks', () => {
  it('refuses a call upwards', () => {
    expect(reasons('ranks', { [`${src}/ledger/post.ts`]: "import { createLines } from '../lines/index.ts';" }))
      .toEqual(['ledger (rank 1) may not import lines (rank 4)']);
  });

  it('refuses a call sideways, also of a type and by a dynamic import', () => {
    expect(judged('ranks', { [`${src}/accounts/index.ts`]: "import type { A } from '../payments/index.ts';\nconst x = await import('../catalogue/index.ts');" }))
      .toMatchObject([{ line: 1 }, { line: 2 }]);
  });

  it('refuses a way in beside the door', () => {
    expect(reasons('ranks', { [`${src}/lines/index.ts`]: "import { insertTransfer } from '../ledger/store.ts';" }))
      .toEqual([`${src}/ledger/store.ts is inside ledger: enter by its index.ts`]);
  });

  it('refuses a slice that imports what wires it', () => {
    expect(reasons('ranks', { [`${src}/lines/index.ts`]: "import { createContext } from '../context.ts';" })).toEqual([`${src}/context.ts is above every slice`]);
  });

  it('refuses a platform that knows a slice', () => {
    expect(reasons('ranks', { [`${src}/platform/http/server.ts`]: "import { ledger } from '../../ledger/index.ts';" })).toHaveLength(1);
  });

  it('refuses a slice without a rank', () => {
    expect(reasons('ranks', { [`${src}/rewards/index.ts`]: 'export const x = 1;' })).toEqual(['rewards has no rank']);
  });

  it('refuses a relative way into another package', () => {
    expect(reasons('ranks', { [`${src}/main.ts`]: "import { z } from '../../contract/src/index.ts';" })).toHaveLength(1);
  });

  it('allows downwards through doors', () => {
    expect(reasons('ranks', {
      [`${src}/lines/index.ts`]: "import { l } from '../ledger/index.ts';\nimport type { Tx } from '../platform/db/types.ts';\nimport { newId } from '../platform/ids.ts';",
      [`${src}/context.ts`]: "import { createLines } from './lines/index.ts';\nimport { startEmbedded } from './platform/db/embedded.ts';",
      [`${src}/wiring/demo.ts`]: "import { createLines } from '../lines/index.ts';",
    })).toEqual([]);
  });

  it('refuses wiring that goes around the door of a slice', () => {
    expect(reasons('ranks', { [`${src}/wiring/demo.ts`]: "import { insert } from '../lines/store.ts';" })).toHaveLength(1);
  });
});

describe('sql', () => {
  const schemas = { [`${migrations}/0020-ledger-books.sql`]: 'create schema ledger;', [`${migrations}/0120-lines-lines.sql`]: 'create schema lines;' };

  it('refuses SQL outside the store, tagged or not', () => {
    expect(judged('sql', { ...schemas, [`${src}/lines/suspend.ts`]: 'await tx.run(sql`select 1`);' })).toHaveLength(1);
    expect(judged('sql', { ...schemas, [`${src}/lines/suspend.ts`]: "client.query('update lines.line set state = 1');" })).toHaveLength(1);
  });

  it('refuses the schema of another slice', () => {
    expect(reasons('sql', { ...schemas, [`${src}/lines/store.ts`]: 'tx.all(sql`select * from lines.line l join ledger.entry e on true`);' }))
      .toEqual(['schema ledger belongs to ledger']);
    expect(reasons('sql', { ...schemas, [`${src}/lines/store.ts`]: "const shown = sql.raw('ledger.post(1)');" })).toEqual(['schema ledger belongs to ledger']);
  });

  it('allows a store its own schema and words that are no statements', () => {
    expect(reasons('sql', {
      ...schemas,
      [`${src}/lines/store.ts`]: 'tx.all(sql`select l.id from lines.line l`);',
      [`${src}/lines/index.ts`]: "throw new Error('select a plan from the list first');".replace(' from ', ' in '),
    })).toEqual([]);
  });
});

describe('migrations', () => {
  it('refuses a table in the schema of another slice, and a foreign key into it', () => {
    const files = {
      [`${migrations}/0020-ledger-books.sql`]: 'create schema ledger;\ncreate table ledger.entry (id uuid);',
      [`${migrations}/0120-lines-lines.sql`]: 'create schema lines;\ncreate table ledger.extra (id uuid);\ncreate table lines.line (id uuid references ledger.entry (id));',
    };
    expect(reasons('migrations', files)).toEqual(["schema ledger is not lines's", "schema ledger is not lines's"]);
  });

  it('refuses a name that names no slice', () => {
    expect(reasons('migrations', { [`${migrations}/lines.sql`]: '' })).toHaveLength(1);
  });
});

describe('purity', () => {
  it.each([
    ['a clock', 'export const f = () => Date.now();'],
    ['a new Date without argument', 'export const f = () => new Date();'],
    ['chance', 'export const f = () => Math.random();'],
    ['chance of node:crypto', "import { randomBytes } from 'node:crypto';\nexport const f = () => 1;"],
    ['a key made by chance', 'export const f = (ecdh: any) => ecdh.generateKeys();'],
    ['the environment', "export const f = () => process.env['HOME'];"],
    ['the network', "export const f = () => fetch('http://localhost');"],
    ['waiting', 'export const f = async (p: Promise<number>) => await p;'],
  ])('refuses %s', (_, text) => {
    expect(judged('purity', { [`${src}/lines/model.ts`]: text }).length).toBeGreaterThan(0);
    expect(judged('purity', { 'packages/rsp/src/bsp/keys.ts': text }).length).toBeGreaterThan(0);
    expect(judged('purity', { 'packages/proof/src/tile.ts': text }).length).toBeGreaterThan(0);
    expect(judged('purity', { [`${src}/lines/index.ts`]: text, 'packages/rsp/src/testing/pki.ts': text })).toEqual([]);
  });

  it('allows a date made of an argument and a field of a forbidden name', () => {
    expect(judged('purity', { [`${src}/lines/model.ts`]: 'export const f = (at: number, o: { process: string }) => [new Date(at), o.process];' })).toEqual([]);
  });

  it('lets the LPA wait, but not look at the clock', () => {
    expect(judged('purity', { 'packages/rsp/src/lpa/download.ts': 'await x;' })).toEqual([]);
    expect(judged('purity', { 'packages/rsp/src/lpa/download.ts': 'Date.now();' })).toHaveLength(1);
  });
});

describe('size', () => {
  it('refuses a file of 401 lines and a function of 71', () => {
    expect(reasons('size', { 'packages/rsp/src/a.ts': 'const x = 1;\n'.repeat(401) })).toEqual(['401 lines']);
    expect(reasons('size', { 'packages/rsp/src/a.ts': `function f() {\n${'x();\n'.repeat(69)}}\n` })).toEqual(['a function of 71 lines']);
  });

  it('allows 400 and 70, and long groups of tests', () => {
    expect(reasons('size', {
      'packages/rsp/src/a.ts': 'const x = 1;\n'.repeat(400),
      'packages/rsp/src/b.ts': `const f = () => {\n${'x();\n'.repeat(68)}};\n`,
      'packages/rsp/src/c.test.ts': `describe('c', () => {\n${'x();\n'.repeat(100)}});\n`,
    })).toEqual([]);
  });
});

describe('wording', () => {
  it.each(['packages/rsp/src/utils.ts', 'packages/server/src/lines/helpers/a.ts', 'packages/rsp/src/session-manager.ts', 'packages/rsp/src/misc.test.ts'])(
    'refuses the name %s', (path) => { expect(judged('wording', { [path]: '' })).toHaveLength(1); });

  it.each([
    ['an open end', '// TODO: later'], ['another', '/* FIXME */'], ['a home folder', "const cache = '/home/somebody/cache';"],
    ['a machine path', ['see ', 'work', 'main', 'docs'].join('/')], ['a registry', ['"resolved"', ' "https', '//registry.example.org/x.tgz"'].join(':')],
  ])('refuses %s', (_, text) => {
    expect(judged('wording', { 'packages/rsp/src/a.ts': text })).toHaveLength(1);
  });

  it('allows an open end that has an issue', () => {
    expect(judged('wording', { 'packages/rsp/src/a.ts': '// TODO(#12): brainpool' })).toEqual([]);
  });
});

describe('personal', () => {
  const table = (columns: string, comments = '') => ({ [`${migrations}/0070-accounts-accounts.sql`]: `create schema accounts;\ncreate table accounts.account (\n  id uuid primary key,\n  ${columns}\n);\n${comments}` });

  it.each(['email text', 'phone_number varchar(20)', 'sealed_name bytea', 'name text', 'user_agent text', 'last_ip inet', 'iccid text unique', 'note text'])(
    'refuses %s without a comment', (column) => { expect(judged('personal', table(column))).toMatchObject([{ line: 4 }]); });

  it('refuses a column added later', () => {
    expect(judged('personal', { [`${migrations}/0071-accounts-phone.sql`]: 'create schema accounts;\nalter table accounts.account add column phone text;' })).toHaveLength(1);
  });

  it('refuses a mark that lacks its end or has an unknown class', () => {
    expect(judged('personal', table('sealed_email bytea', "comment on column accounts.account.sealed_email is 'pii: class=sealed; ground=contract';"))).toHaveLength(1);
    expect(judged('personal', table('sealed_email bytea', "comment on column accounts.account.sealed_email is 'pii: class=plain; ground=contract; deleteAfter=closure';"))).toHaveLength(1);
  });

  it('refuses a sealed column that holds text', () => {
    expect(reasons('personal', table('email text', "comment on column accounts.account.email is 'pii: class=sealed; ground=contract; deleteAfter=closure';")))
      .toEqual(['accounts.account.email is sealed, so it is bytea']);
  });

  it('refuses a document column that does not say what it holds, on the platform too', () => {
    expect(reasons('personal', table('choices jsonb'))).toEqual(["accounts.account.choices may hold anything: comment it 'pii: ...' or 'not pii: <what it holds>'"]);
    expect(judged('personal', { [`${migrations}/0010-jobs-sagas.sql`]: 'create schema jobs;\ncreate table jobs.saga (id text, input jsonb);' })).toHaveLength(1);
    expect(judged('personal', table('choices jsonb', "comment on column accounts.account.choices is 'not pii: three words of a list';"))).toEqual([]);
  });

  it('sees a table whose name is quoted', () => {
    const quoted = 'create schema orders;\ncreate table orders."order" (id uuid, email text);';
    expect(judged('personal', { [`${migrations}/0140-orders-orders.sql`]: quoted })).toHaveLength(1);
    const marked = `${quoted}\ncomment on column orders."order".email is 'not pii: of the shop';`;
    expect(judged('personal', { [`${migrations}/0140-orders-orders.sql`]: marked })).toEqual([]);
  });

  it('allows marked columns, harmless ones, and those that say why they are harmless', () => {
    expect(judged('personal', table(
      'sealed_email bytea,\n  email_verified_at timestamptz,\n  name text check (name in (\'a\', \'b\')),\n  state text',
      "comment on column accounts.account.sealed_email is 'pii: class=sealed; ground=contract; deleteAfter=closure';\ncomment on column accounts.account.name is 'not pii: one of two words';",
    ))).toEqual([]);
  });
});

describe('holders', () => {
  const marked = "create schema accounts;\ncreate table accounts.account (sealed_email bytea);\ncomment on column accounts.account.sealed_email is 'pii: class=sealed; ground=contract; deleteAfter=closure';";
  const door = 'export const holder = { closureConcerns: f, exportData: g, erase: h };';
  const asking = { [`${src}/context.ts`]: 'createClosure({ holders: () => [f.accounts.holder, s.lines.holder, closure.holder] });' };

  it('refuses a table with an account id whose slice has no holder', () => {
    expect(reasons('holders', {
      [`${migrations}/0120-lines-lines.sql`]: 'create schema lines;\ncreate table lines.line (id uuid, account_id uuid);',
      [`${src}/lines/index.ts`]: 'export const x = 1;',
    })).toEqual(['lines keeps line.account_id of an account but exports no holder, closureConcerns, exportData, erase']);
  });

  it('refuses a personal column whose slice cannot erase', () => {
    expect(reasons('holders', { [`${migrations}/0070-accounts-a.sql`]: marked, [`${src}/accounts/index.ts`]: door.replace(', erase: h', '') }))
      .toContain('accounts keeps account.sealed_email of an account but exports no erase');
  });

  it('refuses a holder that the closure is not given, also where the list is gone', () => {
    const files = { [`${migrations}/0070-accounts-a.sql`]: marked, [`${src}/accounts/index.ts`]: door, [`${src}/orders/index.ts`]: door };
    expect(reasons('holders', { ...files, ...asking })).toEqual(["orders has a holder, and the closure's list of holders does not name it"]);
    expect(judged('holders', files)).toHaveLength(2);
    expect(judged('holders', { ...files, [`${src}/wiring/leaving.ts`]: 'const deps = { holders: () => [orders.holder, f.accounts.holder] };' })).toEqual([]);
  });

  it('allows a holder, and what is of somebody else', () => {
    expect(judged('holders', { ...asking, [`${migrations}/0070-accounts-a.sql`]: marked, [`${src}/accounts/index.ts`]: door })).toEqual([]);
    expect(judged('holders', { [`${migrations}/0040-access-a.sql`]: marked.replaceAll('accounts', 'access').replace("closure'", "P30D; subject=agent'") })).toEqual([]);
  });
});

describe('tables', () => {
  const table = "create schema lines;\ncreate table lines.line (\n  id uuid,\n  account_id uuid\n);";
  const store = (text: string) => ({ [`${src}/lines/store.ts`]: `export async function eraseOf(tx) { await tx.run(sql\`${text}\`); }` });
  const door = { [`${src}/lines/holder.ts`]: 'export const holder = { erase: async (tx, id) => ({ erased: await store.eraseOf(tx, id) }) };' };
  const migration = (text: string) => ({ [`${migrations}/0120-lines-lines.sql`]: text });
  const retention = (entry: string) => ({ [`${src}/wiring/retention.ts`]: `const books = 3652;\nexport const retention = [{ ${entry} }];` });
  const kept = `${table}\ncomment on table lines.line is 'retained: legal-obligation; until=P10Y';`;

  it('refuses a new table with an account id, or with something personal of an account, that erase does not name', () => {
    expect(judged('tables', { ...migration(table), ...door, ...store('delete from lines.other where account_id = 1') })).toMatchObject([{ line: 4 }]);
    expect(reasons('tables', { ...migration(table), ...door, ...store('delete from lines.lines where account_id = 1') })[0]).toMatch(/^lines.line holds .* does not name it/);
    const later = "create schema lines;\ncreate table lines.device (id uuid, eid text);\ncomment on column lines.device.eid is 'pii: class=pseudonymous; ground=contract; deleteAfter=closure';";
    expect(judged('tables', { ...migration(later), ...door, ...store('delete from lines.line') })).toHaveLength(1);
    expect(judged('tables', { ...migration(later.replace("closure'", "P90D; subject=stock'")) })).toEqual([]);
  });

  it('refuses a statement that erase does not reach, and one that only changes the rows', () => {
    const unreached = { [`${src}/lines/store.ts`]: 'export async function sweep(tx) { await tx.run(sql`delete from lines.line`); }' };
    expect(judged('tables', { ...migration(table), ...door, ...unreached })).toHaveLength(1);
    expect(reasons('tables', { ...migration(table), ...door, ...store('update lines.line set iccid = null') })[0]).toMatch(/changes it and leaves its rows/);
  });

  it('refuses a table that is said to stay, without ground or end, or otherwise than the public table', () => {
    const says = (comment: string) => migration(`${table}\ncomment on table lines.line is '${comment}';`);
    const entry = retention("field: 'lines.line', ground: 'legal-obligation', keepDays: books");
    expect(judged('tables', { ...says('retained: because'), ...entry }).length).toBeGreaterThan(0);
    expect(reasons('tables', migration(kept))).toEqual(['lines.line is retained, and lines.line is not in the retention table']);
    expect(reasons('tables', { ...says('retained: contract; until=P10Y'), ...entry })).toEqual(["lines.line and the retention table's lines.line differ in ground or time"]);
    expect(judged('tables', { ...says('retained: legal-obligation; until=P5Y'), ...entry })).toHaveLength(1);
  });

  it('refuses a public table that names what is not there, or what does not say so', () => {
    expect(reasons('tables', retention("field: 'lines.gone', ground: 'contract', keepDays: 3"))).toEqual(['lines.gone is no table']);
    expect(reasons('tables', { ...migration(table), ...door, ...store('delete from lines.line'), ...retention("field: 'lines.line', ground: 'contract', keepDays: 3") }))
      .toEqual(['the table lines.line does not say that it is retained']);
  });

  it('refuses a column that stays longer than its table', () => {
    const longer = `${kept}\nalter table lines.line add column eid text;\ncomment on column lines.line.eid is 'pii: class=pseudonymous; ground=contract; deleteAfter=P11Y';`;
    expect(reasons('tables', { ...migration(longer), ...retention("field: 'lines.line', ground: 'legal-obligation', keepDays: books") }))
      .toEqual(['lines.line.eid stays longer than its table, which ends after 3653 days']);
  });

  it('refuses a column that ends with the closure and is not emptied', () => {
    const numbered = `${kept}\nalter table lines.line add column eid text;\ncomment on column lines.line.eid is 'pii: class=pseudonymous; ground=contract; deleteAfter=closure';`;
    const rest = { ...migration(numbered), ...door, ...retention("field: 'lines.line', ground: 'legal-obligation', keepDays: books") };
    expect(reasons('tables', { ...rest, ...store('update lines.line set told = true where eid = null') }))
      .toEqual(['lines.line.eid ends with the closure, and erase does not set it to null']);
    expect(judged('tables', { ...rest, ...store('update lines.line set told = true, eid = null where account_id = 1') })).toEqual([]);
  });

  it('allows what erase deletes, however far away, what is retained in agreement, and what is brief', () => {
    const far = {
      [`${src}/lines/index.ts`]: 'const holder = linesHolder({ eraseAll: (tx, id) => wipe(tx, id) });\nconst wipe = async (tx, id) => store.eraseOf(tx, id);',
      [`${src}/lines/holder.ts`]: 'export const linesHolder = (deps) => ({ async erase(tx, id) { return deps.eraseAll(tx, id); } });',
    };
    expect(judged('tables', { ...migration(table), ...far, ...store('delete from lines."line" where account_id = 1') })).toEqual([]);
    expect(judged('tables', { ...migration(kept), ...retention("field: 'lines.line', ground: 'legal-obligation', keepDays: books") })).toEqual([]);
    expect(judged('tables', migration(`${table}\ncomment on table lines.line is 'retained: contract; until=P1D';`))).toEqual([]);
    const shared = `${table}\ncomment on table lines.line is 'retained: contract; until=P30D; entry=lines.book';\ncreate table lines.book (id uuid);\ncomment on table lines.book is 'retained: contract; until=P30D';`;
    expect(judged('tables', { ...migration(shared), ...retention("field: 'lines.book', ground: 'contract', keepDays: 30") })).toEqual([]);
  });
});

describe('codes', () => {
  it('refuses a code that the contract does not know', () => {
    expect(reasons('codes', { [`${src}/lines/index.ts`]: "throw new ServiceError('lines/gone');" })).toEqual(['lines/gone is no problem of the contract']);
    expect(reasons('codes', { [`${src}/lines/index.ts`]: "throw new ServiceError(x ? 'lines/unknown' : 'lines/other');" })).toHaveLength(1);
  });

  it('allows known codes, and a platform room its own faults', () => {
    expect(reasons('codes', {
      [`${src}/lines/index.ts`]: "throw new ServiceError('lines/unknown', { id: 'a/b' });",
      [`${src}/platform/db/index.ts`]: "throw new ServiceError('db/no-row');",
    })).toEqual([]);
  });
});
