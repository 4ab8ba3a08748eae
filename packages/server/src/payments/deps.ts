import type { Logger } from 'pino';
import type { Ledger } from '../ledger/index.ts';
import type { Audit } from '../platform/audit/types.ts';
import type { Clock } from '../platform/clock/index.ts';
import type { Transactor, Tx } from '../platform/db/index.ts';
import type { Attempts } from '../platform/http/index.ts';
import type { Outbox, Schedule } from '../platform/jobs/types.ts';
import type { BlindIndex, DataKeys } from '../platform/keys/types.ts';
import type { Gateway } from './gateway.ts';

export interface PaymentsDeps {
  readonly db: Transactor;
  readonly clock: Clock;
  readonly ledger: Ledger;
  readonly outbox: Outbox;
  readonly schedule: Schedule;
  readonly dataKeys: DataKeys;
  readonly blindIndex: BlindIndex;
  readonly attempts: Attempts;
  readonly audit: Audit;
  readonly gateway: Gateway;
  readonly log: Pick<Logger, 'warn'>;
  /** Refuses when the account may not pay; holds off a freeze until the transaction ends. */
  readonly requirePayer: (tx: Tx, accountId: string) => Promise<unknown>;
  /** ISO 4217 codes that a top-up may have. */
  readonly currencies: readonly string[];
  /** The gateway's own page for a payment, where it has one: the intent's id is appended. */
  readonly payPageUrl?: string;
}
