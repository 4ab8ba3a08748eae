import { randomBytes, X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { es9plusFunctions, importPrivateKey, profileMetadata, type Es9plusFunction } from '@yuanyou/rsp';
import { createMemorySmdp, createTestPki, releasedOrder, testEid, testProfilePackage, type MemorySmdp } from '@yuanyou/rsp/testing';
import { createPhone, openDevice, phoneOf, readPhonePki } from './index.ts';

const folder = mkdtempSync(join(tmpdir(), 'phone-'));
const random = (bytes: number): Uint8Array => randomBytes(bytes);
const hour = 3_600_000;
const validity = { notBefore: new Date(Date.now() - hour), notAfter: new Date(Date.now() + 24 * hour) };
const pkis = (['P-256', 'brainpoolP256r1'] as const).map((curve) => createTestPki({ curve, random, ...validity }));
const pki = pkis[0]!;
const stranger = createTestPki({ curve: 'P-256', random, ...validity });
const pem = (der: Uint8Array): string => new X509Certificate(der).toString();
const tlsCa = pem(pki.ci.certificate);

let server: Server;
let smdp: MemorySmdp;
let address: string;
const connections: { readonly reused: boolean }[] = [];
const seen: Record<string, string | string[] | undefined>[] = [];

beforeAll(async () => {
  server = createServer({
    cert: pem(pki.dpTls.certificate), key: importPrivateKey('P-256', pki.dpTls.privateKey).export({ format: 'pem', type: 'pkcs8' }),
  }, (request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      seen.push(request.headers);
      const name = (Object.keys(es9plusFunctions) as Es9plusFunction[]).find((one) => es9plusFunctions[one].path === request.url)!;
      const answer = smdp.answer({ kind: 'es9plus', address, function: name, path: request.url!, body: Buffer.concat(pieces).toString() });
      response.writeHead(answer.status, { 'content-type': 'application/json' }).end(Buffer.from(answer.body));
    });
  });
  server.on('secureConnection', (socket: TLSSocket) => connections.push({ reused: socket.isSessionReused() }));
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  address = `localhost:${(server.address() as AddressInfo).port}`;
  smdp = createMemorySmdp({ pkis, address, now: () => new Date(), random });
});
afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

let count = 0;
function order(): { readonly iccid: string; readonly activationCode: string } {
  count += 1;
  const iccid = `898821100000000${String(count).padStart(4, '0')}`;
  const card = { iccid, serviceProviderName: 'Yuanyou Test', profileName: 'Demo plan', owner: { mcc: '001', mnc: '01' } };
  const matchingId = `PHONE-${count}`;
  smdp.orders.set(matchingId, releasedOrder({ matchingId, metadata: profileMetadata(card, address), upp: testProfilePackage(iccid) }));
  return { iccid, activationCode: `LPA:1$${address}$${matchingId}` };
}

describe('a virtual phone', () => {
  it('downloads, enables, disables and deletes over TLS, one fresh connection each time', async () => {
    const phone = createPhone({ eid: testEid(1), issuers: pkis, tlsCa });
    const { iccid, activationCode } = order();
    const before = connections.length;
    expect(await phone.download(activationCode, { report: true })).toMatchObject({ installed: true, iccid });
    expect(connections.slice(before)).toEqual([{ reused: false }]);
    expect(seen.at(-1)).toMatchObject({ 'x-admin-protocol': 'gsma/rsp/v2.3.0', 'content-type': 'application/json' });
    expect(await phone.enable(iccid)).toBe('ok');
    expect(await phone.profiles()).toEqual([{ iccid, state: 'enabled', name: 'Demo plan', provider: 'Yuanyou Test' }]);
    expect(await phone.delete(iccid)).toBe('profileNotInDisabledState');
    expect([await phone.disable(iccid), await phone.name(iccid, 'trip'), await phone.delete(iccid)]).toEqual(['ok', 'ok', 'ok']);
    expect((await phone.sendNotifications()).map(({ operation, sent }) => [operation, sent])).toEqual([['enable', true], ['disable', true], ['delete', true]]);
    expect(smdp.events.map(({ event }) => event.kind)).toEqual(['installed', 'enabled', 'disabled', 'deleted']);
    expect(connections.every(({ reused }) => !reused)).toBe(true);
  });

  it('keeps its eUICC in a file', async () => {
    const statePath = join(folder, 'kept.json');
    const options = { eid: testEid(2), issuers: pkis, tlsCa, statePath };
    const { iccid, activationCode } = order();
    await createPhone(options).download(activationCode);
    const again = createPhone(options);
    expect(await again.profiles()).toMatchObject([{ iccid }]);
    expect(await again.sendNotifications()).toMatchObject([{ operation: 'install', sent: true }]);
    expect(await phoneOf(openDevice(statePath), { tlsCa }).profiles()).toHaveLength(1);
    expect(() => createPhone({ ...options, eid: testEid(3) })).toThrow('another eUICC');
    expect(() => openDevice(join(folder, 'none.json'))).toThrow('no eUICC');
  });

  it('trusts no server of another CA, and keeps its notifications while none answers', async () => {
    const { activationCode } = order();
    const phone = createPhone({ eid: testEid(4), issuers: pkis, tlsCa: pem(stranger.ci.certificate) });
    await expect(phone.download(activationCode)).rejects.toThrow(/certificate/);
    const elsewhere = createPhone({ eid: testEid(5), issuers: pkis, tlsCa, locate: () => ({ host: '127.0.0.1', port: 1 }) });
    await expect(elsewhere.download(activationCode)).rejects.toThrow('ECONNREFUSED');
    let unreachable = false;
    const moody = createPhone({
      eid: testEid(6), issuers: pkis, tlsCa, locate: () => ({ host: '127.0.0.1', port: unreachable ? 1 : (server.address() as AddressInfo).port }),
    });
    await moody.download(activationCode);
    unreachable = true;
    expect(await moody.sendNotifications()).toMatchObject([{ sent: false }]);
    unreachable = false;
    expect(await moody.sendNotifications()).toMatchObject([{ sent: true }]);
  });

  it('takes the development PKI from its folder', async () => {
    for (const [index, name] of ['p256', 'bp256'].entries()) {
      const { ci, eum, curve } = pkis[index]!;
      writeFileSync(join(folder, `ci-${name}.der`), ci.certificate);
      writeFileSync(join(folder, `eum-${name}.der`), eum.certificate);
      writeFileSync(join(folder, `eum-${name}.key.pem`), importPrivateKey(curve, eum.privateKey).export({ format: 'pem', type: 'pkcs8' }));
    }
    const read = readPhonePki(folder);
    expect(read.issuers.map(({ curve }) => curve)).toEqual(['P-256', 'brainpoolP256r1']);
    const phone = createPhone({ eid: testEid(8), ...read });
    expect(await phone.download(order().activationCode)).toMatchObject({ installed: true });
    expect(() => readPhonePki(tmpdir())).toThrow('no key of an EUM');
  });
});
