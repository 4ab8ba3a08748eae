import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ContractError, accountsRoutes, createClient } from '@yuanyou/contract';
import { openDatabase, sql, startEmbedded } from '@yuanyou/server/testing';
import type { Database } from '@yuanyou/server/testing';
import { readGatewayBooks } from '../gateway/index.ts';
import { readInbox } from '../inbox/index.ts';
import { readOperatorRegister } from '../operator/index.ts';
import type { Traveller } from './journey.ts';
import { found, inFiles, inRows, needlesFor, needlesOf } from './search.ts';

export interface DemoState {
  readonly dataFolder: string;
  readonly publicUrl: string;
  readonly artefacts: string;
  readonly traveller: Traveller;
  readonly refundMinor: number;
  readonly caseNumber: string;
  readonly iccid: string;
}

export interface CheckResult {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
}

async function personalChecks(main: Database, keys: Database, state: DemoState): Promise<CheckResult[]> {
  const { traveller, caseNumber, dataFolder } = state;
  const needles = needlesOf(traveller);
  const rows = [await inRows(main, needles), await inRows(keys, needles)];
  const files = inFiles(dataFolder, needles);
  const hits = [...rows.flatMap((r) => r.hits), ...files.hits];
  // The case number is no secret: where the search does not find it, it would not find a personal value either.
  const control = needlesFor([caseNumber]);
  const seen = [(await inRows(main, control)).hits, inFiles(dataFolder, control).hits, found(readFileSync(join(dataFolder, 'testbed', 'inbox', 'inbox.jsonl')), needles)];
  return [
    { name: 'the search finds what is there', ok: seen.every((hit) => hit.length > 0), detail: 'the case number in rows and in files, the address in the inbox' },
    {
      name: 'no personal value in clear in rows, WAL or files', ok: hits.length === 0,
      detail: hits.length === 0 ? `${rows.reduce((n, r) => n + r.rows, 0)} rows, ${Math.round(files.bytes / 1e6)} MB of files` : hits.slice(0, 5).join('; '),
    },
  ];
}

async function booksChecks(main: Database, state: DemoState): Promise<CheckResult[]> {
  const sums = await main.all<{ currency: string; sum: bigint; transfers: bigint }>(sql`
    select a.currency, sum(e.amount_minor)::bigint as sum, count(distinct e.transfer_id) as transfers
      from ledger.entry e join ledger.account a on a.code = e.account_code group by a.currency`);
  const ours = await main.all<{ amount: bigint; gateway: string; status: string; mine: boolean }>(sql`
    select r.amount_minor as amount, r.gateway_refund_id as gateway, r.status, c.case_number = ${state.caseNumber} as mine
      from payments.refund r left join closure.case c on c.account_id = r.account_id order by r.id`);
  const theirs = readGatewayBooks(join(state.dataFolder, 'testbed', 'gateway')).refunds;
  const same = ours.length === theirs.length && ours.every((r) => theirs.some((t) => t.id === r.gateway && BigInt(t.amountMinor) === r.amount && t.status === r.status));
  const mine = ours.filter((r) => r.mine);
  const owed = await main.one<{ n: bigint }>(sql`
    select count(*) as n from ledger.account a join closure.case c on c.account_id = a.account_id
     where c.case_number = ${state.caseNumber} and a.guarded and a.balance_minor <> 0`);
  return [
    { name: 'the trial balance sums to zero', ok: sums.length > 0 && sums.every((s) => s.sum === 0n), detail: sums.map((s) => `${s.currency}: ${s.sum} over ${s.transfers} transfers`).join(', ') },
    { name: 'the gateway’s refunds equal ours', ok: same && mine.length === 1 && Number(mine[0]!.amount) === state.refundMinor, detail: mine.map((r) => `${r.amount} ${r.status}`).join(', ') },
    { name: 'nothing is owed to the traveller any more', ok: owed.n === 0n, detail: `${owed.n} accounts with a balance` },
  ];
}

async function endChecks(state: DemoState): Promise<CheckResult[]> {
  const { traveller, iccid, artefacts } = state;
  const mail = readInbox(join(state.dataFolder, 'testbed', 'inbox')).filter((m) => m.to.includes(traveller.email));
  const last = mail.at(-1);
  const { subscribers } = readOperatorRegister(join(state.dataFolder, 'testbed', 'operator'));
  const attempt = createClient({ baseUrl: state.publicUrl }).call(accountsRoutes.signIn, { body: { email: traveller.email, password: traveller.password } });
  const refusal = await attempt.then(() => 'signed in', (error: unknown) => (error instanceof ContractError ? error.code : String(error)));
  // The names of a ZIP's files stand in it in clear.
  const zip = readFileSync(join(artefacts, 'export.zip'), 'latin1');
  const lists = ['contacts.vcf', 'orders.json', 'usage.csv', 'balance-history.json', 'account.json', 'messages.json'].filter((name) => !zip.includes(name));
  return [
    { name: 'no message after the confirmation', ok: last?.attachments.length === 2 && mail.filter((m) => m.attachments.length > 0).length === 1, detail: `${mail.length} messages, the last: ${last?.subject ?? 'none'}` },
    { name: 'the operator has forgotten the subscriber', ok: subscribers.every((s) => s.iccid !== iccid), detail: `…${iccid.slice(-4)} is not in its register` },
    { name: 'signing in is refused', ok: refusal === 'accounts/wrong-credentials', detail: refusal },
    { name: 'the export holds what the account held', ok: lists.length === 0, detail: lists.length === 0 ? `${Math.round(zip.length / 1000)} kB` : `missing: ${lists.join(', ')}` },
    { name: 'the artefacts are there', ok: ['closure.json', 'trust.json'].every((name) => existsSync(join(artefacts, name))), detail: readdirSync(artefacts).join(', ') },
  ];
}

/** What must be true once the demo's traveller has left, read from what is stored and never from the demo's memory. */
export async function checkDemo(state: DemoState): Promise<CheckResult[]> {
  const server = await startEmbedded({ folder: join(state.dataFolder, 'postgres'), databases: [] });
  const main = openDatabase(server.url('yuanyou'));
  const keys = openDatabase(server.url('yuanyou_keys'));
  try {
    await main.script('checkpoint');
    return [...await booksChecks(main, state), ...await personalChecks(main, keys, state), ...await endChecks(state)];
  } finally {
    await Promise.all([main.close(), keys.close()]);
    await server.stop();
  }
}
