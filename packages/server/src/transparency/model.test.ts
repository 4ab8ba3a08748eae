import { hashesOfTile } from '@yuanyou/proof';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Edge, faultOf, grow, rootOfEdge } from './model.ts';
import { entryOf, referenceRoot } from './testing.ts';

const entries = Array.from({ length: 66_000 }, (_, at) => entryOf(String(at)));

/** Appends in batches of these lengths, and keeps the tiles as a store would. */
function build(lengths: readonly number[]) {
  const tiles = new Map<string, Uint8Array>();
  const rows: Uint8Array[][] = [];
  let size = 0;
  let root = rootOfEdge(0, []);
  for (const length of lengths) {
    const edge: Edge = rows.map((row) => row.slice(row.length - (row.length % 256)));
    const batch = entries.slice(size, size + length);
    const grown = grow(size, edge, batch);
    for (const tile of grown.tiles) {
      expect(tiles.has(`${tile.level}/${tile.index}`)).toBe(false);
      tiles.set(`${tile.level}/${tile.index}`, tile.hashes);
      (rows[tile.level + 1] ??= []).push(tile.root);
    }
    (rows[0] ??= []).push(...batch.map((entry) => referenceRoot([entry])));
    ({ size, root } = grown);
  }
  return { tiles, size, root };
}

test('however the leaves come in batches, the root is that of the definition', () => {
  fc.assert(fc.property(fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 6 }), (lengths) => {
    const built = build(lengths);
    expect(Buffer.from(built.root)).toEqual(referenceRoot(entries.slice(0, built.size)));
    expect([...built.tiles.keys()].filter((key) => key.startsWith('0/'))).toHaveLength(Math.floor(built.size / 256));
  }), { numRuns: 25 });
});

test('tiles of a second level fill at 65,536 leaves, at their right places', () => {
  const built = build([300, 65_000, 700]);
  expect(Buffer.from(built.root)).toEqual(referenceRoot(entries));
  expect(built.tiles.has('1/0')).toBe(true);
  expect(Buffer.from(hashesOfTile(built.tiles.get('1/0')!)[7]!)).toEqual(referenceRoot(entries.slice(7 * 256, 8 * 256)));
  expect(Buffer.from(hashesOfTile(built.tiles.get('0/200')!)[3]!)).toEqual(referenceRoot([entries[200 * 256 + 3]!]));
});

test('a head is compared with what was published', () => {
  const head = { origin: 'o', size: 5, root: entryOf('root') };
  expect(faultOf(head, undefined, undefined)).toBeUndefined();
  expect(faultOf(head, { ...head, size: 6 }, undefined)).toBe('behind-published');
  expect(faultOf(head, { ...head, size: 4 }, head.root)).toBeUndefined();
  expect(faultOf(head, { ...head, size: 4 }, entryOf('another'))).toBe('not-what-was-published');
  expect(faultOf(head, { ...head, size: 4 }, undefined)).toBe('not-what-was-published');
});
