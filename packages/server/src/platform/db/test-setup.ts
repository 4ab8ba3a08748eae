import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removeAbandoned, startEmbedded } from './embedded.ts';
import { testServerVariable } from './testing.ts';

const prefix = 'yuanyou-test-';

/** Starts the server that all test files of a run share; TEST_DATABASE_URL names one that is there already. */
export default async function setup(): Promise<() => Promise<void>> {
  const given = process.env['TEST_DATABASE_URL'];
  if (given !== undefined && given !== '') {
    process.env[testServerVariable] = given;
    return async () => {};
  }
  // A test run that was killed could not clean up.
  const earlier = readdirSync(tmpdir()).filter((name) => name.startsWith(prefix));
  for (const name of earlier) await removeAbandoned(join(tmpdir(), name)).catch(() => undefined);
  const folder = mkdtempSync(join(tmpdir(), prefix));
  const server = await startEmbedded({ folder, databases: [], fsync: process.env['YUANYOU_TEST_FSYNC'] === '1', maxConnections: 200 });
  process.env[testServerVariable] = server.url('postgres');
  return async () => {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  };
}
