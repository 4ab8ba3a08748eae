import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { closureSteps } from '@yuanyou/contract';
import { parseBundle, parseOpenings, parseTrust, verifyBundle, verifyOpenings } from '@yuanyou/proof';
import { sql } from '@yuanyou/server/testing';
import type { Journey } from '../../src/demo/journey.ts';
import { refused } from '../../src/demo/leave.ts';
import { inRows, needlesOf } from '../../src/demo/search.ts';
import { readGatewayBooks } from '../../src/gateway/index.ts';
import { readInbox } from '../../src/inbox/index.ts';
import { readJournal } from '../../src/simulator/journal.ts';
import type { Service } from './service.ts';

/** What the unspent 41.00 EUR and 15 % of a plan of 9.00 EUR come to. */
const refundMinor = 4235;

/** Collects what does not hold, in words. */
class Findings {
  readonly broken: string[] = [];

  equal(what: string, found: unknown, expected: unknown): void {
    const [one, other] = [plain(found), plain(expected)];
    if (one !== other) this.broken.push(`${what}: ${one}, not ${other}`);
  }

  holds(what: string, good: boolean, detail: unknown = ''): void {
    if (!good) this.broken.push(`${what} ${plain(detail)}`);
  }
}

const plain = (value: unknown): string => JSON.stringify(value, (_, v: unknown) => (typeof v === 'bigint' ? Number(v) : v)) ?? 'undefined';

interface CaseRow {
  readonly caseId: string;
  readonly accountId: string;
  readonly executionId: string;
  readonly state: string;
  readonly envelope: Buffer | null;
  readonly confirmationId: string;
}

/**
 * What must be true of a traveller who has left, read from the database, the simulators' own books and the artefacts. Answers what is not.
 * Everything is counted: nothing happens twice, whatever was killed.
 */
export async function brokenFor(service: Service, j: Journey): Promise<string[]> {
  const found = new Findings();
  const row = await service.db.one<CaseRow>(sql`
    select case_id as "caseId", account_id as "accountId", execution_id as "executionId", state, envelope, confirmation_id as "confirmationId"
      from closure.case where case_number = ${j.caseNumber!}`);
  found.equal('account', row.accountId, j.accountId);
  await checkSaga(service, row, found);
  await checkMoney(service, row, found);
  await checkProof(service, row, j, found);
  await checkMail(service, row, j, found);
  checkOperator(service, j, found);
  await checkErasure(service, row, j, found);
  const signIn = await refused.run(j).catch((error: unknown) => String(error));
  found.equal('signing in', signIn, 'accounts/wrong-credentials');
  return found.broken.map((line) => `${j.traveller.email}: ${line}`);
}

async function checkSaga({ db }: Service, row: CaseRow, found: Findings): Promise<void> {
  found.equal('case', row.state, 'completed');
  const saga = await db.one<{ status: string }>(sql`select status from jobs.saga where id = ${row.executionId}`);
  found.equal('saga', saga.status, 'completed');
  const steps = await db.all<{ name: string; status: string }>(sql`select name, status from jobs.saga_step where saga_id = ${row.executionId} order by position`);
  found.equal('steps', steps, closureSteps.map((name) => ({ name, status: 'done' })));
  const moves = await db.all<{ action: string }>(sql`select action from closure.change where case_id = ${row.caseId} order by change_id`);
  found.equal('moves of the case', moves.map((move) => move.action).toSorted(), ['approve', 'complete', 'execute', 'verify']);
}

async function checkMoney({ db, cluster }: Service, row: CaseRow, found: Findings): Promise<void> {
  const ours = await db.all<{ id: string; gatewayId: string; amountMinor: bigint; status: string; intentId: string }>(sql`
    select r.id, r.gateway_refund_id as "gatewayId", r.amount_minor as "amountMinor", r.status, p.intent_id as "intentId"
      from payments.refund r join payments.payment p on p.id = r.payment_id where r.account_id = ${row.accountId}`);
  const intents = await db.all<{ intentId: string }>(sql`select intent_id as "intentId" from payments.payment where account_id = ${row.accountId}`);
  const theirs = readGatewayBooks(join(cluster.dataFolder, 'testbed', 'gateway')).refunds.filter((refund) => intents.some(({ intentId }) => intentId === refund.intentId));
  found.equal('our refunds', ours.map(({ amountMinor, status }) => [amountMinor, status]), [[refundMinor, 'succeeded']]);
  found.equal('the gateway’s refunds', theirs.map((r) => [r.id, r.amountMinor, r.status, r.metadata['refund_id']]), ours.map((r) => [r.gatewayId, r.amountMinor, r.status, r.id]));
  const owed = await db.all<{ code: string; balance: bigint }>(sql`
    select code, balance_minor as balance from ledger.account where account_id = ${row.accountId} and balance_minor <> 0`);
  found.equal('owed to the traveller', owed, []);
}

async function checkProof({ db }: Service, row: CaseRow, j: Journey, found: Findings): Promise<void> {
  const artefact = (name: string): Buffer => readFileSync(join(j.places.artefacts, name));
  const rows = await db.all<{ bundle: string; index: bigint | null }>(sql`
    select c.bundle, l.leaf_index as index from closure.certificate c left join transparency.leaf l on l.leaf_id = c.leaf_id where c.case_id = ${row.caseId}`);
  found.equal('certificates', rows.length, 1);
  const bundle = artefact('closure.json');
  found.equal('the stored bundle is the collected one', rows[0]?.bundle === bundle.toString(), true);
  found.equal('the mailed bundle is the collected one', artefact(`closure-${j.caseNumber}.json`).equals(bundle), true);
  const verdict = verifyBundle(bundle, parseTrust(artefact('trust.json')), new Date());
  found.equal('verification', verdict.checks.filter((check) => !check.ok), []);
  found.equal('outcome of the verification', verdict.outcome, 'valid');
  found.equal('place in the log', parseBundle(bundle).log?.index, Number(rows[0]?.index));
  const subject = verdict.statement?.credentialSubject;
  found.equal('paid, as certified', subject?.paid.map((p) => [p.kind, p.amountMinor, p.state]), [['refund', refundMinor, 'paid'], ['given-up', 500, 'not-due']]);
  found.equal('stopped, as certified', subject?.stopped.map((s) => [s.service, s.device]), [['terminated', 'deleted']]);
  found.equal('told, as certified', subject?.told.map((t) => t.kind).toSorted(), ['message-gateway', 'operator', 'payment-processor']);
  try {
    verifyOpenings(parseOpenings(artefact(`opening-${j.caseNumber}.json`).toString()), verdict.statement!);
  } catch (error) {
    found.holds('the holder’s opening fits', false, String(error));
  }
  found.equal('export', artefact('export.zip').subarray(0, 2).toString(), 'PK');
}

async function checkMail({ db, cluster }: Service, row: CaseRow, j: Journey, found: Findings): Promise<void> {
  const ours = await db.all<{ id: string; kind: string; status: string; unknown: number }>(sql`
    select id, kind, status, unknown_outcomes as unknown from notifications.message
     where subject_id in (${row.accountId}, ${`case:${row.executionId}`}) order by queued_at, id`);
  for (const kind of ['closure.receipt', 'closure.export', 'closure.confirmation']) {
    found.equal(`messages ${kind}`, ours.filter((message) => message.kind === kind).map((message) => message.status), ['sent']);
  }
  found.equal('the last message', ours.at(-1)?.id, row.confirmationId);
  const inbox = readInbox(join(cluster.dataFolder, 'testbed', 'inbox')).filter((mail) => mail.to.includes(j.traveller.email));
  for (const { id, kind, unknown } of ours) {
    const copies = inbox.filter((mail) => mail.messageId?.includes(id)).length;
    // Where it is not known whether a message arrived it goes out once more under the same Message-ID, which mail programs show once.
    found.holds(`copies of ${kind}`, copies <= 1 + unknown, { copies, unknown });
  }
  found.equal('mail that is not in the register', inbox.filter((mail) => !ours.some(({ id }) => mail.messageId?.includes(id))).map((mail) => mail.subject), []);
  const confirmations = inbox.filter((mail) => mail.attachments.length > 0);
  found.equal('confirmations in the inbox', new Set(confirmations.map((mail) => mail.messageId)).size, 1);
  found.equal('after the confirmation', inbox.slice(inbox.indexOf(confirmations[0]!)).filter((mail) => mail.attachments.length === 0).map((mail) => mail.subject), []);
}

interface OperatorLine {
  readonly subscriber?: { readonly iccid: string; readonly state: string };
  readonly forgotten?: { readonly iccid: string };
  readonly answer?: { readonly body: { readonly iccid: string; readonly state: string } };
}

/** Every line of the operator's journal, so that what it did twice shows. */
function checkOperator({ cluster }: Service, j: Journey, found: Findings): void {
  const lines = readJournal<OperatorLine>(join(cluster.dataFolder, 'testbed', 'operator', 'operator-register.jsonl'));
  const states = lines.flatMap(({ subscriber, forgotten }) => (subscriber?.iccid === j.iccid ? [subscriber!.state] : forgotten?.iccid === j.iccid ? ['forgotten'] : []));
  found.equal('what the operator did', states, ['active', 'suspended', 'terminated', 'forgotten']);
  const answers = lines.flatMap(({ answer }) => (answer?.body.iccid === j.iccid ? [answer!.body.state] : []));
  found.equal('what the operator was asked', answers, ['active', 'suspended', 'terminated', 'forgotten']);
}

async function checkErasure({ db, keysDb }: Service, row: CaseRow, j: Journey, found: Findings): Promise<void> {
  for (const subject of [row.accountId, `case:${row.executionId}`]) {
    const key = await keysDb.one<{ keys: bigint; tombstones: bigint }>(sql`
      select (select count(*) from keys.data_key where subject_id = ${subject}) as keys, (select count(*) from keys.tombstone where subject_id = ${subject}) as tombstones`);
    found.equal(`keys and tombstones of ${subject}`, key, { keys: 0, tombstones: 1 });
  }
  found.equal('envelope', row.envelope, null);
  const counts = await db.one<{ receipts: bigint; exports: bigint; profiles: bigint }>(sql`
    select (select count(*) from closure.receipt where case_id = ${row.caseId}) as receipts, (select count(*) from closure.export where case_id = ${row.caseId}) as exports,
           (select count(*) from inventory.profile where iccid = ${j.iccid!} and state = 'retired') as profiles`);
  found.equal('receipts, exports, retired profiles', counts, { receipts: 3, exports: 1, profiles: 1 });
}

/** What must be true of the whole service when all these travellers have left and nobody else was there. */
export async function brokenOverall(service: Service, left: readonly Journey[]): Promise<string[]> {
  const { db, keysDb } = service;
  const found = new Findings();
  const sums = await db.all<{ currency: string; sum: bigint }>(sql`
    select a.currency, sum(e.amount_minor)::bigint as sum from ledger.entry e join ledger.account a on a.code = e.account_code group by a.currency`);
  found.equal('trial balance', sums, [{ currency: 'EUR', sum: 0 }]);
  const payable = await db.one<{ sum: bigint }>(sql`
    select coalesce(sum(amount_minor), 0)::bigint as sum from ledger.entry where account_code in ('refunds-payable:EUR', 'deferred-revenue:EUR')`);
  found.equal('refunds set aside and revenue deferred', payable.sum, 0);
  const guarded = await db.one<{ n: bigint }>(sql`select count(*) as n from ledger.account where guarded and balance_minor <> 0`);
  found.equal('guarded accounts with a balance', guarded.n, 0);
  const log = await db.one<{ certificates: bigint; leaves: bigint; placed: bigint; size: bigint }>(sql`
    select (select count(*) from closure.certificate) as certificates, (select count(*) from transparency.leaf) as leaves,
           (select count(*) from transparency.leaf where leaf_index is not null) as placed, (select size from transparency.log) as size`);
  found.equal('certificates and leaves', log, { certificates: left.length, leaves: left.length, placed: left.length, size: left.length });
  const jobs = await db.one<{ dead: bigint; sagas: bigint }>(sql`
    select (select count(*) from jobs.delivery where status = 'dead') as dead, (select count(*) from jobs.saga where status <> 'completed') as sagas`);
  found.equal('dead deliveries and sagas not completed', jobs, { dead: 0, sagas: 0 });
  const needles = left.flatMap((j) => needlesOf(j.traveller));
  for (const one of [db, keysDb]) found.equal('personal values in clear', (await inRows(one, needles)).hits, []);
  return found.broken;
}
