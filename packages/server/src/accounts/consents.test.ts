import { randomUUID } from 'node:crypto';
import { accountsRoutes as routes } from '@yuanyou/contract';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { publishDocument } from './consents/consents.ts';
import { accountsForTest } from './testing.ts';

let world: Awaited<ReturnType<typeof accountsForTest>>;
beforeAll(async () => { world = await accountsForTest(); });
afterAll(async () => { await world.close(); });

const day = 86_400_000;

async function publish(kind: 'terms' | 'marketing', version: string, inDays: number, url = `https://example.test/${kind}/${version}`) {
  const effectiveAt = new Date(world.clock.now().getTime() + inDays * day);
  await publishDocument(world.deps, { kind: 'agent', id: randomUUID() }, { kind, version, url, sha256: Buffer.alloc(32, version), effectiveAt });
}

test('consents stand by version: a new version is due again, a free one is taken back, nothing is overwritten', async () => {
  const { body } = await world.client().call(routes.signUp, {
    idempotencyKey: randomUUID(), body: { email: 'consents@example.test', password: 'correct horse battery', name: 'Mei' },
  });
  const client = world.client(body.session.secret!);
  const decide = (kind: 'terms' | 'marketing', version: string, granted: boolean) => (
    client.call(routes.recordConsents, { idempotencyKey: randomUUID(), body: { decisions: [{ kind, version, granted }] } }));
  const due = async () => (await client.call(routes.getConsents)).body.due.map(({ kind, version }) => `${kind} ${version}`);

  await publish('terms', '1', 0);
  await publish('marketing', '1', 0);
  await publish('terms', '2', 1);
  expect((await world.client().call(routes.listDocuments)).body.items.map(({ kind, version, required }) => [kind, version, required])).toEqual([
    ['marketing', '1', false], ['terms', '1', true],
  ]);
  expect(await due()).toEqual(['terms 1']);
  await expect(decide('terms', '2', true)).rejects.toMatchObject({ code: 'accounts/document-not-in-force' });
  await decide('terms', '1', true);
  await decide('marketing', '1', true);
  expect(await due()).toEqual([]);
  world.clock.advance(day);
  expect(await due()).toEqual(['terms 2']);
  await expect(decide('terms', '1', false)).rejects.toMatchObject({ code: 'accounts/consent-needed' });
  await decide('marketing', '1', false);
  await decide('terms', '2', true);
  expect((await client.call(routes.getConsents)).body.consents.map(({ kind, version, granted }) => `${kind} ${version} ${granted}`).toSorted()).toEqual([
    'marketing 1 false', 'marketing 1 true', 'terms 1 true', 'terms 2 true',
  ]);
  const files = await world.accounts.holder.exportData(world.db, body.account.id);
  expect(files.find(({ name }) => name === 'consents')!.rows).toHaveLength(4);
  expect((await world.db.transaction((tx) => world.accounts.holder.erase(tx, body.account.id))).erased).toMatchObject({ consents: 4 });
});

test('a published version never changes', async () => {
  await publish('terms', '9', 400);
  await publish('terms', '9', 400);
  await expect(publish('terms', '9', 400, 'https://example.test/other')).rejects.toMatchObject({ code: 'accounts/document-fixed' });
});
