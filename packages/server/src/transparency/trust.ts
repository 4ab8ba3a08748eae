import type { IssuerKey, Trust, WitnessPolicy } from '@yuanyou/proof';
import type { Reader } from '../platform/db/index.ts';
import * as store from './store.ts';

/** What a trust file says beside our logs. */
export interface TrustParts {
  /** The keys that sign certificates, retired ones too. */
  readonly issuerKeys: () => readonly IssuerKey[];
  readonly witnessPolicy?: WitnessPolicy;
}

/** A trust file in the shape of the contract. */
export type TrustBody = Omit<Trust, 'issuerKeys' | 'logs' | 'witnessPolicy'> & {
  issuerKeys: { kid: string; issuer: string; jwk: IssuerKey['jwk']; fingerprint: string; retiredAt?: string }[];
  logs: { origin: string; vkey: string }[];
  witnessPolicy?: { threshold: number; witnesses: string[] };
};

/** The trust file of this service, as of now: every log that it ever opened stays in it. */
export async function trustOf(db: Reader, parts: TrustParts): Promise<TrustBody> {
  const { witnessPolicy: policy } = parts;
  return {
    format: 'yuanyou-trust/v1',
    issuerKeys: parts.issuerKeys().map((key) => ({ ...key })),
    logs: await store.listLogs(db),
    ...(policy === undefined ? {} : { witnessPolicy: { threshold: policy.threshold, witnesses: [...policy.witnesses] } }),
  };
}
