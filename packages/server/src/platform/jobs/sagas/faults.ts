import { ServiceError } from '../../errors.ts';

/** A place in a saga's run where a test may break it. */
export interface FaultPoint {
  readonly sagaId: string;
  readonly kind: string;
  readonly step: string;
  /** `after`: the step has done its work and nothing tells so yet. */
  readonly moment: 'before' | 'after' | 'undo-before' | 'undo-after';
  readonly attempt: number;
}

/** Called at every point; what it throws fails the step, as an error of its own would. */
export interface SagaFaults {
  at(point: FaultPoint): void | Promise<void>;
}

export interface FaultOrder {
  /** `<kind>:<step>:<moment>`, for example `closure:settle:after`. */
  readonly at: string;
  readonly kind: 'throw' | 'sigkill';
  /** How often; default once. */
  readonly times?: number;
}

/** Faults from a list, for tests and development mode. `sigkill` ends this process as kill -9 does. */
export function orderedFaults(orders: readonly FaultOrder[]): SagaFaults {
  const left = new Map(orders.map((order) => [order, order.times ?? 1]));
  return {
    at(point) {
      const name = `${point.kind}:${point.step}:${point.moment}`;
      for (const [order, times] of left) {
        if (order.at !== name || times <= 0) continue;
        left.set(order, times - 1);
        if (order.kind === 'sigkill') process.kill(process.pid, 'SIGKILL');
        throw new ServiceError('jobs/ordered-fault', { at: name });
      }
    },
  };
}
