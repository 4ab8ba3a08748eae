import { X509Certificate } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RspError } from '../errors.ts';
import { ciIssuerOf, createTestPki, issueIdentity, issueTestEuicc, seededRandom, signerOfIdentity, testEid, TEST_SMDP_OID } from '../testing/index.ts';
import type { TestPki } from '../testing/index.ts';
import {
  acceptCrl, createPkiCache, curves, issueCertificate, issueCrl, oids, parseCertificate, parseCrl, publicKeyOf, verifyChain, verifyEuiccChain,
} from './index.ts';
import type { ChainTrust, CurveName, IssueRequest } from './index.ts';

const cases = Number(process.env['FUZZ_CASES'] ?? 2000);
const random = seededRandom('chain');
const at = new Date('2026-06-01T00:00:00Z');
const validity = { notBefore: new Date('2026-01-01T00:00:00Z'), notAfter: new Date('2055-12-31T23:59:59Z') };
const pkis = Object.fromEntries((Object.keys(curves) as CurveName[]).map((curve) => [curve, createTestPki({ curve, random, ...validity })])) as Record<CurveName, TestPki>;

function trustIn(pki: TestPki, changes: Partial<ChainTrust> = {}): ChainTrust {
  return { anchors: [parseCertificate(pki.ci.certificate)], at, cache: createPkiCache(), ...changes };
}

function chainOf(pki: TestPki, changes: Partial<IssueRequest> = {}, eid = testEid(7)) {
  return { eum: parseCertificate(pki.eum.certificate), euicc: parseCertificate(issueTestEuicc(pki, eid, random, changes).certificate) };
}

describe.each(Object.keys(curves) as CurveName[])('certificates on %s', (curve) => {
  const pki = pkis[curve];

  it('read as node:crypto reads them', () => {
    for (const role of ['ci', 'eum', 'dpAuth', 'dpPb', 'dpTls'] as const) {
      const ours = parseCertificate(pki[role].certificate);
      const theirs = new X509Certificate(pki[role].certificate);
      expect(ours.serial.replace(/^0+/, '')).toBe(theirs.serialNumber.replace(/^0+/, ''));
      expect(ours.notBefore).toEqual(theirs.validFromDate);
      expect(ours.notAfter).toEqual(theirs.validToDate);
      expect(ours.isCa).toBe(theirs.ca);
      expect(theirs.verify(new X509Certificate(pki.ci.certificate).publicKey)).toBe(true);
      expect(publicKeyOf(ours, createPkiCache()).equals(theirs.publicKey)).toBe(true);
      expect(theirs.subject).toContain(ours.subject.attributes.find(({ type }) => type === oids.commonName)!.value);
    }
    expect(new X509Certificate(pki.dpTls.certificate).checkHost('localhost')).toBe('localhost');
    expect(new X509Certificate(pki.dpTls.certificate).checkIP('127.0.0.1')).toBe('127.0.0.1');
    expect(parseCertificate(pki.dpAuth.certificate).registeredIds).toEqual([TEST_SMDP_OID]);
    expect(parseCertificate(pki.eum.certificate).permitted).toEqual([{ organization: 'Yuanyou Test EUM', eidPrefix: '89049032' }]);
  });

  it('stand in their chains', () => {
    const cache = createPkiCache();
    expect(verifyEuiccChain(chainOf(pki), trustIn(pki, { cache }))).toMatchObject({ ok: true, eid: testEid(7) });
    expect(verifyEuiccChain(chainOf(pki), trustIn(pki, { cache }))).toMatchObject({ ok: true });
    for (const role of ['dpAuth', 'dpPb', 'dpTls'] as const) {
      expect(verifyChain([{ role, certificate: parseCertificate(pki[role].certificate) }], trustIn(pki))).toMatchObject({ ok: true });
    }
  });

  it('fall with a changed byte anywhere', () => {
    const chain = chainOf(pki);
    const cache = createPkiCache();
    for (let index = 0; index < chain.euicc.raw.length; index += 7) {
      const changed = Uint8Array.from(chain.euicc.raw);
      changed[index]! ^= 0x01;
      let verdict;
      try {
        verdict = verifyEuiccChain({ eum: chain.eum, euicc: parseCertificate(changed) }, trustIn(pki, { cache }));
      } catch (error) {
        expect(error).toBeInstanceOf(RspError);
        continue;
      }
      expect(verdict.ok, `byte ${index}`).toBe(false);
    }
  });
});

describe('a chain is refused', () => {
  const pki = pkis['P-256'];
  const other = createTestPki({ curve: 'P-256', random, ...validity });

  it('from an unknown CI', () => {
    expect(verifyEuiccChain(chainOf(other), trustIn(pki))).toEqual({ ok: false, fault: 'unknown-ci', role: 'ci' });
    expect(verifyChain([], trustIn(pki))).toMatchObject({ ok: false });
  });

  it('before and after its time, to the second', () => {
    const notAfter = new Date('2026-06-01T00:00:00Z');
    const chain = chainOf(pki, { notAfter });
    expect(verifyEuiccChain(chain, trustIn(pki, { at: new Date(notAfter.getTime() + 999) }))).toMatchObject({ ok: true });
    expect(verifyEuiccChain(chain, trustIn(pki, { at: new Date(notAfter.getTime() + 1000) }))).toEqual({ ok: false, fault: 'expired', role: 'euicc' });
    expect(verifyEuiccChain(chainOf(pki, { notBefore: new Date('2026-06-02T00:00:00Z') }), trustIn(pki)))
      .toEqual({ ok: false, fault: 'not-yet-valid', role: 'euicc' });
    expect(verifyEuiccChain(chain, trustIn(pki, { at: new Date('2060-01-01T00:00:00Z') }))).toEqual({ ok: false, fault: 'expired', role: 'ci' });
  });

  it('when another key of that name signed', () => {
    const euicc = issueTestEuicc({ ...pki, eum: { ...pki.eum, privateKey: other.eum.privateKey } }, testEid(1), random);
    const verdict = verifyEuiccChain({ eum: parseCertificate(pki.eum.certificate), euicc: parseCertificate(euicc.certificate) }, trustIn(pki));
    expect(verdict).toEqual({ ok: false, fault: 'signature', role: 'euicc' });
  });

  it('with the policy of another role', () => {
    const policies = ['2.23.146.1.2.1.2'];
    expect(verifyEuiccChain(chainOf(pki, { policies }), trustIn(pki))).toEqual({ ok: false, fault: 'policy', role: 'euicc' });
    expect(verifyChain([{ role: 'dpPb', certificate: parseCertificate(pki.dpAuth.certificate) }], trustIn(pki))).toMatchObject({ fault: 'policy' });
  });

  it('when an end entity plays the CA', () => {
    const asEum = parseCertificate(pki.dpAuth.certificate);
    expect(verifyEuiccChain({ eum: asEum, euicc: asEum }, trustIn(pki))).toMatchObject({ ok: false, fault: 'path' });
  });

  it('with an EID beyond the range of its EUM', () => {
    expect(verifyEuiccChain(chainOf(pki, {}, '89049033000000000000000000000012'), trustIn(pki)))
      .toEqual({ ok: false, fault: 'subject', role: 'euicc' });
  });

  it('when it is revoked', () => {
    const { dpAuth } = pki;
    const certificate = parseCertificate(dpAuth.certificate);
    const list = { thisUpdate: at, nextUpdate: at, revoked: [{ serial: Buffer.from(certificate.serial, 'hex'), at }], number: Buffer.of(1) };
    const ci = parseCertificate(pki.ci.certificate);
    const cache = createPkiCache();
    const crl = acceptCrl(parseCrl(issueCrl(list, ciIssuerOf(pki))), ci, cache);
    expect(verifyChain([{ role: 'dpAuth', certificate }], trustIn(pki, { crls: [crl] }))).toEqual({ ok: false, fault: 'revoked', role: 'dpAuth' });
    expect(verifyChain([{ role: 'dpPb', certificate: parseCertificate(pki.dpPb.certificate) }], trustIn(pki, { crls: [crl] }))).toMatchObject({ ok: true });
    const empty = parseCrl(issueCrl({ ...list, revoked: [] }, ciIssuerOf(pki)));
    expect(empty.revoked.size).toBe(0);
    const forged = parseCrl(issueCrl(list, { ...ciIssuerOf(pki), sign: signerOfIdentity(other.ci) }));
    expect(() => acceptCrl(forged, ci, cache)).toThrow('pki/crl');
  });
});

describe('certificates are refused', () => {
  const pki = pkis['P-256'];
  const request: IssueRequest = {
    role: 'dpAuth', subject: [], publicKey: { curve: 'P-256', point: pki.dpAuth.point }, serial: Buffer.of(1), smdpOid: '1.2.3', ...validity,
  };

  it('with trailing bytes, a missing part or garbage', () => {
    const { certificate } = pki.dpAuth;
    for (const bad of [Buffer.concat([certificate, Buffer.of(0)]), certificate.subarray(0, -1), Buffer.from('no'), Buffer.alloc(0)]) {
      expect(() => parseCertificate(bad)).toThrow('pki/certificate');
    }
  });

  it('that would not fit their role', () => {
    const issuer = ciIssuerOf(pki);
    expect(() => issueCertificate({ ...request, role: 'eum' }, issuer)).toThrow('pki/issue');
    expect(() => issueCertificate({ ...request, serial: new Uint8Array(21) }, issuer)).toThrow('pki/issue');
    expect(() => issueIdentity({ ...request, notAfter: new Date(0) }, issuer, 'P-256', random)).toThrow('pki/issue');
  });

  it('and the reader survives bytes of any kind', () => {
    const { certificate } = pki.eum;
    const mutation = fc.array(fc.record({ at: fc.nat(certificate.length - 1), to: fc.nat(255) }), { minLength: 1, maxLength: 6 });
    fc.assert(fc.property(mutation, fc.boolean(), (changes, asCrl) => {
      const bytes = Uint8Array.from(certificate);
      for (const change of changes) bytes[change.at] = change.to;
      try {
        if (asCrl) parseCrl(bytes);
        else parseCertificate(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(RspError);
      }
    }), { numRuns: cases });
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      expect(() => parseCertificate(bytes)).toThrow(RspError);
    }), { numRuns: cases });
  });
});
