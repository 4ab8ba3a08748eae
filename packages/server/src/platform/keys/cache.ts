interface Kept { readonly key: Buffer; readonly keptAt: number }

/** Unwrapped keys for a short while, the least recently used going first. */
export interface KeyCache {
  get(subjectId: string, now: number): Buffer | undefined;
  /** Keeps a key that was read at `epoch`, unless something was destroyed since. */
  keep(subjectId: string, key: Buffer, now: number, epoch: number): void;
  /** Forgets a key, and refuses all that were read before this call. */
  destroy(subjectId: string): void;
  epoch(): number;
}

export function createKeyCache(lifeMs: number, most: number): KeyCache {
  const kept = new Map<string, Kept>();
  let epoch = 0;
  let sweptAt = 0;
  const drop = (subjectId: string): void => { kept.delete(subjectId); };
  const isOver = ({ keptAt }: Kept, now: number): boolean => now < keptAt || now >= keptAt + lifeMs;
  // What nobody asks for again must not stay either.
  const sweep = (now: number): void => {
    if (now >= sweptAt && now < sweptAt + lifeMs) return;
    sweptAt = now;
    for (const [subjectId, one] of kept) if (isOver(one, now)) drop(subjectId);
  };
  return {
    get(subjectId, now) {
      const found = kept.get(subjectId);
      if (found === undefined) return undefined;
      drop(subjectId);
      // A clock that was set back must not lengthen a key's stay.
      if (isOver(found, now)) return undefined;
      kept.set(subjectId, found);
      return found.key;
    },
    keep(subjectId, key, now, readAt) {
      if (readAt !== epoch) return;
      sweep(now);
      drop(subjectId);
      kept.set(subjectId, { key, keptAt: now });
      const oldest = kept.keys().next().value;
      if (kept.size > most && oldest !== undefined) drop(oldest);
    },
    destroy(subjectId) {
      epoch++;
      // Not overwritten: a seal just under way must not run on with a key of zeros.
      drop(subjectId);
    },
    epoch: () => epoch,
  };
}
