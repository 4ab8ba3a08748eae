// The whole suite. `npm test` runs the static checks and every fast test; `npm run test:deep` the faults and the long fuzz.
// The last line of output is always `N passed, N failed`: one for each static check, one for each test.
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ran, readTally, type Tally } from './check/tally.ts';
import { run } from './check/run.ts';

const root = resolve(import.meta.dirname, '..');
const deep = process.argv.includes('--deep');

interface StaticCheck {
  readonly name: string;
  /** A script in node_modules, run by this very Node, with its arguments. */
  readonly script: string;
  readonly args: readonly string[];
}

const staticChecks: readonly StaticCheck[] = [
  { name: 'types', script: 'typescript/bin/tsc', args: ['-p', 'tsconfig.json'] },
  { name: 'lint', script: 'oxlint/bin/oxlint', args: ['--type-aware', '--deny-warnings'] },
  {
    name: 'edges',
    script: 'dependency-cruiser/bin/dependency-cruiser.mjs',
    args: ['--config', 'tools/dependency-cruiser.config.js', ...['packages', 'tools', 'bench'].filter((folder) => existsSync(join(root, folder)))],
  },
  { name: 'unused', script: 'knip/bin/knip.js', args: ['--config', 'tools/knip.json', '--no-progress', '--no-config-hints'] },
];

function inNodeModules(script: string): string {
  return join(root, 'node_modules', script);
}

async function runStaticCheck(check: StaticCheck): Promise<Tally> {
  const outcome = await run(root, inNodeModules(check.script), check.args, 'collect');
  const seconds = (outcome.durationMs / 1000).toFixed(1);
  console.log(`${outcome.exitCode === 0 ? 'ok    ' : 'FAILED'} ${check.name} (${seconds} s)`);
  if (outcome.exitCode === 0) return { passed: 1, failed: 0 };
  console.log(outcome.output.trimEnd());
  return { passed: 0, failed: 1 };
}

async function runTests(): Promise<Tally> {
  const report = join(root, '.cache', deep ? 'tests-deep.json' : 'tests.json');
  mkdirSync(join(root, '.cache'), { recursive: true });
  rmSync(report, { force: true });
  const config = deep ? 'tools/vitest.deep.config.ts' : 'vitest.config.ts';
  const args = ['run', '--config', config, '--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const environment = deep ? { FUZZ_CASES: process.env['FUZZ_CASES'] ?? '100000' } : {};
  const outcome = await run(root, inNodeModules('vitest/vitest.mjs'), args, 'show', environment);
  return readTally(report, outcome.exitCode);
}

async function main(): Promise<number> {
  const tallies: Tally[] = [];
  if (!deep) for (const check of staticChecks) tallies.push(await runStaticCheck(check));
  const tests = await runTests();
  if (!ran(tests)) console.log('No test ran.');
  tallies.push(tests);
  const passed = tallies.reduce((sum, tally) => sum + tally.passed, 0);
  const failed = tallies.reduce((sum, tally) => sum + tally.failed, 0);
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0 && ran(tests) ? 0 : 1;
}

process.exitCode = await main();
