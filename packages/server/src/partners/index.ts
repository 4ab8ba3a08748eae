import type { Clock } from '../platform/clock/index.ts';
import type { Reader, Transactor, Tx } from '../platform/db/index.ts';
import { ServiceError } from '../platform/errors.ts';
import type { Endpoint } from '../platform/http/index.ts';
import { newId } from '../platform/ids.ts';
import type { DataKeys } from '../platform/keys/types.ts';
import { calls, type CallName, type OperatorPort, type Receipt, type ServiceCall } from './ports.ts';
import { restOperator } from './rest.ts';
import { partnersEndpoints } from './routes.ts';
import * as store from './store.ts';

export type { CallName, OperatorPort, Receipt, ServiceCall, ServiceState } from './ports.ts';
export type { Operator } from './store.ts';

export interface NewOperator {
  /** Short and unique: lower-case letters, digits, hyphens. */
  readonly code: string;
  readonly name: string;
  /** Home networks as MCC and MNC, for example `44010`. */
  readonly plmns: readonly string[];
  readonly restUrl: string;
  readonly apiKey: string;
  /** Where its usage files arrive. */
  readonly feedFolder: string;
  readonly costPerGigabyteMinor: number;
  readonly currency: string;
}

export interface Partners {
  /** Adds an operator, or brings the one of this code up to date; answers its id. @throws ServiceError `partners/insecure-url` */
  ensureOperator(operator: NewOperator): Promise<string>;
  /** The operator's service calls; every answered call leaves a receipt. @throws ServiceError `partners/unknown-operator`, `partners/insecure-url` */
  operator(operatorId: string): Promise<OperatorPort>;
  find(db: Reader, operatorId: string): Promise<store.Operator | undefined>;
  /** Operators by code, from after `afterCode`. */
  list(db: Reader, afterCode: string | null, limit: number): Promise<store.Operator[]>;
  /** What the operator acknowledged for this request of ours. */
  receipt(db: Reader, requestId: string): Promise<Receipt | undefined>;
  readonly endpoints: readonly Endpoint[];
}

export interface PartnersDeps {
  readonly db: Transactor;
  readonly clock: Clock;
  readonly dataKeys: DataKeys;
  /** Opens what the books need for a partner: `ledger.openPartner`. */
  readonly openBooks: (tx: Tx, operatorId: string, currency: string) => Promise<void>;
  /** How long an operator may take for one answer; default 10 s. */
  readonly timeoutMs?: number;
  /** Subscribers' numbers and our key go to operators by https alone. */
  readonly httpsOnly?: boolean;
}

const subject = 'partners';
const keyContext = 'partners.operator.api_key';

/** True when the same call may succeed later: the operator did not answer, as against said no. */
export function isWorthRepeating(error: unknown): boolean {
  return error instanceof ServiceError && error.code === 'partners/operator-unreachable';
}

function requireSafeUrl({ httpsOnly }: PartnersDeps, operator: string, url: string): void {
  if (httpsOnly === true && new URL(url).protocol !== 'https:') throw new ServiceError('partners/insecure-url', { operator });
}

async function ensureOperator(deps: PartnersDeps, given: NewOperator): Promise<string> {
  requireSafeUrl(deps, given.code, given.restUrl);
  const { apiKey, costPerGigabyteMinor, ...rest } = given;
  const sealed = await deps.dataKeys.seal(subject, keyContext, apiKey);
  const createdAt = deps.clock.now();
  return deps.db.transaction(async (tx) => {
    const operatorId = await store.upsertOperator(tx, {
      ...rest, operatorId: newId(createdAt.getTime()), apiKey: sealed, costPerGigabyteMinor: BigInt(costPerGigabyteMinor), createdAt,
    });
    await deps.openBooks(tx, operatorId, given.currency);
    return operatorId;
  });
}

/** The same port, with each answered call on record. */
function recorded(deps: PartnersDeps, port: OperatorPort): OperatorPort {
  const record = (call: CallName) => async (asked: ServiceCall): Promise<Receipt> => {
    const receipt = await port[call](asked);
    await deps.db.transaction((tx) => store.insertReceipt(tx, receipt));
    return receipt;
  };
  const doing = Object.fromEntries(calls.map((call) => [call, record(call)])) as Pick<OperatorPort, CallName>;
  return { ...doing, state: (subscriber) => port.state(subscriber) };
}

async function operatorOf(deps: PartnersDeps, operatorId: string): Promise<OperatorPort> {
  const found = await store.findOperator(deps.db, operatorId);
  if (found === undefined) throw new ServiceError('partners/unknown-operator', { operatorId });
  requireSafeUrl(deps, found.code, found.restUrl);
  const apiKey = await deps.dataKeys.openText(subject, keyContext, found.apiKey);
  return recorded(deps, restOperator({ operatorId, url: found.restUrl, apiKey, timeoutMs: deps.timeoutMs ?? 10_000 }));
}

/** The operators that serve our travellers. */
export function createPartners(deps: PartnersDeps): Partners {
  return {
    ensureOperator: (operator) => ensureOperator(deps, operator),
    operator: (operatorId) => operatorOf(deps, operatorId),
    async find(db, operatorId) {
      const found = await store.findOperator(db, operatorId);
      if (found === undefined) return undefined;
      const { apiKey: _, ...operator } = found;
      return operator;
    },
    list: store.operators,
    receipt: store.findReceipt,
    endpoints: partnersEndpoints(deps.db),
  };
}
