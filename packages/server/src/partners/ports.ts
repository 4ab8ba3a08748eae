/** What an operator holds of a subscriber. */
export type ServiceState = 'active' | 'suspended' | 'terminated' | 'unknown';

/** A change of service; `requestId` makes a repeat harmless. */
export interface ServiceCall {
  readonly iccid: string;
  readonly imsi: string;
  readonly requestId: string;
}

export const calls = ['activate', 'suspend', 'resume', 'terminate', 'forget'] as const;
export type CallName = typeof calls[number];

/** An operator's word that a call was done. */
export interface Receipt {
  readonly operatorId: string;
  readonly call: CallName;
  readonly requestId: string;
  /** The operator's own number for it. */
  readonly reference: string;
  /** The subscriber's state afterwards, in the operator's words. */
  readonly state: string;
  readonly at: Date;
}

/**
 * What an operator does for a subscriber.
 * Every call may fail with `partners/operator-unreachable` (worth a repeat), `partners/wrong-state`, `partners/unknown-subscriber` or
 * `partners/operator-refused` (not worth one).
 */
export interface OperatorPort {
  activate(call: ServiceCall): Promise<Receipt>;
  suspend(call: ServiceCall): Promise<Receipt>;
  resume(call: ServiceCall): Promise<Receipt>;
  terminate(call: ServiceCall): Promise<Receipt>;
  /** Erases what it keeps of a terminated subscriber. */
  forget(call: ServiceCall): Promise<Receipt>;
  state(subscriber: { readonly iccid: string }): Promise<ServiceState>;
}
