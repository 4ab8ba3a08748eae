import { type Checkpoint, emptyRoot, joinHashes, leafHash, readerOfTiles, TILE_WIDTH, tileRoot, treeRoot } from '@yuanyou/proof';

/** Bytes of an entry: a salted hash. */
export const ENTRY_BYTES = 32;

/** Right edge of a tree: by level, the hashes that stand after the last full tile of that level; fewer than 256 each. */
export type Edge = readonly (readonly Uint8Array[])[];

/** A tile that became full. */
export interface FullTile {
  readonly level: number;
  readonly index: number;
  readonly hashes: Uint8Array;
  readonly root: Uint8Array;
}

/** What appending entries makes of a tree. */
export interface Growth {
  readonly size: number;
  readonly root: Uint8Array;
  readonly tiles: readonly FullTile[];
}

/** Root hash of a tree of `size` leaves, from its right edge alone. */
export function rootOfEdge(size: number, edge: Edge): Uint8Array {
  return size === 0 ? emptyRoot() : treeRoot(size, readerOfTiles(size, (tile) => joinHashes(edge[tile.level] ?? [])));
}

/** Appends entries to a tree of `size` leaves with this right edge. */
export function grow(size: number, edge: Edge, entries: readonly Uint8Array[]): Growth {
  const levels = edge.map((hashes) => [...hashes]);
  const tiles: FullTile[] = [];
  entries.forEach((entry, at) => {
    let hash = leafHash(entry);
    // How many hashes the level has in all, this one included: tells the index of a tile that it fills.
    let count = size + at + 1;
    for (let level = 0; ; level += 1) {
      const row = levels[level] ??= [];
      row.push(hash);
      if (row.length < TILE_WIDTH) break;
      const hashes = joinHashes(row);
      count /= TILE_WIDTH;
      hash = tileRoot(hashes);
      tiles.push({ level, index: count - 1, hashes, root: hash });
      levels[level] = [];
    }
  });
  const grown = size + entries.length;
  return { size: grown, root: rootOfEdge(grown, levels), tiles };
}

/** Why a log may not go on. */
export type Fault =
  /** The head is smaller than what was published: an older database was restored. */
  | 'behind-published'
  /** The tree under the head is not the one that was published. */
  | 'not-what-was-published'
  /** The tiles do not lead to the head's root. */
  | 'tiles-damaged';

/** Compares a head with what was published last; `rootAt` is the root of the present tree at the published size, where it has one. */
export function faultOf(head: Checkpoint, published: Checkpoint | undefined, rootAt: Uint8Array | undefined): Fault | undefined {
  if (published === undefined) return undefined;
  if (head.size < published.size) return 'behind-published';
  return rootAt !== undefined && sameBytes(rootAt, published.root) ? undefined : 'not-what-was-published';
}

export function sameBytes(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && left.every((byte, at) => byte === right[at]);
}
