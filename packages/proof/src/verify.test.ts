import { createHash, createPublicKey, verify } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import {
  type Bundle, bundleOf, closureStatementOf, formatBundle, formatStatement, issuerKeyOf, parseBundle, parseCertificate, parseStatement,
  parseTrust, ProofError, type Trust, type Verification, verifyBundle,
} from './index.ts';
import { newNoteSigner, sampleFacts, sampleService, signNote } from './testing/sample.ts';

const service = sampleService();
const bundle = service.bundle();
const file = Buffer.from(formatBundle(bundle));

const failing = (result: Verification): string[] => result.checks.filter((check) => !check.ok).map((check) => check.name);
const verifyWith = (changed: Partial<Bundle> | Bundle, trust: Trust = service.trust): Verification =>
  verifyBundle(Buffer.from(formatBundle({ ...bundle, ...changed })), trust);

describe('a good bundle', () => {
  test('passes every check in order', () => {
    const result = verifyBundle(file, service.trust, new Date('2026-11-23T00:00:00.000Z'));
    expect(result.checks.map(({ name, ok }) => [name, ok])).toEqual([
      ['form', true], ['certificate', true], ['issuer-key', true], ['signature', true], ['checkpoint', true], ['inclusion', true],
      ['log-key', true], ['log-signature', true], ['witnesses', true], ['time', true],
    ]);
    expect(result).toMatchObject({ ok: true, outcome: 'valid', statement: { credentialSubject: { caseNumber: 'YY-2026-000123' } } });
  });

  test('verifies at every index of trees of many sizes', () => {
    const jws = service.certificate();
    for (const size of [1, 2, 3, 8, 70]) {
      for (const index of new Set([0, Math.floor(size / 2), size - 1])) {
        expect(verifyBundle(service.file(index, size, jws), service.trust).outcome).toBe('valid');
      }
    }
  });

  test('holds for an independent verifier on node:crypto', () => {
    const plain = JSON.parse(file.toString('utf8')) as Bundle;
    const trust = service.trust;
    const issuerKey = createPublicKey({ key: { ...trust.issuerKeys[0]!.jwk }, format: 'jwk' });
    const parts = plain.certificate.split('.').map((part) => Buffer.from(part, 'base64url'));
    const [head, payload, jwsSignature] = parts as [Buffer, Buffer, Buffer];
    const signed = Buffer.from(plain.certificate.slice(0, plain.certificate.lastIndexOf('.')));
    expect(verify('sha256', signed, { key: issuerKey, dsaEncoding: 'ieee-p1363' }, jwsSignature)).toBe(true);
    expect(JSON.parse(head.toString())).toEqual({ alg: 'ES256', typ: 'vc+jwt', kid: 'issuer-1' });
    expect(JSON.parse(payload.toString())).toMatchObject({ issuer: { id: 'https://yuanyou.example' } });

    const sha256 = (...parts: Uint8Array[]): Buffer => createHash('sha256').update(Buffer.concat(parts)).digest();
    const entry = sha256(Buffer.from('yuanyou-closure-leaf/v1\n'), Buffer.from(plain.salt, 'base64url'), Buffer.from(plain.certificate));
    let hash = sha256(Buffer.of(0), entry);
    let [node, last] = [plain.log.index, plain.log.treeSize - 1];
    for (const sibling of plain.log.inclusion.map((one) => Buffer.from(one, 'base64url'))) {
      while (node % 2 === 0 && node === last) [node, last] = [node >> 1, last >> 1];
      hash = node % 2 === 1 ? sha256(Buffer.of(1), sibling, hash) : sha256(Buffer.of(1), hash, sibling);
      [node, last] = [node >> 1, last >> 1];
    }
    const [text, signatureLine] = plain.log.checkpoint.split('\n\n') as [string, string];
    expect(text.split('\n')).toEqual([plain.log.origin, String(plain.log.treeSize), hash.toString('base64')]);

    const vkey = Buffer.from(trust.logs[0]!.vkey.split('+').slice(2).join('+'), 'base64');
    const jwk = { kty: 'OKP', crv: 'Ed25519', x: vkey.subarray(1).toString('base64url') };
    const signature = Buffer.from(signatureLine.trim().split(' ')[2]!, 'base64').subarray(4);
    expect(verify(null, Buffer.from(`${text}\n`), createPublicKey({ key: jwk, format: 'jwk' }), signature)).toBe(true);
  });
});

describe('a changed bundle', () => {
  test('is refused when it is only laid out differently', () => {
    const layouts = [JSON.stringify(bundle), JSON.stringify(bundle, null, 2), `\ufeff${file.toString()}`, JSON.stringify(bundle, null, 4)];
    for (const text of layouts) {
      expect(failing(verifyBundle(Buffer.from(text), service.trust))).toEqual(['form']);
    }
    const twice = file.toString().replace('{\n', '{\n  "format": "yuanyou-closure-bundle/v1",\n');
    expect(verifyBundle(Buffer.from(twice), service.trust).checks[0]).toMatchObject({ code: 'proof/not-canonical' });
  });

  test('names the check that failed', () => {
    const other = service.bundle(4, 11, service.certificate({ ...sampleFacts(), validFrom: '2026-11-22T09:30:01.000Z' }));
    expect(failing(verifyWith({ certificate: other.certificate }))).toEqual(['inclusion']);
    expect(failing(verifyWith({ salt: other.salt }))).toEqual(['inclusion']);
    expect(failing(verifyWith({ log: { ...bundle.log, index: 5 } }))).toEqual(['inclusion']);
    expect(failing(verifyWith({ log: { ...bundle.log, treeSize: 12 } }))).toEqual(['checkpoint']);
    expect(failing(verifyWith({ log: { ...bundle.log, origin: 'yuanyou.example/other' } }))).toEqual(['checkpoint']);
    expect(failing(verifyWith({ log: sampleService().bundle().log }))).toEqual(['inclusion', 'log-signature']);
  });

  test('the other valid signature of the same key makes another leaf', () => {
    const n = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
    const [head, payload, signature] = bundle.certificate.split('.') as [string, string, string];
    const raw = Buffer.from(signature, 'base64url');
    const s = n - BigInt(`0x${raw.subarray(32).toString('hex')}`);
    const mirrored = Buffer.concat([raw.subarray(0, 32), Buffer.from(s.toString(16).padStart(64, '0'), 'hex')]);
    expect(failing(verifyWith({ certificate: `${head}.${payload}.${mirrored.toString('base64url')}` }))).toEqual(['inclusion']);
  });
});

describe('what the trust file says', () => {
  test('a key or log that it does not name needs more', () => {
    const stranger = sampleService();
    const result = verifyBundle(file, { ...service.trust, issuerKeys: [], logs: [] });
    expect(result.outcome).toBe('needs-more');
    expect(failing(result)).toEqual(['issuer-key', 'log-key']);
    const renamed = { ...stranger.trust.issuerKeys[0]!, kid: 'issuer-2' };
    expect(verifyBundle(file, { ...service.trust, issuerKeys: [renamed] }).outcome).toBe('needs-more');
  });

  test('another key under the same name refuses', () => {
    const stranger = sampleService();
    expect(failing(verifyBundle(file, { ...service.trust, issuerKeys: stranger.trust.issuerKeys }))).toEqual(['signature']);
    expect(failing(verifyBundle(file, { ...service.trust, logs: stranger.trust.logs }))).toEqual(['log-signature']);
  });

  test('a key of another issuer, or one retired before, refuses', () => {
    const known = service.trust.issuerKeys[0]!;
    const foreign = issuerKeyOf(known.kid, 'https://other.example', known.jwk);
    const retired = issuerKeyOf(known.kid, known.issuer, known.jwk, '2026-11-22T09:29:59.999Z');
    const later = issuerKeyOf(known.kid, known.issuer, known.jwk, '2026-11-22T09:30:00.000Z');
    expect(failing(verifyBundle(file, { ...service.trust, issuerKeys: [foreign] }))).toEqual(['issuer-key']);
    expect(failing(verifyBundle(file, { ...service.trust, issuerKeys: [retired] }))).toEqual(['issuer-key']);
    expect(verifyBundle(file, { ...service.trust, issuerKeys: [later] }).ok).toBe(true);
  });

  test('fingerprints, threshold and names are checked on reading', () => {
    const text = JSON.stringify(service.trust);
    expect(parseTrust(text)).toEqual(service.trust);
    const key = service.trust.issuerKeys[0]!;
    expect(() => parseTrust(text.replace(key.fingerprint, sampleService().trust.issuerKeys[0]!.fingerprint))).toThrow(/fingerprint/);
    expect(() => parseTrust(JSON.stringify({ ...service.trust, witnessPolicy: { threshold: 1, witnesses: [] } }))).toThrow(ProofError);
    expect(() => parseTrust(JSON.stringify({ ...service.trust, logs: [{ ...service.trust.logs[0]!, origin: 'x' }] }))).toThrow(ProofError);
    expect(() => parseTrust(JSON.stringify({ ...service.trust, extra: 1 }))).toThrow(ProofError);
  });
});

describe('witnesses', () => {
  const witnesses = [newNoteSigner('witness.example/1', 'cosignature/v1'), newNoteSigner('witness.example/2', 'cosignature/v1')];
  const witnessed = sampleService(witnesses);

  test('enough cosignatures pass, too few need more', () => {
    expect(verifyBundle(witnessed.file(), witnessed.trust).outcome).toBe('valid');
    const few = verifyBundle(witnessed.file(0, 3, witnessed.certificate(), witnesses.slice(0, 1)), witnessed.trust);
    expect([few.outcome, ...failing(few)]).toEqual(['needs-more', 'witnesses']);
  });

  test('a signature that nothing can check keeps a bundle from being valid', () => {
    const stranger = newNoteSigner('stranger.example', 'cosignature/v1');
    const result = verifyBundle(witnessed.file(0, 3, witnessed.certificate(), [...witnesses, stranger]), witnessed.trust);
    expect([result.outcome, ...failing(result)]).toEqual(['needs-more', 'witnesses']);
  });

  test('a cosignature from the future is refused when the time is known', () => {
    const text = bundle.log.checkpoint.slice(0, bundle.log.checkpoint.indexOf('\n\n') + 1);
    const trust = { ...service.trust, witnessPolicy: { threshold: 0, witnesses: witnessed.trust.witnessPolicy!.witnesses } };
    const checkpoint = signNote(text, [service.log, witnesses[0]!], 1_900_000_000);
    const dated = Buffer.from(formatBundle({ ...bundle, log: { ...bundle.log, checkpoint } }));
    expect(verifyBundle(dated, trust).ok).toBe(true);
    expect(failing(verifyBundle(dated, trust, new Date('2026-11-23T00:00:00.000Z')))).toEqual(['time']);
  });
});

describe('other input', () => {
  test('a bare certificate needs more, a forged one is invalid', () => {
    const result = verifyBundle(Buffer.from(bundle.certificate), service.trust);
    expect([result.outcome, ...failing(result)]).toEqual(['needs-more', 'inclusion']);
    const forged = verifyBundle(Buffer.from(sampleService().certificate()), service.trust);
    expect([forged.outcome, ...failing(forged)]).toEqual(['invalid', 'signature', 'inclusion']);
  });

  test('garbage, deep nesting and large files are refused without a crash', () => {
    const deep = ['['.repeat(100_000), `{"format":${'{"a":'.repeat(50_000)}`];
    const inputs = ['', '{}', '[]', 'null', '"x"', ...deep, '\u0000', 'x'.repeat(2_000_000)];
    for (const input of inputs) expect(failing(verifyBundle(Buffer.from(input), service.trust))).toEqual(['form']);
    expect(failing(verifyBundle(Buffer.of(0xff, 0xfe), service.trust))).toEqual(['form']);
  });

  test('a certificate dated in the future is refused when the time is known', () => {
    expect(failing(verifyBundle(file, service.trust, new Date('2026-11-22T09:00:00.000Z')))).toEqual(['time']);
  });
});

describe('statements', () => {
  const statement = closureStatementOf(sampleFacts());

  test('read back from their one serialisation only', () => {
    const json = formatStatement(statement);
    expect(parseStatement(json)).toEqual(statement);
    expect(() => parseStatement(` ${json}`)).toThrow(ProofError);
    expect(() => parseStatement(json.replace('"DE"', '"D\\u0045"'))).toThrow(ProofError);
    expect(() => parseStatement(json.replace('{"@context"', '{"x":1,"@context"'))).toThrow(ProofError);
    expect(() => parseStatement(json.replace('2750', '2750.0'))).toThrow(ProofError);
    expect(parseCertificate(service.certificate()).statement).toEqual(statement);
  });

  test('carry no direct identifier where a masked value belongs', () => {
    const facts = sampleFacts();
    const withPaid = (to: string) => ({ ...facts, subject: { ...facts.subject, paid: [{ ...facts.subject.paid[0]!, to }] } });
    for (const to of ['someone@example.com', '4242424242424242', '4242 4242', 'IBAN DE12 3456']) {
      expect(() => closureStatementOf(withPaid(to)), to).toThrow(ProofError);
    }
    const stopped = [{ ...facts.subject.stopped[0]!, iccidTail: '89811' }];
    expect(() => closureStatementOf({ ...facts, subject: { ...facts.subject, stopped } })).toThrow(ProofError);
    expect(() => closureStatementOf({ ...facts, validFrom: '2026-02-30T00:00:00.000Z' })).toThrow(ProofError);
  });

  test('bundles read back, and their parts are bounded', () => {
    expect(parseBundle(file)).toEqual(bundle);
    const salt = new Uint8Array(32);
    const log = { ...bundle.log, inclusion: Array.from({ length: 54 }, () => salt) };
    expect(() => bundleOf({ certificate: bundle.certificate, salt, log })).toThrow(ProofError);
  });
});
