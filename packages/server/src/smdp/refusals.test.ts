import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connect, type TLSSocket } from 'node:tls';
import {
  encode, encodeTlv, EuiccCancelSessionSigned, fromBase64, fromHex, oid, parseCertificate, readTlv, toBase64, type Es9plusFunction, type Tlv,
} from '@yuanyou/rsp';
import { download, sendNotifications, type DownloadOutcome } from '@yuanyou/rsp/lpa';
import {
  ciIssuerOf, createTestEuicc, createTestPki, euiccSignerOf, issueIdentity, issueTestEuicc, runEuicc, seededRandom, testEid, TEST_EID_PREFIX,
} from '@yuanyou/rsp/testing';
import { failureOf, openBench, type Bench } from './testing/bench.ts';

let bench: Bench;
beforeAll(async () => { bench = await openBench(); });
afterAll(() => bench.close());

type Change = (body: Record<string, string>) => Record<string, string>;
const at = (wanted: Es9plusFunction, change: Change) => (name: Es9plusFunction, body: Record<string, string>) => (name === wanted ? change(body) : body);

/** Rebuilds an object with the one at `path` (child numbers from the top) replaced. */
function replaced(tlv: Tlv, path: readonly number[], change: (tlv: Tlv) => Uint8Array): Uint8Array {
  const [index, ...rest] = path;
  if (index === undefined) return change(tlv);
  return encodeTlv(tlv.tag, ...tlv.children().map((child, place) => (place === index ? replaced(child, rest, change) : child.raw)));
}
const inField = (field: string, path: readonly number[], change: (tlv: Tlv) => Uint8Array): Change => (body) =>
  ({ ...body, [field]: toBase64(replaced(readTlv(fromBase64(body[field]!)), path, change)) });
const flipped = (tlv: Tlv) => encodeTlv(tlv.tag, Uint8Array.from(tlv.value, (byte, place) => (place === 5 ? byte ^ 1 : byte)));

const refusal = (outcome: DownloadOutcome) => {
  if (outcome.installed || outcome.failure.kind !== 'smdp') throw new Error(JSON.stringify(outcome));
  const { function: name, status } = outcome.failure;
  expect(status.message, 'a message in plain words').toMatch(/^[A-Z].+\.$/);
  return `${name} ${status.subjectCode}/${status.reasonCode}`;
};

let phones = 100;
const attempt = async (change?: ReturnType<typeof at>, phone = bench.phone(phones++)) =>
  refusal(await bench.run(phone, download({ activationCode: (await bench.order()).activationCode }), change));

describe('initiateAuthentication', () => {
  const initiate = (field: string, path: readonly number[], change: (tlv: Tlv) => Uint8Array) => at('initiateAuthentication', inField(field, path, change));
  const noCi = (tlv: Tlv) => encodeTlv(tlv.tag, encodeTlv(0x04, new Uint8Array(20)));
  it.each([
    ['another address', at('initiateAuthentication', (body) => ({ ...body, smdpAddress: 'other.example' })), '8.8.1/3.8'],
    ['another port', at('initiateAuthentication', (body) => ({ ...body, smdpAddress: 'localhost:1' })), '8.8.1/3.8'],
    ['no CI to sign under in common', initiate('euiccInfo1', [2], noCi), '8.8.2/3.1'],
    ['no CI in common at all', at('initiateAuthentication', (body) => inField('euiccInfo1', [1], noCi)(inField('euiccInfo1', [2], noCi)(body))), '8.8.2/3.1'],
    ['no CI to verify us under', initiate('euiccInfo1', [1], noCi), '8.8.4/3.7'],
    ['version 1', initiate('euiccInfo1', [0], (tlv) => encodeTlv(tlv.tag, Uint8Array.of(1, 9, 9))), '8.8.3/3.1'],
    ['version 3', initiate('euiccInfo1', [0], (tlv) => encodeTlv(tlv.tag, Uint8Array.of(3, 0, 0))), '8.8.3/3.1'],
  ])('refuses %s', async (_what, change, code) => {
    expect(await attempt(change)).toBe(`initiateAuthentication ${code}`);
  });

  it('takes any of our names, in any case', async () => {
    const phone = bench.phone(phones++);
    const { matchingId } = await bench.order();
    const change = at('initiateAuthentication', (body) => ({ ...body, smdpAddress: bench.address.toUpperCase() }));
    const outcome = await bench.run(phone, download({ activationCode: `LPA:1$${bench.address}$${matchingId}` }), change);
    expect(outcome).toMatchObject({ installed: true });
  });
});

describe('authenticateClient', () => {
  const client = (path: readonly number[], change: (tlv: Tlv) => Uint8Array) => at('authenticateClient', inField('authenticateServerResponse', path, change));
  const otherTid: Change = (body) => ({ ...body, transactionId: '00'.repeat(16) });
  it.each([
    ['an unknown transactionId', at('authenticateClient', otherTid), '8.10.1/3.9'],
    ['another transactionId inside', client([0, 0, 0], flipped), '8.10.1/3.9'],
    ['a changed signature', client([0, 1], flipped), '8.1/6.1'],
    ['a changed signed field', client([0, 0, 1], (tlv) => encodeTlv(tlv.tag, Buffer.from(bench.address.toUpperCase()))), '8.1/6.1'],
    ['another server challenge', client([0, 0, 2], flipped), '8.1/6.1'],
    ['a changed eUICC certificate', client([0, 2, 2], flipped), '8.1.3/6.1'],
    ['a changed EUM certificate', client([0, 3, 2], flipped), '8.1.2/6.1'],
    ['a certificate that is none', client([0, 2], () => encodeTlv(0x30, encodeTlv(0x02, Uint8Array.of(1)))), '8.1.3/6.1'],
    ['an EUM certificate that is none', client([0, 3], () => encodeTlv(0x30)), '8.1.2/6.1'],
    ['the eUICC\'s own error', client([], (tlv) => encodeTlv(tlv.tag, encodeTlv(0xa1, tlv.children()[0]!.children()[0]!.children()[0]!.raw, encodeTlv(0x02, Uint8Array.of(2))))), '8.1/6.1'],
  ])('refuses %s', async (_what, change, code) => {
    expect(await attempt(change)).toBe(`authenticateClient ${code}`);
  });

  it('takes the transactionId in either case', async () => {
    const change = at('authenticateClient', (body) => ({ ...body, transactionId: body['transactionId']!.toLowerCase() }));
    expect(await bench.run(bench.phone(phones++), download({ activationCode: (await bench.order()).activationCode }), change)).toMatchObject({ installed: true });
  });

  it('refuses an answer that was given before, and a session that was refused', async () => {
    const answers: Record<string, string>[] = [];
    const keep = at('authenticateClient', (body) => { answers.push(body); return body; });
    await bench.run(bench.phone(phones++), download({ activationCode: (await bench.order()).activationCode }), keep);
    await attempt(at('authenticateClient', (body) => { answers.push(body); return inField('authenticateServerResponse', [0, 1], flipped)(body); }));
    for (const body of answers) {
      expect(failureOf(await bench.post('/gsma/rsp2/es9plus/authenticateClient', JSON.stringify(body)))).toBe('8.10.1/3.9');
    }
  });

  it('refuses certificates of a CI that it does not trust', async () => {
    const random = seededRandom('a stranger');
    const stranger = createTestPki({ curve: 'P-256', random, notBefore: new Date('2026-01-01'), notAfter: new Date('2036-01-01') });
    const foreign = issueTestEuicc(stranger, testEid(999), random);
    const change = at('authenticateClient', (body) => inField('authenticateServerResponse', [0, 2], () => foreign.certificate)(
      inField('authenticateServerResponse', [0, 3], () => stranger.eum.certificate)(body)));
    expect(await attempt(change)).toBe('authenticateClient 8.11.1/3.9');
  });

  it.each([
    ['eUICC certificate', { notAfter: new Date('2026-11-01T00:00:00Z') }, '8.1.3/6.3'],
    ['eUICC certificate not yet valid', { notBefore: new Date('2030-01-01T00:00:00Z') }, '8.1.3/6.1'],
    ['eUICC certificate with another policy', { policies: ['2.23.146.1.2.1.5'] }, '8.1.3/6.1'],
  ] as const)('refuses by dates and policy: %s', async (_what, changes, code) => {
    const certificate = issueTestEuicc(bench.pkis[0]!, testEid(phones), seededRandom('dates'), changes as never).certificate;
    expect(await attempt(client([0, 2], () => certificate))).toBe(`authenticateClient ${code}`);
  });

  it('refuses an expired EUM', async () => {
    const pki = bench.pkis[0]!;
    const expired = issueIdentity({
      role: 'eum', subject: parseCertificate(pki.eum.certificate).subject.attributes, notBefore: pki.notBefore, notAfter: new Date('2026-11-01T00:00:00Z'),
      permitted: [{ organization: 'Yuanyou Test EUM', eidPrefix: TEST_EID_PREFIX }],
    }, ciIssuerOf(pki), pki.curve, seededRandom('expired EUM'));
    expect(await attempt(client([0, 3], () => expired.certificate))).toBe('authenticateClient 8.1.2/6.3');
  });

  it('refuses eUICCs that cannot hold the profile', async () => {
    const small = bench.phone(phones++, { memoryBytes: 10_000 });
    expect(await attempt(undefined, small)).toBe('authenticateClient 8.1/4.8');
  });

  it('refuses a session after its time', async () => {
    const change = at('authenticateClient', (body) => { bench.clock.advance(31 * 60_000); return body; });
    expect(await attempt(change)).toBe('authenticateClient 8.10.1/3.9');
  });
});

describe('getBoundProfilePackage', () => {
  const wish = (path: readonly number[], change: (tlv: Tlv) => Uint8Array) => at('getBoundProfilePackage', inField('prepareDownloadResponse', path, change));
  it.each([
    ['an unknown transactionId', at('getBoundProfilePackage', (body) => ({ ...body, transactionId: '00'.repeat(16) })), '8.10.1/3.9'],
    ['another transactionId inside', wish([0, 0, 0], flipped), '8.10.1/3.9'],
    ['a changed signature', wish([0, 1], flipped), '8.1/6.1'],
    ['another one-time key', wish([0, 0, 1], flipped), '8.1/6.1'],
    ['the eUICC\'s own error', wish([], (tlv) => encodeTlv(tlv.tag, encodeTlv(0xa1, tlv.children()[0]!.children()[0]!.children()[0]!.raw, encodeTlv(0x02, Uint8Array.of(1))))), '8.1/6.1'],
  ])('refuses %s', async (_what, change, code) => {
    expect(await attempt(change)).toBe(`getBoundProfilePackage ${code}`);
  });

  it('answers a repeated request again, as long as packages are left', async () => {
    let body: Record<string, string> = {};
    const keep = at('getBoundProfilePackage', (sent) => { body = sent; return sent; });
    const { activationCode } = await bench.order({ maxDownloads: 2 });
    await bench.run(bench.phone(phones++), download({ activationCode }), keep);
    const again = async () => failureOf(await bench.post('/gsma/rsp2/es9plus/getBoundProfilePackage', JSON.stringify(body)));
    expect([await again(), await again()]).toEqual(['Executed-Success', '8.8.5/6.4']);
  });

  it('needs the confirmation code where one is asked for', async () => {
    const { activationCode } = await bench.order({ confirmation: await bench.smdp.sealConfirmation('4711') });
    const phone = bench.phone(phones++);
    const without = wish([0, 0], (tlv) => encodeTlv(tlv.tag, ...tlv.children().filter(({ tag }) => tag !== 0x04).map(({ raw }) => raw)));
    // The signature covered the hash, so leaving it out is a forgery and found as one.
    expect(refusal(await bench.run(phone, download({ activationCode, confirmationCode: '4711' }), without))).toBe('getBoundProfilePackage 8.1/6.1');
  });
});

describe('cancelSession', () => {
  const cancelled = async (change: Change) => {
    let body: Record<string, string> = {};
    const keep = at('cancelSession', (sent) => { body = sent; return { ...sent, transactionId: '00'.repeat(16) }; });
    await bench.run(bench.phone(phones++), download({ activationCode: (await bench.order()).activationCode, accept: () => false }), keep);
    return bench.post('/gsma/rsp2/es9plus/cancelSession', JSON.stringify(change(body)));
  };
  it.each([
    ['an unknown transactionId', (body: Record<string, string>) => ({ ...body, transactionId: 'FF'.repeat(16) }), '8.10.1/3.9'],
    ['another transactionId inside', inField('cancelSessionResponse', [0, 0, 0], flipped), '8.10.1/3.9'],
    ['a changed signature', inField('cancelSessionResponse', [0, 1], flipped), '8.1/6.1'],
    ['an OID of another server, unsigned', inField('cancelSessionResponse', [0, 0, 1], () => encode(oid(0x81), '2.999.1')), '8.1/6.1'],
    ['the eUICC\'s own error', inField('cancelSessionResponse', [], (tlv) => encodeTlv(tlv.tag, encodeTlv(0x81, Uint8Array.of(5)))), '8.1/6.1'],
  ])('refuses %s', async (_what, change, code) => {
    expect(failureOf(await cancelled(change))).toBe(code);
  });

  it('refuses the OID of another server, signed', async () => {
    const euicc = createTestEuicc(bench.pkis, testEid(phones++), seededRandom('another OID'));
    const phone = runEuicc(euicc, { now: () => bench.clock.now(), random: seededRandom('its randomness') });
    let transactionId = '';
    const keep = at('cancelSession', (sent) => { transactionId = sent['transactionId']!; return { ...sent, transactionId: '00'.repeat(16) }; });
    await bench.run(phone, download({ activationCode: (await bench.order()).activationCode, accept: () => false }), keep);
    const signed = encode(EuiccCancelSessionSigned, { transactionId: fromHex(transactionId), smdpOid: '2.999.1', reason: 0 });
    const signature = euiccSignerOf(euicc.keys)(euicc.keys[0]!.ciKeyId, signed);
    const cancelSessionResponse = toBase64(encodeTlv(0xbf41, encodeTlv(0xa0, signed, encodeTlv(0x5f37, signature))));
    expect(failureOf(await bench.post('/gsma/rsp2/es9plus/cancelSession', JSON.stringify({ transactionId, cancelSessionResponse })))).toBe('8.8/3.10');
  });

  it('answers with the header alone', async () => {
    const answer = await cancelled((body) => body);
    expect(answer.body.toString()).toBe('{"header":{"functionExecutionStatus":{"status":"Executed-Success"}}}');
  });
});

describe('handleNotification', () => {
  it('acknowledges what it cannot verify, and takes nothing of it', async () => {
    const order = await bench.order();
    const phone = bench.phone(phones++);
    await bench.run(phone, download({ activationCode: order.activationCode }));
    const forged = at('handleNotification', inField('pendingNotification', [1], flipped));
    expect(await bench.run(phone, sendNotifications(), forged)).toMatchObject([{ sent: true }]);
    expect(bench.events.filter(({ body }) => body['profileId'] === order.profileId)).toEqual([]);
  });

  it('takes a notification once, however often it comes', async () => {
    const order = await bench.order();
    const phone = bench.phone(phones++);
    await bench.run(phone, download({ activationCode: order.activationCode }));
    let body: Record<string, string> = {};
    await bench.run(phone, sendNotifications(), at('handleNotification', (sent) => { body = sent; return sent; }));
    const again = await Promise.all([1, 2, 3].map(() => bench.post('/gsma/rsp2/es9plus/handleNotification', JSON.stringify(body))));
    expect(again.map(({ status, body: text }) => [status, text.length])).toEqual([[204, 0], [204, 0], [204, 0]]);
    expect(bench.events.filter(({ body: told }) => told['profileId'] === order.profileId).map(({ body: told }) => told['to'])).toEqual(['installed']);
  });
});

describe('HTTP', () => {
  const path = '/gsma/rsp2/es9plus/cancelSession';
  it.each([
    ['not JSON', '{', 400], ['an array', '[]', 400], ['no fields', '{}', 400], ['bad base64', '{"transactionId":"00","cancelSessionResponse":"!"}', 400],
    ['bad DER', '{"transactionId":"00","cancelSessionResponse":"MIAAAA=="}', 400], ['a number for a text', '{"transactionId":1,"cancelSessionResponse":"AA=="}', 400],
    ['too much for the function', JSON.stringify({ transactionId: '00', cancelSessionResponse: 'A'.repeat(20_000) }), 400],
    ['too much', 'x'.repeat(70_000), 413],
  ])('%s is refused cleanly', async (_what, body, status) => {
    const answer = await bench.post(path, body);
    expect(answer.status).toBe(status);
    if (status === 400) expect(failureOf(answer)).toMatch(/^8\.8\/2\.[12]$/);
    expect(answer.body.toString()).not.toMatch(/Error|at \//);
  });

  it.each([
    ['another path', '/gsma/rsp2/es9plus/other', {}, 'POST', 404], ['another method', path, {}, 'GET', 405],
    ['another type', path, { 'Content-Type': 'text/plain' }, 'POST', 415], ['another protocol', path, { 'X-Admin-Protocol': 'gsma/rsp/v1.0.0' }, 'POST', 400],
  ])('%s is refused', async (_what, where, headers, method, status) => {
    expect((await bench.post(where, '{}', headers as Record<string, string>, method)).status).toBe(status);
  });

  it('says its protocol and type', async () => {
    const answer = await bench.post(path, '{}', { 'Content-Type': 'application/json;charset=UTF-8' });
    expect(answer.headers).toMatchObject({ 'x-admin-protocol': 'gsma/rsp/v2.3.0', 'content-type': 'application/json' });
  });

  it.each(['TLSv1.2', 'TLSv1.3'] as const)('speaks %s', async (version) => {
    const socket = await new Promise<TLSSocket>((resolve, reject) => {
      const opening: TLSSocket = connect({
        host: '127.0.0.1', port: bench.listener.port, servername: 'localhost', minVersion: version, maxVersion: version, rejectUnauthorized: false,
      }, () => resolve(opening));
      opening.once('error', reject);
    });
    expect(socket.getProtocol()).toBe(version);
    socket.destroy();
  });

  it('never failed inside', () => {
    expect(bench.logged.filter((entry) => (entry as { err?: unknown }).err)).toEqual([]);
  });
});
