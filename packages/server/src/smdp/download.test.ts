import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deleteProfile, disableProfile, download, enableProfile, listProfiles, sendNotifications, type DownloadOutcome } from '@yuanyou/rsp/lpa';
import { sql } from '../platform/db/index.ts';
import { openBench, type Bench } from './testing/bench.ts';

let bench: Bench;
beforeAll(async () => { bench = await openBench(); });
afterAll(() => bench.close());

const stateOf = async (profileId: string) =>
  (await bench.database.db.one(sql<{ state: string }>`select state from smdp.download_order where profile_id = ${profileId}::uuid`)).state;
const reported = (profileId: string) => bench.events.filter(({ body }) => body['profileId'] === profileId).map(({ body }) => body['to'] ?? 'failed');
const refusal = (outcome: DownloadOutcome) => {
  if (outcome.installed || outcome.failure.kind !== 'smdp') throw new Error(JSON.stringify(outcome));
  return `${outcome.failure.status.subjectCode}/${outcome.failure.status.reasonCode}`;
};

describe('a download over TLS', () => {
  it.each([['P-256', 0, 1], ['brainpoolP256r1', 1, 2]] as const)('works on %s from code to delete, and the profile may come back', async (_curve, which, index) => {
    const phone = bench.phone(index, {}, [bench.pkis[which]!]);
    const order = await bench.order();
    const outcome = await bench.run(phone, download({ activationCode: order.activationCode }));
    expect(outcome).toMatchObject({ installed: true, iccid: order.iccid, metadata: { serviceProviderName: 'Yuanyou' } });
    expect(await stateOf(order.profileId)).toBe('downloaded');
    expect(await bench.run(phone, sendNotifications())).toMatchObject([{ operation: 'install', sent: true }]);
    expect(await stateOf(order.profileId)).toBe('installed');

    expect(await bench.run(phone, enableProfile(order.iccid))).toBe('ok');
    expect(await bench.run(phone, disableProfile(order.iccid))).toBe('ok');
    expect(await bench.run(phone, deleteProfile(order.iccid))).toBe('ok');
    const sent = await bench.run(phone, sendNotifications());
    expect(sent.map(({ operation, sent: done }) => [operation, done])).toEqual([['enable', true], ['disable', true], ['delete', true]]);
    expect(reported(order.profileId)).toEqual(['installed', 'enabled', 'disabled', 'deleted']);
    expect(await stateOf(order.profileId)).toBe('released');

    expect(await bench.run(phone, download({ activationCode: order.activationCode }))).toMatchObject({ installed: true });
    expect((await bench.run(phone, listProfiles())).map(({ iccid }) => iccid)).toEqual([order.iccid]);
  });

  it('is told of by itself only when no installation follows', async () => {
    const phone = bench.phone(30);
    const [first, second] = [await bench.order(), await bench.order()];
    for (const { activationCode } of [first, second]) await bench.run(phone, download({ activationCode }));
    await bench.tasks.get('smdp.tell-downloads')!();
    expect([reported(first.profileId), reported(second.profileId)]).toEqual([[], []]);
    bench.clock.advance(61_000);
    await bench.tasks.get('smdp.tell-downloads')!();
    await bench.tasks.get('smdp.tell-downloads')!();
    expect([reported(first.profileId), reported(second.profileId)]).toEqual([['downloaded'], ['downloaded']]);
    await bench.run(phone, sendNotifications());
    expect(reported(first.profileId)).toEqual(['downloaded', 'installed']);
  });

  it('finds the profile that waits for an EID without a matchingId', async () => {
    const phone = bench.phone(3);
    const order = await bench.order({ eid: phone.eid });
    expect(await bench.run(phone, download({ smdpAddress: bench.address }))).toMatchObject({ installed: true, iccid: order.iccid });
    expect(refusal(await bench.run(bench.phone(4), download({ smdpAddress: bench.address })))).toBe('8.2.6/3.8');
  });

  it('asks for the confirmation code, and bears only so many wrong ones', async () => {
    const phone = bench.phone(5);
    const order = await bench.order({ confirmation: await bench.smdp.sealConfirmation('4711') });
    expect(order.activationCode).toMatch(/\$\$1$/);
    for (let i = 0; i < 4; i++) {
      expect(refusal(await bench.run(phone, download({ activationCode: order.activationCode, confirmationCode: '0000' })))).toBe('8.2.7/3.8');
    }
    expect(await bench.run(phone, download({ activationCode: order.activationCode, confirmationCode: '4711' }))).toMatchObject({ installed: true });

    const other = await bench.order({ confirmation: await bench.smdp.sealConfirmation('4711') });
    for (let i = 0; i < 5; i++) await bench.run(phone, download({ activationCode: other.activationCode, confirmationCode: '0000' }));
    expect(refusal(await bench.run(phone, download({ activationCode: other.activationCode, confirmationCode: '4711' })))).toBe('8.2.7/6.4');
  });

  it('a session that the phone cancels leaves the order open', async () => {
    const phone = bench.phone(6);
    const order = await bench.order();
    expect(await bench.run(phone, download({ activationCode: order.activationCode, accept: () => false }))).toMatchObject({ failure: { kind: 'declined' } });
    expect(await bench.run(phone, download({ activationCode: order.activationCode }))).toMatchObject({ installed: true });
  });

  it('refuses what an order does not allow, with the reason', async () => {
    const [phone, other] = [bench.phone(7), bench.phone(8)];
    const { db } = bench.database;
    const attempt = async (activationCode: string, on = phone) => refusal(await bench.run(on, download({ activationCode })));
    const order = await bench.order();
    expect(await attempt(order.activationCode.slice(0, -1))).toBe('8.2.6/3.8');
    await bench.run(phone, download({ activationCode: order.activationCode }));
    expect(await attempt(order.activationCode, other)).toBe('8.1.1/3.8');
    await bench.run(phone, sendNotifications());
    expect(await attempt(order.activationCode)).toBe('8.2.6/3.8');

    const unreleased = await bench.order();
    await db.transaction((tx) => tx.run(sql`update smdp.download_order set state = 'allocated' where profile_id = ${unreleased.profileId}::uuid`));
    expect(await attempt(unreleased.activationCode)).toBe('8.2/1.2');
    const spent = await bench.order({ maxDownloads: 1 });
    await bench.run(phone, download({ activationCode: spent.activationCode }));
    expect(await attempt(spent.activationCode)).toBe('8.8.5/6.4');
    const late = await bench.order({ expiresAt: bench.clock.now() });
    expect(await attempt(late.activationCode)).toBe('8.8.5/4.10');
    const withdrawn = await bench.order();
    await db.transaction((tx) => bench.smdp.cancel(tx, withdrawn.profileId));
    expect(await attempt(withdrawn.activationCode)).toBe('8.2.6/3.8');
    expect(await bench.smdp.activation(db, withdrawn.profileId)).toBeUndefined();
  });

  it('a withdrawn profile stays withdrawn when the phone deletes it, and the delete is told', async () => {
    const phone = bench.phone(9);
    const order = await bench.order();
    await bench.run(phone, download({ activationCode: order.activationCode }));
    await bench.database.db.transaction((tx) => bench.smdp.cancel(tx, order.profileId));
    await bench.run(phone, deleteProfile(order.iccid));
    await bench.run(phone, sendNotifications());
    expect(await stateOf(order.profileId)).toBe('unavailable');
    expect(reported(order.profileId)).toEqual(['installed', 'deleted']);
  });
});
