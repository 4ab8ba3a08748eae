import type { DeliveryState } from '@yuanyou/contract';
import type { Actor } from '../platform/audit/types.ts';
import type { Reader, Tx } from '../platform/db/index.ts';
import { ServiceError } from '../platform/errors.ts';
import type { Endpoint } from '../platform/http/types.ts';
import type { Sagas } from '../platform/jobs/types.ts';
import type { SubjectHolder } from '../platform/subject/index.ts';
import { changeService, noteDelivery } from './change.ts';
import { linesHolder } from './holder.ts';
import { bySystem, isOnDevice } from './model.ts';
import type { Line } from './model.ts';
import { callOperator, provisionSaga } from './provision.ts';
import type { ProvisionDeps } from './provision.ts';
import { lineEndpoints } from './routes.ts';
import * as store from './store.ts';

export { lineChanged, lineFailed, lineProvisioned } from './events.ts';
export { isOnDevice, tail } from './model.ts';
export { longestProvisioningMs } from './provision.ts';
export type { Line } from './model.ts';
export type { Downloads, OperatorCalls, Operators, Stock } from './ports.ts';

/** What a phone's signed notification said of a profile. */
export interface ProfileReport {
  readonly profileId: string;
  readonly eid: string;
  readonly to: Extract<DeliveryState, 'downloaded' | 'installed' | 'enabled' | 'disabled' | 'deleted'>;
}

export interface Lines {
  /** Creates a line over a reserved profile and begins to provision it, in the caller's transaction. */
  create(tx: Tx, line: Pick<Line, 'lineId' | 'accountId' | 'planId' | 'operatorId' | 'profileId'> & { readonly iccid: string }): Promise<void>;
  /** Gives up provisioning a line that waits for its operator. False when it does not wait: it is done, failed, or a call is under way. */
  giveUp(tx: Tx, lineId: string, actor: Actor): Promise<boolean>;
  find(db: Reader, lineId: string): Promise<Line | undefined>;
  /** The latest line of each profile. */
  byProfiles(db: Reader, profileIds: readonly string[]): Promise<Line[]>;
  /** Every line of an account, newest first, in batches of `limit`. */
  ofAccount(db: Reader, accountId: string, before: string | null, limit: number): Promise<Line[]>;
  /** Takes up a phone's report. One about a line that has ended updates nothing but the inventory, which hears of it itself. */
  report(report: ProfileReport): Promise<void>;
  /** Stops the service at the operator, then notes it. Idempotent by `requestId`. */
  suspend(line: Line, requestId: string, actor: Actor, reason: string, transaction: <T>(work: (tx: Tx) => Promise<T>) => Promise<T>): Promise<void>;
  resume(line: Line, requestId: string, actor: Actor, reason: string, transaction: <T>(work: (tx: Tx) => Promise<T>) => Promise<T>): Promise<void>;
  /** Ends the service at the operator for good, then notes it. Idempotent by `requestId`. */
  terminate(line: Line, requestId: string, actor: Actor, reason: string, transaction: <T>(work: (tx: Tx) => Promise<T>) => Promise<T>): Promise<void>;
  /** Takes the profile out of use: nothing is downloaded any more, the stock marks it. The phone alone can delete what it holds. */
  retireProfile(tx: Tx, lineId: string, actor: Actor, reason: string): Promise<void>;
  readonly endpoints: Endpoint[];
  readonly holder: SubjectHolder;
}

export interface LinesDeps extends ProvisionDeps {
  readonly sagas: Sagas;
}

async function report(deps: LinesDeps, { profileId, eid, to }: ProfileReport): Promise<void> {
  await deps.db.transaction(async (tx) => {
    if (to === 'downloaded' || to === 'installed' || to === 'deleted') await deps.stock.note(tx, profileId, to);
    const line = await store.lockLineOfProfile(tx, profileId);
    if (line === undefined || line.iccid === null) return;
    // A profile that was deleted may be downloaded anew, by another phone.
    if (line.deviceId === null || to === 'downloaded') store.linkDevice(tx, line, eid, deps.clock.now());
    await noteDelivery(deps, tx, line, to, { kind: 'device', id: profileId }, null);
    // A crash that takes this back takes back the end of the delivery too: then the report comes again.
  }, { durable: 'soon' });
}

async function retireProfile(deps: LinesDeps, tx: Tx, lineId: string, actor: Actor, reason: string): Promise<void> {
  const line = await store.lockLine(tx, lineId);
  if (line === undefined) throw new ServiceError('lines/unknown', { lineId });
  await deps.downloads.cancel(tx, line.profileId);
  // That a phone has deleted it is evidence; it stays on record.
  if (!isOnDevice(line) && line.delivery !== 'deleted') await noteDelivery(deps, tx, line, 'retired', actor, reason);
  await deps.stock.retire(tx, line.profileId);
}

async function create(deps: LinesDeps, tx: Tx, line: Parameters<Lines['create']>[1]): Promise<void> {
  await store.insertLine(tx, {
    ...line, delivery: 'allocated', service: 'pending', deviceId: null, createdAt: deps.clock.now(), activatedAt: null, terminatedAt: null,
  });
  await deps.audit.record(tx, {
    actor: bySystem('orders'), action: 'lines.create', subjectKind: 'line', subjectId: line.lineId, accountId: line.accountId,
  });
  await deps.sagas.start(tx, 'provision', line.lineId, { lineId: line.lineId });
}

async function giveUp(deps: LinesDeps, tx: Tx, lineId: string, actor: Actor): Promise<boolean> {
  // The saga's row first, as its steps lock it before the line's.
  if (!await deps.sagas.turnBack(tx, lineId)) return false;
  const line = await store.findLine(tx, lineId);
  if (line === undefined) return false;
  await deps.audit.record(tx, { actor, action: 'lines.give-up', subjectKind: 'line', subjectId: lineId, accountId: line.accountId });
  return true;
}

/** Lines: what an account has subscribed to, and its service at the operator. */
export function createLines(deps: LinesDeps): Lines {
  deps.sagas.register(provisionSaga(deps));
  const act = (verb: 'suspend' | 'resume' | 'terminate'): Lines['suspend'] => async (line, requestId, actor, reason, transaction) => {
    if (line.service !== 'terminated') await callOperator(deps, line, verb, requestId);
    await transaction((tx) => changeService(deps, tx, line.lineId, verb, actor, reason));
  };
  return {
    create: (tx, line) => create(deps, tx, line),
    giveUp: (tx, lineId, actor) => giveUp(deps, tx, lineId, actor),
    find: store.findLine,
    byProfiles: store.linesByProfile,
    ofAccount: store.linesOf,
    report: (given) => report(deps, given),
    suspend: act('suspend'),
    resume: act('resume'),
    terminate: act('terminate'),
    retireProfile: (tx, lineId, actor, reason) => retireProfile(deps, tx, lineId, actor, reason),
    endpoints: lineEndpoints(deps),
    holder: linesHolder,
  };
}
