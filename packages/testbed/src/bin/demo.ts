import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runDemo } from '../demo/run.ts';

const help = `npm run demo [-- --running FOLDER] [--keep]

One traveller from sign-up to a certificate that verifies; exits non-zero when any step fails.

  --running FOLDER  asks the service that npm start runs on this data folder, for example ./data;
                    without it the demo starts one of its own in a temporary folder
  --keep            leaves the temporary folder: artefacts, and the service's data
`;

const { values } = parseArgs({ options: { running: { type: 'string' }, keep: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } } });
if (values.help) {
  process.stdout.write(help);
  process.exit(0);
}
const folder = mkdtempSync(join(tmpdir(), 'yuanyou-demo-'));
const failed = await runDemo({
  folder, say: (line) => process.stdout.write(`${line}\n`), ...(values.running === undefined ? {} : { running: values.running }),
});
if (values.keep || failed) process.stdout.write(`\nEverything is left in ${folder}\n`);
else rmSync(folder, { recursive: true, force: true });
process.exit(failed ? 1 : 0);
