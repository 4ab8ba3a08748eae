import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAudit, type Audit } from '../src/platform/audit/index.ts';
import { manualClock } from '../src/platform/clock/index.ts';
import type { Database } from '../src/platform/db/index.ts';
import { testDatabase } from '../src/platform/db/testing.ts';
import { createAttempts, type Attempts } from '../src/platform/http/index.ts';
import { createJobs, type Jobs } from '../src/platform/jobs/index.ts';
import { createKeys, type Keys } from '../src/platform/keys/index.ts';

/** What every slice stands on, over a database of its own and a clock that stands still. */
export interface Foundation {
  readonly db: Database;
  readonly url: string;
  readonly clock: ReturnType<typeof manualClock>;
  readonly keys: Keys;
  readonly jobs: Jobs;
  readonly attempts: Attempts;
  readonly audit: Audit;
  readonly log: { info(): void; warn(): void; error(): void; debug(): void };
  stop(): Promise<void>;
}

export async function layFoundation(startAt = new Date()): Promise<Foundation> {
  const { db, url, keysDb, drop } = await testDatabase();
  const keyFolder = mkdtempSync(join(tmpdir(), 'yuanyou-keys-'));
  const clock = manualClock(startAt);
  const quiet = (): void => {};
  const log = { info: quiet, warn: quiet, error: quiet, debug: quiet };
  const keys = createKeys({ db: keysDb, masterKey: randomBytes(32), keyFolder, clock });
  return {
    db, url, clock, keys, log,
    jobs: createJobs({ db, clock, log }),
    attempts: createAttempts({ db, blindIndex: keys.blindIndex, clock }),
    audit: createAudit({ clock }),
    async stop() {
      await drop();
      rmSync(keyFolder, { recursive: true, force: true });
    },
  };
}
