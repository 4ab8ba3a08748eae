import type { Logger } from 'pino';
import type { ZodType } from 'zod';
import type { Tx } from '../db/types.ts';

/** Where jobs report; ids and codes only. */
export type JobsLog = Pick<Logger, 'debug' | 'info' | 'warn' | 'error'>;

/** JSON as jobs, events and steps carry it: ids and numbers only, never a personal value. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** An event that a slice declares at its door; higher slices subscribe to it. */
export interface EventType<B> {
  /** `<slice>.<what-happened>`, for example `lines.terminated`. */
  readonly name: string;
  readonly body: ZodType<B>;
}

export interface Event<B> {
  readonly id: string;
  readonly name: string;
  /** Events of one key are delivered to a consumer in the order they were emitted. */
  readonly key: string;
  readonly body: B;
  readonly emittedAt: Date;
}

/** The transactional outbox: an event exists exactly when the transaction that emitted it committed. */
export interface Outbox {
  /** Emits to every consumer that has subscribed; `notBefore` delays the delivery. */
  emit<B>(tx: Tx, type: EventType<B>, key: string, body: B, options?: { readonly notBefore?: Date }): Promise<void>;
  /** Subscribes a consumer, at wiring time; delivery is at least once, so handlers are idempotent. */
  subscribe<B>(type: EventType<B>, consumer: string, handler: (event: Event<B>) => Promise<void>): void;
}

/** Which page of a list: `cursor` is the previous page's `nextCursor`. */
export interface PageOf { readonly cursor?: string; readonly limit: number }

/** `nextCursor` is null on the last page. */
export interface Page<T> { readonly items: readonly T[]; readonly nextCursor: string | null }

/** A delivery that failed too often; it no longer holds up its key. */
export interface DeadLetter {
  readonly eventId: string;
  readonly consumer: string;
  readonly event: string;
  readonly key: string;
  readonly attempts: number;
  readonly lastError: string | null;
  readonly emittedAt: Date;
  readonly diedAt: Date;
}

export interface DeadLetters {
  /** Oldest first. @throws `jobs/bad-cursor` */
  list(page: PageOf): Promise<Page<DeadLetter>>;
  /** Delivers it again, behind what its key has waiting now. False when there is no such dead letter. */
  requeue(tx: Tx, eventId: string, consumer: string): Promise<boolean>;
}

/** A task that repeats: every `everyMs` it runs on one of the processes. */
export interface Schedule {
  every(name: string, everyMs: number, run: () => Promise<void>): void;
}

/** What a step says when it ends without an error. */
export type StepOutcome =
  | { readonly kind: 'done'; readonly result?: Json }
  /**
   * Nothing failed, but something outside must happen first; looked at again at `until` or when woken. Without `until` the pauses grow
   * as those between failures do, but never lead to giving up: that is the step's to decide.
   */
  | { readonly kind: 'waiting'; readonly on: string; readonly until?: Date }
  /** Another attempt would fail as well: undo (before the pivot) or wait for an agent at once. `code` is stored. */
  | { readonly kind: 'refused'; readonly code: string };

export interface StepContext<I extends Json> {
  readonly sagaId: string;
  readonly input: I;
  /** Results of the steps done so far, by step name. */
  readonly results: Readonly<Record<string, Json>>;
  /** 1 at the first attempt; looks after a wait and after a crash count as well. */
  readonly attempt: number;
  /** When this step was first begun. */
  readonly startedAt: Date;
  readonly now: () => Date;
  /**
   * A transaction that fails with `jobs/lease-lost` when another worker took the saga over (fencing). Every write of a
   * step goes through it.
   */
  transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
}

export interface SagaStep<I extends Json> {
  readonly name: string;
  /** From this step on the saga only goes forward. */
  readonly pivot?: true;
  run(context: StepContext<I>): Promise<StepOutcome>;
  /**
   * Idempotent, like `run`; called for steps begun or done when a step before the pivot fails for good. It may wait like a step; one that
   * is refused waits for an agent at once.
   */
  undo?(context: StepContext<I>): Promise<StepOutcome | void>;
}

export interface Saga<I extends Json> {
  readonly kind: string;
  readonly steps: readonly SagaStep<I>[];
  /** Failures in a row of a step before it waits for an agent (from the pivot on) or undoes (before it). Default 8. */
  readonly maxAttempts?: number;
  /** Called in the transaction that ends the saga. */
  onEnd?(tx: Tx, sagaId: string, input: I, end: 'completed' | 'undone'): Promise<void>;
}

export type StepStatus = 'pending' | 'running' | 'waiting' | 'retrying' | 'stuck' | 'done' | 'skipped' | 'undoing' | 'undone';
export type SagaStatus = 'running' | 'stuck' | 'undoing' | 'completed' | 'undone';

/** What a tracker shows of a saga. */
export interface SagaView {
  readonly sagaId: string;
  readonly kind: string;
  readonly status: SagaStatus;
  readonly steps: readonly {
    readonly name: string; readonly status: StepStatus; readonly attempts: number; readonly waitingOn: string | null;
    readonly dueAt: Date | null; readonly startedAt: Date | null; readonly endedAt: Date | null; readonly lastError: string | null;
    readonly skipReason: string | null;
  }[];
}

export interface Sagas {
  /** Makes a kind known, at wiring time. */
  register<I extends Json>(saga: Saga<I>): void;
  /** Begins a saga in the caller's transaction; a second start with the same id does nothing. */
  start(tx: Tx, kind: string, sagaId: string, input: Json): Promise<void>;
  /**
   * Makes a waiting or stuck saga look again at once (in the caller's transaction); nothing happens to one that has ended
   * or does not exist. `alsoStuck: false` leaves one that waits for an agent alone; default true.
   */
  wake(tx: Tx, sagaId: string, how?: { readonly alsoStuck?: boolean }): Promise<void>;
  /**
   * Turns back a saga that waits or failed before its pivot: everything done is undone. True also when it was on its way back before. False
   * when there is nothing to turn back, and while a step runs: what it does outside cannot be stopped, so that one has to end first.
   */
  turnBack(tx: Tx, sagaId: string): Promise<boolean>;
  /**
   * Tries the stuck step of a saga again; answers which. The caller writes the audit entry.
   * @throws `jobs/unknown-saga`, `jobs/step-not-stuck`
   */
  retry(tx: Tx, sagaId: string): Promise<{ readonly step: string }>;
  /**
   * An agent skips a stuck step with a reason; the caller writes the audit entry.
   * @throws `jobs/unknown-saga`, `jobs/step-not-stuck`, `jobs/no-reason`
   */
  skip(tx: Tx, sagaId: string, step: string, reason: string): Promise<void>;
  view(sagaId: string): Promise<SagaView | undefined>;
  /** Sagas that wait for an agent, oldest first. @throws `jobs/bad-cursor` */
  stuck(page: PageOf): Promise<Page<StuckSaga>>;
}

export interface StuckSaga {
  readonly sagaId: string;
  readonly kind: string;
  readonly step: string;
  readonly lastError: string | null;
  readonly createdAt: Date;
}
