import type { Language, StepUpProof } from '@yuanyou/contract';
import type { Ledger } from '../ledger/index.ts';
import type { Lines } from '../lines/index.ts';
import type { Notifications } from '../notifications/index.ts';
import type { Audit } from '../platform/audit/types.ts';
import type { Blobs } from '../platform/blobs/types.ts';
import type { Clock } from '../platform/clock/index.ts';
import type { Reader, Transactor, Tx } from '../platform/db/index.ts';
import type { Attempts } from '../platform/http/index.ts';
import type { Outbox, Sagas, Schedule } from '../platform/jobs/types.ts';
import type { BlindIndex, DataKeys, Signer } from '../platform/keys/types.ts';
import type { SubjectHolder } from '../platform/subject/index.ts';
import type { Usage } from '../usage/index.ts';

/** The account, as closure needs it. */
export interface ClosingAccounts {
  contactPoint(accountId: string): Promise<{ readonly email: string; readonly name: string; readonly language: Language } | undefined>;
  /** @throws ServiceError `accounts/wrong-password`, `accounts/wrong-proof`, `general/too-many-requests` */
  stepUp(accountId: string, proof: StepUpProof): Promise<true>;
  /** Risk signals; undefined once the account is closed. */
  facts(db: Reader, accountId: string): Promise<{ readonly emailChangedAt: Date | null; readonly passwordChangedAt: Date | null } | undefined>;
  freeze(tx: Tx, accountId: string): Promise<unknown>;
  unfreeze(tx: Tx, accountId: string): Promise<unknown>;
  /** Answers how many there were. */
  endSessions(tx: Tx, accountId: string): Promise<number>;
}

/** Money out, as closure needs it. */
export interface ClosingPayments {
  /** Splits an amount over the account's payments, newest first; less than asked where they do not cover it. */
  refundPlan(db: Reader, accountId: string, amountMinor: bigint, currency: string): Promise<readonly {
    readonly paymentId: string; readonly amountMinor: bigint; readonly method: string;
  }[]>;
  /** Notes a refund and sets the money aside in the books. Idempotent by `refundId`. */
  requestRefund(tx: Tx, refund: { readonly refundId: string; readonly paymentId: string; readonly amountMinor: bigint }): Promise<unknown>;
  /** Takes back a refund that was not sent. @throws ServiceError `payments/refund-under-way` */
  withdrawRefund(tx: Tx, refundId: string): Promise<unknown>;
  /** Pays a requested refund out at the gateway, after looking whether it was paid already. */
  payRefund(refundId: string): Promise<'succeeded' | 'pending' | 'failed'>;
  refundStatus(db: Reader, refundId: string): Promise<'requested' | 'pending' | 'succeeded' | 'failed' | undefined>;
  /** Closes unpaid top-ups, so that no money can arrive after the end. */
  cancelOpenTopUps(accountId: string): Promise<{ readonly stillOpen: number }>;
}

/** The log, as closure needs it. */
export interface ClosingLog {
  append(tx: Tx, leaf: { readonly leafId: string; readonly entry: Uint8Array }): Promise<unknown>;
  /** Gives waiting leaves their place; a no-op when another process does it. */
  sequence(): Promise<unknown>;
  evidence(leafId: string): Promise<{
    readonly origin: string; readonly index: number; readonly treeSize: number; readonly inclusion: readonly Uint8Array[]; readonly checkpoint: string;
  } | undefined>;
}

/** Someone who holds data of travellers because of us and has to be told when one leaves. */
export interface Recipient {
  /** Stable: receipts are kept by it. */
  readonly id: string;
  /** As shown in tracker and certificate. */
  readonly name: string;
  readonly kind: 'operator' | 'payment-processor' | 'message-gateway';
  /** Tells them, idempotent by `requestId`; the last message to the traveller goes out by `lastMessageBy`. Answers their receipt. `undefined` when they never had anything of this account. */
  tell(told: { readonly accountId: string; readonly requestId: string; readonly lastMessageBy: Date }): Promise<{ readonly state: 'told' | 'confirmed'; readonly reference: string | null } | undefined>;
}

export interface ClosureSettings {
  readonly issuer: { readonly id: string; readonly name: string };
  readonly publicUrl: string;
  readonly jurisdiction: string;
  readonly automaticLimitMinor: bigint;
  readonly targetDays: number;
  readonly promiseWorkingDays: number;
  readonly defaultCoolingOffDays: number;
  readonly exportLinkDays: number;
  /** How long to wait for the phones' signed delete notifications. */
  readonly unbindWaitMs: number;
  /** How long to wait for usage that has arrived to be applied. */
  readonly usageWaitMs: number;
  /** How long erasing waits for the receipt of the application to leave. */
  readonly receiptWaitMs: number;
  /** The latest time, after the certificate was issued, at which the envelope's key is destroyed; the certificate names it. */
  readonly envelopeLifeMs: number;
  readonly appeal: string;
}

export interface ClosureDeps {
  readonly db: Transactor;
  readonly clock: Clock;
  readonly audit: Audit;
  readonly outbox: Outbox;
  readonly sagas: Sagas;
  readonly schedule: Schedule;
  readonly blobs: Blobs;
  readonly dataKeys: DataKeys;
  readonly blindIndex: BlindIndex;
  readonly issuer: Signer;
  readonly accounts: ClosingAccounts;
  readonly ledger: Ledger;
  readonly payments: ClosingPayments;
  readonly lines: Lines;
  readonly usage: Usage;
  readonly notifications: Pick<Notifications, 'queue' | 'suppress' | 'standing' | 'eraseTexts'>;
  readonly log: ClosingLog;
  /** Everyone who stores something of an account, in the order in which they erase. */
  readonly holders: () => readonly SubjectHolder[];
  readonly recipients: () => Promise<readonly Recipient[]>;
  /** What is kept after a closure, of the retention table. */
  readonly retention: readonly { readonly field: string; readonly ground: 'legal-obligation' | 'contract' | 'legitimate-interest' | 'consent'; readonly basis: string; readonly keepDays: number }[];
  readonly attempts: Attempts;
  /** Last four digits of a profile's ICCID, for the certificate. */
  readonly iccidTail: (profileId: string) => Promise<string>;
  readonly operatorName: (operatorId: string) => Promise<string>;
  readonly settings: ClosureSettings;
}
