import { randomBytes } from 'node:crypto';
import type { Clock } from '../platform/clock/index.ts';
import type { Transactor, Tx } from '../platform/db/index.ts';
import { ServiceError } from '../platform/errors.ts';
import { newId } from '../platform/ids.ts';
import type { DataKeys } from '../platform/keys/types.ts';
import { numbersOf, rangeFault, secretsFrom } from './model.ts';
import type { NewProfile, StockRange } from './model.ts';
import * as store from './store.ts';

/** All stock keys are sealed under one subject: a profile belongs to nobody until it is sold, and retiring drops its keys by row. */
export const stockSubject = 'inventory';
export const secretsContext = 'inventory.profile.secrets';

const batchSize = 500;

export interface StockDeps {
  readonly db: Transactor;
  readonly clock: Clock;
  readonly dataKeys: DataKeys;
}

/** Seals profiles for the stock; done outside the transaction that adds them. */
export async function sealAll(deps: StockDeps, profiles: readonly NewProfile[]): Promise<store.SealedProfile[]> {
  const sealed: store.SealedProfile[] = [];
  for (let from = 0; from < profiles.length; from += batchSize) {
    sealed.push(...await Promise.all(profiles.slice(from, from + batchSize).map(async ({ secrets, ...numbers }) => ({
      ...numbers,
      profileId: newId(deps.clock.now().getTime()),
      sealedSecrets: await deps.dataKeys.seal(stockSubject, secretsContext, JSON.stringify(secrets)),
    }))));
  }
  return sealed;
}

/** Adds sealed profiles in batches of one statement each; answers how many were new. */
export async function addSealed(tx: Tx, operatorId: string, sealed: readonly store.SealedProfile[], at: Date): Promise<number> {
  let added = 0;
  for (let from = 0; from < sealed.length; from += batchSize) {
    added += await store.insertProfiles(tx, operatorId, sealed.slice(from, from + batchSize), at);
  }
  return added;
}

/** Makes profiles with random keys; numbers that the stock holds already are left out, so that a repeat adds nothing. */
export async function generateStock(
  deps: StockDeps, operatorId: string, count: number, range: StockRange,
): Promise<{ readonly added: number; readonly taken: number }> {
  const fault = rangeFault(range, count);
  if (fault !== undefined) throw new ServiceError('inventory/bad-range', { fault });
  let added = 0;
  for (let from = 0; from < count; from += batchSize) {
    const size = Math.min(batchSize, count - from);
    const profiles = Array.from({ length: size }, (_, i) => ({
      ...numbersOf(range, range.firstSerial + from + i),
      secrets: secretsFrom(randomBytes(48)),
    }));
    const taken = new Set((await store.takenNumbers(deps.db, profiles.map((p) => p.iccid), profiles.map((p) => p.imsi))).map((p) => p.iccid));
    const sealed = await sealAll(deps, profiles.filter((p) => !taken.has(p.iccid)));
    added += await deps.db.transaction((tx) => addSealed(tx, operatorId, sealed, deps.clock.now()));
  }
  return { added, taken: count - added };
}
