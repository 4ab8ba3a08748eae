import { ciKeyIdOf, createEuicc, transmit } from '../euicc/index.ts';
import type { EuiccContext, EuiccOptions, EuiccState } from '../euicc/index.ts';
import { createPkiCache, importPrivateKey, signerOf } from '../pki/index.ts';
import type { CurveName, PkiCache, SignMessage } from '../pki/index.ts';
import { issueTestEuicc, testEid } from './pki.ts';
import type { EuiccIssuer } from './pki.ts';
import type { RandomBytes } from './random.ts';

/** The private key of one of an eUICC's credentials. */
export interface TestEuiccKey {
  /** Key identifier of its CI, hexadecimal. */
  readonly ciKeyId: string;
  readonly curve: CurveName;
  /** 32 bytes. */
  readonly privateKey: Uint8Array;
}

/** A virtual eUICC and its private keys, which a real one would never give away. */
export interface TestEuicc {
  readonly state: EuiccState;
  readonly keys: readonly TestEuiccKey[];
}

/** Makes one virtual eUICC with a credential from each of these issuers. */
export function createTestEuicc(issuers: readonly EuiccIssuer[], eid: string, random: RandomBytes, options: Omit<EuiccOptions, 'credentials'> = {}): TestEuicc {
  const issued = issuers.map((issuer) => ({ issuer, identity: issueTestEuicc(issuer, eid, random) }));
  const credentials = issued.map(({ issuer, identity }) => ({
    ciCertificate: issuer.ci.certificate, eumCertificate: issuer.eum.certificate, euiccCertificate: identity.certificate,
  }));
  const keys = issued.map(({ issuer, identity }) => ({ ciKeyId: ciKeyIdOf(issuer.ci.certificate), curve: issuer.curve, privateKey: identity.privateKey }));
  return { state: createEuicc({ ...options, credentials }), keys };
}

/** Makes `count` virtual eUICCs whose EIDs follow one another from `firstIndex`. */
export function createTestEuiccs(issuers: readonly EuiccIssuer[], count: number, random: RandomBytes, firstIndex = 0): TestEuicc[] {
  return Array.from({ length: count }, (_, index) => createTestEuicc(issuers, testEid(firstIndex + index), random));
}

/** Signs with the key of the credential under a CI, as `EuiccContext` asks for it. */
export function euiccSignerOf(keys: readonly TestEuiccKey[]): EuiccContext['sign'] {
  const signers = new Map<string, SignMessage>();
  return (ciKeyId, message) => {
    let sign = signers.get(ciKeyId);
    if (!sign) {
      const key = keys.find((one) => one.ciKeyId === ciKeyId);
      if (!key) throw new Error(`no key under the CI ${ciKeyId}`);
      sign = signerOf(importPrivateKey(key.curve, key.privateKey));
      signers.set(ciKeyId, sign);
    }
    return sign(message);
  };
}

/** A virtual eUICC that keeps its own state, for tests: APDU in, APDU out. */
export interface RunningEuicc {
  readonly eid: string;
  state(): EuiccState;
  transmit(apdu: Uint8Array): Uint8Array;
}

/** Runs a virtual eUICC at a given time. */
export function runEuicc(
  euicc: TestEuicc, outside: { readonly now: () => Date; readonly random: RandomBytes; readonly cache?: PkiCache; readonly sign?: EuiccContext['sign'] },
): RunningEuicc {
  let { state } = euicc;
  const sign = outside.sign ?? euiccSignerOf(euicc.keys);
  const cache = outside.cache ?? createPkiCache(64);
  return {
    eid: state.eid,
    state: () => state,
    transmit(apdu) {
      const sent = transmit(state, apdu, { now: outside.now(), random: outside.random, sign, cache });
      state = sent.state;
      return sent.answer;
    },
  };
}
