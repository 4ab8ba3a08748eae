import type { Audit } from '../platform/audit/types.ts';
import type { Transactor } from '../platform/db/index.ts';
import type { Endpoint } from '../platform/http/index.ts';
import type { DeadLetters, Sagas } from '../platform/jobs/index.ts';
import { operationsEndpoints } from './routes.ts';

export interface OperationsDeps {
  readonly db: Transactor;
  readonly audit: Audit;
  readonly deadLetters: DeadLetters;
  readonly sagas: Sagas;
}

/** What has come to a stop and how agents set it going again. */
export interface Operations {
  readonly endpoints: readonly Endpoint[];
}

export function createOperations(deps: OperationsDeps): Operations {
  return { endpoints: operationsEndpoints(deps) };
}
