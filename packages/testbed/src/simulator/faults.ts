/**
 * What may go wrong between two machines:
 * - `fail`: answers an error and does nothing
 * - `delay`: waits, then does it
 * - `timeout-after-doing`: does it and keeps silent until the caller gives up
 * - `lost-answer`: does it and cuts the connection
 * - `answer-twice`: does it and sends the answer two times over
 */
export type FaultKind = 'fail' | 'delay' | 'timeout-after-doing' | 'lost-answer' | 'answer-twice';

export interface Fault {
  readonly kind: FaultKind;
  /** What it hits: the start of `METHOD /path`, for example `POST /v1/refunds`. */
  readonly match: string;
  /** How many requests it hits; default 1. */
  readonly times?: number;
  /** For `delay` and `timeout-after-doing`; default 1000. */
  readonly delayMs?: number;
  /** For `fail`; default 500. */
  readonly status?: number;
}

export interface Faults {
  add(fault: Fault): void;
  clear(): void;
  /** The fault that hits this request, if any, counted down. */
  take(method: string, path: string): Fault | undefined;
}

export function createFaults(): Faults {
  let armed: { fault: Fault; left: number }[] = [];
  return {
    add(fault) { armed.push({ fault, left: fault.times ?? 1 }); },
    clear() { armed = []; },
    take(method, path) {
      const found = armed.find(({ fault }) => `${method} ${path}`.startsWith(fault.match));
      if (found === undefined) return undefined;
      found.left -= 1;
      if (found.left <= 0) armed = armed.filter((entry) => entry !== found);
      return found.fault;
    },
  };
}
