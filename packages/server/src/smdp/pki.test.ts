import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { importPoint, parseCertificate, verifyRaw } from '@yuanyou/rsp';
import { manualClock } from '../platform/clock/index.ts';
import { createSigners, fileFolder } from '../platform/keys/index.ts';
import { developmentPki, loadPki } from './index.ts';

let root: string;
beforeEach(() => { root = mkdtempSync(join(tmpdir(), 'yuanyou-pki-')); });
afterEach(() => rmSync(root, { recursive: true, force: true }));

const clock = manualClock(new Date('2026-11-22T08:00:00Z'));
const signersIn = (folder: string) => createSigners({ folder: fileFolder(join(root, folder)), masterKeys: [Buffer.alloc(32, 7)] });
const make = (hosts: readonly string[], signers = signersIn('keys')) => developmentPki({ folder: join(root, 'pki'), signers, hosts, at: clock.now() });

it('is made once, with a chain on each curve', async () => {
  const first = await make(['localhost', '127.0.0.1']);
  const again = await make(['localhost', '127.0.0.1']);
  expect(first.identity.chains.map(({ curve }) => curve)).toEqual(['P-256', 'brainpoolP256r1']);
  expect(again.anchors.map(({ raw }) => Buffer.from(raw))).toEqual(first.anchors.map(({ raw }) => Buffer.from(raw)));
  expect(again.tls).toEqual(first.tls);
  for (const { auth, binding } of again.identity.chains) {
    for (const { certificate, sign } of [auth, binding]) {
      const { curve, point } = parseCertificate(certificate).publicKey;
      expect(verifyRaw(importPoint(curve, point), Buffer.from('message'), sign(Buffer.from('message')))).toBe(true);
    }
  }
  expect(readdirSync(join(root, 'pki')).filter((name) => name.endsWith('.key.pem')).toSorted()).toEqual(['eum-bp256.key.pem', 'eum-p256.key.pem', 'tls.key.pem']);
});

it('is one and the same for processes that start at once, also after one that was killed while it made it', async () => {
  writeFileSync(join(root, 'pki.lock'), `${hostname()} 999999999`);
  const made = await Promise.all(Array.from({ length: 6 }, () => make(['localhost'])));
  for (const { tls, anchors } of made) {
    expect(tls).toEqual(made[0]!.tls);
    expect(new X509Certificate(tls.certificate).checkPrivateKey(createPrivateKey(tls.key))).toBe(true);
    expect(anchors.map(({ raw }) => Buffer.from(raw))).toEqual(made[0]!.anchors.map(({ raw }) => Buffer.from(raw)));
  }
  expect(readdirSync(root).toSorted()).toEqual(['keys', 'pki']);
});

it('gets another TLS certificate for another name, under the same CI', async () => {
  const { anchors } = await make(['localhost']);
  const { tls } = await make(['rsp.example', '127.0.0.1', '::1']);
  const certificate = new X509Certificate(tls.certificate);
  expect([certificate.checkHost('rsp.example'), certificate.checkIP('127.0.0.1'), certificate.checkIP('::1')]).not.toContain(undefined);
  expect(certificate.verify(new X509Certificate(anchors[1]!.raw).publicKey)).toBe(true);
});

it('refuses certificates that do not fit their keys, their CI or the day', async () => {
  await make(['localhost']);
  const folder = join(root, 'pki');
  await expect(loadPki(folder, signersIn('other-keys'), clock.now())).rejects.toMatchObject({ code: 'smdp/pki', details: { file: 'dpauth-p256.der', fault: 'its key is another' } });
  await expect(loadPki(folder, signersIn('keys'), new Date('2040-01-01'))).rejects.toMatchObject({ code: 'smdp/pki', details: { fault: 'expired' } });
  writeFileSync(join(folder, 'dppb-p256.der'), readFileSync(join(folder, 'dpauth-p256.der')));
  await expect(loadPki(folder, signersIn('keys'), clock.now())).rejects.toMatchObject({ code: 'smdp/pki', details: { file: 'dppb-p256.der', fault: 'policy' } });
  writeFileSync(join(folder, 'dpauth-p256.der'), 'not a certificate');
  await expect(loadPki(folder, signersIn('keys'), clock.now())).rejects.toMatchObject({ code: 'smdp/pki', details: { file: 'dpauth-p256.der' } });
  await expect(loadPki(join(root, 'nowhere'), signersIn('keys'), clock.now())).rejects.toMatchObject({ code: 'smdp/pki' });
});
