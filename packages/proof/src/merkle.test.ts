import { describe, expect, test } from 'vitest';
import {
  consistencyProof, emptyRoot, type HashReader, inclusionProof, leafHash, ProofError, readerOfLeaves, rootFromInclusion, treeRoot,
  verifyConsistency, verifyInclusion,
} from './index.ts';
import { auditPath, consistency, sampleEntries, treeHash } from './testing/reference.ts';

const MAX = 70;
const entries = sampleEntries(MAX);
const leaves = entries.map((entry) => leafHash(entry));
const read: HashReader = readerOfLeaves(leaves);
const roots = Array.from({ length: MAX + 1 }, (_, size) => treeHash(entries.slice(0, size)));

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof ProofError) return error.code;
    throw error;
  }
  return 'accepted';
}

describe('tree hashes', () => {
  test('the empty tree and the single empty leaf hash as RFC 6962 says', () => {
    expect(Buffer.from(emptyRoot()).toString('hex')).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
    expect(Buffer.from(leafHash(new Uint8Array(0))).toString('hex'))
      .toBe('6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d');
  });

  test('every size up to 70 has the root of the definition', () => {
    for (let size = 0; size <= MAX; size += 1) expect(Buffer.from(treeRoot(size, read))).toEqual(roots[size]);
  });

  test('sizes that do not exist are refused', () => {
    for (const size of [-1, 1.5, Number.NaN, 2 ** 53]) expect(codeOf(() => treeRoot(size, read))).toBe('proof/range');
  });
});

describe('inclusion', () => {
  test('every leaf of every tree: the path of the definition, and it verifies', () => {
    for (let size = 1; size <= MAX; size += 1) {
      for (let index = 0; index < size; index += 1) {
        const path = inclusionProof(index, size, read);
        expect(path.map((hash) => Buffer.from(hash))).toEqual(auditPath(index, entries.slice(0, size)));
        verifyInclusion(leaves[index]!, index, size, roots[size]!, path);
      }
    }
  });

  test('no path verifies for another leaf, index, size or root, shortened or lengthened', () => {
    for (let size = 2; size <= 33; size += 1) {
      for (let index = 0; index < size; index += 1) {
        const path = inclusionProof(index, size, read);
        const root = roots[size]!;
        for (let other = 0; other < size; other += 1) {
          if (other === index) continue;
          expect(codeOf(() => verifyInclusion(leaves[index]!, other, size, root, path))).toBe('proof/mismatch');
          expect(codeOf(() => verifyInclusion(leaves[other]!, index, size, root, path))).toBe('proof/mismatch');
        }
        expect(codeOf(() => verifyInclusion(leaves[index]!, index, size, roots[size - 1]!, path))).toBe('proof/mismatch');
        expect(codeOf(() => verifyInclusion(leaves[index]!, index, size, root, path.slice(1)))).toBe('proof/mismatch');
        expect(codeOf(() => verifyInclusion(leaves[index]!, index, size, root, [...path, root]))).toBe('proof/mismatch');
        expect(codeOf(() => verifyInclusion(leaves[index]!, size, size, root, path))).toBe('proof/range');
      }
    }
  });

  test('a path over a tree near 2^53 leaves has at most 53 hashes and leads to its root', () => {
    const same: HashReader = (level, index) => leafHash(Buffer.from(`${level} ${index}`));
    const size = 2 ** 53 - 1;
    const index = 2 ** 52 + 12345;
    const path = inclusionProof(index, size, same);
    expect(path.length).toBeLessThanOrEqual(53);
    expect(rootFromInclusion(same(0, index), index, size, path)).toHaveLength(32);
  });
});

describe('consistency', () => {
  test('every pair of sizes: the proof of the definition, and it verifies', () => {
    for (let to = 0; to <= MAX; to += 1) {
      for (let from = 0; from <= to; from += 1) {
        const proof = consistencyProof(from, to, read);
        expect(proof.map((hash) => Buffer.from(hash))).toEqual(consistency(from, entries.slice(0, to)));
        verifyConsistency(from, roots[from]!, to, roots[to]!, proof);
      }
    }
  });

  test('a tree with one leaf changed is consistent with no proof of the other', () => {
    const forked = entries.map((entry, at) => (at === 2 ? Buffer.from('another') : entry));
    for (let to = 4; to <= 20; to += 1) {
      for (let from = 3; from <= to; from += 1) {
        for (const proof of [consistency(from, entries.slice(0, to)), consistency(from, forked.slice(0, to))]) {
          expect(codeOf(() => verifyConsistency(from, roots[from]!, to, treeHash(forked.slice(0, to)), proof))).toBe('proof/mismatch');
        }
      }
    }
  });

  test('proofs that are too short, too long or for sizes the wrong way round are refused', () => {
    for (const [from, to] of [[3, 7], [4, 8], [6, 8], [1, 2], [64, 65]] as const) {
      const proof = consistencyProof(from, to, read);
      expect(codeOf(() => verifyConsistency(from, roots[from]!, to, roots[to]!, proof.slice(1)))).toBe('proof/mismatch');
      expect(codeOf(() => verifyConsistency(from, roots[from]!, to, roots[to]!, []))).toBe('proof/mismatch');
      expect(codeOf(() => verifyConsistency(from, roots[from]!, to, roots[to]!, [...proof, roots[1]!]))).toBe('proof/mismatch');
      expect(codeOf(() => verifyConsistency(to, roots[to]!, from, roots[from]!, proof))).toBe('proof/range');
    }
    expect(codeOf(() => verifyConsistency(5, roots[5]!, 5, roots[5]!, [roots[1]!]))).toBe('proof/mismatch');
    expect(codeOf(() => verifyConsistency(0, roots[1]!, 5, roots[5]!, []))).toBe('proof/mismatch');
  });
});
