import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../bytes.ts';
import { ciKeyIdOf, createEuicc } from '../euicc/index.ts';
import { deleteProfile, disableProfile, download, enableProfile, runSync, sendNotifications } from '../lpa/index.ts';
import type { LpaAnswer, LpaRequest, LpaRun } from '../lpa/index.ts';
import type { CurveName, SignMessage } from '../pki/index.ts';
import { profileMetadata } from '../smdp/index.ts';
import {
  createMemorySmdp, createTestPki, euiccSignerOf, issueTestEuicc, releasedOrder, runEuicc, seededRandom, signerOfIdentity, testEid, testProfilePackage,
} from './index.ts';
import type { TestIdentity, TestPki } from './index.ts';

// A whole life of a profile, written down once: every byte that travels must stay as it is. ECDSA draws its own randomness, so the
// signatures are kept by the digest of what they cover; the receiving end verifies each of them anew.
// RECORD_TRANSCRIPTS=1 writes the files again, which is right only after a deliberate change of what goes over the wire.

type Identity = Readonly<Record<'certificate' | 'privateKey', string>>;

interface Transcript {
  readonly about: string;
  readonly curve: CurveName;
  readonly now: string;
  readonly identities: Readonly<Record<'ci' | 'eum' | 'dpAuth' | 'dpPb' | 'euicc', Identity>>;
  readonly signatures: Readonly<Record<string, string>>;
  readonly steps: readonly string[];
}

const recording = process.env['RECORD_TRANSCRIPTS'] === '1';
const address = 'rsp.example';
const iccid = '8988211000000000013';
const validity = { notBefore: new Date('2026-01-01T00:00:00Z'), notAfter: new Date('2056-01-01T00:00:00Z') };

function fileOf(curve: CurveName): URL {
  return new URL(`../../vectors/download-${curve.toLowerCase()}.json`, import.meta.url);
}

function record(curve: CurveName): Transcript {
  const random = seededRandom(`pki ${curve}`);
  const pki = createTestPki({ curve, random, ...validity });
  const euicc = issueTestEuicc(pki, testEid(42), random);
  const { ci, eum, dpAuth, dpPb } = pki;
  const identities = Object.fromEntries(Object.entries({ ci, eum, dpAuth, dpPb, euicc }).map(([name, one]) =>
    [name, { certificate: toHex(one.certificate), privateKey: toHex(one.privateKey) }])) as Transcript['identities'];
  const signatures: Record<string, string> = {};
  const keeping = (sign: SignMessage): SignMessage => (message) => {
    const signature = sign(message);
    signatures[digestOf(message)] = toHex(signature);
    return signature;
  };
  const base = {
    about: 'A profile downloaded, enabled, disabled and deleted: APDUs and ES9+ bodies in order.', curve, now: '2026-06-01T00:00:00.000Z', identities,
  };
  return { ...base, signatures, steps: play({ ...base, signatures, steps: [] }, keeping) };
}

const digestOf = (message: Uint8Array): string => createHash('sha256').update(message).digest('hex').toUpperCase();

/** Runs the whole life; returns what travelled, one line each. */
function play(transcript: Transcript, wrap: (sign: SignMessage) => SignMessage): string[] {
  const { curve, identities } = transcript;
  const now = (): Date => new Date(transcript.now);
  const random = seededRandom(`run ${curve}`);
  const identity = (name: keyof Transcript['identities']): TestIdentity => ({
    curve, certificate: fromHex(identities[name].certificate), privateKey: fromHex(identities[name].privateKey), point: new Uint8Array(65),
  });
  const pki: TestPki = {
    curve, smdpOid: '1.3.6.1.4.1.32473.1.1', ci: identity('ci'), eum: identity('eum'), dpAuth: identity('dpAuth'), dpPb: identity('dpPb'),
    dpTls: identity('dpAuth'), ...validity,
  };
  const smdp = createMemorySmdp({ pkis: [pki], address, now, random, signerOf: (one) => wrap(signerOfIdentity(one)) });
  const card = { iccid, serviceProviderName: 'Yuanyou Test', profileName: 'Demo plan', owner: { mcc: '001', mnc: '01' } };
  const order = releasedOrder({ matchingId: 'VECTOR-1', metadata: profileMetadata(card, address), upp: testProfilePackage(iccid) });
  smdp.orders.set(order.matchingId, order);
  const credential = { ciCertificate: pki.ci.certificate, eumCertificate: pki.eum.certificate, euiccCertificate: fromHex(identities.euicc.certificate) };
  const keys = [{ ciKeyId: ciKeyIdOf(pki.ci.certificate), curve, privateKey: fromHex(identities.euicc.privateKey) }];
  const sign = euiccSignerOf(keys);
  const euicc = runEuicc(
    { state: createEuicc({ credentials: [credential] }), keys }, { now, random, sign: (ciKeyId, message) => wrap((bytes) => sign(ciKeyId, bytes))(message) },
  );
  const steps: string[] = [];
  const answer = (request: LpaRequest): LpaAnswer => {
    if (request.kind === 'apdu') {
      const apdu = euicc.transmit(request.apdu);
      steps.push(`apdu ${toHex(request.apdu)} ${toHex(apdu)}`);
      return { kind: 'apdu', apdu };
    }
    const answered = smdp.answer(request);
    steps.push(`es9plus ${request.function} ${request.body} ${answered.status} ${Buffer.from(answered.body).toString()}`);
    return answered;
  };
  const run = <T>(conversation: LpaRun<T>): T => runSync(conversation, answer);
  expect(run(download({ activationCode: `LPA:1$${address}$VECTOR-1` }))).toMatchObject({ installed: true });
  run(enableProfile(iccid));
  run(disableProfile(iccid));
  run(deleteProfile(iccid));
  expect(run(sendNotifications()).map(({ sent }) => sent)).toEqual([true, true, true, true]);
  return steps;
}

describe.each(['P-256', 'brainpoolP256r1'] as const)('the transcript on %s', (curve) => {
  it('comes out byte for byte as it was written down', () => {
    if (recording) writeFileSync(fileOf(curve), `${JSON.stringify(record(curve), undefined, 1)}\n`);
    const transcript = JSON.parse(readFileSync(fileOf(curve), 'utf8')) as Transcript;
    const steps = play(transcript, () => (message) => {
      const signature = transcript.signatures[digestOf(message)];
      if (signature === undefined) throw new Error('something is signed that was not signed when the transcript was written');
      return fromHex(signature);
    });
    expect(steps).toEqual(transcript.steps);
  });
});
