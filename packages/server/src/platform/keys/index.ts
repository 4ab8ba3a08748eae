import type { Clock } from '../clock/index.ts';
import type { Transactor } from '../db/index.ts';
import { createBlindIndex } from './blind-index.ts';
import { createDataKeys } from './data-keys.ts';
import { checkMasterKey } from './derive.ts';
import { fileFolder } from './folder.ts';
import { createSigners, type Signers } from './signers.ts';
import type { BlindIndex, DataKeys, KeyFolder, KeyUpkeep } from './types.ts';

export * from './types.ts';
export { fileFolder } from './folder.ts';

export interface KeysDeps {
  /** The keys database: never the main one, never in its backups. */
  readonly db: Transactor;
  /** 32 bytes. */
  readonly masterKey: Buffer;
  /** Masters that were in force before; what they wrapped stays readable, and `upkeep.rewrap` moves data keys off them. */
  readonly previousMasterKeys?: readonly Buffer[];
  /** What blind indexes derive from; the master key unless that one was changed (an index cannot be made anew without its values). */
  readonly indexSecret?: Buffer;
  /** A folder's path, or a port to somewhere that several nodes share. */
  readonly keyFolder: string | KeyFolder;
  readonly clock: Clock;
}

export interface Keys extends Signers {
  readonly dataKeys: DataKeys;
  readonly blindIndex: BlindIndex;
  readonly upkeep: KeyUpkeep;
}

/** @throws `keys/bad-master-key` when a master key or the index secret is not 32 bytes */
export function createKeys(deps: KeysDeps): Keys {
  const masterKeys: readonly [Buffer, ...Buffer[]] = [deps.masterKey, ...(deps.previousMasterKeys ?? [])];
  const indexSecret = deps.indexSecret ?? deps.masterKey;
  [...masterKeys, indexSecret].forEach(checkMasterKey);
  const dataKeys = createDataKeys({ db: deps.db, clock: deps.clock, masterKeys });
  const folder = typeof deps.keyFolder === 'string' ? fileFolder(deps.keyFolder) : deps.keyFolder;
  return { dataKeys, upkeep: dataKeys, blindIndex: createBlindIndex(indexSecret), ...createSigners({ folder, masterKeys }) };
}
