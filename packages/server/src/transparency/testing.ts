import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { mkdtempSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { manualClock } from '../platform/clock/index.ts';
import { openDatabase, type Transactor } from '../platform/db/index.ts';
import { newId } from '../platform/ids.ts';
import type { Event, EventType, Outbox, Schedule } from '../platform/jobs/types.ts';
import type { Signer } from '../platform/keys/types.ts';
import { createTransparency, type TransparencyDeps } from './index.ts';

/** The tree of RFC 6962 on node:crypto, from its definition: shares no line with the log. */
export function referenceRoot(entries: readonly Uint8Array[]): Buffer {
  const sha256 = (...parts: Uint8Array[]): Buffer => createHash('sha256').update(Buffer.concat(parts)).digest();
  const row = (start: number, end: number): Buffer => {
    if (end - start === 1) return sha256(Buffer.of(0), entries[start]!);
    let k = 1;
    while (k * 2 < end - start) k *= 2;
    return sha256(Buffer.of(1), row(start, start + k), row(start + k, end));
  };
  return entries.length === 0 ? sha256() : row(0, entries.length);
}

export const entryOf = (text: string): Buffer => createHash('sha256').update(text).digest();

export function testSigner(algorithm: 'Ed25519' | 'ES256' = 'Ed25519', given?: KeyObject): Signer {
  const made = algorithm === 'Ed25519' ? generateKeyPairSync('ed25519') : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const privateKey = given ?? made.privateKey;
  return {
    keyId: `test-${algorithm}`, algorithm, publicKeyDer: createPublicKey(privateKey).export({ format: 'der', type: 'spki' }),
    sign: (message) => (algorithm === 'Ed25519'
      ? sign(null, message, privateKey) : sign('sha256', message, { key: privateKey, dsaEncoding: 'ieee-p1363' })),
  };
}

/** An outbox that only remembers what was emitted; a rolled back transaction's events stay in it, so tests read it with care. */
export function memoryOutbox() {
  const emitted: { name: string; body: unknown }[] = [];
  const handlers = new Map<string, (event: Event<unknown>) => Promise<void>>();
  const outbox: Outbox = {
    emit: (_tx, type, _key, body) => {
      emitted.push({ name: type.name, body });
      return Promise.resolve();
    },
    subscribe: <B>(type: EventType<B>, _consumer: string, handler: (event: Event<B>) => Promise<void>) => {
      handlers.set(type.name, handler as (event: Event<unknown>) => Promise<void>);
    },
  };
  return { outbox, emitted, handlers };
}

/** A log on a database and a folder; several of them on the same ones are several processes. */
export function testLog(db: Transactor, more: Partial<TransparencyDeps> & Pick<TransparencyDeps, 'signer' | 'published'>) {
  const events = memoryOutbox();
  const tasks: (() => Promise<void>)[] = [];
  const schedule: Schedule = { every: (_name, _everyMs, run) => { tasks.push(run); } };
  const logged: string[] = [];
  const writer = ((_fields: unknown, text: string) => { logged.push(text); }) as never;
  const log = createTransparency({
    db, clock: manualClock(new Date('2026-11-22T08:00:00.000Z')), outbox: events.outbox, schedule, log: { info: writer, error: writer },
    origin: 'demo.example/log', issuerKeys: () => [], ...more,
  });
  const append = async (...texts: string[]): Promise<string[]> => {
    const leaves = texts.map((text) => ({ leafId: newId(), entry: entryOf(text) }));
    await db.transaction(async (tx) => {
      for (const leaf of leaves) await log.append(tx, leaf);
    });
    return leaves.map((leaf) => leaf.leafId);
  };
  return { ...log, add: append, events, tasks, logged };
}

export function testFolder(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'yuanyou-log-'));
  return { path, remove: () => { rmSync(path, { recursive: true, force: true }); } };
}

/**
 * A process of its own that appends and sequences until it is killed, and writes a line for each leaf once it has its evidence: id, entry,
 * index, tree size and root hash, then the checkpoint in base64.
 */
export async function appendUntilKilled(options: { readonly url: string; readonly folder: string; readonly key: string }): Promise<void> {
  const db = openDatabase({ url: options.url, maxConnections: 4 });
  const signer = testSigner('Ed25519', createPrivateKey(options.key));
  const log = testLog(db, { signer, published: options.folder, batch: 3 });
  const worker = async (): Promise<void> => {
    for (;;) {
      const entry = entryOf(newId());
      const leafId = newId();
      await db.transaction((tx) => log.append(tx, { leafId, entry }));
      await log.sequence();
      const evidence = (await log.evidence(leafId))!;
      const line = [leafId, entry.toString('hex'), evidence.index, Buffer.from(evidence.checkpoint).toString('base64')].join(' ');
      // In one write, at once: a line that the parent reads was acknowledged.
      writeSync(1, `${line}\n`);
    }
  };
  await Promise.all([worker(), worker(), worker()]);
}
