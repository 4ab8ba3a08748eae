import type { Reader, Tx } from '../platform/db/index.ts';

/** What an operator does for a subscriber. Every call is idempotent by `requestId`. */
export interface OperatorCalls {
  activate(call: { readonly iccid: string; readonly imsi: string; readonly requestId: string }): Promise<unknown>;
  suspend(call: { readonly iccid: string; readonly imsi: string; readonly requestId: string }): Promise<unknown>;
  resume(call: { readonly iccid: string; readonly imsi: string; readonly requestId: string }): Promise<unknown>;
  terminate(call: { readonly iccid: string; readonly imsi: string; readonly requestId: string }): Promise<unknown>;
  /** What the operator holds of a subscriber now. */
  state(subscriber: { readonly iccid: string }): Promise<'active' | 'suspended' | 'terminated' | 'unknown'>;
}

/** The operators, as lines needs them. */
export interface Operators {
  operator(operatorId: string): Promise<OperatorCalls>;
}

/** The profile stock, as lines needs it. */
export interface Stock {
  byId(db: Reader, profileId: string): Promise<{ readonly iccid: string; readonly imsi: string; readonly state: string } | undefined>;
  /** Takes up what a phone reported, where it follows from the present state. */
  note(tx: Tx, profileId: string, state: 'downloaded' | 'installed' | 'deleted'): Promise<void>;
  /** Takes the profile out of stock for good. Idempotent. */
  retire(tx: Tx, profileId: string): Promise<void>;
}

/** The SM-DP+, as lines needs it. */
export interface Downloads {
  release(tx: Tx, profileId: string): Promise<void>;
  /** Cancels an order that was not downloaded yet; a no-op afterwards. */
  cancel(tx: Tx, profileId: string): Promise<void>;
  activation(db: Reader, profileId: string): Promise<{ readonly activationCode: string; readonly smdpAddress: string; readonly matchingId: string } | undefined>;
}
