import { spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  consistencyProof, leafHash, parseCheckpoint, parseVerifierKey, readerOfLeaves, verifyConsistency, verifyNote,
} from '@yuanyou/proof';
import { expect, test } from 'vitest';
import { sql } from '../platform/db/index.ts';
import { testDatabase } from '../platform/db/testing.ts';
import { referenceRoot, testFolder, testLog, testSigner } from './testing.ts';

const rounds = 12;

interface Acknowledged {
  readonly leafId: string;
  readonly entry: string;
  readonly index: number;
  readonly checkpoint: string;
}

function runUntilKilled(options: object, lifeMs: number): Promise<Acknowledged[]> {
  const source = `import(${JSON.stringify(pathToFileURL(join(import.meta.dirname, 'testing.ts')).href)})`
    + `.then((testing) => testing.appendUntilKilled(${JSON.stringify(options)}))`;
  const child = spawn(process.execPath, ['-e', source], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    // Its life begins with its first leaf, so that it dies at work however long it took to start.
    if (output === '') setTimeout(() => child.kill('SIGKILL'), lifeMs);
    output += text;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (_code, signal) => {
      if (signal === 'SIGKILL') resolve(linesOf(output));
      else reject(new Error('the appending process ended by itself'));
    });
  });
}

function linesOf(output: string): Acknowledged[] {
  return output.split('\n').slice(0, -1).map((line) => {
    const [leafId, entry, index, checkpoint] = line.split(' ') as [string, string, string, string];
    return { leafId, entry, index: Number(index), checkpoint: Buffer.from(checkpoint, 'base64').toString() };
  });
}

test('SIGKILL at any moment of two processes: no acknowledged leaf is lost, no two heads disagree', async () => {
  const database = await testDatabase();
  const folder = testFolder();
  const { privateKey } = generateKeyPairSync('ed25519');
  const options = { url: database.url, folder: folder.path, key: privateKey.export({ format: 'pem', type: 'pkcs8' }) };
  try {
    const acknowledged: Acknowledged[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const lives = [Math.random() * 400, Math.random() * 400];
      acknowledged.push(...(await Promise.all(lives.map((lifeMs) => runUntilKilled(options, lifeMs)))).flat());
    }
    const log = testLog(database.db, { signer: testSigner('Ed25519', privateKey), published: folder.path });
    expect(await log.start()).toBe('running');
    await log.sequence();

    const rows = await database.db.all(sql<{ leafId: string; entry: Buffer; at: bigint }>`
      select leaf_id as "leafId", entry, leaf_index as at from transparency.leaf where leaf_index is not null order by leaf_index`);
    expect(rows.map((row) => Number(row.at))).toEqual(rows.map((_, at) => at));
    expect(acknowledged.length).toBeGreaterThan(rounds);
    for (const leaf of acknowledged) expect(rows[leaf.index]).toMatchObject({ leafId: leaf.leafId, entry: Buffer.from(leaf.entry, 'hex') });

    const read = readerOfLeaves(rows.map((row) => leafHash(row.entry)));
    const root = referenceRoot(rows.map((row) => row.entry));
    for (const note of new Set(acknowledged.map((leaf) => leaf.checkpoint))) {
      const { text, verified } = verifyNote(note, [parseVerifierKey(log.vkey)]);
      expect(verified).toHaveLength(1);
      const head = parseCheckpoint(text);
      verifyConsistency(head.size, head.root, rows.length, root, consistencyProof(head.size, rows.length, read));
    }
  } finally {
    await database.drop();
    folder.remove();
  }
});
