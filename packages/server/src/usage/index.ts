import type { Ledger } from '../ledger/index.ts';
import type { Line } from '../lines/index.ts';
import type { Notifications } from '../notifications/index.ts';
import type { Reader, Tx } from '../platform/db/index.ts';
import type { Endpoint } from '../platform/http/types.ts';
import type { Schedule } from '../platform/jobs/types.ts';
import type { SubjectHolder } from '../platform/subject/index.ts';
import type { ApplyDeps } from './apply.ts';
import { attempt, attemptDue } from './attempt.ts';
import type { AttemptDeps } from './attempt.ts';
import { batchReceived, thresholdReached } from './events.ts';
import { expireAllowances } from './expire.ts';
import { receive } from './feed.ts';
import { sweepFolder } from './folder.ts';
import type { FolderDeps } from './folder.ts';
import { usageHolder } from './holder.ts';
import type { Allowance } from './model.ts';
import { usageEndpoints } from './routes.ts';
import { settleAccount, unsettleAccount, wouldReturn } from './settle.ts';
import { tellThreshold } from './tell.ts';
import type { ContactPoints } from './tell.ts';
import type { Settled } from './settle.ts';
import * as store from './store.ts';

export { thresholdReached } from './events.ts';
export type { Allowance } from './model.ts';
export type { Settled } from './settle.ts';
export type { ContactPoints } from './tell.ts';

/** A new allowance: what was bought, what was paid, and when it may be used. */
export type Grant = Omit<Allowance, 'usedBytes' | 'earnedMinor' | 'toldPercent' | 'cutoffAt'>;

export interface Usage {
  /** Gives a line an allowance, in the caller's transaction. */
  grant(tx: Tx, grant: Grant): Promise<void>;
  /** Takes a line's allowance back because the line could not be provisioned. False when it had ended otherwise: its value has gone back already. */
  revoke(tx: Tx, lineId: string): Promise<boolean>;
  /** Use from `at` on is never the traveller's. Answers how many allowances it concerns. */
  cutOff(tx: Tx, accountId: string, at: Date): Promise<number>;
  /** Takes a cutoff back, where the closure was undone. */
  liftCutoff(tx: Tx, accountId: string): Promise<number>;
  /** Ends every allowance of an account and returns unused value by each plan's rule; `ref` names this settlement in the books. */
  settle(tx: Tx, accountId: string, ref: string): Promise<Settled[]>;
  /** What the plans would return to the balance if they ended now, by currency. */
  wouldReturn(db: Reader, accountId: string): Promise<Map<string, bigint>>;
  /** Takes back what `settle` answered under the same `ref`. */
  unsettle(tx: Tx, accountId: string, ref: string, settled: readonly Settled[]): Promise<void>;
  allowances(db: Reader, accountId: string): Promise<Allowance[]>;
  /** Takes in raw usage of an operator. */
  receive(operatorId: string, source: string, bytes: Uint8Array): Promise<void>;
  /** How many batches that arrived until then are not applied yet. */
  pendingBatches(db: Reader, receivedUntil: Date): Promise<number>;
  /** Looks into every operator's feed folder once. */
  sweepFeeds(): Promise<void>;
  readonly endpoints: Endpoint[];
  readonly holder: SubjectHolder;
}

export interface UsageDeps extends FolderDeps, AttemptDeps {
  readonly schedule: Schedule;
  readonly log: AttemptDeps['log'];
  readonly ledger: Ledger;
  readonly lines: ApplyDeps['lines'] & { find(db: Reader, lineId: string): Promise<Line | undefined> };
  /** The operators that put files into a folder. */
  readonly feeds: () => Promise<readonly { readonly operatorId: string; readonly folder: string }[]>;
  /** How often the folders are looked into. */
  readonly feedEveryMs: number;
  readonly notifications: Pick<Notifications, 'queue'>;
  readonly accounts: ContactPoints;
}

async function sweepFeeds(deps: UsageDeps): Promise<void> {
  for (const { operatorId, folder } of await deps.feeds()) {
    try {
      await sweepFolder(deps, operatorId, folder);
    } catch (error) {
      // One operator's folder must not hold up the others; the next round tries again.
      deps.log.error({ operatorId, err: error }, 'usage feed could not be read');
    }
  }
}

/** Use: what arrives from operators, what it draws down, earns and costs. */
export function createUsage(deps: UsageDeps): Usage {
  deps.outbox.subscribe(batchReceived, 'usage.apply', ({ body }) => attempt(deps, body.batchId));
  deps.schedule.every('usage.apply-due', 10_000, () => attemptDue(deps));
  deps.outbox.subscribe(thresholdReached, 'usage.tell', ({ body }) => tellThreshold(deps, body));
  deps.schedule.every('usage.feeds', deps.feedEveryMs, () => sweepFeeds(deps));
  deps.schedule.every('usage.expire', 3_600_000, async () => { await expireAllowances(deps); });
  return {
    grant: (tx, grant) => store.insertAllowance(tx, { ...grant, usedBytes: 0n, earnedMinor: 0n, toldPercent: 0, cutoffAt: null }),
    revoke: store.revokeOfLine,
    cutOff: store.setCutoff,
    liftCutoff: store.liftCutoff,
    settle: (tx, accountId, ref) => settleAccount(deps, tx, accountId, ref),
    wouldReturn: (db, accountId) => wouldReturn(db, accountId, deps.clock.now()),
    unsettle: (tx, accountId, ref, settled) => unsettleAccount(deps, tx, accountId, ref, settled),
    allowances: store.allowancesOfAccount,
    receive: (operatorId, source, bytes) => receive(deps, operatorId, source, bytes),
    pendingBatches: store.pendingBatches,
    sweepFeeds: () => sweepFeeds(deps),
    endpoints: usageEndpoints(deps),
    holder: usageHolder(() => deps.clock.now()),
  };
}
