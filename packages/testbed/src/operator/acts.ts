import { randomUUID } from 'node:crypto';
import type { Register, Subscriber, SubscriberState, UsageRecord } from './register.ts';

export class OperatorRefusal extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export type ServiceCall = 'activate' | 'suspend' | 'resume' | 'terminate' | 'forget';

/** Which states a call may find, and which it leaves; a call that finds its goal already reached changes nothing. */
const moves: Readonly<Record<Exclude<ServiceCall, 'activate' | 'forget'>, { readonly from: readonly SubscriberState[]; readonly to: SubscriberState }>> = {
  suspend: { from: ['active', 'suspended'], to: 'suspended' },
  resume: { from: ['active', 'suspended'], to: 'active' },
  terminate: { from: ['active', 'suspended', 'terminated'], to: 'terminated' },
};

export interface Use {
  readonly iccid: string;
  readonly bytes: number;
  /** When the use ended. */
  readonly at: Date;
  readonly seconds?: number;
  readonly imei?: string;
  readonly mccmnc?: string;
  /** Lets a record of a subscriber who is suspended or terminated through, as late roaming records do. */
  readonly leak?: boolean;
}

export function find(register: Register, iccid: string): Subscriber {
  const subscriber = register.subscriber(iccid);
  if (subscriber === undefined) throw new OperatorRefusal(404, 'unknown-subscriber', 'No such subscriber');
  return subscriber;
}

function activate(register: Register, iccid: string, imsi: string | undefined, at: string): Subscriber {
  if (imsi === undefined || !/^\d{6,15}$/.test(imsi)) throw new OperatorRefusal(400, 'invalid', 'imsi is missing or malformed');
  const known = register.subscriber(iccid);
  if (known?.state === 'active' && known.imsi === imsi) return known;
  if (known !== undefined) throw new OperatorRefusal(409, 'wrong-state', `The subscriber is ${known.state}`);
  const subscriber: Subscriber = { iccid, imsi, state: 'active', changedAt: at };
  register.save({ subscriber });
  return subscriber;
}

function forget(register: Register, iccid: string, at: string): unknown {
  if (!register.isForgotten(iccid)) {
    const subscriber = find(register, iccid);
    if (subscriber.state !== 'terminated') throw new OperatorRefusal(409, 'wrong-state', `The subscriber is ${subscriber.state}`);
    register.save({ forgotten: { iccid, at } });
  }
  return { iccid, state: 'forgotten', changedAt: at };
}

export function perform(register: Register, call: ServiceCall, iccid: string, imsi: string | undefined, now: Date): unknown {
  const at = now.toISOString();
  if (call === 'activate') return activate(register, iccid, imsi, at);
  if (call === 'forget') return forget(register, iccid, at);
  const subscriber = find(register, iccid);
  const move = moves[call];
  if (!move.from.includes(subscriber.state)) throw new OperatorRefusal(409, 'wrong-state', `The subscriber is ${subscriber.state}`);
  if (subscriber.state === move.to) return subscriber;
  const moved: Subscriber = { ...subscriber, state: move.to, changedAt: at };
  register.save({ subscriber: moved });
  return moved;
}

/** The network counts use; it reaches the feed with the next usage file. */
export function countUse(register: Register, use: Use, homeNetwork: string): UsageRecord {
  const subscriber = find(register, use.iccid);
  if (subscriber.state !== 'active' && use.leak !== true) {
    throw new OperatorRefusal(409, 'no-service', `The subscriber is ${subscriber.state}`);
  }
  if (!Number.isSafeInteger(use.bytes) || use.bytes < 1) throw new OperatorRefusal(400, 'invalid', 'bytes is not a whole number above zero');
  const record: UsageRecord = {
    id: randomUUID(),
    start: new Date(use.at.getTime() - (use.seconds ?? 300) * 1000).toISOString(),
    stop: use.at.toISOString(),
    iccid: use.iccid, imsi: subscriber.imsi, bytes: use.bytes, imei: use.imei ?? '', mccmnc: use.mccmnc ?? homeNetwork,
  };
  register.save({ record });
  return record;
}
