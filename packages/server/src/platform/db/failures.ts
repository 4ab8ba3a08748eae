/** Codes of PostgreSQL's table of errors (SQLSTATE) that the code decides on. */
const serializationFailure = '40001';
const deadlockDetected = '40P01';
const uniqueViolation = '23505';
const featureNotSupported = '0A000';

interface SqlError { readonly code: string; readonly message: string; readonly constraint?: string }

/** The database's error in an error or its chain of causes. */
function sqlError(error: unknown): SqlError | undefined {
  let at: unknown = error;
  for (let depth = 0; depth < 5 && at instanceof Error; depth++) {
    if ('code' in at && typeof at.code === 'string' && 'severity' in at) return at as unknown as SqlError;
    at = at.cause;
  }
  return undefined;
}

/** A prepared statement whose table was altered by a migration while the connection lived. */
export function isStalePlan(error: unknown): boolean {
  const found = sqlError(error);
  return found?.code === featureNotSupported && found.message.startsWith('cached plan');
}

/** True when repeating the whole transaction may succeed. */
export function isRepeatable(error: unknown): boolean {
  const code = sqlError(error)?.code;
  return code === serializationFailure || code === deadlockDetected || isStalePlan(error);
}

/** True for a unique violation, of that constraint or index when one is named. */
export function isUniqueViolation(error: unknown, constraint?: string): boolean {
  const found = sqlError(error);
  return found?.code === uniqueViolation && (constraint === undefined || found.constraint === constraint);
}

/** SQLSTATE of the database's error, when it is one. */
export function sqlState(error: unknown): string | undefined {
  return sqlError(error)?.code;
}
