import {
  orderAfter, readNotification, refuse, verifyNotification, type Es9plusRequest, type NotificationReading, type ProfileEvent,
} from '@yuanyou/rsp';
import type { Tx } from '../platform/db/index.ts';
import type { Workings } from './deps.ts';
import { trustOf } from './download.ts';
import { installFailed, profileReported } from './events.ts';
import type { StoredOrder } from './model.ts';
import * as store from './store.ts';

/**
 * ES9+.HandleNotification: verified, recorded once, and applied when it is the eUICC's latest word on the profile.
 * @throws RspError `smdp/*` when the sender cannot be verified
 */
export async function report(w: Workings, request: Es9plusRequest<'handleNotification'>): Promise<void> {
  const reading = readNotification(request);
  try {
    await w.db.transaction((tx) => record(w, tx, reading));
  } catch (error) {
    // It came before: what it would have told again is taken back.
    if (!store.isRepeated(error)) throw error;
  }
}

async function record(w: Workings, tx: Tx, reading: NotificationReading): Promise<void> {
  const { eid, order } = await verified(w, tx, reading);
  // The result of a failed installation may name no ICCID: its session does.
  const iccid = reading.iccid ?? order?.iccid;
  if (iccid === undefined) return;
  const current = order && isLatest(reading, eid, order) ? order : undefined;
  const next = current && orderAfter({ ...current, policy: { reinstall: current.reinstall } }, reading.event);
  const state = next?.state ?? current?.state;
  const row = {
    eid,
    sequenceNumber: reading.sequenceNumber,
    iccid,
    event: reading.event.kind,
    profileId: order?.profileId ?? null,
    details: reading.event.kind === 'install-failed' ? JSON.stringify({ command: reading.event.command, reason: reading.event.reason }) : null,
    at: w.clock.now(),
  };
  if (!current || !state) return store.saveNotification(tx, row);
  const { profileId } = current;
  store.applyNotification(tx, row, { profileId, state, eid: next?.releaseEid ? null : eid });
  await tell(w, tx, reading.event, { profileId, iccid, eid, state });
}

/** Who sent it, and the order that it concerns, locked. An installation is signed without certificates: its session knows the key. */
async function verified(w: Workings, tx: Tx, reading: NotificationReading): Promise<{ readonly eid: string; readonly order: StoredOrder | undefined }> {
  if (reading.transactionId === undefined) {
    const eid = verifyNotification(reading, { client: undefined, trust: trustOf(w) });
    return { eid, order: reading.iccid === undefined ? undefined : await store.lockByIccid(tx, reading.iccid) };
  }
  const found = await store.lockBySession(tx, reading.transactionId);
  const eid = verifyNotification(reading, { client: found?.session?.client, trust: trustOf(w) });
  if (reading.iccid !== undefined && found?.order?.iccid !== reading.iccid) throw refuse('signatureInvalid', 'another profile than the session\'s');
  return { eid, order: found?.order };
}

/** Notifications come late and in any order: one that is older than another of the same eUICC changes nothing any more. */
function isLatest(reading: NotificationReading, eid: string, order: StoredOrder): boolean {
  return order.eid === eid && (order.lastSequence === null || order.lastSequence < BigInt(reading.sequenceNumber));
}

async function tell(
  w: Workings, tx: Tx, event: ProfileEvent, about: { readonly profileId: string; readonly iccid: string; readonly eid: string; readonly state: string },
): Promise<void> {
  const { profileId, iccid, eid, state } = about;
  if (event.kind === 'install-failed') {
    await w.outbox.emit(tx, installFailed, profileId, { profileId, eid, command: event.command, reason: event.reason, state });
  } else {
    await w.outbox.emit(tx, profileReported, profileId, { profileId, iccid, eid, to: event.kind });
  }
}
