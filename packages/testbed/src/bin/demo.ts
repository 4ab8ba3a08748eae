import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runDemo } from '../demo/run.ts';

/** `npm run demo`: one traveller from sign-up to a certificate that verifies; exits non-zero when any step fails. `--keep` leaves the folder. */
const folder = mkdtempSync(join(tmpdir(), 'yuanyou-demo-'));
const keep = process.argv.includes('--keep');
const failed = await runDemo(folder, (line) => process.stdout.write(`${line}\n`));
if (keep || failed) process.stdout.write(`\nEverything is left in ${folder}\n`);
else rmSync(folder, { recursive: true, force: true });
process.exit(failed ? 1 : 0);
