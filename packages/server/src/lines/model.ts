import { deliverySteps, lineActions, lineCan } from '@yuanyou/contract';
import type { DeliveryState, LineAction, ServiceState } from '@yuanyou/contract';
import type { Actor } from '../platform/audit/types.ts';

/** An account's subscribed plan with its profile and device; two of its three axes (the allowance is usage's). */
export interface Line {
  readonly lineId: string;
  readonly accountId: string;
  readonly planId: string;
  readonly operatorId: string;
  readonly profileId: string;
  readonly delivery: DeliveryState;
  readonly service: ServiceState;
  /** Null once the account was erased. */
  readonly iccid: string | null;
  readonly deviceId: string | null;
  readonly createdAt: Date;
  readonly activatedAt: Date | null;
  readonly terminatedAt: Date | null;
}

/** One change on one axis. */
export interface Change {
  readonly axis: 'delivery' | 'service';
  readonly from: string | null;
  readonly to: string;
}

/** What an action does to the service axis: the change, `already` when it stands there, or `refused`. */
export function serviceChange(line: Line, action: LineAction): Change | 'already' | 'refused' {
  const { to } = lineActions[action];
  if (line.service === to) return 'already';
  return lineCan(action, line) ? { axis: 'service', from: line.service, to } : 'refused';
}

/**
 * What a report about the profile does to the delivery axis. Reports come late and in any order, so one that
 * does not follow from the present state changes nothing.
 */
export function deliveryChange(line: Line, to: DeliveryState): Change | 'already' {
  if (line.delivery === to || !deliverySteps[line.delivery].includes(to)) return 'already';
  return { axis: 'delivery', from: line.delivery, to };
}

/** Whether a phone holds the line's profile, as far as its signed notifications tell. */
export function isOnDevice(line: Pick<Line, 'delivery'>): boolean {
  return ['downloaded', 'installed', 'enabled', 'disabled'].includes(line.delivery);
}

export const tail = (value: string): string => value.slice(-4);

export const bySystem = (id: string): Actor => ({ kind: 'system', id });
