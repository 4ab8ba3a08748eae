import { randomBytes } from 'node:crypto';
import { digestConfirmationCode, formatActivationCode, parseIccid } from '@yuanyou/rsp';
import type { Actor } from '../platform/audit/types.ts';
import type { Reader, Tx } from '../platform/db/index.ts';
import { ServiceError } from '../platform/errors.ts';
import type { Workings } from './deps.ts';
import { confirmationSeal } from './download.ts';
import { confirmationTries, matchingIdFrom, type Card, type StoredOrder } from './model.ts';
import * as store from './store.ts';

/** A confirmation code, sealed; made before the transaction that orders. */
export type SealedConfirmation = Buffer;

/** What an order says. */
export interface OrderRequest {
  readonly profileId: string;
  readonly iccid: string;
  /** Up to 32 bytes, 64 bytes, MCC and MNC. */
  readonly card: Card;
  /** Binds the order to one eUICC, which then needs no matchingId. */
  readonly eid?: string;
  readonly confirmation?: SealedConfirmation;
  /** Last instant of the first download. */
  readonly expiresAt?: Date;
  readonly maxDownloads?: number;
  readonly reinstall?: StoredOrder['reinstall'];
}

/** How a traveller fetches a profile. */
export interface Activation {
  readonly activationCode: string;
  readonly smdpAddress: string;
  readonly matchingId: string;
}

const system: Actor = { kind: 'system', id: 'smdp' };

/** Seals a confirmation code for an order. */
export async function sealConfirmation(w: Workings, code: string): Promise<SealedConfirmation> {
  if (!/^[\x21-\x7e]{4,32}$/.test(code)) throw new ServiceError('smdp/bad-confirmation-code');
  return w.dataKeys.seal(confirmationSeal.subject, confirmationSeal.context, digestConfirmationCode(code));
}

/** Orders a profile; it is downloaded once released. A second order of the same profile answers the first one's code. */
export async function order(w: Workings, tx: Tx, request: OrderRequest): Promise<Activation> {
  const matchingId = matchingIdFrom(randomBytes(20));
  const fresh = await store.insertOrder(tx, {
    profileId: request.profileId,
    matchingId,
    state: 'allocated',
    iccid: parseIccid(request.iccid),
    eid: request.eid ?? null,
    card: request.card,
    sealedConfirmation: request.confirmation ?? null,
    confirmationTriesLeft: confirmationTries,
    maxDownloads: request.maxDownloads ?? w.policy.maxDownloads,
    reinstall: request.reinstall ?? w.policy.reinstall,
    expiresAt: request.expiresAt ?? null,
  }, w.clock.now());
  if (fresh) {
    await w.audit.record(tx, { actor: system, action: 'smdp.order', subjectKind: 'profile', subjectId: request.profileId });
    return activationOf(w, { matchingId, sealedConfirmation: request.confirmation ?? null });
  }
  const earlier = await store.lockOrder(tx, request.profileId);
  if (!earlier || earlier.state === 'unavailable') throw new ServiceError('smdp/not-orderable', { profileId: request.profileId });
  return activationOf(w, earlier);
}

/** Lets phones download. An order that is further on stays so. @throws `smdp/unknown-order`, `smdp/withdrawn` */
export async function release(w: Workings, tx: Tx, profileId: string): Promise<void> {
  const stored = await locked(tx, profileId);
  if (stored.state === 'unavailable') throw new ServiceError('smdp/withdrawn', { profileId });
  if (stored.state !== 'allocated') return;
  await store.setState(tx, profileId, 'released', w.clock.now());
  await w.audit.record(tx, { actor: system, action: 'smdp.release', subjectKind: 'profile', subjectId: profileId });
}

/** An agent frees a profile for another phone, for a lost one say. @throws `smdp/unknown-order`, `smdp/withdrawn` */
export async function releaseAgain(w: Workings, tx: Tx, profileId: string, actor: Actor, reason: string): Promise<void> {
  const stored = await locked(tx, profileId);
  if (stored.state === 'unavailable') throw new ServiceError('smdp/withdrawn', { profileId });
  await store.resetOrder(tx, profileId, w.clock.now());
  await w.audit.record(tx, { actor, action: 'smdp.release-again', subjectKind: 'profile', subjectId: profileId, reason, details: { from: stored.state } });
}

/**
 * Withdraws an order for good: nothing is downloaded any more. What a phone already holds only the phone can delete; its notifications are
 * still taken. Without an order there is nothing to do.
 */
export async function withdraw(w: Workings, tx: Tx, profileId: string): Promise<void> {
  const stored = await store.lockOrder(tx, profileId);
  if (!stored || stored.state === 'unavailable') return;
  await store.setState(tx, profileId, 'unavailable', w.clock.now());
  await w.audit.record(tx, { actor: system, action: 'smdp.cancel', subjectKind: 'profile', subjectId: profileId, details: { from: stored.state } });
}

/** The activation code of a profile on order; undefined when there is none, or none any more. */
export async function activation(w: Workings, db: Reader, profileId: string): Promise<Activation | undefined> {
  const stored = await store.findOrder(db, profileId);
  return stored && stored.state !== 'unavailable' ? activationOf(w, stored) : undefined;
}

function activationOf(w: Workings, { matchingId, sealedConfirmation }: Pick<StoredOrder, 'matchingId' | 'sealedConfirmation'>): Activation {
  const smdpAddress = w.smdp.addresses[0]!;
  return {
    activationCode: formatActivationCode({ smdpAddress, matchingId, confirmationCodeRequired: sealedConfirmation !== null }),
    smdpAddress,
    matchingId,
  };
}

async function locked(tx: Tx, profileId: string): Promise<StoredOrder> {
  const stored = await store.lockOrder(tx, profileId);
  if (!stored) throw new ServiceError('smdp/unknown-order', { profileId });
  return stored;
}
