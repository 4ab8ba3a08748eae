import type { Audit } from '../platform/audit/types.ts';
import type { Clock } from '../platform/clock/index.ts';
import type { Transactor } from '../platform/db/types.ts';
import type { Attempts } from '../platform/http/index.ts';
import type { BlindIndex, DataKeys } from '../platform/keys/types.ts';
import type { Passwords } from '../platform/secrets/index.ts';
import type { Site } from './passkeys/ceremonies.ts';

export interface AccessDeps {
  readonly db: Transactor;
  readonly clock: Clock;
  readonly dataKeys: DataKeys;
  readonly blindIndex: BlindIndex;
  readonly audit: Audit;
  readonly attempts: Attempts;
  readonly passwords: Passwords;
  /** Where browsers reach the service; without it there are no passkeys. */
  readonly site?: Site;
}
