import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ContractError, accountsRoutes, closureRoutes } from '@yuanyou/contract';
import { messages } from './buy.ts';
import { expectThat, known, until } from './journey.ts';
import type { Act, Journey } from './journey.ts';

const access = (j: Journey) => ({ caseNumber: known(j.caseNumber, 'a case number'), accessCode: known(j.accessCode, 'an access code') });

/** Where the case stands, asked without signing in. */
export async function status(j: Journey) {
  return (await j.client.call(closureRoutes.getClosureStatus, { body: access(j), session: null })).body;
}

export const preflight: Act = {
  name: 'preflight: what leaving will do',
  async run(j) {
    const { body } = await j.client.call(closureRoutes.getPreflight, { session: known(j.session, 'a session') });
    const codes = body.concerns.map((concern) => concern.code);
    for (const code of ['ledger/balance', 'ledger/promotional-credit', 'lines/in-service', 'lines/on-device', 'usage/unused-returned']) {
      expectThat(codes.includes(code), `${code} among the concerns`);
    }
    expectThat(codes.some((code) => code.startsWith('accounts/')), 'the account’s own data among the concerns');
    expectThat(body.ready, 'nothing in the way');
    return codes.join(', ');
  },
};

export const apply: Act = {
  name: 'apply: money back to the card, credit given up, export, no cooling-off',
  async run(j) {
    const { body } = await j.client.call(closureRoutes.applyForClosure, {
      session: known(j.session, 'a session'), idempotencyKey: randomUUID(),
      body: {
        email: j.traveller.email, password: j.traveller.password, reason: 'tripOver',
        choices: { balance: 'originalMethods', promotionalCredit: 'giveUp', export: true, coolingOffDays: 0 },
      },
    });
    j.caseNumber = body.caseNumber;
    j.accessCode = body.accessCode;
    const { rules } = await status(j);
    expectThat(rules.length > 0 && rules.every((rule) => rule.outcome === 'passed'), 'every rule passed');
    return `case ${body.caseNumber}; approved by ${rules.length} rules; promised by ${body.promisedAt}`;
  },
};

const payBack: Act = {
  name: 'the line stops, the books settle, the card is refunded',
  async run(j) {
    const now = await until('the closure waiting for the phone', async () => {
      const seen = await status(j);
      const stuck = seen.steps.find((step) => step.state === 'stuck');
      expectThat(stuck === undefined, `no step stuck, but ${stuck?.step} is`);
      return seen.steps.find((step) => step.step === 'unbind-devices')?.state === 'waiting' ? seen : undefined;
    });
    expectThat(now.refunds.length === 1 && now.refunds[0]?.state === 'succeeded', 'one refund, paid');
    j.refundMinor = now.refunds[0].amount.amountMinor;
    expectThat(j.refundMinor === 5000 - 900 + 135, 'the unspent 41.00 EUR and 1.35 EUR for the unused 15 %');
    return `${(j.refundMinor / 100).toFixed(2)} EUR back to ${now.refunds[0].method}`;
  },
};

/** What the traveller does on the phone; the signed notification of it waits in the eUICC. */
export async function deleteProfile(j: Pick<Journey, 'iccid' | 'phone'>): Promise<void> {
  const iccid = known(j.iccid, 'an ICCID');
  await j.phone.disable(iccid);
  await j.phone.delete(iccid);
}

const unbind: Act = {
  name: 'the phone deletes the profile; its signed notification arrives',
  async run(j) {
    await deleteProfile(j);
    await j.phone.sendNotifications();
    await until('the device unbound', async () => ((await status(j)).steps.find((step) => step.step === 'unbind-devices')?.state === 'done' ? true : undefined));
    return 'deletion confirmed by the phone’s own signature';
  },
};

const finish: Act = {
  name: 'export, recipients, erasure, certificate, log, confirmation, envelope',
  async run(j) {
    const end = await until('the case completed', async () => {
      const seen = await status(j);
      return seen.state === 'completed' ? seen : undefined;
    }, 30_000);
    expectThat(end.steps.every((step) => step.state === 'done'), 'every step done');
    expectThat(end.recipients.length === 3, 'a receipt from the operator, the payment processor and the mail provider');
    return `told: ${end.recipients.map((r) => r.recipient).join(', ')}`;
  },
};

export const collect: Act = {
  name: 'collect the certificate, the trust file and the export',
  async run(j) {
    const { body: bundle } = await j.client.call(closureRoutes.getCertificate, { body: access(j), session: null });
    await writeFile(join(j.places.artefacts, 'closure.json'), bundle);
    const trust = await fetch(`${j.places.apiUrl}/v1/trust`, { signal: AbortSignal.timeout(10_000) });
    await writeFile(join(j.places.artefacts, 'trust.json'), Buffer.from(await trust.arrayBuffer()));
    const mail = await messages(j);
    const link = known(mail.map((m) => /http\S+\/v1\/exports\/\S+/.exec(m.text)?.[0]).find((found) => found !== undefined), 'the export’s link');
    const zip = await fetch(link, { signal: AbortSignal.timeout(10_000) });
    expectThat(zip.ok, 'the export to be there after the account is gone');
    await writeFile(join(j.places.artefacts, 'export.zip'), Buffer.from(await zip.arrayBuffer()));
    const last = known(mail.find((m) => m.attachments.length > 0), 'the confirmation');
    for (const { fileName, contentBase64 } of last.attachments) await writeFile(join(j.places.artefacts, fileName), Buffer.from(contentBase64, 'base64'));
    return `closure.json, trust.json, export.zip, ${last.attachments.map((a) => a.fileName).join(', ')}`;
  },
};

export const refused: Act = {
  name: 'signing in is refused',
  async run(j) {
    const attempt = j.client.call(accountsRoutes.signIn, { session: null, body: { email: j.traveller.email, password: j.traveller.password } });
    const code = await attempt.then(() => 'signed in', (error: unknown) => (error instanceof ContractError ? error.code : String(error)));
    expectThat(code === 'accounts/wrong-credentials', `the answer an unknown account gets, not ${code}`);
    return code;
  },
};

/** From the wish to leave to the proof of it. */
export const leaving: readonly Act[] = [preflight, apply, payBack, unbind, finish, collect, refused];
