import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import {
  assemble, bundleOf, certificateLeaf, type ClosureFacts, closureStatementOf, ed25519OfSpki, emailCommitment, formatBundle,
  formatCheckpoint, formatNote, formatVerifierKey, inclusionProof, issuerKeyOf, jwkOfSpki, leafHash, noteMessage, noteSignature,
  readerOfLeaves, signingInput, treeRoot, type Trust, type VerifierKey, verifierKey,
} from '../index.ts';

/** A key of a note's signer, with its private half. */
export interface NoteSigner {
  readonly key: VerifierKey;
  readonly privateKey: KeyObject;
}

const derOf = (key: KeyObject): Buffer => key.export({ format: 'der', type: 'spki' });

export function newNoteSigner(name: string, type: VerifierKey['type'] = 'ed25519'): NoteSigner {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  return { key: verifierKey(name, type, ed25519OfSpki(derOf(publicKey))), privateKey };
}

/** A note over `text` by these signers; witnesses date theirs `timestamp`. */
export function signNote(text: string, signers: readonly NoteSigner[], timestamp = 1_795_000_000): string {
  return formatNote(text, signers.map(({ key, privateKey }) => {
    const at = key.type === 'cosignature/v1' ? timestamp : undefined;
    return noteSignature(key, sign(null, noteMessage(key.type, text, at), privateKey), at);
  }));
}

export const SAMPLE_EMAIL = 'demo.traveller@example.com';
export const SAMPLE_SALT = createHash('sha256').update('salt of the sample commitment').digest();

export function sampleFacts(): ClosureFacts {
  return {
    certificateId: '0198c5d2-7a10-7c3e-9a44-3f1f0a6f2b11',
    issuer: { id: 'https://yuanyou.example', name: 'Yuanyou Demo' },
    validFrom: '2026-11-22T09:30:00.000Z',
    subject: {
      caseNumber: 'YY-2026-000123',
      requestedAt: '2026-11-22T08:00:00.000Z',
      closedAt: '2026-11-22T09:29:59.000Z',
      emailCommitment: Buffer.from(emailCommitment(SAMPLE_EMAIL, SAMPLE_SALT)).toString('base64url'),
      stopped: [{
        iccidTail: '4321', operator: 'Demo Mobile Japan', requestedAt: '2026-11-22T08:00:00.000Z', effectiveAt: '2026-11-22T09:00:00.000Z',
        service: 'terminated', device: 'deleted',
      }],
      paid: [{
        kind: 'refund', credit: 'cash', amountMinor: 2750, currency: 'EUR', to: 'card •••• 4242', state: 'paid',
        at: '2026-11-22T09:10:00.000Z',
      }],
      erased: [{ what: 'accounts.account', count: 1 }, { what: 'accounts.contact', count: 2 }],
      kept: [{
        field: 'ledger.transfer', ground: 'legal-obligation', basis: 'Books and records of trade', jurisdiction: 'DE',
        until: '2036-12-31T00:00:00.000Z',
      }],
      told: [
        {
          recipient: 'Demo Mobile Japan', kind: 'operator', state: 'acknowledged', at: '2026-11-22T09:20:00.000Z',
          receipt: 'forget-778812',
        },
        { recipient: 'Demo Gateway', kind: 'payment-processor', state: 'not-confirmed', at: '2026-11-22T09:20:01.000Z' },
      ],
      envelopeDestroyedBy: '2026-11-29T09:30:00.000Z',
    },
  };
}

/** A whole service in memory: issuer, log, witnesses; makes bundles that verify. */
export function sampleService(witnesses: readonly NoteSigner[] = []) {
  const issuer = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const log = newNoteSigner('yuanyou.example/log');
  const issuerKey = issuerKeyOf('issuer-1', 'https://yuanyou.example', jwkOfSpki(derOf(issuer.publicKey)));
  const trust: Trust = {
    format: 'yuanyou-trust/v1', issuerKeys: [issuerKey], logs: [{ origin: log.key.name, vkey: formatVerifierKey(log.key) }],
    ...(witnesses.length === 0
      ? {} : { witnessPolicy: { threshold: witnesses.length, witnesses: witnesses.map(({ key }) => formatVerifierKey(key)) } }),
  };
  const certificate = (facts = sampleFacts(), kid = 'issuer-1'): string => {
    const input = signingInput(closureStatementOf(facts), { alg: 'ES256', typ: 'vc+jwt', kid });
    return assemble(input, sign('sha256', input, { key: issuer.privateKey, dsaEncoding: 'ieee-p1363' }));
  };
  /** A bundle whose certificate is leaf `index` of a tree of `size` leaves. */
  const bundle = (index = 4, size = 11, jws = certificate(), cosigners = witnesses) => {
    const salt = createHash('sha256').update(`salt of ${jws}`).digest();
    const leaves = Array.from({ length: size }, (_, at) => leafHash(at === index ? certificateLeaf(jws, salt) : Buffer.alloc(32, at + 1)));
    const read = readerOfLeaves(leaves);
    const text = formatCheckpoint({ origin: log.key.name, size, root: treeRoot(size, read) });
    const checkpoint = signNote(text, [log, ...cosigners]);
    const inclusion = inclusionProof(index, size, read);
    return bundleOf({ certificate: jws, salt, log: { origin: log.key.name, index, treeSize: size, inclusion, checkpoint } });
  };
  return { issuer, log, trust, certificate, bundle, file: (...of: Parameters<typeof bundle>) => Buffer.from(formatBundle(bundle(...of))) };
}
