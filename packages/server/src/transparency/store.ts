import { hashesOfTile, joinHashes, leafHash, partialTiles, TILE_WIDTH, type TileAddress, tilePath } from '@yuanyou/proof';
import { sql } from '../platform/db/index.ts';
import type { Reader, Tx } from '../platform/db/index.ts';
import type { Edge, FullTile } from './model.ts';

export interface LogRow {
  readonly logId: number;
  readonly origin: string;
  readonly vkey: string;
  readonly size: number;
  readonly root: Buffer;
  readonly checkpoint: string;
}

export interface LeafRow {
  readonly leafId: string;
  readonly entry: Buffer;
  /** Absent while pending. */
  readonly place: { readonly logId: number; readonly index: number } | undefined;
}

interface RawLog extends Omit<LogRow, 'size'> {
  readonly size: bigint;
}

const toLog = (raw: RawLog): LogRow => ({ ...raw, size: Number(raw.size) });

export async function openLog(tx: Tx, log: Omit<LogRow, 'logId' | 'size'> & { readonly at: Date }): Promise<void> {
  await tx.run(sql`
    insert into transparency.log (origin, vkey, size, root, checkpoint, opened_at, sequenced_at)
    values (${log.origin}, ${log.vkey}, 0, ${log.root}, ${log.checkpoint}, ${log.at}, ${log.at})
    on conflict (origin) do nothing`);
}

export async function readLog(db: Reader, origin: string): Promise<LogRow | undefined> {
  const raw = await db.maybe(sql<RawLog>`
    select log_id as "logId", origin, vkey, size, root, checkpoint from transparency.log where origin = ${origin}`);
  return raw && toLog(raw);
}

export async function readLogById(db: Reader, logId: number): Promise<LogRow> {
  return toLog(await db.one(sql<RawLog>`
    select log_id as "logId", origin, vkey, size, root, checkpoint from transparency.log where log_id = ${logId}`));
}

/** The head, locked until the transaction ends: only its holder gives places. */
export async function lockLog(tx: Tx, origin: string): Promise<LogRow> {
  return toLog(await tx.one(sql<RawLog>`
    select log_id as "logId", origin, vkey, size, root, checkpoint from transparency.log where origin = ${origin} for update`));
}

export async function listLogs(db: Reader): Promise<{ readonly origin: string; readonly vkey: string }[]> {
  return db.all(sql<{ origin: string; vkey: string }>`select origin, vkey from transparency.log order by log_id desc limit 64`);
}

/** Adds a pending leaf. False when there is one of this id already. */
export async function insertLeaf(tx: Tx, leafId: string, entry: Uint8Array, at: Date): Promise<boolean> {
  return await tx.run(sql`
    insert into transparency.leaf (leaf_id, entry, appended_at) values (${leafId}, ${Buffer.from(entry)}, ${at})
    on conflict (leaf_id) do nothing`) === 1;
}

export async function readLeaf(db: Reader, leafId: string): Promise<LeafRow | undefined> {
  const raw = await db.maybe(sql<{ leafId: string; entry: Buffer; logId: number | null; leafIndex: bigint | null }>`
    select leaf_id as "leafId", entry, log_id as "logId", leaf_index as "leafIndex" from transparency.leaf where leaf_id = ${leafId}`);
  if (raw === undefined) return undefined;
  const { logId, leafIndex } = raw;
  const place = logId === null || leafIndex === null ? undefined : { logId, index: Number(leafIndex) };
  return { leafId: raw.leafId, entry: raw.entry, place };
}

export async function hasPending(db: Reader): Promise<boolean> {
  return (await db.maybe(sql`select 1 from transparency.leaf where leaf_index is null limit 1`)) !== undefined;
}

export async function readPending(tx: Tx, limit: number): Promise<{ readonly leafId: string; readonly entry: Buffer }[]> {
  return tx.all(sql<{ leafId: string; entry: Buffer }>`
    select leaf_id as "leafId", entry from transparency.leaf where leaf_index is null order by arrival limit ${limit}`);
}

/** Gives the leaves consecutive places from `first` on, in this order; answers how many it placed. */
export async function placeLeaves(tx: Tx, logId: number, first: number, leafIds: readonly string[]): Promise<number> {
  return tx.run(sql`
    update transparency.leaf l set log_id = ${logId}, leaf_index = ${first}::bigint + p.at - 1
    from unnest(${leafIds}::uuid[]) with ordinality as p(leaf_id, at)
    where l.leaf_id = p.leaf_id and l.leaf_index is null`);
}

export async function insertTiles(tx: Tx, logId: number, tiles: readonly FullTile[]): Promise<void> {
  for (const tile of tiles) {
    await tx.run(sql`
      insert into transparency.tile (log_id, level, tile_index, hashes, root)
      values (${logId}, ${tile.level}, ${tile.index}, ${Buffer.from(tile.hashes)}, ${Buffer.from(tile.root)})`);
  }
}

export interface NewHead {
  readonly size: number;
  readonly root: Uint8Array;
  readonly checkpoint: string;
  readonly at: Date;
}

/** Moves the head on; answers 0 when it is no longer at `from`. */
export async function advance(tx: Tx, logId: number, from: number, head: NewHead): Promise<number> {
  return tx.run(sql`
    update transparency.log
    set size = ${head.size}, root = ${Buffer.from(head.root)}, checkpoint = ${head.checkpoint}, sequenced_at = ${head.at}
    where log_id = ${logId} and size = ${from}`);
}

/** The right edge of the tree of `size` leaves. */
export async function readEdge(db: Reader, logId: number, size: number): Promise<Edge> {
  const edge: Uint8Array[][] = [];
  for (const tile of partialTiles(size)) {
    while (edge.length < tile.level) edge.push([]);
    const bytes = await readTile(db, logId, tile);
    edge.push(bytes === undefined ? [] : hashesOfTile(bytes));
  }
  return edge;
}

/** The bytes of these tiles, by path; a tile that the log does not have is left out. */
export async function readTiles(db: Reader, logId: number, tiles: readonly TileAddress[]): Promise<Map<string, Uint8Array>> {
  const full = tiles.filter((tile) => tile.width === TILE_WIDTH);
  const rows = full.length === 0 ? [] : await db.all(sql<{ level: number; tileIndex: bigint; hashes: Buffer }>`
    select level, tile_index as "tileIndex", hashes from transparency.tile
    where log_id = ${logId} and (level, tile_index) in (
      select * from unnest(${full.map((tile) => tile.level)}::smallint[], ${full.map((tile) => tile.index)}::bigint[]))`);
  const found = new Map<string, Uint8Array>(rows.map((row) => [
    tilePath({ level: row.level, index: Number(row.tileIndex), width: TILE_WIDTH }), row.hashes,
  ]));
  for (const tile of tiles.filter(({ width }) => width < TILE_WIDTH)) {
    const bytes = await readTile(db, logId, tile);
    if (bytes !== undefined) found.set(tilePath(tile), bytes);
  }
  return found;
}

/** The bytes of a tile, full or partial; undefined where the log has not that many hashes. */
export async function readTile(db: Reader, logId: number, tile: TileAddress): Promise<Uint8Array | undefined> {
  if (tile.width === TILE_WIDTH) {
    const row = await db.maybe(sql<{ hashes: Buffer }>`
      select hashes from transparency.tile where log_id = ${logId} and level = ${tile.level} and tile_index = ${tile.index}`);
    return row?.hashes;
  }
  const hashes = tile.level === 0
    ? (await readEntries(db, logId, tile.index, tile.width)).map((entry) => leafHash(entry))
    : await readRoots(db, logId, tile);
  return hashes.length === tile.width ? joinHashes(hashes) : undefined;
}

/** Up to `width` entries of the bundle at `index`, in order. */
export async function readEntries(db: Reader, logId: number, index: number, width: number): Promise<Buffer[]> {
  const first = index * TILE_WIDTH;
  const rows = await db.all(sql<{ entry: Buffer }>`
    select entry from transparency.leaf
    where log_id = ${logId} and leaf_index >= ${first}::bigint and leaf_index < ${first}::bigint + ${width}::int order by leaf_index`);
  return rows.map((row) => row.entry);
}

/** Hashes of the full tiles below a partial tile: its own hashes. */
async function readRoots(db: Reader, logId: number, tile: TileAddress): Promise<Buffer[]> {
  const first = tile.index * TILE_WIDTH;
  const rows = await db.all(sql<{ root: Buffer }>`
    select root from transparency.tile
    where log_id = ${logId} and level = ${tile.level - 1} and tile_index >= ${first}::bigint
      and tile_index < ${first}::bigint + ${tile.width}::int order by tile_index`);
  return rows.map((row) => row.root);
}
