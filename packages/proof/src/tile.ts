import { concat } from './bytes.ts';
import { ProofError } from './error.ts';
import { HASH_BYTES, type HashReader, nodeHash, type Subtree } from './merkle.ts';

/** Hashes in a full tile, entries in a full bundle (C2SP tlog-tiles). */
export const TILE_WIDTH = 256;

const TILE_HEIGHT = 8;
const MAX_ENTRY_BYTES = 0xffff;
const MAX_LEVEL = 63;

/** Where a tile of hashes lies: `level` 0 holds leaf hashes; `width` 256 means full, 1 to 255 partial. */
export interface TileAddress {
  readonly level: number;
  readonly index: number;
  readonly width: number;
}

/** Where a bundle of entries lies; `width` as for tiles. */
export interface EntriesAddress {
  readonly level: 'entries';
  readonly index: number;
  readonly width: number;
}

/**
 * The path of a tile or entry bundle under the log's prefix, as C2SP tlog-tiles lays it out: `tile/0/x001/234.p/17`, `tile/entries/000`.
 *
 * @throws ProofError `proof/tile` for an address that cannot exist.
 */
export function tilePath(address: TileAddress | EntriesAddress): string {
  requireAddress(address);
  const groups: string[] = [];
  let rest = address.index;
  do {
    groups.unshift(String(rest % 1000).padStart(3, '0'));
    rest = Math.floor(rest / 1000);
  } while (rest > 0);
  const elements = groups.map((group, at) => (at === groups.length - 1 ? group : `x${group}`));
  const suffix = address.width === TILE_WIDTH ? '' : `.p/${address.width}`;
  return `tile/${address.level}/${elements.join('/')}${suffix}`;
}

/**
 * Reads a path as {@link tilePath} writes it; every other spelling of the same address is refused.
 *
 * @throws ProofError `proof/tile`.
 */
export function parseTilePath(path: string): TileAddress | EntriesAddress {
  const match = path.length > 64 ? null : /^tile\/(entries|\d{1,2})\/((?:x\d{3}\/){0,5}\d{3})(?:\.p\/(\d{1,3}))?$/.exec(path);
  if (match === null) throw new ProofError('proof/tile', 'not the path of a tile');
  const index = Number(match[2]!.replaceAll(/[x/]/g, ''));
  const width = match[3] === undefined ? TILE_WIDTH : Number(match[3]);
  const address = match[1] === 'entries'
    ? { level: 'entries' as const, index, width }
    : { level: Number(match[1]), index, width };
  if (tilePath(address) !== path) throw new ProofError('proof/tile', 'not the path of a tile');
  return address;
}

/** Width of the tile at this place in a tree of `size` leaves: 0 where there is none yet. */
export function tileWidth(level: number, index: number, size: number): number {
  const hashes = Math.floor(size / TILE_WIDTH ** level);
  return Math.max(0, Math.min(TILE_WIDTH, hashes - index * TILE_WIDTH));
}

/** The rightmost partial tiles of a tree of `size` leaves, lowest level first: the ones that a larger tree will replace. */
export function partialTiles(size: number): TileAddress[] {
  const tiles: TileAddress[] = [];
  for (let level = 0, hashes = size; hashes > 0; level += 1, hashes = Math.floor(hashes / TILE_WIDTH)) {
    const width = hashes % TILE_WIDTH;
    if (width > 0) tiles.push({ level, index: Math.floor(hashes / TILE_WIDTH), width });
  }
  return tiles;
}

/**
 * The tile that holds (or lets compute) the hash of a complete subtree, in a tree of `size` leaves.
 *
 * @throws ProofError `proof/range` when the tree is too small for that subtree.
 */
export function tileOfSubtree(subtree: Subtree, size: number): TileAddress {
  const level = Math.floor(subtree.level / TILE_HEIGHT);
  const width = 2 ** (subtree.level % TILE_HEIGHT);
  const first = subtree.index * width;
  const index = Math.floor(first / TILE_WIDTH);
  const available = tileWidth(level, index, size);
  if (first - index * TILE_WIDTH + width > available) throw new ProofError('proof/range', 'the tree is too small for this subtree');
  return { level, index, width: available };
}

/** The distinct tiles that hold these subtrees in a tree of `size` leaves. */
export function tilesOfSubtrees(subtrees: readonly Subtree[], size: number): TileAddress[] {
  const tiles = new Map<string, TileAddress>();
  for (const subtree of subtrees) {
    const tile = tileOfSubtree(subtree, size);
    tiles.set(tilePath(tile), tile);
  }
  return [...tiles.values()];
}

/**
 * A hash reader over tiles for a tree of `size` leaves. `readTile` is asked for whole tiles, at the widths of that tree, and answers their
 * bytes (32 times the width).
 */
export function readerOfTiles(size: number, readTile: (tile: TileAddress) => Uint8Array): HashReader {
  return (level, index) => {
    const tile = tileOfSubtree({ level, index }, size);
    const bytes = readTile(tile);
    if (bytes.length !== tile.width * HASH_BYTES) throw new ProofError('proof/tile', 'a tile has not the length of its width');
    const width = 2 ** (level % TILE_HEIGHT);
    const first = index * width - tile.index * TILE_WIDTH;
    return perfectHash(hashesOfTile(bytes).slice(first, first + width));
  };
}

/**
 * The hashes of a tile, as views on its bytes.
 *
 * @throws ProofError `proof/tile` for a length that is no multiple of 32, or more than a full tile.
 */
export function hashesOfTile(bytes: Uint8Array): Uint8Array[] {
  if (bytes.length % HASH_BYTES !== 0 || bytes.length === 0 || bytes.length > TILE_WIDTH * HASH_BYTES) {
    throw new ProofError('proof/tile', 'not the bytes of a tile');
  }
  return Array.from({ length: bytes.length / HASH_BYTES }, (_, at) => bytes.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES));
}

/** Hash of a full tile: the entry that it becomes in the tile above. */
export function tileRoot(bytes: Uint8Array): Uint8Array {
  if (bytes.length !== TILE_WIDTH * HASH_BYTES) throw new ProofError('proof/tile', 'only a full tile has a hash in the level above');
  return perfectHash(hashesOfTile(bytes));
}

/**
 * Encodes an entry bundle: each entry after its length as a big-endian uint16.
 *
 * @throws ProofError `proof/tile` for no entry, more than 256, or an entry of more than 65535 bytes.
 */
export function encodeEntries(entries: readonly Uint8Array[]): Uint8Array {
  if (entries.length === 0 || entries.length > TILE_WIDTH) throw new ProofError('proof/tile', 'a bundle holds 1 to 256 entries');
  return concat(...entries.flatMap((entry) => {
    if (entry.length > MAX_ENTRY_BYTES) throw new ProofError('proof/tile', 'an entry is longer than 65535 bytes');
    return [Uint8Array.of(entry.length >> 8, entry.length & 0xff), entry];
  }));
}

/**
 * Reads an entry bundle to its last byte; `width` is the number of entries that its address promises.
 *
 * @throws ProofError `proof/tile`.
 */
export function parseEntries(bytes: Uint8Array, width: number): Uint8Array[] {
  const entries: Uint8Array[] = [];
  let at = 0;
  while (at < bytes.length) {
    const length = at + 2 <= bytes.length ? bytes[at]! * 256 + bytes[at + 1]! : Number.POSITIVE_INFINITY;
    const end = at + 2 + length;
    if (end > bytes.length || entries.length === width) throw new ProofError('proof/tile', 'not the bytes of an entry bundle');
    entries.push(bytes.subarray(at + 2, end));
    at = end;
  }
  if (entries.length !== width) throw new ProofError('proof/tile', 'the bundle has fewer entries than its address says');
  return entries;
}

function perfectHash(hashes: readonly Uint8Array[]): Uint8Array {
  let row = hashes;
  while (row.length > 1) {
    row = Array.from({ length: row.length / 2 }, (_, at) => nodeHash(row[at * 2]!, row[at * 2 + 1]!));
  }
  return row[0]!;
}

function requireAddress(address: TileAddress | EntriesAddress): void {
  const { level, index, width } = address;
  const levelOk = level === 'entries' || (Number.isInteger(level) && level >= 0 && level <= MAX_LEVEL);
  const indexOk = Number.isSafeInteger(index) && index >= 0;
  const widthOk = Number.isInteger(width) && width >= 1 && width <= TILE_WIDTH;
  if (!levelOk || !indexOk || !widthOk) throw new ProofError('proof/tile', 'there is no such tile');
}
