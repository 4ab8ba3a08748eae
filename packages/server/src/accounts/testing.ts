import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { accountsProblems, createClient } from '@yuanyou/contract';
import type { Client } from '@yuanyou/contract';
import { createNotifications } from '../notifications/index.ts';
import type { Mail } from '../notifications/index.ts';
import { createAudit } from '../platform/audit/index.ts';
import { manualClock } from '../platform/clock/index.ts';
import { testDatabase } from '../platform/db/testing.ts';
import { createAttempts } from '../platform/http/index.ts';
import { serveForTest } from '../platform/http/testing.ts';
import { createJobs } from '../platform/jobs/index.ts';
import { createKeys } from '../platform/keys/index.ts';
import { createPasswords } from '../platform/secrets/index.ts';
import { createAccounts } from './index.ts';

const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** The accounts slice on a database of its own, served on a loopback port; mail lands in `mails`. */
export async function accountsForTest() {
  const database = await testDatabase();
  const { db } = database;
  const clock = manualClock(new Date('2026-11-22T08:00:00Z'));
  const keyFolder = mkdtempSync(join(tmpdir(), 'yuanyou-keys-'));
  const { dataKeys, blindIndex } = createKeys({ db: database.keysDb, masterKey: randomBytes(32), keyFolder, clock });
  const jobs = createJobs({ db, clock, log: quiet as never });
  const audit = createAudit({ clock });
  const attempts = createAttempts({ db, blindIndex, clock });
  const mails: Mail[] = [];
  const notifications = createNotifications({
    db, clock, dataKeys, blindIndex, outbox: jobs.outbox, schedule: jobs.schedule, attempts, log: quiet, verifyUrl: 'http://api.example.test/verify-message',
    mailer: {
      send(mail) {
        mails.push(mail);
        return Promise.resolve({ kind: 'sent' });
      },
    },
  });
  // Cheap hashes: the tests sign in hundreds of times.
  const passwords = createPasswords({ memoryKib: 64, passes: 1, atOnce: 8 });
  const site = { name: 'Yuanyou test', publicUrl: 'https://travel.example.test', origins: ['https://account.travel.example.test'] };
  const deps = { db, clock, dataKeys, blindIndex, outbox: jobs.outbox, audit, attempts, passwords, notifications, site };
  const accounts = createAccounts(deps);
  const served = await serveForTest({ endpoints: accounts.endpoints, authenticators: [accounts.authenticator], db, blindIndex, clock, problems: accountsProblems });
  const client = (session?: string): Client => createClient({ baseUrl: served.url, ...(session === undefined ? {} : { session }) });
  return {
    accounts, deps, db, clock, dataKeys, jobs, mails, served, client,
    /** The code in the last mail to an address, once everything due was sent. */
    async lastCode(email: string): Promise<string> {
      await jobs.drain();
      return /\b\d{6}\b/.exec(mails.findLast(({ to }) => to === email)?.text ?? '')?.[0] ?? '';
    },
    /** The long code in the last mail to an address. */
    async lastLongCode(email: string): Promise<string> {
      await jobs.drain();
      return /\b[0-9A-Z]{5}-[0-9A-Z]{5}\b/.exec(mails.findLast(({ to, text }) => to === email && /\b[0-9A-Z]{5}-[0-9A-Z]{5}\b/.test(text))?.text ?? '')?.[0] ?? '';
    },
    async close() {
      await served.close();
      await database.drop();
      rmSync(keyFolder, { recursive: true });
    },
  };
}
