import type { ImportReport } from '@yuanyou/contract';
import type { Logger } from 'pino';
import type { Actor, Audit } from '../platform/audit/types.ts';
import type { Clock } from '../platform/clock/index.ts';
import type { Reader, Transactor, Tx } from '../platform/db/index.ts';
import { ServiceError } from '../platform/errors.ts';
import type { Endpoint } from '../platform/http/types.ts';
import type { Schedule } from '../platform/jobs/types.ts';
import type { DataKeys } from '../platform/keys/types.ts';
import { importStock } from './import.ts';
import { comesFrom, mayFollow } from './model.ts';
import type { ProfileSecrets, ProfileState, StockRange } from './model.ts';
import { inventoryEndpoints } from './routes.ts';
import { generateStock, secretsContext, stockSubject } from './stock.ts';
import * as store from './store.ts';

export type { ProfileSecrets, ProfileState, StockRange } from './model.ts';
export type { StockRow } from './store.ts';

export interface OperatorStock {
  readonly operatorId: string;
  readonly byState: Readonly<Partial<Record<ProfileState, number>>>;
  readonly low: boolean;
}

/** A profile's numbers with its secrets. */
export interface OpenedProfile {
  readonly iccid: string;
  readonly imsi: string;
  readonly secrets: ProfileSecrets;
}

/** The stock of profiles: who made them is an operator, who holds them now is known to smdp and lines. */
export interface Inventory {
  /** Makes profiles with random keys; numbers that the stock holds already are left out. @throws `inventory/bad-range` */
  generateStock(operatorId: string, count: number, range: StockRange): Promise<{ readonly added: number; readonly taken: number }>;
  /** Imports a CSV file: all of it when it has no fault, else nothing. @throws `inventory/taken` */
  import(actor: Actor, operatorId: string, csv: string, dryRun: boolean): Promise<ImportReport>;
  /** Takes one available profile of the operator. @throws `inventory/out-of-stock` */
  reserve(tx: Tx, operatorId: string): Promise<store.StockRow>;
  byId(db: Reader, profileId: string): Promise<store.StockRow | undefined>;
  /** The living profile with this ICCID. */
  byIccid(db: Reader, iccid: string): Promise<store.StockRow | undefined>;
  /** The latest profile with each of these ICCIDs, retired ones included. */
  byIccids(db: Reader, iccids: readonly string[]): Promise<{ readonly iccid: string; readonly profileId: string }[]>;
  /** A profile with what is secret of it. @throws `inventory/unknown-profile`, `inventory/keys-gone` */
  opened(profileId: string): Promise<OpenedProfile>;
  /** @throws `inventory/unknown-profile`, `inventory/keys-gone` */
  secrets(profileId: string): Promise<ProfileSecrets>;
  /**
   * Moves a profile to a state; the state it is in already changes nothing. Retiring destroys its keys.
   * Answers the state before. @throws `inventory/unknown-profile`, `inventory/step-not-allowed`
   */
  mark(tx: Tx, profileId: string, state: ProfileState): Promise<ProfileState>;
  /** Takes up what a phone reported, late and in any order: a state that does not follow from the present one changes nothing. */
  note(tx: Tx, profileId: string, state: Exclude<ProfileState, 'retired'>): Promise<void>;
  list(db: Reader, operatorId: string | null, state: ProfileState | null, after: string | null, limit: number): Promise<store.StockRow[]>;
  counts(db: Reader): Promise<OperatorStock[]>;
  /** Operators whose available profiles are fewer than the alarm's number. */
  lowStock(db: Reader): Promise<{ readonly operatorId: string; readonly available: number }[]>;
  /** Deletes the numbers of profiles retired longer ago than the retention; answers how many. */
  forgetRetired(): Promise<number>;
  readonly endpoints: Endpoint[];
}

export interface InventoryDeps {
  readonly db: Transactor;
  readonly clock: Clock;
  readonly dataKeys: DataKeys;
  readonly audit: Audit;
  readonly schedule: Schedule;
  readonly log: Pick<Logger, 'warn'>;
  /** Fewer available profiles of an operator than this are a low stock. Default 50. */
  readonly lowStockBelow?: number;
}

const hourMs = 3_600_000;
/** As the columns' comments in the migration say. */
const retentionMs = 90 * 24 * hourMs;
const forgetBatch = 1_000;

async function reserve(deps: InventoryDeps, tx: Tx, operatorId: string): Promise<store.StockRow> {
  const row = await store.takeAvailable(tx, operatorId, deps.clock.now());
  if (row === undefined) throw new ServiceError('inventory/out-of-stock', { operatorId });
  return row;
}

async function mark(deps: InventoryDeps, tx: Tx, profileId: string, state: ProfileState): Promise<ProfileState> {
  const row = await store.lockState(tx, profileId);
  if (row === undefined) throw new ServiceError('inventory/unknown-profile', { profileId });
  if (!mayFollow(row.state, state)) throw new ServiceError('inventory/step-not-allowed', { profileId, from: row.state, to: state });
  if (row.state !== state) await store.setState(tx, profileId, state, deps.clock.now());
  return row.state;
}

async function note(deps: InventoryDeps, tx: Tx, profileId: string, state: Exclude<ProfileState, 'retired'>): Promise<void> {
  store.advance(tx, profileId, state, comesFrom(state), deps.clock.now());
}

async function secrets(deps: InventoryDeps, profileId: string): Promise<ProfileSecrets> {
  return (await opened(deps, profileId)).secrets;
}

async function opened(deps: InventoryDeps, profileId: string): Promise<OpenedProfile> {
  const row = await store.sealedProfile(deps.db, profileId);
  if (row === undefined) throw new ServiceError('inventory/unknown-profile', { profileId });
  const { sealed, ...profile } = row;
  if (sealed === null) throw new ServiceError('inventory/keys-gone', { profileId });
  return { ...profile, secrets: JSON.parse(await deps.dataKeys.openText(stockSubject, secretsContext, sealed)) as ProfileSecrets };
}

async function counts(db: Reader, lowBelow: number): Promise<OperatorStock[]> {
  const byOperator = new Map<string, Partial<Record<ProfileState, number>>>();
  for (const { operatorId, state, profiles } of await store.countByState(db)) {
    const byState = byOperator.get(operatorId) ?? {};
    byState[state] = Number(profiles);
    byOperator.set(operatorId, byState);
  }
  return [...byOperator].map(([operatorId, byState]) => ({ operatorId, byState, low: (byState.available ?? 0) < lowBelow }));
}

async function forgetRetired(deps: InventoryDeps): Promise<number> {
  const before = new Date(deps.clock.now().getTime() - retentionMs);
  let forgotten = 0;
  for (;;) {
    const batch = await deps.db.transaction((tx) => store.deleteRetired(tx, before, forgetBatch));
    forgotten += batch;
    if (batch < forgetBatch) return forgotten;
  }
}

/** Wires the stock and its hourly checks. */
export function createInventory(deps: InventoryDeps): Inventory {
  const lowBelow = deps.lowStockBelow ?? 50;
  const lowStock: Inventory['lowStock'] = async (db) =>
    (await store.availableUpTo(db, lowBelow)).filter(({ available }) => available < lowBelow);

  const inventory: Omit<Inventory, 'endpoints'> = {
    generateStock: (operatorId, count, range) => generateStock(deps, operatorId, count, range),
    import: (actor, operatorId, csv, dryRun) => importStock(deps, operatorId, csv, dryRun, (tx, imported) =>
      deps.audit.record(tx, { actor, action: 'inventory.import', subjectKind: 'operator', subjectId: operatorId, details: { imported } })),
    reserve: (tx, operatorId) => reserve(deps, tx, operatorId),
    byId: store.profileById,
    byIccid: store.profileByIccid,
    byIccids: store.profilesByIccids,
    opened: (profileId) => opened(deps, profileId),
    secrets: (profileId) => secrets(deps, profileId),
    mark: (tx, profileId, state) => mark(deps, tx, profileId, state),
    note: (tx, profileId, state) => note(deps, tx, profileId, state),
    list: store.listProfiles,
    counts: (db) => counts(db, lowBelow),
    lowStock,
    forgetRetired: () => forgetRetired(deps),
  };

  deps.schedule.every('inventory.low-stock', hourMs, async () => {
    for (const stock of await lowStock(deps.db)) deps.log.warn(stock, 'stock of profiles is low');
  });
  deps.schedule.every('inventory.forget-retired', hourMs, async () => { await forgetRetired(deps); });
  return { ...inventory, endpoints: inventoryEndpoints(inventory, deps.db) };
}
