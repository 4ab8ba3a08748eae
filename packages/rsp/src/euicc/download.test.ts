import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  AuthenticateServerResponse, bppCommands, decode, encode, installErrors, OtherSignedNotification, PrepareDownloadResponse, ProfileInstallationResult, signatureTlv,
  smdpSigned2Covered,
} from '../asn1/index.ts';
import type { ProfileMetadataInput } from '../asn1/index.ts';
import { concatBytes, equalBytes, fromHex, toHex } from '../bytes.ts';
import { storeData } from '../es10/index.ts';
import { callEuicc, listProfiles, packageChains, sendObject } from '../lpa/index.ts';
import type { LpaRun } from '../lpa/index.ts';
import { createPkiCache, curves, parseCertificate, publicKeyOf, verifyRaw } from '../pki/index.ts';
import type { CurveName } from '../pki/index.ts';
import {
  ciIssuerOf, createTestEuicc, createTestPki, createTestSmdp, issueIdentity, runEuicc, runWith, seededRandom, testEid, testMetadata, testProfilePackage,
} from '../testing/index.ts';
import type { AuthenticateServerCall, BoundProfilePackageCall, PrepareDownloadCall, RunningEuicc, TestPki } from '../testing/index.ts';
import { encodeTlv } from '../tlv/index.ts';
import { loadEuicc, saveEuicc } from './index.ts';
import type { EuiccOptions, EuiccState } from './index.ts';

const cases = Number(process.env['FUZZ_CASES'] ?? 2000);
const random = seededRandom('euicc');
const now = new Date('2026-06-01T12:00:00Z');
const validity = { notBefore: new Date('2026-01-01T00:00:00Z'), notAfter: new Date('2046-01-01T00:00:00Z') };
const pkis = Object.fromEntries((Object.keys(curves) as CurveName[]).map((curve) => [curve, createTestPki({ curve, random, ...validity })])) as Record<CurveName, TestPki>;
const other = createTestPki({ curve: 'P-256', random, ...validity });
const cache = createPkiCache();
const iccid = '8988211000000000013';

function boot(pki: TestPki, options: Omit<EuiccOptions, 'credentials'> = {}): RunningEuicc {
  return runEuicc(createTestEuicc([pki], testEid(1), random, options), { now: () => now, random, cache });
}

const ask = <T>(euicc: RunningEuicc, run: LpaRun<T>): T => runWith(euicc, run);

function send(euicc: RunningEuicc, object: Uint8Array): Uint8Array {
  return ask(euicc, sendObject(object));
}

interface Changes {
  readonly authenticate?: Partial<AuthenticateServerCall>;
  readonly prepare?: Partial<PrepareDownloadCall>;
  readonly bind?: Partial<BoundProfilePackageCall>;
  readonly metadata?: ProfileMetadataInput;
}

/** A download as far as the eUICC goes along. */
function begin(euicc: RunningEuicc, pki: TestPki, changes: Changes = {}) {
  const smdp = createTestSmdp(pki, random);
  const transactionId = random(16);
  const { euiccChallenge } = ask(euicc, callEuicc('getEuiccChallenge', null)).value;
  const request = smdp.authenticateServer({ transactionId, euiccChallenge, ...changes.authenticate });
  const authenticated = decode(AuthenticateServerResponse, send(euicc, request));
  if (authenticated.kind === 'error') return { failed: authenticated.value.code };
  const euiccSignature1 = authenticated.value.euiccSignature1;
  const preparing = smdp.prepareDownload({ transactionId, euiccSignature1, ...changes.prepare });
  const prepared = decode(PrepareDownloadResponse, send(euicc, preparing));
  if (prepared.kind === 'error') return { failed: prepared.value.code, authenticated: authenticated.value };
  const euiccOtpk = prepared.value.euiccSigned2.euiccOtpk;
  const bound = smdp.boundProfilePackage({
    transactionId, euiccOtpk, eid: euicc.eid, metadata: changes.metadata ?? testMetadata(iccid), ...changes.bind,
  });
  return { authenticated: authenticated.value, prepared: prepared.value, preparing, bound, transactionId };
}

/** Sends chains until the eUICC answers with its result. */
function loadChains(euicc: RunningEuicc, chains: readonly Uint8Array[]) {
  for (const chain of chains) {
    const answer = send(euicc, chain);
    if (answer.length > 0) return decode(ProfileInstallationResult, answer);
  }
  throw new Error('no result');
}

/** Loads a whole package. */
function load(euicc: RunningEuicc, bound: Uint8Array) {
  return loadChains(euicc, packageChains(bound));
}

function install(euicc: RunningEuicc, pki: TestPki, changes: Changes = {}) {
  const begun = begin(euicc, pki, changes);
  if (!begun.bound) throw new Error(`refused: ${begun.failed}`);
  return load(euicc, begun.bound);
}

function errorOf(result: ReturnType<typeof load>) {
  const { finalResult } = result.resultData;
  if (finalResult.kind === 'success') throw new Error('installed');
  return finalResult.value;
}

function failure(command: keyof typeof bppCommands, reason: keyof typeof installErrors) {
  return { command: bppCommands[command], reason: installErrors[reason] };
}

describe.each(Object.keys(curves) as CurveName[])('a download on %s', (curve) => {
  const pki = pkis[curve];

  it('ends with a disabled profile and a signed result', () => {
    const euicc = boot(pki);
    const { authenticated, prepared, preparing, bound, transactionId } = begin(euicc, pki, { authenticate: { matchingId: 'ABC-1' } });
    const euiccKey = publicKeyOf(parseCertificate(authenticated!.euiccCertificate), cache);
    expect(verifyRaw(euiccKey, authenticated!.euiccSigned1.raw, authenticated!.euiccSignature1)).toBe(true);
    expect(authenticated!.euiccSigned1.ctxParams1.value.matchingId).toBe('ABC-1');
    const sent = Buffer.from(preparing!);
    const smdpSignature2 = sent.subarray(sent.indexOf('5F3740', 'hex') + 3).subarray(0, 64);
    expect(verifyRaw(euiccKey, concatBytes(prepared!.euiccSigned2.raw, signatureTlv(smdpSignature2)), prepared!.euiccSignature2)).toBe(true);

    const result = load(euicc, bound!);
    expect(verifyRaw(euiccKey, result.resultData.raw, result.euiccSign)).toBe(true);
    expect(result.resultData).toMatchObject({ smdpOid: pki.smdpOid, notificationMetadata: { sequenceNumber: 1, iccid, address: 'smdp.example' } });
    expect(equalBytes(result.resultData.transactionId, transactionId!)).toBe(true);
    expect(result.resultData.finalResult.kind).toBe('success');
    expect(ask(euicc, listProfiles())).toMatchObject([{ iccid, state: 'disabled', profileName: 'Demo plan', profileClass: 2 }]);
    expect(euicc.state().session).toBeUndefined();
    expect(euicc.state().retryKey).toBeUndefined();
  });

  it('goes on after its state was written and read at every step', () => {
    const device = createTestEuicc([pki], testEid(2), random);
    let state = device.state;
    const reborn = { ...device };
    const euicc: RunningEuicc = {
      eid: state.eid,
      state: () => state,
      transmit(apdu) {
        const running = runEuicc({ ...reborn, state: loadEuicc(saveEuicc(state)) }, { now: () => now, random, cache });
        const answer = running.transmit(apdu);
        state = running.state();
        return answer;
      },
    };
    expect(install(euicc, pki).resultData.finalResult.kind).toBe('success');
    expect(() => loadEuicc('{')).toThrow('euicc/state');
    expect(() => loadEuicc('{"version":7}')).toThrow('euicc/state');
  });
});

describe('an eUICC of two CIs', () => {
  it('signs under the one that the SM-DP+ chooses', () => {
    const both = [pkis['P-256'], pkis.brainpoolP256r1];
    const euicc = runEuicc(createTestEuicc(both, testEid(3), random), { now: () => now, random, cache });
    for (const [index, pki] of both.entries()) {
      const result = install(euicc, pki, { metadata: testMetadata(`898821100000000002${index}`) });
      expect(result.resultData.finalResult.kind).toBe('success');
    }
    expect(ask(euicc, listProfiles())).toHaveLength(2);
  });
});

describe('AuthenticateServer refuses', () => {
  const pki = pkis['P-256'];
  const underCi = (changes: object) => issueIdentity(
    { role: 'dpAuth', subject: [{ type: '2.5.4.3', value: 'DPauth' }], smdpOid: pki.smdpOid, ...validity, ...changes }, ciIssuerOf(pki), 'P-256', random,
  );

  it.each([
    ['a certificate past its end', 1, { signer: underCi({ notAfter: new Date('2026-05-31T00:00:00Z') }) }],
    ['a certificate for another role', 1, { signer: pki.dpPb }],
    ['a certificate for TLS', 1, { signer: pki.dpTls }],
    ['a signature of another key', 2, { signer: { ...pki.dpAuth, privateKey: pki.dpPb.privateKey } }],
    ['the chain of an unknown CI', 7, { signer: other.dpAuth }],
    ['a CI that it has no key under', 7, { ciKeyId: '00'.repeat(20) }],
    ['another challenge', 6, { euiccChallenge: Buffer.alloc(16, 9) }],
  ] as const)('%s with error %i', (_what, code, authenticate) => {
    const euicc = boot(pki);
    expect(begin(euicc, pki, { authenticate }).failed).toBe(code);
    expect(euicc.state().session).toBeUndefined();
  });

  it('a key on another curve with error 3', () => {
    const certificate = fromHex(toHex(pki.dpAuth.certificate).replace('06082A8648CE3D030107', '06082A8648CE3D030101'));
    expect(begin(boot(pki), pki, { authenticate: { signer: { ...pki.dpAuth, certificate } } }).failed).toBe(3);
  });

  it('a second authentication in one session, and one without a challenge', () => {
    const euicc = boot(pki);
    const smdp = createTestSmdp(pki, random);
    const without = smdp.authenticateServer({ transactionId: random(16), euiccChallenge: random(16) });
    expect(decode(AuthenticateServerResponse, send(euicc, without))).toMatchObject({ kind: 'error', value: { code: 4 } });
    const { euiccChallenge } = ask(euicc, callEuicc('getEuiccChallenge', null)).value;
    const request = smdp.authenticateServer({ transactionId: random(16), euiccChallenge });
    expect(decode(AuthenticateServerResponse, send(euicc, request)).kind).toBe('ok');
    expect(decode(AuthenticateServerResponse, send(euicc, request))).toMatchObject({ kind: 'error', value: { code: 4 } });
  });

  it('nothing that it merely does not know: fields of later versions come back signed as they came', () => {
    const unknownField = encodeTlv(0x8f, Buffer.of(1, 2, 3));
    const { authenticated } = begin(boot(pki), pki, { authenticate: { unknownField } });
    expect(toHex(authenticated!.euiccSigned1.raw)).toContain(toHex(unknownField));
  });
});

describe('PrepareDownload refuses', () => {
  const pki = pkis['P-256'];

  it.each([
    ['a certificate for another role', 1, { signer: pki.dpAuth }],
    ['the chain of an unknown CI', 1, { signer: other.dpPb }],
    ['a signature of another key', 2, { signer: { ...pki.dpPb, privateKey: pki.dpAuth.privateKey } }],
    ['a signature over another euiccSignature1', 2, { euiccSignature1: Buffer.alloc(64, 1) }],
    ['another transactionId', 5, { transactionId: Buffer.alloc(16, 1) }],
    ['a missing confirmation code', 127, { ccRequired: true }],
  ] as const)('%s with error %i', (_what, code, prepare) => {
    expect(begin(boot(pki), pki, { prepare }).failed).toBe(code);
  });

  it('the certificate of another SM-DP+', () => {
    const foreign = issueIdentity(
      { role: 'dpPb', subject: [{ type: '2.5.4.3', value: 'DPpb' }], smdpOid: '1.3.6.1.4.1.32473.9', ...validity }, ciIssuerOf(pki), 'P-256', random,
    );
    expect(begin(boot(pki), pki, { prepare: { signer: foreign } }).failed).toBe(1);
  });

  it('to go first', () => {
    const request = createTestSmdp(pki, random).prepareDownload({ transactionId: random(16), euiccSignature1: random(64) });
    expect(decode(PrepareDownloadResponse, send(boot(pki), request))).toMatchObject({ kind: 'error', value: { code: 4 } });
  });

  it('no hash of the confirmation code, and gives its one-time key again when asked', () => {
    const euicc = boot(pki);
    const hashCc = Buffer.alloc(32, 7);
    const first = begin(euicc, pki, { prepare: { ccRequired: true, hashCc } });
    expect(first.prepared!.euiccSigned2.hashCc).toEqual(hashCc);
    const { euiccOtpk } = first.prepared!.euiccSigned2;
    expect(begin(euicc, pki, { prepare: { euiccOtpk } }).prepared!.euiccSigned2.euiccOtpk).toEqual(euiccOtpk);
    expect(begin(euicc, pki).prepared!.euiccSigned2.euiccOtpk).not.toEqual(euiccOtpk);
    expect(begin(euicc, pki, { prepare: { euiccOtpk: Buffer.concat([Buffer.of(4), random(64)]) } }).prepared!.euiccSigned2.euiccOtpk).not.toEqual(euiccOtpk);
  });
});

describe('a bound profile package is refused', () => {
  const pki = pkis['P-256'];
  const flip = (bytes: Uint8Array) => Uint8Array.from(bytes, (byte, at) => (at === bytes.length - 1 ? byte ^ 1 : byte));

  it.each([
    ['initialiseSecureChannel', 0, 'invalidSignature'], ['configureISDP', 1, 'scp03tSecurityError'], ['storeMetadata', 3, 'scp03tSecurityError'],
    ['replaceSessionKeys', 4, 'scp03tSecurityError'], ['loadProfileElements', 6, 'scp03tSecurityError'], ['loadProfileElements', 7, 'scp03tSecurityError'],
  ] as const)('with a changed byte in %s (chain %i)', (command, index, reason) => {
    const euicc = boot(pki);
    const chains = packageChains(begin(euicc, pki).bound!);
    const result = loadChains(euicc, chains.map((chain, at) => (at === index ? flip(chain) : chain)));
    expect(errorOf(result)).toMatchObject(failure(command, reason));
    expect(euicc.state().session).toBeUndefined();
    expect(euicc.state().profiles).toHaveLength(0);
    expect(euicc.state().notifications).toHaveLength(1);
    expect(euicc.state().retryKey).toBeDefined();
  });

  it.each([
    ['for another eUICC', { eid: testEid(99) }, failure('configureISDP', 'scp03tSecurityError')],
    ['for another one-time key', { transactionId: Buffer.alloc(16, 1) }, failure('initialiseSecureChannel', 'invalidTransactionId')],
    ['signed by another key', { signer: other.dpPb }, failure('initialiseSecureChannel', 'invalidSignature')],
    ['for the ISD-P of another SM-DP+', { smdpOid: '1.2.3.4' }, failure('configureISDP', 'incorrectInputValues')],
    ['with a profile package that is none', { upp: Buffer.alloc(3000, 0x30) }, failure('loadProfileElements', 'installFailedDueToPEProcessingError')],
    ['with the package of another ICCID', { upp: testProfilePackage('8988211000000000021') }, failure('loadProfileElements', 'installFailedDueToIccidMismatch')],
  ] as const)('%s', (_what, bind, error) => {
    const result = install(boot(pki), pki, { bind });
    expect(errorOf(result)).toMatchObject(error);
  });

  it('of an ICCID that is there already, of a class that it has no use for, or with rules that may not be', () => {
    const euicc = boot(pki);
    install(euicc, pki);
    expect(errorOf(install(euicc, pki))).toMatchObject(failure('storeMetadata', 'installFailedDueToIccidAlreadyExistsOnEuicc'));
    const second = '8988211000000000021';
    expect(errorOf(install(euicc, pki, { metadata: testMetadata(second, 'smdp.example', { profileClass: 1 }) })))
      .toMatchObject(failure('storeMetadata', 'unsupportedProfileClass'));
    expect(errorOf(install(euicc, pki, { metadata: testMetadata(second, 'smdp.example', { profilePolicyRules: ['ppr1'] }) })))
      .toMatchObject(failure('storeMetadata', 'pprNotAllowed'));
  });

  it('when memory is too small', () => {
    const euicc = boot(pki, { memoryBytes: 2_500 });
    expect(errorOf(install(euicc, pki))).toMatchObject(failure('loadProfileElements', 'installFailedDueToInsufficientMemoryForProfile'));
  });

  it('when it comes out of turn, twice, or with objects that do not belong; the session goes on', () => {
    const euicc = boot(pki);
    expect(() => send(euicc, Buffer.from('8600', 'hex'))).toThrow('6985');
    const { bound } = begin(euicc, pki);
    const chains = packageChains(bound!);
    expect(() => send(euicc, chains[1]!)).toThrow('6985');
    send(euicc, chains[0]!);
    expect(() => send(euicc, chains[0]!)).toThrow('6985');
    expect(() => send(euicc, Buffer.from('A400', 'hex'))).toThrow('6A88');
    expect(loadChains(euicc, chains.slice(1)).resultData.finalResult.kind).toBe('success');
  });

  it('never, when it is right, though unknown objects come between', () => {
    const euicc = boot(pki);
    const answers = packageChains(begin(euicc, pki).bound!).map((chain) => {
      expect(() => send(euicc, Buffer.from('BF7F00', 'hex'))).toThrow('6A88');
      return send(euicc, chain);
    });
    expect(decode(ProfileInstallationResult, answers.at(-1)!).resultData.finalResult.kind).toBe('success');
    expect(answers.slice(0, -1).every(({ length }) => length === 0)).toBe(true);
  });

  it('in order, section by section', () => {
    const euicc = boot(pki);
    const chains = packageChains(begin(euicc, pki).bound!);
    send(euicc, chains[0]!);
    const answer = send(euicc, chains[2]!);
    expect(errorOf(decode(ProfileInstallationResult, answer))).toMatchObject(failure('storeMetadata', 'scp03tStructureError'));
  });
});

describe('whatever is changed on the way', () => {
  const pki = pkis['P-256'];
  const device = createTestEuicc([pki], testEid(5), random);
  const resume = (state: EuiccState) => runEuicc({ ...device, state }, { now: () => now, random, cache });

  it('nothing is installed, and the eUICC answers', () => {
    // The states before each object of one download; from each of them changed objects are sent.
    const euicc = resume(device.state);
    const smdp = createTestSmdp(pki, random);
    const transactionId = random(16);
    const scenes: { readonly state: EuiccState; readonly object: Uint8Array }[] = [];
    const pass = (object: Uint8Array) => {
      scenes.push({ state: euicc.state(), object });
      return send(euicc, object);
    };
    const { euiccChallenge } = ask(euicc, callEuicc('getEuiccChallenge', null)).value;
    const authenticated = decode(AuthenticateServerResponse, pass(smdp.authenticateServer({ transactionId, euiccChallenge })));
    if (authenticated.kind !== 'ok') throw new Error('refused');
    const prepared = decode(PrepareDownloadResponse, pass(smdp.prepareDownload({ transactionId, euiccSignature1: authenticated.value.euiccSignature1 })));
    if (prepared.kind !== 'ok') throw new Error('refused');
    const { euiccOtpk } = prepared.value.euiccSigned2;
    packageChains(smdp.boundProfilePackage({ transactionId, euiccOtpk, eid: euicc.eid, metadata: testMetadata(iccid) })).forEach(pass);
    expect(euicc.state().profiles).toHaveLength(1);

    fc.assert(fc.property(fc.nat(scenes.length - 1), fc.nat(), fc.integer({ min: 1, max: 255 }), fc.boolean(), (index, at, mask, cut) => {
      const { state, object } = scenes[index]!;
      const changed = cut ? object.subarray(0, at % object.length) : Uint8Array.from(object, (byte, position) => (position === at % object.length ? byte ^ mask : byte));
      const meddled = resume(state);
      for (const apdu of storeData(changed)) expect(meddled.transmit(apdu).length).toBeGreaterThanOrEqual(2);
      expect(meddled.state().profiles).toHaveLength(0);
    }), { numRuns: cases });
  });
});

describe('notifications of other addresses', () => {
  it('are signed beside the result', () => {
    const pki = pkis['P-256'];
    const euicc = boot(pki);
    const notificationConfiguration = [
      { operations: ['install', 'delete'] as const, address: 'smdp.example' }, { operations: ['install'] as const, address: 'operator.example' },
    ];
    install(euicc, pki, { metadata: testMetadata(iccid, 'smdp.example', { notificationConfiguration }) });
    const [result, second, ...rest] = euicc.state().notifications;
    expect([result!.address, second!.address, rest.length]).toEqual(['smdp.example', 'operator.example', 0]);
    const signed = decode(OtherSignedNotification, second!.object);
    const key = publicKeyOf(parseCertificate(signed.euiccCertificate), cache);
    expect(verifyRaw(key, signed.tbsOtherNotification.raw, signed.euiccSign)).toBe(true);
    expect(encode(OtherSignedNotification, signed)).toEqual(second!.object);
    expect(smdpSigned2Covered(Buffer.of(1), Buffer.alloc(64))).toHaveLength(68);
  });
});
