import type { RawBuilder } from 'kysely';

/** May read. What a function may do to the database is the type it is given. Outside a transaction a statement is repeated like one. */
export interface Reader {
  /** All rows of a query. */
  all<R>(query: RawBuilder<R>): Promise<R[]>;
  /** The only row, or undefined when there is none; more than one row is an error. */
  maybe<R>(query: RawBuilder<R>): Promise<R | undefined>;
  /** The only row; none or more than one is an error. */
  one<R>(query: RawBuilder<R>): Promise<R>;
}

/** A transaction under way: may read and write. */
export interface Tx extends Reader {
  /** Runs a statement; answers how many rows it touched. */
  run(statement: RawBuilder<unknown>): Promise<number>;
  /**
   * Sends a statement whose answer nobody waits for: it travels with the next one, or with the commit, instead of costing a round trip.
   * When it fails the transaction fails with its error, whatever `work` does.
   */
  send(statement: RawBuilder<unknown>): void;
  /** Calls back once the transaction has committed; never when it has not. */
  onCommit(call: () => void): void;
}

export interface TransactionOptions {
  /**
   * `soon`: the commit is written to the disk within a second, or with the next one that is, instead of before the caller hears of it. The
   * log keeps its order, so that a crash takes back this transaction only with all that came after it: right where the work is done again
   * in that case (what an event's delivery writes, a claim), wrong where somebody outside was told.
   */
  readonly durable?: 'now' | 'soon';
}

/** May open transactions. */
export interface Transactor extends Reader {
  /** Runs one statement as a transaction of its own, in one round trip; answers how many rows it touched. Repeated like `transaction`. */
  alone(statement: RawBuilder<unknown>): Promise<number>;
  /** Runs `work` in one transaction (read committed); rolls back when it throws; repeats it on a deadlock or serialization failure. */
  transaction<T>(work: (tx: Tx) => Promise<T>, options?: TransactionOptions): Promise<T>;
}
