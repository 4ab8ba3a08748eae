import { readFileSync } from 'node:fs';
import { checkDemo } from '../demo/check.ts';

/** Runs apart from the demo: it knows only where things lie. Prints each check and ends non-zero when one fails. */
const state = process.argv[2];
if (state === undefined) {
  process.stderr.write('usage: demo-check.ts STATE.json\n');
  process.exit(2);
}
const results = await checkDemo(JSON.parse(readFileSync(state, 'utf8')) as Parameters<typeof checkDemo>[0]);
for (const { name, ok, detail } of results) process.stdout.write(`${ok ? 'ok' : 'FAILED'}: ${name} (${detail})\n`);
process.exit(results.length > 0 && results.every((result) => result.ok) ? 0 : 1);
