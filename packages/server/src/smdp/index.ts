import { createPkiCache } from '@yuanyou/rsp';
import type { Actor } from '../platform/audit/types.ts';
import type { Reader, Tx } from '../platform/db/index.ts';
import { answer } from './answer.ts';
import type { SmdpDeps, Workings } from './deps.ts';
import { tellDownloads } from './download.ts';
import { listenEs9plus, type Es9plusListener } from './listener.ts';
import { activation, order, release, releaseAgain, sealConfirmation, withdraw, type Activation, type OrderRequest, type SealedConfirmation } from './order.ts';
import * as store from './store.ts';

export type { ProfileMaking, ProfileSource, SmdpDeps, SmdpPki, SmdpPolicy } from './deps.ts';
export { installFailed, profileReported } from './events.ts';
export type { Es9plusListener } from './listener.ts';
export type { Card } from './model.ts';
export type { Activation, OrderRequest, SealedConfirmation } from './order.ts';
export { developmentEum, developmentPki, type DevelopmentPkiOptions } from './development-pki.ts';
export { loadPki, type PkiSigners } from './pki.ts';

/** Our SM-DP+. */
export interface Smdp {
  /** Orders a profile, in state `allocated`. A second order of the same profile answers the first one's code. @throws `smdp/not-orderable` */
  order(tx: Tx, request: OrderRequest): Promise<Activation>;
  /** Seals a confirmation code for {@link Smdp.order}; call it before the transaction. @throws `smdp/bad-confirmation-code` */
  sealConfirmation(code: string): Promise<SealedConfirmation>;
  /** Lets phones download. @throws `smdp/unknown-order`, `smdp/withdrawn` */
  release(tx: Tx, profileId: string): Promise<void>;
  /** Frees a profile for another phone, by an agent. @throws `smdp/unknown-order`, `smdp/withdrawn` */
  releaseAgain(tx: Tx, profileId: string, actor: Actor, reason: string): Promise<void>;
  /** Withdraws an order for good, downloaded or not; a no-op without one. */
  cancel(tx: Tx, profileId: string): Promise<void>;
  activation(db: Reader, profileId: string): Promise<Activation | undefined>;
  /** Opens the ES9+ listener. @throws the system's error when the address cannot be had */
  listen(options: { readonly host: string; readonly port: number }): Promise<Es9plusListener>;
}

const dayMs = 86_400_000;
const forgetBatch = 1_000;
const defaults = { sessionMs: 30 * 60_000, maxDownloads: 5, reinstall: 'same-euicc' } as const;

/** Wires the SM-DP+ and its repeated tasks. */
export function createSmdp(deps: SmdpDeps): Smdp {
  const w: Workings = {
    ...deps,
    policy: { ...defaults, ...deps.policy },
    smdp: { ...deps.pki.identity, addresses: deps.addresses.map((address) => address.toLowerCase()) },
    cache: createPkiCache(),
  };
  deps.schedule.every('smdp.tell-downloads', 30_000, () => tellDownloads(w));
  deps.schedule.every('smdp.forget', dayMs / 4, () => forget(w));
  return {
    order: (tx, request) => order(w, tx, request),
    sealConfirmation: (code) => sealConfirmation(w, code),
    release: (tx, profileId) => release(w, tx, profileId),
    releaseAgain: (tx, profileId, actor, reason) => releaseAgain(w, tx, profileId, actor, reason),
    cancel: (tx, profileId) => withdraw(w, tx, profileId),
    activation: (db, profileId) => activation(w, db, profileId),
    listen: (options) => listenEs9plus({ ...options, tls: deps.pki.tls, answer: (name, body) => answer(w, name, body) }),
  };
}

/** Deletes what the columns' comments in the migration say; sessions that came to nothing go after a day. */
async function forget(w: Workings): Promise<void> {
  const now = w.clock.now().getTime();
  const before = { kept: new Date(now - 90 * dayMs), idle: new Date(now - dayMs) };
  while (await w.db.transaction((tx) => store.forget(tx, before, forgetBatch)) >= forgetBatch);
}
