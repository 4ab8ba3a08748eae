import { inclusionProof, readerOfTiles, subtreesForInclusion, tilePath, tilesOfSubtrees } from '@yuanyou/proof';
import type { Reader } from '../platform/db/index.ts';
import * as store from './store.ts';

/** What shows that a leaf is in the log: the parts of a bundle. */
export interface Evidence {
  readonly origin: string;
  readonly index: number;
  readonly treeSize: number;
  /** Audit path from the leaf upwards, 32 bytes each. */
  readonly inclusion: readonly Uint8Array[];
  /** The signed checkpoint over that tree. */
  readonly checkpoint: string;
}

/** The proof that the leaf at `index` is in the tree of this head. */
export async function evidenceAt(db: Reader, row: store.LogRow, index: number): Promise<Evidence> {
  const tiles = await store.readTiles(db, row.logId, tilesOfSubtrees(subtreesForInclusion(index, row.size), row.size));
  const read = readerOfTiles(row.size, (tile) => tiles.get(tilePath(tile)) ?? new Uint8Array(0));
  return {
    origin: row.origin, index, treeSize: row.size, inclusion: inclusionProof(index, row.size, read), checkpoint: row.checkpoint,
  };
}
