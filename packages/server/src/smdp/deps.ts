import type { Certificate, Crl, Personalisation, PkiCache, SmdpIdentity } from '@yuanyou/rsp';
import type { Logger } from 'pino';
import type { Audit } from '../platform/audit/types.ts';
import type { Clock } from '../platform/clock/index.ts';
import type { Transactor } from '../platform/db/index.ts';
import type { Outbox, Schedule } from '../platform/jobs/types.ts';
import type { BlindIndex, DataKeys } from '../platform/keys/types.ts';

/** What makes a profile, loaded when it is bound: held only while the request is answered. */
export type ProfileMaking = Omit<Personalisation, 'serviceProviderName' | 'mncLength'>;

/** Where profiles' secrets come from. */
export interface ProfileSource {
  /** @throws when there is no such profile, or its keys are gone */
  load(profileId: string): Promise<ProfileMaking>;
}

/** Our certificates and those we trust. */
export interface SmdpPki {
  /** Certificates, OID and host id; `addresses` come from the configuration. */
  readonly identity: Omit<SmdpIdentity, 'addresses'>;
  /** CIs under which eUICCs are trusted. */
  readonly anchors: readonly Certificate[];
  readonly crls: readonly Crl[];
  readonly tls: { readonly certificate: string; readonly key: string };
}

export interface SmdpDeps {
  readonly db: Transactor;
  readonly clock: Clock;
  readonly dataKeys: DataKeys;
  /** Seals transactionIds. */
  readonly keys: { readonly blindIndex: BlindIndex };
  readonly outbox: Outbox;
  readonly audit: Audit;
  readonly schedule: Schedule;
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>;
  readonly profiles: ProfileSource;
  readonly pki: SmdpPki;
  /** Host, or host and port, in activation codes and metadata; further names that clients may use follow. */
  readonly addresses: readonly string[];
  readonly policy?: Partial<SmdpPolicy>;
}

/** What may differ from service to service. */
export interface SmdpPolicy {
  /** How long a traveller may take between the first request and the package. Default 30 minutes. */
  readonly sessionMs: number;
  /** Packages given out for one order. Default 5. */
  readonly maxDownloads: number;
  /** Which eUICC may fetch a profile again after a verified delete. Default the same. */
  readonly reinstall: 'same-euicc' | 'any-euicc' | 'never';
}

/** What the use cases of this slice share. */
export interface Workings extends SmdpDeps {
  readonly smdp: SmdpIdentity;
  readonly cache: PkiCache;
  readonly policy: SmdpPolicy;
}

