import { defaultBackoff, type Backoff } from './backoff.ts';

export interface JobsSettings {
  /** How long a worker may be silent before another takes over its work. */
  readonly leaseMs: number;
  /** Pause between looks for work while there is none. */
  readonly idleMs: number;
  readonly backoff: Backoff;
  /** Failures in a row of a saga's step, where its kind does not say. */
  readonly maxStepAttempts: number;
  /** Attempts of a delivery before it is dead. */
  readonly maxDeliveryAttempts: number;
  /** A step or its undo that takes longer counts as failed. */
  readonly longestStepMs: number;
  /** The same for a consumer's handler or a scheduled task. */
  readonly longestRunMs: number;
  /** How long `stop` waits for what runs; beyond that the leases see to it. */
  readonly longestStopMs: number;
  readonly concurrentDeliveries: number;
  readonly concurrentSagas: number;
  readonly keepDoneMs: number;
  readonly keepDeadMs: number;
}

const day = 24 * 3_600_000;

export const defaultSettings: JobsSettings = {
  leaseMs: 10_000,
  idleMs: 250,
  backoff: defaultBackoff,
  maxStepAttempts: 8,
  maxDeliveryAttempts: 12,
  longestStepMs: 10 * 60_000,
  longestRunMs: 5 * 60_000,
  longestStopMs: 15_000,
  concurrentDeliveries: 8,
  concurrentSagas: 8,
  keepDoneMs: day,
  keepDeadMs: 90 * day,
};
