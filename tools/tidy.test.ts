import { resolve } from 'node:path';
import { allProblems } from '@yuanyou/contract';
import { describe, expect, it } from 'vitest';
import { docFaults } from './tidy/doors.ts';
import { laws } from './tidy/laws.ts';
import { readTree } from './tidy/tree.ts';
import type { Fault } from './tidy/tree.ts';

const root = resolve(import.meta.dirname, '..');
const files = readTree(root);
const codes = new Set(Object.keys(allProblems));

function shown(faults: readonly Fault[]): string {
  return faults.map(({ path, line, reason }) => `${path}:${line} ${reason}`).join('\n');
}

describe('this repository keeps the laws of the house', () => {
  it.each(Object.entries(laws))('%s', (_, law) => {
    expect(shown(law(files, codes))).toBe('');
  });

  it('docs: every public export of rsp, proof and contract has TSDoc', () => {
    const entries = ['rsp/src/index.ts', 'rsp/src/euicc/index.ts', 'rsp/src/lpa/index.ts', 'proof/src/index.ts', 'contract/src/index.ts'];
    expect(shown(docFaults(root, entries.map((entry) => `packages/${entry}`)))).toBe('');
  });
});
