import { execFile } from 'node:child_process';
import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  assemble, bundleOf, certificateLeaf, closureStatementOf, ed25519OfSpki, emailCommitment, formatBundle, formatCheckpoint, formatNote,
  formatOpenings, formatTrust, formatVerifierKey, inclusionProof, issuerKeyOf, jwkOfSpki, leafHash, noteMessage, noteSignature,
  openingOfEmail, readerOfLeaves, signingInput, treeRoot, type Trust, verifierKey,
} from '@yuanyou/proof';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const bin = join(import.meta.dirname, '../../bin/yuanyou.js');
const email = 'demo.traveller@example.com';
const salt = createHash('sha256').update('salt').digest();
const folder = mkdtempSync(join(tmpdir(), 'yuanyou-verify-'));
const paths = { bundle: join(folder, 'bundle.json'), trust: join(folder, 'trust.json'), openings: join(folder, 'openings.json') };
let bundleText = '';
let trust: Trust;

beforeAll(() => {
  const issuer = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const log = generateKeyPairSync('ed25519');
  const der = (key: KeyObject) => key.export({ format: 'der', type: 'spki' });
  const key = verifierKey('demo.example/log', 'ed25519', ed25519OfSpki(der(log.publicKey)));
  const at = '2026-11-22T09:00:00.000Z';
  const statement = closureStatementOf({
    certificateId: '0198c5d2-7a10-7c3e-9a44-3f1f0a6f2b11', issuer: { id: 'https://demo.example', name: 'Demo' }, validFrom: at,
    subject: {
      caseNumber: 'YY-1', requestedAt: at, closedAt: at, emailCommitment: Buffer.from(emailCommitment(email, salt)).toString('base64url'),
      stopped: [], erased: [], kept: [], told: [], envelopeDestroyedBy: at,
      paid: [{ kind: 'refund', credit: 'cash', amountMinor: 2750, currency: 'EUR', to: 'card 4242', state: 'paid', at }],
    },
  });
  const input = signingInput(statement, { alg: 'ES256', typ: 'vc+jwt', kid: 'k1' });
  const certificate = assemble(input, sign('sha256', input, { key: issuer.privateKey, dsaEncoding: 'ieee-p1363' }));
  const read = readerOfLeaves([leafHash(Buffer.alloc(32)), leafHash(certificateLeaf(certificate, salt)), leafHash(Buffer.alloc(32, 2))]);
  const text = formatCheckpoint({ origin: key.name, size: 3, root: treeRoot(3, read) });
  const checkpoint = formatNote(text, [noteSignature(key, sign(null, noteMessage('ed25519', text), log.privateKey))]);
  const inclusion = inclusionProof(1, 3, read);
  bundleText = formatBundle(bundleOf({ certificate, salt, log: { origin: key.name, index: 1, treeSize: 3, inclusion, checkpoint } }));
  trust = {
    format: 'yuanyou-trust/v1', issuerKeys: [issuerKeyOf('k1', 'https://demo.example', jwkOfSpki(der(issuer.publicKey)))],
    logs: [{ origin: key.name, vkey: formatVerifierKey(key) }],
  };
  writeFileSync(paths.bundle, bundleText);
  writeFileSync(paths.trust, formatTrust(trust));
  writeFileSync(paths.openings, openingsOf(email));
});

afterAll(() => { rmSync(folder, { recursive: true }); });

function openingsOf(address: string): string {
  return formatOpenings({ format: 'yuanyou-openings/v1', caseNumber: 'YY-1', openings: [openingOfEmail(address, salt)] });
}

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

function yuanyou(args: readonly string[], nodeArgs: readonly string[] = []): Promise<Ran> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [...nodeArgs, bin, ...args], { timeout: 15_000 }, (_error, out, err) => {
      resolve({ code: child.exitCode ?? -1, out, err });
    });
  });
}

function written(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

describe('yuanyou verify', () => {
  test('says each check of a good bundle and exits 0, without colour in a pipe', async () => {
    const { code, out, err } = await yuanyou(['verify', paths.bundle, '--trust', paths.trust]);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    for (const check of ['form', 'certificate', 'issuer-key', 'signature', 'checkpoint', 'inclusion', 'log-key', 'log-signature']) {
      expect(out).toMatch(new RegExp(`^ {2}ok {4}${check} `, 'm'));
    }
    expect(out).toContain('27.50 EUR cash, refund to card 4242: paid');
    expect(out).toMatch(/VALID: [^\n]+\n$/);
    expect(out).not.toContain('\u001b');
  });

  test('refuses a changed bundle with the reason and exits 1', async () => {
    const changed = written('changed.json', bundleText.replace('"index": 1', '"index": 0'));
    const { code, out } = await yuanyou(['verify', changed, '--trust', paths.trust]);
    expect(code).toBe(1);
    expect(out).toMatch(/FAIL {2}inclusion +the inclusion proof does not lead to the root hash/);
    expect(out).toMatch(/INVALID: /);
    expect(out).not.toContain('27.50');
  });

  test('asks for more where the trust file does not name a key, and exits 3', async () => {
    const bare = written('bare-trust.json', formatTrust({ ...trust, issuerKeys: [], logs: [] }));
    const { code, out } = await yuanyou(['verify', paths.bundle, '--trust', bare]);
    expect(code).toBe(3);
    expect(out).toMatch(/more {2}issuer-key/);
    expect(out).toContain('NEEDS MORE');
  });

  test('shows whose account it was with the holder\'s openings, and refuses those of another', async () => {
    const args = ['verify', paths.bundle, '--trust', paths.trust, '--openings'];
    expect(await yuanyou([...args, paths.openings])).toMatchObject({ code: 0 });
    const { code, out } = await yuanyou([...args, written('foreign.json', openingsOf('other@example.com'))]);
    expect(code).toBe(1);
    expect(out).toMatch(/FAIL {2}openings/);
  });

  test('prints one JSON object on request', async () => {
    const { code, out } = await yuanyou(['verify', paths.bundle, '--trust', paths.trust, '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ ok: true, outcome: 'valid', statement: { credentialSubject: { caseNumber: 'YY-1' } } });
  });

  test('exits 2 with one line where it was not understood or cannot read', async () => {
    const wrong = [
      ['verify', join(folder, 'absent.json'), '--trust', paths.trust], ['verify', folder, '--trust', paths.trust],
      ['verify', paths.bundle, '--trust', paths.bundle], ['verify', paths.bundle], ['certify'],
      ['verify', paths.bundle, '--trsut', 'x'], [],
    ];
    const runs = await Promise.all(wrong.map((args) => yuanyou(args)));
    runs.forEach(({ code, out, err }, at) => {
      expect({ code, out }, wrong[at]!.join(' ')).toEqual({ code: 2, out: '' });
      expect(err).not.toMatch(/\n {4}at /);
    });
  });

  test('shows help with examples and exits 0', async () => {
    const { code, out } = await yuanyou(['verify', '--help']);
    expect(code).toBe(0);
    expect(out).toContain('$ yuanyou verify closure-YY-2026-000123.json --trust yuanyou-trust.json');
  });

  test.skipIf(!existsSync(join(import.meta.dirname, '../../../../node_modules/.bin/node')))('runs when an old Node starts it', async () => {
    const old = `data:text/javascript,Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.11.0' } })`;
    expect(await yuanyou(['verify', paths.bundle, '--trust', paths.trust], ['--import', old])).toMatchObject({ code: 0, err: '' });
    expect(await yuanyou(['verify', paths.bundle, '--trust', paths.bundle], ['--import', old])).toMatchObject({ code: 2 });
  });
});
