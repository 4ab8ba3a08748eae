import { concat, equalBytes, sha256 } from './bytes.ts';
import { ProofError } from './error.ts';

/** Bytes of a hash: SHA-256. */
export const HASH_BYTES = 32;

const LEAF_PREFIX = Uint8Array.of(0x00);
const NODE_PREFIX = Uint8Array.of(0x01);

/**
 * Answers the hash of the complete subtree of 2^`level` leaves that begins at leaf `index` * 2^`level` (32 bytes). Proof functions ask only
 * for complete subtrees, whose hashes never change once the tree is large enough to hold them.
 */
export type HashReader = (level: number, index: number) => Uint8Array;

/** A complete subtree: 2^`level` leaves from leaf `index` * 2^`level` on. */
export interface Subtree {
  readonly level: number;
  readonly index: number;
}

/** Hash of a log entry: SHA-256(0x00 || entry) (RFC 6962 section 2.1). */
export function leafHash(entry: Uint8Array): Uint8Array {
  return sha256(LEAF_PREFIX, entry);
}

/** Hash of two children: SHA-256(0x01 || left || right) (RFC 6962 section 2.1). */
export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  return sha256(NODE_PREFIX, left, right);
}

/** Hash of the tree without leaves: SHA-256 of nothing (RFC 6962 section 2.1). */
export function emptyRoot(): Uint8Array {
  return sha256();
}

/**
 * Root hash of a tree of `size` leaves.
 *
 * @throws ProofError `proof/range` for a size that is no integer from 0 to 2^53 - 1; whatever the reader throws.
 */
export function treeRoot(size: number, read: HashReader): Uint8Array {
  requireSize(size);
  return size === 0 ? emptyRoot() : rangeHash(0, size, read);
}

/**
 * Audit path of the leaf at `index` in a tree of `size` leaves, from the leaf upwards (RFC 6962 section 2.1.1), as 32-byte hashes.
 *
 * @throws ProofError `proof/range` when the tree has no such leaf.
 */
export function inclusionProof(index: number, size: number, read: HashReader): Uint8Array[] {
  return inclusionRanges(index, size).map((range) => rangeHash(range.start, range.end, read));
}

/**
 * Consistency proof between the trees of `from` and `to` leaves (RFC 6962 section 2.1.2), as 32-byte hashes. Empty when the sizes are equal
 * or `from` is 0.
 *
 * @throws ProofError `proof/range` unless 0 <= `from` <= `to`.
 */
export function consistencyProof(from: number, to: number, read: HashReader): Uint8Array[] {
  return consistencyRanges(from, to).map((range) => rangeHash(range.start, range.end, read));
}

/** The complete subtrees that {@link treeRoot} reads: what to fetch before calling it. */
export function subtreesForRoot(size: number): Subtree[] {
  requireSize(size);
  return size === 0 ? [] : subtreesOf({ start: 0, end: size });
}

/** The complete subtrees that {@link inclusionProof} reads: what to fetch before calling it. */
export function subtreesForInclusion(index: number, size: number): Subtree[] {
  return inclusionRanges(index, size).flatMap(subtreesOf);
}

/** The complete subtrees that {@link consistencyProof} reads: what to fetch before calling it. */
export function subtreesForConsistency(from: number, to: number): Subtree[] {
  return consistencyRanges(from, to).flatMap(subtreesOf);
}

/**
 * Root hash that an audit path leads to (the verification of RFC 9162 section 2.1.3.2, up to the comparison).
 *
 * @throws ProofError `proof/range` when the tree has no such leaf; `proof/mismatch` when the path's length is not that of this leaf.
 */
export function rootFromInclusion(leaf: Uint8Array, index: number, size: number, path: readonly Uint8Array[]): Uint8Array {
  requireIndex(index, size);
  let node = index;
  let last = size - 1;
  let hash = leaf;
  for (const sibling of path) {
    requireHash(sibling);
    if (last === 0) throw new ProofError('proof/mismatch', 'the inclusion proof is longer than the path of this leaf');
    if (node % 2 === 1 || node === last) {
      hash = nodeHash(sibling, hash);
      while (node % 2 === 0 && node !== 0) {
        node = half(node);
        last = half(last);
      }
    } else {
      hash = nodeHash(hash, sibling);
    }
    node = half(node);
    last = half(last);
  }
  if (last !== 0) throw new ProofError('proof/mismatch', 'the inclusion proof is shorter than the path of this leaf');
  return hash;
}

/**
 * Verifies that a leaf is in the tree with this root.
 *
 * @throws ProofError `proof/range` or `proof/mismatch`.
 */
export function verifyInclusion(
  leaf: Uint8Array, index: number, size: number, root: Uint8Array, path: readonly Uint8Array[],
): void {
  if (!equalBytes(rootFromInclusion(leaf, index, size, path), root)) {
    throw new ProofError('proof/mismatch', 'the inclusion proof does not lead to the root hash');
  }
}

/**
 * Verifies that the tree of `to` leaves extends the tree of `from` leaves (RFC 9162 section 2.1.4.2).
 *
 * @throws ProofError `proof/range` or `proof/mismatch`.
 */
export function verifyConsistency(
  from: number, fromRoot: Uint8Array, to: number, toRoot: Uint8Array, proof: readonly Uint8Array[],
): void {
  requireSize(to);
  if (!Number.isSafeInteger(from) || from < 0 || from > to) throw new ProofError('proof/range', 'the first tree is not the smaller one');
  proof.forEach(requireHash);
  if (from === to || from === 0) {
    const same = from === 0 ? equalBytes(fromRoot, emptyRoot()) : equalBytes(fromRoot, toRoot);
    if (proof.length !== 0 || !same) throw new ProofError('proof/mismatch', 'the trees are not consistent');
    return;
  }
  const [first, second] = rootsFromConsistency(from, to, isPowerOfTwo(from) ? [fromRoot, ...proof] : proof);
  if (!equalBytes(first, fromRoot) || !equalBytes(second, toRoot)) {
    throw new ProofError('proof/mismatch', 'the consistency proof does not lead to both root hashes');
  }
}

function rootsFromConsistency(from: number, to: number, path: readonly Uint8Array[]): [Uint8Array, Uint8Array] {
  let node = from - 1;
  let last = to - 1;
  while (node % 2 === 1) {
    node = half(node);
    last = half(last);
  }
  const [seed, ...rest] = path;
  if (seed === undefined) throw new ProofError('proof/mismatch', 'the consistency proof is empty');
  let first = seed;
  let second = seed;
  for (const hash of rest) {
    if (last === 0) throw new ProofError('proof/mismatch', 'the consistency proof is too long');
    if (node % 2 === 1 || node === last) {
      first = nodeHash(hash, first);
      second = nodeHash(hash, second);
      while (node % 2 === 0 && node !== 0) {
        node = half(node);
        last = half(last);
      }
    } else {
      second = nodeHash(second, hash);
    }
    node = half(node);
    last = half(last);
  }
  if (last !== 0) throw new ProofError('proof/mismatch', 'the consistency proof is too short');
  return [first, second];
}

interface Range {
  readonly start: number;
  readonly end: number;
}

function inclusionRanges(index: number, size: number): Range[] {
  requireIndex(index, size);
  const ranges: Range[] = [];
  let start = 0;
  let end = size;
  while (end - start > 1) {
    const middle = start + split(end - start);
    if (index < middle) {
      ranges.push({ start: middle, end });
      end = middle;
    } else {
      ranges.push({ start, end: middle });
      start = middle;
    }
  }
  return ranges.reverse();
}

function consistencyRanges(from: number, to: number): Range[] {
  requireSize(to);
  if (!Number.isSafeInteger(from) || from < 0 || from > to) throw new ProofError('proof/range', 'the first tree is not the smaller one');
  if (from === 0 || from === to) return [];
  const ranges: Range[] = [];
  let start = 0;
  let end = to;
  // Walks down the path to the right edge of the smaller tree.
  while (end !== from) {
    const middle = start + split(end - start);
    if (from <= middle) {
      ranges.push({ start: middle, end });
      end = middle;
    } else {
      ranges.push({ start, end: middle });
      start = middle;
    }
  }
  if (start !== 0) ranges.push({ start, end });
  return ranges.reverse();
}

/** The complete subtrees of a range whose start is a multiple of the power of two that covers its length, from the left. */
function subtreesOf(range: Range): Subtree[] {
  const subtrees: Subtree[] = [];
  let start = range.start;
  while (start < range.end) {
    const level = floorLog2(range.end - start);
    subtrees.push({ level, index: start / 2 ** level });
    start += 2 ** level;
  }
  return subtrees;
}

function rangeHash(start: number, end: number, read: HashReader): Uint8Array {
  const hashes = subtreesOf({ start, end }).map(({ level, index }) => {
    const hash = read(level, index);
    requireHash(hash);
    return hash;
  });
  return hashes.reduceRight((right, left) => nodeHash(left, right));
}

/**
 * A reader over leaf hashes held in memory, in order. Computes what it is asked for: for tests and small trees.
 */
export function readerOfLeaves(leaves: readonly Uint8Array[]): HashReader {
  const read: HashReader = (level, index) => {
    if (level === 0) {
      const leaf = leaves[index];
      if (leaf === undefined) throw new ProofError('proof/missing-hash', `there is no leaf ${index}`);
      return leaf;
    }
    return nodeHash(read(level - 1, index * 2), read(level - 1, index * 2 + 1));
  };
  return read;
}

/** Concatenates hashes: the form in which a tile holds them. */
export function joinHashes(hashes: readonly Uint8Array[]): Uint8Array {
  hashes.forEach(requireHash);
  return concat(...hashes);
}

/** The largest power of two smaller than `size` (RFC 6962 section 2.1: k). */
function split(size: number): number {
  return 2 ** floorLog2(size - 1);
}

function floorLog2(value: number): number {
  let level = 0;
  // Doubling is exact up to 2^53, where Math.log2 is not.
  for (let power = 2; power <= value; power *= 2) level += 1;
  return level;
}

function half(value: number): number {
  return Math.floor(value / 2);
}

function isPowerOfTwo(value: number): boolean {
  return 2 ** floorLog2(value) === value;
}

function requireSize(size: number): void {
  if (!Number.isSafeInteger(size) || size < 0) throw new ProofError('proof/range', 'not a tree size');
}

function requireIndex(index: number, size: number): void {
  requireSize(size);
  if (!Number.isSafeInteger(index) || index < 0 || index >= size) throw new ProofError('proof/range', 'the tree has no leaf of this index');
}

function requireHash(hash: Uint8Array): void {
  if (hash.length !== HASH_BYTES) throw new ProofError('proof/mismatch', 'a hash has not 32 bytes');
}
