import { describe, expect, it } from 'vitest';
import { ran, readTally, tallyOf } from './tally.ts';

const passedFile = { status: 'passed', assertionResults: [{ status: 'passed' }, { status: 'passed' }] };

describe('the tally of a test run', () => {
  it('counts the tests', () => {
    const failedFile = { status: 'failed', assertionResults: [{ status: 'passed' }, { status: 'failed' }] };
    expect(tallyOf({ numPassedTests: 3, numFailedTests: 1, testResults: [passedFile, failedFile] }, 1)).toEqual({ passed: 3, failed: 1 });
  });

  it('counts a file that does not load as one failure', () => {
    const broken = { status: 'failed', assertionResults: [] };
    expect(tallyOf({ numPassedTests: 2, numFailedTests: 0, testResults: [passedFile, broken] }, 1)).toEqual({ passed: 2, failed: 1 });
  });

  it('counts a bad exit with no failed test as one failure', () => {
    expect(tallyOf({ numPassedTests: 2, numFailedTests: 0, testResults: [passedFile] }, 1)).toEqual({ passed: 2, failed: 1 });
  });

  it('takes a missing report for a failure', () => {
    expect(readTally('/nonexistent/report.json', 0)).toEqual({ passed: 0, failed: 1 });
  });

  it('knows when nothing ran', () => {
    expect(ran(tallyOf({ numPassedTests: 0, numFailedTests: 0, testResults: [] }, 0))).toBe(false);
  });
});
