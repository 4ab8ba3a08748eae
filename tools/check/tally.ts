import { existsSync, readFileSync } from 'node:fs';

export interface Tally {
  readonly passed: number;
  readonly failed: number;
}

interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly testResults: readonly { readonly status: string; readonly assertionResults: readonly { readonly status: string }[] }[];
}

/** True when at least one test ran. */
export function ran(tally: Tally): boolean {
  return tally.passed + tally.failed > 0;
}

/** Counts a vitest JSON report. A file that failed outside its tests (it did not load, say) counts as one failure. */
export function tallyOf(report: VitestReport, exitCode: number): Tally {
  const brokenFiles = report.testResults.filter((file) =>
    file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed')).length;
  const failed = report.numFailedTests + brokenFiles;
  // An error outside every file (an unhandled rejection, the global setup) shows only in the exit code.
  return { passed: report.numPassedTests, failed: failed === 0 && exitCode !== 0 ? 1 : failed };
}

/** Reads the report of a finished run; no report at all is one failure. */
export function readTally(path: string, exitCode: number): Tally {
  if (!existsSync(path)) return { passed: 0, failed: 1 };
  return tallyOf(JSON.parse(readFileSync(path, 'utf8')) as VitestReport, exitCode);
}
