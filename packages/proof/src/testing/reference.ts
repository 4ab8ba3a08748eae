import { createHash } from 'node:crypto';

/** RFC 6962 section 2.1 written down once more, from its definitions and on node:crypto, to compare with. */

const sha256 = (...parts: Uint8Array[]): Buffer => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
};

const largestPowerBelow = (n: number): number => {
  let k = 1;
  while (k * 2 < n) k *= 2;
  return k;
};

/** MTH(D[n]). */
export function treeHash(entries: readonly Uint8Array[]): Buffer {
  if (entries.length === 0) return sha256();
  if (entries.length === 1) return sha256(Buffer.of(0), entries[0]!);
  const k = largestPowerBelow(entries.length);
  return sha256(Buffer.of(1), treeHash(entries.slice(0, k)), treeHash(entries.slice(k)));
}

/** PATH(m, D[n]). */
export function auditPath(m: number, entries: readonly Uint8Array[]): Buffer[] {
  if (entries.length === 1) return [];
  const k = largestPowerBelow(entries.length);
  return m < k
    ? [...auditPath(m, entries.slice(0, k)), treeHash(entries.slice(k))]
    : [...auditPath(m - k, entries.slice(k)), treeHash(entries.slice(0, k))];
}

/** PROOF(m, D[n]). */
export function consistency(m: number, entries: readonly Uint8Array[]): Buffer[] {
  return m === 0 ? [] : subproof(m, entries, true);
}

function subproof(m: number, entries: readonly Uint8Array[], known: boolean): Buffer[] {
  if (m === entries.length) return known ? [] : [treeHash(entries)];
  const k = largestPowerBelow(entries.length);
  return m <= k
    ? [...subproof(m, entries.slice(0, k), known), treeHash(entries.slice(k))]
    : [...subproof(m - k, entries.slice(k), false), treeHash(entries.slice(0, k))];
}

/** Distinct entries of different lengths, the empty one included. */
export function sampleEntries(count: number): Buffer[] {
  return Array.from({ length: count }, (_, at) => Buffer.alloc(at % 40, at));
}
