import type { DeliveryState, LineAction } from '@yuanyou/contract';
import type { Actor, Audit } from '../platform/audit/types.ts';
import type { Clock } from '../platform/clock/index.ts';
import type { Tx } from '../platform/db/index.ts';
import { ServiceError } from '../platform/errors.ts';
import type { Outbox } from '../platform/jobs/types.ts';
import { lineChanged } from './events.ts';
import { deliveryChange, serviceChange } from './model.ts';
import type { Change, Line } from './model.ts';
import * as store from './store.ts';

export interface ChangeDeps {
  readonly clock: Clock;
  readonly audit: Audit;
  readonly outbox: Outbox;
}

async function save(deps: ChangeDeps, tx: Tx, line: Line, change: Change, actor: Actor, reason: string | null): Promise<void> {
  store.saveChange(tx, line, change, deps.clock.now(), actor, reason);
  await deps.audit.record(tx, {
    actor, action: `lines.${change.axis}`, subjectKind: 'line', subjectId: line.lineId, accountId: line.accountId,
    ...(reason === null ? {} : { reason }), details: { from: change.from, to: change.to },
  });
  await deps.outbox.emit(tx, lineChanged, line.lineId, { lineId: line.lineId, accountId: line.accountId, axis: change.axis, to: change.to });
}

/**
 * Takes one action on the service axis of a line.
 * @throws ServiceError `lines/unknown`, `lines/action-not-allowed`
 */
export async function changeService(deps: ChangeDeps, tx: Tx, lineId: string, action: LineAction, actor: Actor, reason: string | null): Promise<void> {
  const line = await store.lockLine(tx, lineId);
  if (line === undefined) throw new ServiceError('lines/unknown', { lineId });
  const change = serviceChange(line, action);
  if (change === 'refused') throw new ServiceError('lines/action-not-allowed', { lineId, action, service: line.service });
  if (change !== 'already') await save(deps, tx, line, change, actor, reason);
}

/** Notes what is known of the profile of a locked line. */
export async function noteDelivery(deps: ChangeDeps, tx: Tx, line: Line, to: DeliveryState, actor: Actor, reason: string | null): Promise<void> {
  const change = deliveryChange(line, to);
  if (change !== 'already') await save(deps, tx, line, change, actor, reason);
}
