import { describe, expect, it } from 'vitest';
import { fromBase64, toBase64 } from '../bytes.ts';
import { digestConfirmationCode } from '../confirmation-code.ts';
import { acceptCrl, createPkiCache, curves, issueCrl, parseCertificate, parseCrl } from '../pki/index.ts';
import type { CurveName } from '../pki/index.ts';
import { profileMetadata } from '../smdp/index.ts';
import {
  ciIssuerOf, createMemorySmdp, createTestEuicc, createTestEuiccs, createTestPki, issueTestEuicc, releasedOrder, runEuicc, runWith, seededRandom, testEid,
  testProfilePackage,
} from '../testing/index.ts';
import type { MemoryOrder, MemorySmdp, MemorySmdpOptions, RunningEuicc, TestEuicc, TestPki } from '../testing/index.ts';
import { createEuicc } from '../euicc/index.ts';
import { deleteProfile, disableProfile, download, enableProfile, listProfiles, sendNotifications } from './index.ts';
import type { DownloadOptions, DownloadOutcome, LpaAnswer, LpaRequest, LpaRun } from './index.ts';

const address = 'rsp.example:8443';
const iccid = '8988211000000000013';
const random = seededRandom('lpa');
const validity = { notBefore: new Date('2026-01-01T00:00:00Z'), notAfter: new Date('2046-01-01T00:00:00Z') };
const pkis = Object.fromEntries((Object.keys(curves) as CurveName[]).map((curve) => [curve, createTestPki({ curve, random, ...validity })])) as Record<CurveName, TestPki>;
const other = createTestPki({ curve: 'P-256', random, ...validity });
const pki = pkis['P-256'];
const cache = createPkiCache();
const activationCode = `LPA:1$${address}$DEMO-1`;

interface Scene {
  readonly smdp: MemorySmdp;
  readonly euicc: RunningEuicc;
  now: Date;
  run<T>(run: LpaRun<T>): T;
  /** Lets a test change what travels. */
  meddle?: (request: Es9plus) => Extract<LpaAnswer, { kind: 'es9plus' }> | undefined;
}

type Es9plus = Extract<LpaRequest, { kind: 'es9plus' }>;

function stage(
  options: { pkis?: readonly TestPki[]; device?: TestEuicc; order?: Partial<MemoryOrder>; smdp?: Partial<MemorySmdpOptions> } = {},
): Scene {
  const trusted = options.pkis ?? [pki];
  const device = options.device ?? createTestEuicc(trusted, testEid(1), random);
  const card = { iccid, serviceProviderName: 'Yuanyou Test', profileName: 'Demo plan', owner: { mcc: '001', mnc: '01' } };
  const scene: Scene = {
    now: new Date('2026-06-01T00:00:00Z'),
    smdp: createMemorySmdp({ pkis: trusted, address, now: () => scene.now, random, ...options.smdp }),
    euicc: runEuicc(device, { now: () => scene.now, random, cache }),
    run: (run) => runWith(scene.euicc, run, (request) => scene.meddle?.(request) ?? scene.smdp.answer(request)),
  };
  const order = releasedOrder({ matchingId: 'DEMO-1', metadata: profileMetadata(card, address), upp: testProfilePackage(iccid), ...options.order });
  scene.smdp.orders.set(order.matchingId, order);
  return scene;
}

const get = (scene: Scene, options: Partial<DownloadOptions> = {}): DownloadOutcome => scene.run(download({ activationCode, ...options }));
const orderState = (scene: Scene) => scene.smdp.orders.get('DEMO-1')!.state;

/** Changes one byte of a field of an answer, counted from its end. */
function flip(scene: Scene, name: Es9plus['function'], field: string, fromEnd = 1): void {
  scene.meddle = (request) => {
    if (request.function !== name) return undefined;
    const answer = scene.smdp.answer(request);
    const body = JSON.parse(Buffer.from(answer.body).toString()) as Record<string, string>;
    const bytes = Buffer.from(fromBase64(body[field]!));
    bytes[bytes.length - fromEnd]! ^= 1;
    return { ...answer, body: Buffer.from(JSON.stringify({ ...body, [field]: toBase64(bytes) })) };
  };
}

/** Changes one byte of a field of a request. */
function forge(scene: Scene, name: Es9plus['function'], field: string, fromEnd = 1): void {
  scene.meddle = (request) => {
    if (request.function !== name) return undefined;
    const body = JSON.parse(request.body) as Record<string, string>;
    const bytes = Buffer.from(fromBase64(body[field]!));
    bytes[bytes.length - fromEnd]! ^= 1;
    return scene.smdp.answer({ ...request, body: JSON.stringify({ ...body, [field]: toBase64(bytes) }) });
  };
}

const smdpCode = (outcome: DownloadOutcome): string | undefined =>
  (!outcome.installed && outcome.failure.kind === 'smdp' ? `${outcome.failure.status.subjectCode}/${outcome.failure.status.reasonCode}` : undefined);

describe.each(Object.keys(curves) as CurveName[])('the whole way on %s', (curve) => {
  it('leads from activation code to deletion, and the SM-DP+ hears of every step', () => {
    const scene = stage({ pkis: [pkis[curve]] });
    expect(get(scene)).toMatchObject({ installed: true, iccid, sequenceNumber: 1 });
    expect(orderState(scene)).toBe('downloaded');
    expect(scene.run(sendNotifications())).toEqual([{ sequenceNumber: 1, operation: 'install', address, iccid, sent: true }]);
    expect(orderState(scene)).toBe('installed');
    expect(scene.run(enableProfile(iccid))).toBe('ok');
    scene.run(sendNotifications());
    expect(orderState(scene)).toBe('enabled');
    scene.run(disableProfile(iccid));
    scene.run(deleteProfile(iccid));
    expect(scene.run(sendNotifications()).map(({ operation, sent }) => [operation, sent])).toEqual([['disable', true], ['delete', true]]);
    expect(orderState(scene)).toBe('released');
    expect(scene.smdp.events.map(({ event }) => event.kind)).toEqual(['installed', 'enabled', 'disabled', 'deleted']);
    expect(new Set(scene.smdp.events.map(({ eid }) => eid))).toEqual(new Set([testEid(1)]));
    expect(get(scene)).toMatchObject({ installed: true });
    expect(scene.run(listProfiles())).toHaveLength(1);
  });
});

describe('a batch of eUICCs', () => {
  it('downloads one profile each', () => {
    for (const [index, device] of createTestEuiccs([pki], 5, random, 100).entries()) {
      const scene = stage({ device });
      expect(get(scene), String(index)).toMatchObject({ installed: true });
      expect(scene.euicc.eid).toBe(testEid(100 + index));
    }
  });
});

describe('the confirmation code', () => {
  const order = { confirmationDigest: digestConfirmationCode('4711') };

  it('opens the order when right; wrong ones cost tries and then close it', () => {
    const scene = stage({ order });
    expect(get(scene)).toMatchObject({ installed: false, failure: { kind: 'confirmation-code-missing' } });
    expect([...scene.smdp.sessions.values()].map(({ state }) => state)).toEqual(['ended']);
    expect(smdpCode(get(scene, { confirmationCode: '4712' }))).toBe('8.2.7/3.8');
    expect(get(scene, { confirmationCode: '4711' })).toMatchObject({ installed: true });
    const closed = stage({ order: { ...order, confirmationTriesLeft: 1 } });
    expect(smdpCode(get(closed, { confirmationCode: '4712' }))).toBe('8.2.7/3.8');
    expect(smdpCode(get(closed, { confirmationCode: '4711' }))).toBe('8.2.7/6.4');
  });
});

describe('without an activation code', () => {
  it('the profile that waits for the EID is found', () => {
    const scene = stage({ order: { eid: testEid(1) } });
    expect(scene.run(download({ smdpAddress: address }))).toMatchObject({ installed: true, iccid });
    expect(() => scene.run(download({}))).toThrow('lpa/no-address');
  });
});

describe('the phone stops', () => {
  it('when its user declines, and tells both sides', () => {
    const scene = stage();
    const outcome = get(scene, { accept: ({ profileName }) => profileName !== 'Demo plan' });
    expect(outcome).toMatchObject({ installed: false, failure: { kind: 'declined' } });
    expect(scene.euicc.state().session).toBeUndefined();
    expect([...scene.smdp.sessions.values()][0]!.state).toBe('ended');
    expect(get(scene)).toMatchObject({ installed: true });
  });

  it('when the SM-DP+ is another than the activation code says', () => {
    const scene = stage();
    expect(get(scene, { activationCode: `LPA:1$${address}$DEMO-1$1.2.3` })).toMatchObject({ failure: { kind: 'mismatch', what: 'smdpOid' } });
    expect(get(scene, { activationCode: `LPA:1$${address}$DEMO-1$${pki.smdpOid}` })).toMatchObject({ installed: true });
    expect(() => get(scene, { activationCode: 'LPA:2$x' })).toThrow('activation-code/malformed');
  });

  it('when the server fails below ES9+', () => {
    const scene = stage();
    scene.meddle = () => ({ kind: 'es9plus', status: 502, body: Buffer.from('<html>') });
    expect(() => get(scene)).toThrow('lpa/http');
    scene.meddle = () => ({ kind: 'es9plus', status: 200, body: Buffer.from('<html>') });
    expect(() => get(scene)).toThrow('es9plus/malformed');
  });

  it.each([
    ['initiateAuthentication', 'serverSignature1', { kind: 'euicc', function: 'authenticateServer', reason: 'invalidSignature' }],
    ['initiateAuthentication', 'serverSigned1', { kind: 'euicc', function: 'authenticateServer', reason: 'invalidSignature' }],
    ['initiateAuthentication', 'serverCertificate', { kind: 'euicc', function: 'authenticateServer', reason: 'invalidCertificate' }],
    ['initiateAuthentication', 'euiccCiPKIdToBeUsed', { kind: 'euicc', function: 'authenticateServer', reason: 'ciPKUnknown' }],
    ['authenticateClient', 'smdpSignature2', { kind: 'euicc', function: 'prepareDownload', reason: 'invalidSignature' }],
    ['authenticateClient', 'smdpCertificate', { kind: 'euicc', function: 'prepareDownload', reason: 'invalidCertificate' }],
    ['getBoundProfilePackage', 'boundProfilePackage', { kind: 'installation', command: 'loadProfileElements', reason: 'scp03tSecurityError' }],
  ] as const)('when %s comes with another byte in %s', (name, field, failure) => {
    const scene = stage();
    flip(scene, name, field);
    expect(get(scene)).toMatchObject({ installed: false, failure });
    delete scene.meddle;
    expect(scene.run(listProfiles())).toHaveLength(0);
    scene.run(sendNotifications());
    expect(get(scene)).toMatchObject({ installed: true });
  });
});

describe('the SM-DP+ refuses', () => {
  it.each([
    ['authenticateClient', 'authenticateServerResponse', 1, '8.1.2/6.1'],
    ['getBoundProfilePackage', 'prepareDownloadResponse', 1, '8.1/6.1'],
    ['getBoundProfilePackage', 'prepareDownloadResponse', 80, '8.1/6.1'],
  ] as const)('%s with a changed byte in %s (%i from its end) with %s', (name, field, fromEnd, code) => {
    const scene = stage();
    forge(scene, name, field, fromEnd);
    expect(smdpCode(get(scene))).toBe(code);
    expect([...scene.smdp.sessions.values()][0]!.state).toBe('ended');
  });

  it('notifications that were changed, and the phone keeps them', () => {
    const scene = stage();
    get(scene);
    forge(scene, 'handleNotification', 'pendingNotification');
    expect(scene.run(sendNotifications())).toMatchObject([{ sent: false, reason: '8.1/6.1' }]);
    scene.meddle = () => ({ kind: 'es9plus', status: 503, body: Buffer.alloc(0) });
    expect(scene.run(sendNotifications())).toMatchObject([{ sent: false }]);
    delete scene.meddle;
    expect(scene.run(sendNotifications())).toMatchObject([{ sent: true }]);
    expect(scene.run(sendNotifications())).toEqual([]);
  });

  it.each([
    ['another address', { smdp: { address: 'elsewhere.example' } }, '8.8.1/3.8'],
    ['an unknown matchingId', { order: { matchingId: 'DEMO-2' } }, '8.2.6/3.8'],
    ['a profile not released', { order: { state: 'allocated' } }, '8.2/1.2'],
    ['an order of another eUICC', { order: { eid: testEid(9) } }, '8.1.1/3.8'],
    ['an order past its time', { order: { expiresAt: new Date('2026-05-31T00:00:00Z') } }, '8.8.5/4.10'],
    ['an order without tries', { order: { downloads: 5 } }, '8.8.5/6.4'],
    ['a profile too large for the eUICC', { order: { profileBytes: 10_000_000 } }, '8.1/4.8'],
    ['an eUICC of no common CI', { device: createTestEuicc([other], testEid(1), random) }, '8.8.2/3.1'],
  ] as const)('%s with %s', (_what, options, code) => {
    expect(smdpCode(get(stage(options as never)))).toBe(code);
  });

  it('eUICC certificates that have expired, were revoked or lie outside their range', () => {
    const euiccWith = (changes: Parameters<typeof issueTestEuicc>[3], eid = testEid(1)): TestEuicc => {
      const identity = issueTestEuicc(pki, eid, random, changes);
      const credential = { ciCertificate: pki.ci.certificate, eumCertificate: pki.eum.certificate, euiccCertificate: identity.certificate };
      const ciKeyId = Buffer.from(parseCertificate(pki.ci.certificate).subjectKeyId!).toString('hex').toUpperCase();
      return { state: createEuicc({ credentials: [credential] }), keys: [{ ciKeyId, curve: 'P-256', privateKey: identity.privateKey }] };
    };
    expect(smdpCode(get(stage({ device: euiccWith({ notAfter: new Date('2026-05-01T00:00:00Z') }) })))).toBe('8.1.3/6.3');
    expect(smdpCode(get(stage({ device: euiccWith({ policies: ['2.23.146.1.2.1.4'] }) })))).toBe('8.1.3/6.1');
    expect(smdpCode(get(stage({ device: euiccWith({}, '89049033000000000000000000000012') })))).toBe('8.1.3/6.1');
    const at = new Date('2026-05-01T00:00:00Z');
    const serial = Buffer.from(parseCertificate(pki.eum.certificate).serial, 'hex');
    const crl = parseCrl(issueCrl({ thisUpdate: at, nextUpdate: at, revoked: [{ serial, at }], number: Buffer.of(1) }, ciIssuerOf(pki)));
    acceptCrl(crl, parseCertificate(pki.ci.certificate), cache);
    expect(smdpCode(get(stage({ smdp: { crls: [crl] } })))).toBe('8.1.2/6.1');
  });

  it('a session that has run out of time', () => {
    const scene = stage();
    scene.meddle = (request) => {
      if (request.function === 'authenticateClient') scene.now = new Date(scene.now.getTime() + 3_600_000);
      return undefined;
    };
    expect(smdpCode(get(scene))).toBe('8.10.1/3.9');
  });
});
