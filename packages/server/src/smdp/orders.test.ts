import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deleteProfile, disableProfile, download, enableProfile, sendNotifications } from '@yuanyou/rsp/lpa';
import { sql } from '../platform/db/index.ts';
import { newId } from '../platform/ids.ts';
import { matchingIdFrom } from './model.ts';
import { openBench, type Bench } from './testing/bench.ts';

let bench: Bench;
beforeAll(async () => { bench = await openBench(); });
afterAll(() => bench.close());

const card = { serviceProviderName: 'Yuanyou', profileName: 'Japan', owner: { mcc: '001', mnc: '01' } };
const stateOf = async (profileId: string) =>
  (await bench.database.db.one(sql<{ state: string }>`select state from smdp.download_order where profile_id = ${profileId}::uuid`)).state;
const told = (profileId: string) => bench.events.filter(({ body }) => body['profileId'] === profileId).map(({ body }) => body['to']);
const within = <T>(work: Parameters<Bench['database']['db']['transaction']>[0]) => bench.database.db.transaction(work) as Promise<T>;

describe('an order', () => {
  it('of a profile that has one answers the same code', async () => {
    const request = { profileId: newId(), iccid: '8986000000000000012', card };
    const first = await within((tx) => bench.smdp.order(tx, request));
    expect(await within((tx) => bench.smdp.order(tx, request))).toEqual(first);
    expect(await bench.smdp.activation(bench.database.db, request.profileId)).toEqual(first);
    expect(first).toMatchObject({ smdpAddress: bench.address, activationCode: expect.stringMatching(/^LPA:1\$localhost:\d+\$[2-9A-Z]{5}(-[2-9A-Z]{5}){3}$/) as string });
  });

  it('that was withdrawn is neither released nor ordered again', async () => {
    const { profileId, iccid } = await bench.order();
    await within((tx) => bench.smdp.cancel(tx, profileId));
    await within((tx) => bench.smdp.cancel(tx, profileId));
    await expect(within((tx) => bench.smdp.release(tx, profileId))).rejects.toMatchObject({ code: 'smdp/withdrawn' });
    await expect(within((tx) => bench.smdp.order(tx, { profileId, iccid, card }))).rejects.toMatchObject({ code: 'smdp/not-orderable' });
    await expect(within((tx) => bench.smdp.release(tx, newId()))).rejects.toMatchObject({ code: 'smdp/unknown-order' });
    await expect(bench.smdp.sealConfirmation('1')).rejects.toMatchObject({ code: 'smdp/bad-confirmation-code' });
  });

  it('may be freed for another phone by an agent, on the record', async () => {
    const order = await bench.order();
    await bench.run(bench.phone(200), download({ activationCode: order.activationCode }));
    await within((tx) => bench.smdp.releaseAgain(tx, order.profileId, { kind: 'agent', id: newId() }, 'phone lost'));
    expect(await bench.run(bench.phone(201), download({ activationCode: order.activationCode }))).toMatchObject({ installed: true });
    expect(await bench.database.db.all(sql`select action, reason from audit.entry where subject_id = ${order.profileId} order by action`))
      .toMatchObject([{ action: 'smdp.order' }, { action: 'smdp.release' }, { action: 'smdp.release-again', reason: 'phone lost' }]);
  });

  it('by many requests at once gives out no more packages than it may', async () => {
    const order = await bench.order({ maxDownloads: 1 });
    const outcomes = await Promise.all([210, 211, 212, 213].map((index) => bench.run(bench.phone(index), download({ activationCode: order.activationCode }))));
    expect(outcomes.filter(({ installed }) => installed)).toHaveLength(1);
  });

  it('guessed at in parallel costs a try a guess', async () => {
    const order = await bench.order({ confirmation: await bench.smdp.sealConfirmation('4711') });
    const guess = (index: number) => bench.run(bench.phone(index), download({ activationCode: order.activationCode, confirmationCode: '0000' }));
    await Promise.all(Array.from({ length: 8 }, (_, index) => guess(220 + index)));
    const { tries } = await bench.database.db.one(sql<{ tries: number }>`
      select confirmation_tries_left as tries from smdp.download_order where profile_id = ${order.profileId}::uuid`);
    expect(tries).toBe(0);
  });
});

describe('notifications', () => {
  it('that come late or out of order do not undo later ones', async () => {
    const order = await bench.order();
    const phone = bench.phone(240);
    await bench.run(phone, download({ activationCode: order.activationCode }));
    await bench.run(phone, enableProfile(order.iccid));
    await bench.run(phone, disableProfile(order.iccid));
    await bench.run(phone, deleteProfile(order.iccid));
    const sent: string[] = [];
    const held = (name: string, body: Record<string, string>) => {
      if (name === 'handleNotification') sent.push(JSON.stringify(body));
      return { pendingNotification: '' };
    };
    await bench.run(phone, sendNotifications(), held);
    expect(sent).toHaveLength(4);
    for (const body of sent.toReversed()) expect((await bench.post('/gsma/rsp2/es9plus/handleNotification', body)).status).toBe(204);
    expect(await stateOf(order.profileId)).toBe('released');
    expect(told(order.profileId)).toEqual(['deleted']);
    const rows = await bench.database.db.all(sql<{ event: string }>`
      select event from smdp.notification where profile_id = ${order.profileId}::uuid order by sequence_number`);
    expect(rows.map(({ event }) => event)).toEqual(['installed', 'enabled', 'disabled', 'deleted']);
  });

  it('of an installation that failed because the profile is there leave it there', async () => {
    const order = await bench.order();
    const phone = bench.phone(250);
    await bench.run(phone, download({ activationCode: order.activationCode }));
    // The same ICCID a second time is what the eUICC refuses.
    await bench.database.db.transaction((tx) => tx.run(sql`update smdp.download_order set state = 'released' where profile_id = ${order.profileId}::uuid`));
    expect(await bench.run(phone, download({ activationCode: order.activationCode }))).toMatchObject({ installed: false, failure: { kind: 'installation' } });
    await bench.run(phone, sendNotifications());
    expect(bench.events.filter(({ body }) => body['profileId'] === order.profileId).map(({ name }) => name))
      .toEqual(['smdp.profile-reported', 'smdp.install-failed']);
    expect(await stateOf(order.profileId)).toBe('installed');
  });
});

describe('clearing', () => {
  it('deletes sessions, notifications and ended orders when their time is over', async () => {
    const order = await bench.order();
    const phone = bench.phone(260);
    await bench.run(phone, download({ activationCode: order.activationCode }));
    await bench.run(phone, sendNotifications());
    await within((tx) => bench.smdp.cancel(tx, order.profileId));
    const count = async () => bench.database.db.one(sql`
      select (select count(*) from smdp.download_order where profile_id = ${order.profileId}::uuid) as orders,
        (select count(*) from smdp.notification where profile_id = ${order.profileId}::uuid) as notifications,
        (select count(*) from smdp.session where profile_id = ${order.profileId}::uuid) as sessions`);
    await bench.tasks.get('smdp.forget')!();
    expect(await count()).toEqual({ orders: 1n, notifications: 1n, sessions: 1n });
    bench.clock.advance(91 * 86_400_000);
    await bench.tasks.get('smdp.forget')!();
    expect(await count()).toEqual({ orders: 0n, notifications: 0n, sessions: 0n });
  });
});

it('a matchingId takes 5 bits from each byte', () => {
  expect(matchingIdFrom(Uint8Array.from({ length: 20 }, (_, i) => i * 32 + i))).toBe('23456-789AB-CDEFG-HJKLM');
});
