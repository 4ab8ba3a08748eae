import type { RawBuilder } from 'kysely';

/** May read. What a function may do to the database is the type it is given. */
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
}

/** May open transactions. */
export interface Transactor extends Reader {
  /** Runs one statement as a transaction of its own, in one round trip; answers how many rows it touched. Repeated like `transaction`. */
  alone(statement: RawBuilder<unknown>): Promise<number>;
  /** Runs `work` in one transaction (read committed); rolls back when it throws; repeats it on a deadlock or serialization failure. */
  transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
}
