import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { accessProblems, accessRoutes, createClient } from '@yuanyou/contract';
import { createAudit } from '../platform/audit/index.ts';
import { manualClock } from '../platform/clock/index.ts';
import { testDatabase } from '../platform/db/testing.ts';
import { createAttempts } from '../platform/http/index.ts';
import { serveForTest } from '../platform/http/testing.ts';
import { createKeys } from '../platform/keys/index.ts';
import { createPasswords } from '../platform/secrets/index.ts';
import { createAccess } from './index.ts';

/** The access slice on a database of its own, served on a loopback port. */
export async function accessForTest() {
  const database = await testDatabase();
  const { db } = database;
  const clock = manualClock(new Date('2026-11-22T08:00:00Z'));
  const keyFolder = mkdtempSync(join(tmpdir(), 'yuanyou-keys-'));
  const { dataKeys, blindIndex } = createKeys({ db: database.keysDb, masterKey: randomBytes(32), keyFolder, clock });
  const attempts = createAttempts({ db, blindIndex, clock });
  const passwords = createPasswords({ memoryKib: 64, passes: 1, atOnce: 8 });
  const site = { name: 'Yuanyou test', publicUrl: 'https://travel.example.test' };
  const access = createAccess({ db, clock, dataKeys, blindIndex, audit: createAudit({ clock }), attempts, passwords, site });
  const served = await serveForTest({ endpoints: access.endpoints, authenticators: access.authenticators, db, blindIndex, clock, problems: accessProblems });
  const client = (secret?: string) => createClient({ baseUrl: served.url, ...(secret === undefined ? {} : { session: secret }) });
  return {
    access, db, clock, dataKeys, served, client,
    /** Accepts an invitation with a password and answers the secret of the session. */
    async accept(code: string, password: string): Promise<string> {
      return (await client().call(accessRoutes.acceptInvitation, { body: { code, password } })).body.session.secret!;
    },
    async close() {
      await served.close();
      await database.drop();
      rmSync(keyFolder, { recursive: true });
    },
  };
}
