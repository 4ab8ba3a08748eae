import type { Clock } from '../clock/index.ts';
import type { Transactor } from '../db/index.ts';
import { createBlindIndex } from './blind-index.ts';
import { createDataKeys } from './data-keys.ts';
import { checkMasterKey } from './derive.ts';
import { fileFolder } from './folder.ts';
import { createSigners, type SignerRegister, type Signers } from './signers.ts';
import * as store from './store.ts';
import type { BlindIndex, DataKeys, KeyFolder, KeyUpkeep } from './types.ts';
import { createWrappingKeys } from './wrapping-keys.ts';

export * from './types.ts';
export { fileFolder } from './folder.ts';
export { createSigners } from './signers.ts';

export interface KeysDeps {
  /** The keys database: never the main one, never in its backups. */
  readonly db: Transactor;
  /** 32 bytes. */
  readonly masterKey: Buffer;
  /** Masters that were in force before; what they wrapped stays readable, and `upkeep.rewrap` moves data keys off them. */
  readonly previousMasterKeys?: readonly Buffer[];
  /** What blind indexes derive from; the master key unless that one was changed (an index cannot be made anew without its values). */
  readonly indexSecret?: Buffer;
  /**
   * A folder's path, or a port to somewhere that several machines share: with the signers' keys and the wrapping keys of the data keys. All
   * processes on one keys database need the same one.
   */
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
  const folder = typeof deps.keyFolder === 'string' ? fileFolder(deps.keyFolder) : deps.keyFolder;
  const wrappingKeys = createWrappingKeys({ folder, clock: deps.clock, masterKeys });
  const dataKeys = createDataKeys({ db: deps.db, clock: deps.clock, wrappingKeys });
  const signers = createSigners({ folder, masterKeys, register: registerIn(deps) });
  return { dataKeys, upkeep: dataKeys, blindIndex: createBlindIndex(indexSecret), ...signers };
}

function registerIn({ db, clock }: KeysDeps): SignerRegister {
  return {
    find: (name) => store.signerDigest(db, name),
    add: (name, digest) => store.insertSigner(db, name, digest, clock.now()),
  };
}
