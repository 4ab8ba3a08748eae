import { createHash, createPublicKey, verify } from 'node:crypto';
import { transparencyProblems } from '@yuanyou/contract';
import {
  assemble, bundleOf, certificateLeaf, closureStatementOf, formatBundle, issuerKeyOf, jwkOfSpki, parseTrust, signingInput, verifyBundle,
} from '@yuanyou/proof';
import { compactVerify, importJWK } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { testDatabase, type TestDatabase } from '../platform/db/testing.ts';
import { serveForTest } from '../platform/http/testing.ts';
import { newId } from '../platform/ids.ts';
import { entryOf, referenceRoot, testFolder, testLog, testSigner } from './testing.ts';

const folder = testFolder();
const signer = testSigner();
const issuer = testSigner('ES256');
const issuerKey = issuerKeyOf('issuer-1', 'https://demo.example', jwkOfSpki(issuer.publicKeyDer));
const leaves = 700;
let database: TestDatabase;
let log: ReturnType<typeof testLog>;
let served: Awaited<ReturnType<typeof serveForTest>>;

beforeAll(async () => {
  database = await testDatabase();
  log = testLog(database.db, { signer, published: folder.path, issuerKeys: () => [issuerKey] });
  await log.start();
  await log.add(...Array.from({ length: leaves }, (_, at) => `leaf ${at}`));
  await log.sequence();
  served = await serveForTest({ endpoints: log.endpoints, db: database.db, problems: transparencyProblems });
});

afterAll(async () => {
  await served.close();
  await database.drop();
  folder.remove();
});

const get = async (path: string) => {
  const response = await fetch(`${served.url}${path}`);
  return { status: response.status, headers: response.headers, bytes: Buffer.from(await response.arrayBuffer()) };
};

interface ReadTrust {
  readonly logs: readonly { readonly origin: string; readonly vkey: string }[];
  readonly issuerKeys: readonly { readonly jwk: object }[];
}

interface ReadBundle {
  readonly certificate: string;
  readonly salt: string;
  readonly log: { readonly index: number; readonly treeSize: number; readonly inclusion: readonly string[] };
}

/** A client of the log that shares no line with it: fetch, node:crypto, jose. */
async function readLog() {
  const note = (await get('/log/checkpoint')).bytes.toString('utf8');
  const [text, signatures] = note.split('\n\n') as [string, string];
  const [origin, size, root] = text.split('\n') as [string, string, string];
  const trust = JSON.parse((await get('/v1/trust')).bytes.toString()) as ReadTrust;
  const vkey = trust.logs.find((one) => one.origin === origin)!.vkey;
  const [, keyId, encoded] = /^[^+]+\+([0-9a-f]{8})\+(.+)$/.exec(vkey)!;
  const x = Buffer.from(encoded!, 'base64').subarray(1).toString('base64url');
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
  const [dash, name, signature] = signatures.trim().split(' ') as [string, string, string];
  expect([dash, name]).toEqual(['—', origin]);
  const raw = Buffer.from(signature, 'base64');
  expect(raw.subarray(0, 4).toString('hex')).toBe(keyId);
  expect(verify(null, Buffer.from(`${text}\n`), key, raw.subarray(4))).toBe(true);
  return { origin, size: Number(size), root, trust, note };
}

test('an independent client reads the whole log and arrives at the signed root', async () => {
  const { size, root } = await readLog();
  expect(size).toBe(leaves);
  const entries: Buffer[] = [];
  const hashes: Buffer[] = [];
  for (let start = 0; start < size; start += 256) {
    const width = Math.min(256, size - start);
    const place = `${String(start / 256).padStart(3, '0')}${width < 256 ? `.p/${width}` : ''}`;
    const bundle = (await get(`/log/tile/entries/${place}`)).bytes;
    for (let at = 0; at < bundle.length;) {
      const length = bundle.readUInt16BE(at);
      entries.push(bundle.subarray(at + 2, at + 2 + length));
      at += 2 + length;
    }
    const tile = (await get(`/log/tile/0/${place}`)).bytes;
    expect(tile).toHaveLength(width * 32);
    for (let at = 0; at < tile.length; at += 32) hashes.push(tile.subarray(at, at + 32));
  }
  expect(entries).toEqual(Array.from({ length: leaves }, (_, at) => entryOf(`leaf ${at}`)));
  expect(hashes).toEqual(entries.map((entry) => createHash('sha256').update(Buffer.of(0)).update(entry).digest()));
  expect(referenceRoot(entries).toString('base64')).toBe(root);
  const above = (await get('/log/tile/1/000.p/2')).bytes;
  expect(above).toEqual(Buffer.concat([referenceRoot(entries.slice(0, 256)), referenceRoot(entries.slice(256, 512))]));
});

test('a certificate appended in a transaction becomes a bundle that verifies here and independently', async () => {
  const at = '2026-11-22T09:00:00.000Z';
  const input = signingInput(closureStatementOf({
    certificateId: newId(), issuer: { id: 'https://demo.example', name: 'Demo' }, validFrom: at,
    subject: {
      caseNumber: 'YY-7', requestedAt: at, closedAt: at, emailCommitment: entryOf('commitment').toString('base64url'), stopped: [],
      paid: [], erased: [], kept: [], told: [], envelopeDestroyedBy: at,
    },
  }), { alg: 'ES256', typ: 'vc+jwt', kid: 'issuer-1' });
  const [certificate, salt, leafId] = [assemble(input, issuer.sign(input)), entryOf('salt'), newId()];
  await database.db.transaction((tx) => log.append(tx, { leafId, entry: certificateLeaf(certificate, salt) }));
  await log.sequence();
  const evidence = (await log.evidence(leafId))!;
  const file = Buffer.from(formatBundle(bundleOf({ certificate, salt, log: evidence })));

  const trustFile = (await get('/v1/trust')).bytes;
  expect(verifyBundle(file, parseTrust(trustFile), new Date(at)).checks.filter((check) => !check.ok)).toEqual([]);

  const bundle = JSON.parse(file.toString()) as ReadBundle;
  const { root, size, trust } = await readLog();
  await compactVerify(bundle.certificate, await importJWK(trust.issuerKeys[0]!.jwk, 'ES256'));
  const sha256 = (...parts: Uint8Array[]): Buffer => createHash('sha256').update(Buffer.concat(parts)).digest();
  const entry = sha256(Buffer.from('yuanyou-closure-leaf/v1\n'), Buffer.from(bundle.salt, 'base64url'), Buffer.from(bundle.certificate));
  let hash = sha256(Buffer.of(0), entry);
  let [node, last] = [bundle.log.index, bundle.log.treeSize - 1];
  for (const sibling of bundle.log.inclusion.map((one) => Buffer.from(one, 'base64url'))) {
    while (node % 2 === 0 && node === last) [node, last] = [node >> 1, last >> 1];
    hash = node % 2 === 1 ? sha256(Buffer.of(1), sibling, hash) : sha256(Buffer.of(1), hash, sibling);
    [node, last] = [node >> 1, last >> 1];
  }
  expect([hash.toString('base64'), bundle.log.treeSize]).toEqual([root, size]);
});

test('tiles are immutable for caches, the checkpoint is not, and any page may read them', async () => {
  const tile = await get('/log/tile/0/000');
  expect(tile.headers.get('content-type')).toBe('application/octet-stream');
  expect(tile.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
  const checkpoint = await get('/log/checkpoint');
  expect(checkpoint.headers.get('content-type')).toBe('text/plain; charset=utf-8');
  expect(checkpoint.headers.get('cache-control')).toBe('public, max-age=2');
  for (const answer of [tile, checkpoint]) expect(answer.headers.get('access-control-allow-origin')).toBe('*');
});

test('tiles that do not exist, or not yet, answer 404, however they are spelled', async () => {
  const paths = [
    '0/003', '0/002', '0/002.p/255', '1/000', '1/000.p/3', '2/000.p/1', '0/2', '0/x000/000', '00/000', '0/000.p/0', '64/000',
    'entries/003.p/1', 'entries/002', '0/x999/x999/x999/x999/999', '0/..%2f..%2fcheckpoint', '6/000.p/1', `0/${'9'.repeat(60)}`,
  ];
  for (const path of paths) {
    const { status, bytes } = await get(`/log/tile/${path}`);
    expect([path, status]).toEqual([path, 404]);
    expect(JSON.parse(bytes.toString())).toMatchObject({ code: 'transparency/no-such-tile' });
  }
  expect((await get(`/log/tile/${'0'.repeat(65)}`)).status).toBe(400);
  expect((await get('/log/tile/0/002.p/17')).bytes).toHaveLength(17 * 32);
});

test('a stopped log says so over HTTP', async () => {
  const empty = await testDatabase();
  const stopped = testLog(empty.db, { signer, published: folder.path });
  const other = await serveForTest({ endpoints: stopped.endpoints, db: empty.db, problems: transparencyProblems });
  try {
    const answer = await fetch(`${other.url}/log/checkpoint`);
    expect(answer.status).toBe(503);
    expect(await answer.json()).toMatchObject({ code: 'transparency/stopped' });
  } finally {
    await other.close();
    await empty.drop();
  }
});
