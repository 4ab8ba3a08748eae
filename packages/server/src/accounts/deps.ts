import type { Site } from '../access/index.ts';
import type { Notifications } from '../notifications/index.ts';
import type { Audit } from '../platform/audit/types.ts';
import type { Clock } from '../platform/clock/index.ts';
import type { Transactor } from '../platform/db/types.ts';
import type { Attempts } from '../platform/http/index.ts';
import type { Outbox } from '../platform/jobs/types.ts';
import type { BlindIndex, DataKeys } from '../platform/keys/types.ts';
import type { Passwords } from '../platform/secrets/index.ts';

export interface AccountsDeps {
  readonly db: Transactor;
  readonly clock: Clock;
  readonly dataKeys: DataKeys;
  readonly blindIndex: BlindIndex;
  readonly outbox: Outbox;
  readonly audit: Audit;
  readonly attempts: Attempts;
  readonly passwords: Passwords;
  readonly notifications: Pick<Notifications, 'queue'>;
  /** Where browsers reach the service; without it there are no passkeys. */
  readonly site?: Site;
}
