import { accountsRoutes, closureRoutes, closureSteps } from '@yuanyou/contract';
import { parseBundle, parseCertificate, parseOpenings, parseTrust, verifyBundle, verifyOpenings } from '@yuanyou/proof';
import type { ClosureSubject } from '@yuanyou/proof';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sql } from '../src/platform/db/index.ts';
import { expectSoundBooks, gatewayBooks, owedTo, subscriber } from './support/books.ts';
import { openHouse, type House } from './support/house.ts';
import { newPhone } from './support/phone.ts';
import { newKey, refusal, signUp, type Receipt, type Traveller } from './support/traveller.ts';
import { gigabyte, use } from './support/use.ts';

let house: House;
let t: Traveller;
let receipt: Receipt;
let iccid: string;
let subject: ClosureSubject;
/** What was sealed for the account before it left. */
let sealedBefore: { email: Buffer; reason: Buffer };

beforeAll(async () => {
  house = await openHouse();
  t = await signUp(house, 'zh-Hans');
  await t.topUp(3000);
  await t.topUp(2000);
  await t.redeem(500);
  const line = await t.buy('japan-3gb-15d', { promo: false });
  iccid = line.iccid;
  const phone = newPhone(house);
  await phone.download(t, line.lineId);
  await phone.enable(iccid);
  await phone.report();
  await use(house, { iccid, bytes: gigabyte });
  await t.contact('Example Hotel Kyoto');
  receipt = await t.apply({ reason: 'privacy', reasonText: 'a reason in my own words' });
  sealedBefore = await house.db.one(sql`
    select a.email, c.reason_sealed as reason from accounts.account a join closure.case c on c.account_id = a.id where a.id = ${t.accountId}`);
  await house.run();
  await phone.remove(iccid);
  await phone.report();
  const { body } = await t.client.call(closureRoutes.getCertificate, { session: null, body: { caseNumber: receipt.caseNumber, accessCode: receipt.accessCode } });
  subject = parseCertificate(parseBundle(body).certificate).statement.credentialSubject;
});
afterAll(() => house.stop());

describe('an account with money, credit, a line in use, a phone and a contact has left', () => {
  test('the tracker shows every step done, in order, and the end', async () => {
    const status = await t.status(receipt);
    expect(status).toMatchObject({ state: 'completed', certificate: true, may: { withdraw: false, skipCoolingOff: false } });
    expect(status.steps.map(({ step, state, actsNow }) => [step, state, actsNow])).toEqual(closureSteps.map((step) => [step, 'done', 'nobody']));
    const ends = status.steps.map(({ endedAt }) => Date.parse(endedAt!));
    expect(ends).toEqual([...ends].sort((a, b) => a - b));
    expect(status.refunds.map(({ amount, state, method }) => [amount.amountMinor, state, method])).toEqual([
      [2000, 'succeeded', 'visa …4242'], [2700, 'succeeded', 'visa …4242']]);
    expect(status.recipients.map(({ recipient, state }) => [recipient, state])).toEqual([
      ['Sakura Mobile (demo)', 'confirmed'], ['payment processor', 'confirmed']]);
  });

  test('the money is back where it came from: newest payment first, once, and the books are sound', async () => {
    const { refunds, intents } = await gatewayBooks(house);
    expect(refunds.map(({ amountMinor, status }) => [amountMinor, status])).toEqual([[2000, 'succeeded'], [2700, 'succeeded']]);
    expect(intents.every(({ metadata }) => metadata['account_closed_at'] !== undefined)).toBe(true);
    expect(await owedTo(house, t.accountId)).toBe(0n);
    await expectSoundBooks(house);
  });

  test('the operator has stopped and forgotten the subscriber', async () => {
    expect(await subscriber(house, iccid)).toBe('forgotten');
  });

  test('the certificate says what happened', () => {
    expect(subject).toMatchObject({ caseNumber: receipt.caseNumber, requestedAt: receipt.submittedAt });
    expect(subject.stopped).toMatchObject([{ iccidTail: iccid.slice(-4), operator: 'Sakura Mobile (demo)', service: 'terminated', device: 'deleted' }]);
    expect(subject.stopped[0]!.requestedAt <= subject.stopped[0]!.effectiveAt && subject.stopped[0]!.effectiveAt <= subject.closedAt).toBe(true);
    expect(subject.paid.map(({ kind, credit, amountMinor, to, state }) => [kind, credit, amountMinor, to, state])).toEqual([
      ['refund', 'cash', 2000, 'visa …4242', 'paid'], ['refund', 'cash', 2700, 'visa …4242', 'paid'],
      ['given-up', 'promotional', 500, 'nobody: given up by choice', 'not-due']]);
    expect(subject.told.map(({ recipient, kind, state }) => [recipient, kind, state])).toEqual([
      ['Sakura Mobile (demo)', 'operator', 'acknowledged'], ['payment processor', 'payment-processor', 'acknowledged']]);
    const erased = new Map(subject.erased.map(({ what, count }) => [what, count]));
    expect([erased.get('accounts.accounts'), erased.get('accounts.contacts'), erased.get('lines.iccids'), erased.get('lines.devices'), erased.get('closure.sealedTexts')])
      .toEqual([1, 1, 1, 1, 1]);
    expect(subject.kept.map(({ field }) => field)).toContain('ledger.transfer');
    expect(subject.kept.every(({ until }) => until > subject.closedAt)).toBe(true);
    expect(Date.parse(subject.envelopeDestroyedBy) - Date.parse(subject.closedAt)).toBe(7 * 86_400_000);
  });

  test('certificate and log verify under the published trust, the opening shows whose it is, a changed byte is refused', async () => {
    const answer = await fetch(`http://127.0.0.1:${house.config.http.port}/v1/trust`);
    const trust = parseTrust(await answer.text());
    const confirmation = (await t.mail()).find(({ attachments }) => attachments.length === 2)!;
    const [bundle, opening] = confirmation.attachments.map(({ contentBase64 }) => Buffer.from(contentBase64, 'base64'));
    const { body } = await t.client.call(closureRoutes.getCertificate, { session: null, body: { caseNumber: receipt.caseNumber, accessCode: receipt.accessCode } });
    expect(bundle!.equals(body)).toBe(true);
    expect(verifyBundle(bundle!, trust, house.clock.now()).ok).toBe(true);
    const openings = parseOpenings(opening!.toString());
    expect(openings.openings.map(({ value }) => value)).toEqual([t.email]);
    verifyOpenings(openings, parseCertificate(parseBundle(bundle!).certificate).statement);
    const changed = Buffer.from(bundle!);
    const middle = Math.floor(changed.length / 2);
    changed[middle] = changed[middle]! ^ 1;
    expect(verifyBundle(changed, trust).ok).toBe(false);
  });

  test('mail: receipt, export, then the confirmation as the last one, in the traveller’s language', async () => {
    const subjects = (await t.mail()).map(({ subject: words }) => words);
    expect(subjects.filter((words) => words.includes(receipt.caseNumber))).toEqual([
      `已收到您的注销申请（${receipt.caseNumber}）`, `您的数据（${receipt.caseNumber}）`, `您的账户已注销（${receipt.caseNumber}）`]);
    expect(subjects.at(-1)).toBe(`您的账户已注销（${receipt.caseNumber}）`);
    await house.later(30 * 86_400_000);
    expect((await t.mail()).length).toBe(subjects.length);
  });

  test('no key opens anything of the account, and the sealed rows are gone', async () => {
    const { caseId, executionId } = await house.db.one<{ caseId: string; executionId: string }>(sql`
      select case_id as "caseId", execution_id as "executionId" from closure.case where case_number = ${receipt.caseNumber}`);
    for (const key of [t.accountId, `case:${executionId}`]) expect(await house.keys.dataKeys.isDestroyed(key)).toBe(true);
    await expect(house.keys.dataKeys.open(t.accountId, 'accounts.account.email', sealedBefore.email)).rejects.toMatchObject({ code: 'keys/destroyed' });
    await expect(house.keys.dataKeys.open(t.accountId, 'closure.case.reason', sealedBefore.reason)).rejects.toMatchObject({ code: 'keys/destroyed' });
    await expect(house.keys.dataKeys.seal(t.accountId, 'any', 'thing')).rejects.toMatchObject({ code: 'keys/destroyed' });
    expect(await house.db.one(sql`
      select envelope, envelope_destroyed_at is not null as destroyed, reason_sealed, access_code_sealed from closure.case where case_id = ${caseId}`))
      .toEqual({ envelope: null, destroyed: true, reason_sealed: null, access_code_sealed: null });
    expect(await house.db.one(sql`
      select (select count(*) from accounts.contact where account_id = ${t.accountId}) as contacts,
             (select count(*) from accounts.session where account_id = ${t.accountId}) as sessions,
             (select count(*) from notifications.message where subject_id in (${t.accountId}, ${`case:${executionId}`}) and (content is not null or address is not null)) as texts,
             (select count(*) from lines.line where account_id = ${t.accountId} and iccid is not null) as iccids,
             (select count(*) from accounts.account where id = ${t.accountId} and (email is not null or name is not null or password_hash is not null)) as people`))
      .toEqual({ contacts: 0n, sessions: 0n, texts: 0n, iccids: 0n, people: 0n });
  });

  test('signing in is refused as for an unknown address; the address is free again', async () => {
    const signIn = { email: t.email, password: t.password };
    expect(await refusal(house.client().call(accountsRoutes.signIn, { body: signIn }))).toBe('401 accounts/wrong-credentials');
    expect(await refusal(t.client.call(accountsRoutes.getAccount))).toBe('401 general/unauthenticated');
    const again = await house.client().call(accountsRoutes.signUp, { idempotencyKey: newKey(), body: { ...signIn, name: 'Somebody new' } });
    expect(again.body.account.id).not.toBe(t.accountId);
  });
});
