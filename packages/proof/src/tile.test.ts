import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  consistencyProof, encodeEntries, inclusionProof, joinHashes, leafHash, parseEntries, parseTilePath, partialTiles, ProofError,
  readerOfTiles, subtreesForConsistency, subtreesForInclusion, subtreesForRoot, tilePath, tileRoot, tilesOfSubtrees, tileWidth, treeRoot,
} from './index.ts';
import { treeHash } from './testing/reference.ts';

test('paths are those of the specification', () => {
  expect(tilePath({ level: 0, index: 1_234_067, width: 256 })).toBe('tile/0/x001/x234/067');
  expect(tilePath({ level: 2, index: 0, width: 1 })).toBe('tile/2/000.p/1');
  expect(tilePath({ level: 'entries', index: 1000, width: 112 })).toBe('tile/entries/x001/000.p/112');
});

test('a path reads back as its address, and no other spelling does', () => {
  fc.assert(fc.property(
    fc.oneof(fc.constant('entries' as const), fc.integer({ min: 0, max: 63 })), fc.maxSafeNat().map((n) => n % 10 ** 15),
    fc.integer({ min: 1, max: 256 }),
    (level, index, width) => {
      expect(parseTilePath(tilePath({ level, index, width } as never))).toEqual({ level, index, width });
    },
  ));
  const wrong = [
    'tile/00/000', 'tile/0/0', 'tile/0/x000/000', 'tile/0/000.p/0', 'tile/0/000.p/256', 'tile/0/000.p/01', 'tile/64/000', 'tile/-1/000',
    'tile/0/001/000', 'tile/0/x001/x000', 'tile/entries/', 'tile/0/000/', '/tile/0/000', 'tile/0/000.p', 'tile/0/../000', 'checkpoint',
    `tile/0/${'x000/'.repeat(40)}000`,
  ];
  for (const path of wrong) expect(() => parseTilePath(path), path).toThrow(ProofError);
});

test('the tiles of 70,000 leaves are those of the specification', () => {
  const size = 70_000;
  expect(partialTiles(size)).toEqual([
    { level: 0, index: 273, width: 112 }, { level: 1, index: 1, width: 17 }, { level: 2, index: 0, width: 1 },
  ]);
  expect(tileWidth(0, 272, size)).toBe(256);
  expect(tileWidth(1, 0, size)).toBe(256);
  expect(tileWidth(3, 0, size)).toBe(0);
  expect(partialTiles(256)).toEqual([{ level: 1, index: 0, width: 1 }]);
});

test('proofs read from tiles are those read from leaves', () => {
  const size = 66_100;
  const entries = Array.from({ length: size }, (_, at) => Buffer.from(String(at)));
  const levels: Uint8Array[][] = [entries.map((entry) => leafHash(entry))];
  for (let level = 0; levels[level]!.length >= 256; level += 1) {
    const row = levels[level]!;
    levels.push(Array.from({ length: Math.floor(row.length / 256) }, (_, at) => tileRoot(joinHashes(row.slice(at * 256, at * 256 + 256)))));
  }
  const asked = new Set<string>();
  const read = readerOfTiles(size, (tile) => {
    asked.add(tilePath(tile));
    return joinHashes(levels[tile.level]!.slice(tile.index * 256, tile.index * 256 + tile.width));
  });
  expect(Buffer.from(treeRoot(size, read))).toEqual(treeHash(entries));
  expect(asked).toEqual(new Set(tilesOfSubtrees(subtreesForRoot(size), size).map(tilePath)));

  for (const index of [0, 255, 256, 40_000, 65_535, 65_536, 66_047, 66_048, 66_099]) {
    asked.clear();
    expect(inclusionProof(index, size, read).length).toBeGreaterThan(0);
    expect(asked).toEqual(new Set(tilesOfSubtrees(subtreesForInclusion(index, size), size).map(tilePath)));
  }
  asked.clear();
  expect(consistencyProof(65_000, size, read).length).toBeGreaterThan(0);
  expect(asked).toEqual(new Set(tilesOfSubtrees(subtreesForConsistency(65_000, size), size).map(tilePath)));
  expect(() => readerOfTiles(10, () => new Uint8Array(32))(0, 3)).toThrow(ProofError);
  expect(() => readerOfTiles(10, () => new Uint8Array(320))(4, 0)).toThrow(ProofError);
});

test('entry bundles read back whole, and not one byte more or less', () => {
  fc.assert(fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 256 }), (entries) => {
    const bytes = encodeEntries(entries);
    expect(parseEntries(bytes, entries.length).map((entry) => Uint8Array.from(entry))).toEqual(entries);
    expect(() => parseEntries(bytes.subarray(0, -1), entries.length)).toThrow(ProofError);
    expect(() => parseEntries(Uint8Array.of(...bytes, 0), entries.length)).toThrow(ProofError);
    expect(() => parseEntries(bytes, entries.length + 1)).toThrow(ProofError);
  }), { numRuns: 50 });
  expect(() => encodeEntries([new Uint8Array(65_536)])).toThrow(ProofError);
  expect(() => encodeEntries([])).toThrow(ProofError);
});
